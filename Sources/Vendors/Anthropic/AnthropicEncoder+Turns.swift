// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// The turns of a conversation: neighbours of one role are one message, results of tools first.
extension AnthropicEncoder {
  func writeTurns(_ json: inout JSONWriter) throws(ChatProblem) {
    let messages = request.messages.filter { AnthropicEncoder.hasContent($0) }
    // A conversation must begin with the user.
    if messages.first?.role ?? .assistant == .assistant { writeFirstTurn(&json) }
    var start = 0
    while start < messages.count {
      let isAssistant = messages[start].role == .assistant
      var end = start + 1
      while end < messages.count, (messages[end].role == .assistant) == isAssistant { end += 1 }
      json.beginObject()
      json.member("role", isAssistant ? "assistant" : "user" as StaticString)
      json.key("content")
      json.beginArray()
      for message in messages[start..<end] where message.role == .tool {
        try writeResult(message, &json)
      }
      for index in start..<end where messages[index].role != .tool {
        try write(
          messages[index], isPrefill: isAssistant && index == messages.count - 1, &json)
      }
      json.endArray()
      json.endObject()
      start = end
    }
  }

  /// Empty messages and texts are refused by Anthropic, but for results of tools.
  private static func hasContent(_ message: ChatMessage) -> Bool {
    if message.role == .system { return false }
    if message.role == .tool || !message.toolCalls.isEmpty { return true }
    return message.parts.contains { part in
      if case .text(let text) = part { return !text.isBlank }
      return true
    }
  }

  private func writeFirstTurn(_ json: inout JSONWriter) {
    json.beginObject()
    json.member("role", "user" as StaticString)
    json.member("content", "." as StaticString)
    json.endObject()
  }

  private func write(
    _ message: ChatMessage, isPrefill: Bool, _ json: inout JSONWriter
  ) throws(ChatProblem) {
    if budget > 0, !message.reasoningSignature.isEmpty {
      json.beginObject()
      json.member("type", "thinking" as StaticString)
      json.member("thinking", message.reasoning)
      json.member("signature", message.reasoningSignature)
      json.endObject()
    }
    for part in message.parts { try write(part, isPrefill: isPrefill, &json) }
    for call in message.toolCalls {
      json.beginObject()
      json.member("type", "tool_use" as StaticString)
      json.member("id", AnthropicEncoder.callID(call.id))
      json.member("name", call.name)
      json.key("input")
      json.raw(call.arguments)
      json.endObject()
    }
  }

  private func writeResult(
    _ message: ChatMessage, _ json: inout JSONWriter
  ) throws(ChatProblem) {
    json.beginObject()
    json.member("type", "tool_result" as StaticString)
    json.member("tool_use_id", AnthropicEncoder.callID(message.toolCallID))
    if message.hasMedia {
      json.key("content")
      json.beginArray()
      for part in message.parts { try write(part, isPrefill: false, &json) }
      json.endArray()
    } else {
      let text = message.text
      if !text.isEmpty { json.member("content", text) }
    }
    if message.isToolError { json.member("is_error", true) }
    json.endObject()
  }

  /// `isPrefill`: the text is the beginning of the answer, which may not end with white space.
  private func write(
    _ part: ChatPart, isPrefill: Bool, _ json: inout JSONWriter
  ) throws(ChatProblem) {
    switch part {
    case .text(let text):
      if text.isBlank { return }
      json.beginObject()
      json.member("type", "text" as StaticString)
      json.member("text", isPrefill ? text.withoutTrailingSpace : text)
    case .image(let media):
      json.beginObject()
      json.member("type", "image" as StaticString)
      writeSource(media, &json)
    case .file(let media):
      guard !media.url.isEmpty || media.mimeType == "application/pdf" else {
        throw .inexpressible("file of another type than application/pdf", for: "Anthropic")
      }
      json.beginObject()
      json.member("type", "document" as StaticString)
      writeSource(media, &json)
      if !media.name.isEmpty { json.member("title", media.name) }
    case .audio:
      throw .inexpressible("input_audio", for: "Anthropic")
    }
    json.endObject()
  }

  private func writeSource(_ media: ChatMedia, _ json: inout JSONWriter) {
    json.key("source")
    json.beginObject()
    if media.url.isEmpty {
      json.member("type", "base64" as StaticString)
      json.member("media_type", media.mimeType)
      json.member("data", media.data)
    } else {
      json.member("type", "url" as StaticString)
      json.member("url", media.url)
    }
    json.endObject()
  }

  /// Other vendors' ids hold bytes that Anthropic refuses.
  private static func callID(_ id: ByteString) -> ByteString {
    let isFit = { (byte: UInt8) in
      ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "_")
        || byte == UInt8(ascii: "-")
    }
    if id.isEmpty { return "_" }
    if id.bytes.allSatisfy(isFit) { return id }
    return ByteString(id.bytes.map { isFit($0) ? $0 : UInt8(ascii: "_") })
  }
}
