// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// The turns of a conversation in Google's form: neighbours of one role are one, none is empty.
extension GeminiEncoder {
  func writeContents(_ json: inout JSONWriter) {
    var last: ChatMessage.Role?
    for message in request.messages where message.role != .system && hasParts(message) {
      let role: ChatMessage.Role = message.role == .assistant ? .assistant : .user
      if last != role {
        if last != nil { endContent(&json) }
        beginContent(role == .assistant ? "model" : "user", &json)
        last = role
      }
      if message.role == .tool { writeResult(message, &json) }
      for part in message.parts { write(part, of: message.role, &json) }
      writeCalls(message, &json)
    }
    if last == nil {
      // There must be a turn of the user's.
      beginContent("user", &json)
      GeminiEncoder.writeText(".", &json)
    }
    endContent(&json)
  }

  private func beginContent(_ role: StaticString, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("role", role)
    json.key("parts")
    json.beginArray()
  }

  private func endContent(_ json: inout JSONWriter) {
    json.endArray()
    json.endObject()
  }

  private func hasParts(_ message: ChatMessage) -> Bool {
    message.role == .tool || !message.toolCalls.isEmpty
      || message.parts.contains { part in
        if case .text(let text) = part { return !text.isEmpty }
        return true
      }
  }

  private func write(_ part: ChatPart, of role: ChatMessage.Role, _ json: inout JSONWriter) {
    switch part {
    case .text(let text):
      // The text of a tool's answer is in its result.
      if !text.isEmpty, role != .tool { GeminiEncoder.writeText(text, &json) }
    case .image(let media), .audio(let media), .file(let media):
      json.beginObject()
      let isURL = !media.url.isEmpty
      json.key(isURL ? "fileData" : "inlineData")
      json.beginObject()
      let type = media.mimeType.isEmpty ? GeminiEncoder.type(of: media.url) : media.mimeType
      if !type.isEmpty { json.member("mimeType", type) }
      json.member(isURL ? "fileUri" : "data", isURL ? media.url : media.data)
      json.endObject()
      json.endObject()
    }
  }

  /// The type that an address ends with; empty where it says nothing.
  private static func type(of url: ByteString) -> ByteString {
    let endings: [(ending: StaticString, type: StaticString)] = [
      (".png", "image/png"), (".jpg", "image/jpeg"), (".jpeg", "image/jpeg"),
      (".webp", "image/webp"), (".gif", "image/gif"), (".pdf", "application/pdf"),
      (".mp4", "video/mp4"), (".mp3", "audio/mp3"), (".wav", "audio/wav"),
    ]
    let path = (url.split(at: UInt8(ascii: "?"))?.before ?? url).lowercased
    for (ending, type) in endings
    where path.bytes.suffix(ending.utf8CodeUnitCount).elementsEqual(ByteString(ending).bytes) {
      return ByteString(type)
    }
    return .empty
  }

  /// The first call of a step carries the signature of the thoughts that led to it.
  private func writeCalls(_ message: ChatMessage, _ json: inout JSONWriter) {
    for (index, call) in message.toolCalls.enumerated() {
      json.beginObject()
      json.key("functionCall")
      json.beginObject()
      json.member("name", call.name)
      json.key("args")
      json.raw(call.arguments)
      json.endObject()
      if !call.signature.isEmpty {
        json.member("thoughtSignature", call.signature)
      } else if index == 0, model.wantsSignatures {
        json.member("thoughtSignature", GeminiEncoder.lostSignature)
      }
      json.endObject()
    }
  }

  /// A result must be an object.
  private func writeResult(_ message: ChatMessage, _ json: inout JSONWriter) {
    let text = message.text
    json.beginObject()
    json.key("functionResponse")
    json.beginObject()
    json.member("name", message.toolName.isEmpty ? message.toolCallID : message.toolName)
    json.key("response")
    if (try? JSONDocument(text, requiresObject: true)) != nil {
      json.raw(text)
    } else {
      json.beginObject()
      json.member(message.isToolError ? "error" : "result", text)
      json.endObject()
    }
    json.endObject()
    json.endObject()
  }
}
