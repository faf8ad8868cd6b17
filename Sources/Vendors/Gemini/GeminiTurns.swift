// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads the turns of a conversation in Google's form.
///
/// Calls and results need no ids there: a result belongs to the first call of its name that has
/// none yet.
struct GeminiTurns {
  private(set) var messages: [ChatMessage] = []
  private(set) var fields: ChatFields = []
  /// A part that the hub model does not know; empty for none.
  private(set) var unknownPart = ByteString.empty
  /// Calls that have no result yet.
  private var unanswered: [(id: ByteString, name: ByteString)] = []
  private var callCount: Int64 = 0

  mutating func read(_ content: JSONValue) throws(ChatProblem) {
    let role = content.member("role")?.string ?? "user"
    guard role == "user" || role == "model" || role == "function" else {
      throw ChatProblem("Please use a valid role: user, model.", field: "contents")
    }
    guard let parts = content.member("parts") else { return }
    var message = ChatMessage(role == "model" ? .assistant : .user)
    // One part may stand without its array.
    if parts.kind == .object { try read(parts, into: &message) }
    for part in parts.elements { try read(part, into: &message) }
    if !message.parts.isEmpty || !message.toolCalls.isEmpty || !message.reasoning.isEmpty {
      messages.append(message)
    }
  }

  private mutating func read(
    _ part: JSONValue, into message: inout ChatMessage
  ) throws(ChatProblem) {
    if let text = part.member("text")?.string {
      if text.isEmpty { return }
      if part.member("thought")?.bool == true {
        message.reasoning.append(text)
      } else {
        message.parts.append(.text(text))
      }
    } else if let blob = GeminiReader.find("inlineData", part) {
      try read(media: blob, into: &message)
    } else if let file = GeminiReader.find("fileData", part) {
      try read(media: file, into: &message)
    } else if let call = GeminiReader.find("functionCall", part) {
      var read = try takeCall(call)
      read.signature = GeminiReader.find("thoughtSignature", part)?.string ?? .empty
      message.toolCalls.append(read)
    } else if let response = GeminiReader.find("functionResponse", part) {
      messages.append(try result(response))
    } else {
      for (key, _) in part.members {
        let name = GeminiReader.camel(key)
        // A part with a signature alone says nothing.
        if name == "thoughtSignature" || name == "thought" || name == "text" { continue }
        unknownPart = name
        fields.insert(.other)
        return
      }
    }
  }

  private mutating func read(
    media value: JSONValue, into message: inout ChatMessage
  ) throws(ChatProblem) {
    var media = ChatMedia()
    media.mimeType = GeminiReader.find("mimeType", value)?.string ?? .empty
    media.data = value.member("data")?.string ?? .empty
    media.url = GeminiReader.find("fileUri", value)?.string ?? .empty
    media.name = GeminiReader.find("displayName", value)?.string ?? .empty
    guard media.data.isEmpty != media.url.isEmpty else {
      throw ChatProblem("A part of contents lacks its data or its address.", field: "contents")
    }
    // Google's SDKs write base64 with either alphabet.
    media.data = ByteString(
      media.data.bytes.map {
        $0 == UInt8(ascii: "-")
          ? UInt8(ascii: "+") : $0 == UInt8(ascii: "_") ? UInt8(ascii: "/") : $0
      })
    if media.mimeType.starts(with: "image/") {
      fields.insert(media.url.isEmpty ? .images : .imageURLs)
      message.parts.append(.image(media))
    } else if media.mimeType.starts(with: "audio/"), media.url.isEmpty {
      fields.insert(.audio)
      message.parts.append(.audio(media))
    } else {
      fields.insert(.files)
      message.parts.append(.file(media))
    }
  }

  private mutating func takeCall(_ call: JSONValue) throws(ChatProblem) -> ChatToolCall {
    guard let name = call.member("name")?.string, !name.isEmpty else {
      throw ChatProblem("Each functionCall needs a name.", field: "contents")
    }
    var id = call.member("id")?.string ?? .empty
    if id.isEmpty {
      callCount += 1
      id = "call_" + ByteString(number: callCount)
    }
    // Results follow soon: a search through all calls would be slow.
    if unanswered.count == 256 { unanswered.removeFirst() }
    unanswered.append((id, name))
    fields.insert(.toolHistory)
    let arguments = call.member("args")
    return ChatToolCall(
      id: id, name: name, arguments: arguments?.kind == .object ? arguments?.lexeme ?? "{}" : "{}")
  }

  private mutating func result(_ response: JSONValue) throws(ChatProblem) -> ChatMessage {
    guard let name = response.member("name")?.string, !name.isEmpty else {
      throw ChatProblem("Each functionResponse needs a name.", field: "contents")
    }
    var message = ChatMessage(.tool)
    message.toolName = name
    let id = response.member("id")?.string ?? .empty
    if let index = unanswered.firstIndex(where: { id.isEmpty ? $0.name == name : $0.id == id }) {
      message.toolCallID = unanswered.remove(at: index).id
    } else {
      message.toolCallID = id.isEmpty ? name : id
    }
    if let given = response.member("response") {
      message.isToolError = given.member("error") != nil
      message.parts = [.text(GeminiTurns.text(of: given))]
    }
    fields.insert(.toolHistory)
    return message
  }

  /// SDKs wrap what is no object as the one member `result` or `output`.
  private static func text(of response: JSONValue) -> ByteString {
    if response.count == 1,
      let only = response.member("result") ?? response.member("output")
        ?? response.member("error")
    {
      return only.string ?? only.lexeme
    }
    return response.lexeme
  }
}
