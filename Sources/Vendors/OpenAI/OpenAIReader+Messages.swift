// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// The turns of a conversation in OpenAI's chat format.
extension OpenAIReader {
  static func readMessage(
    _ value: JSONValue, _ names: inout [ByteString: ByteString], _ fields: inout ChatFields
  ) throws(ChatProblem) -> ChatMessage {
    let word = value.member("role")?.string ?? .empty
    guard let role = role(word) else {
      throw ChatProblem(
        "Each message needs a role: system, developer, user, assistant or tool.",
        field: "messages")
    }
    var message = ChatMessage(role)
    if role == .system { fields.insert(.system) }
    message.parts = try readContent(value.member("content"), &fields)
    message.reasoning =
      value.member("reasoning_content")?.string ?? value.member("reasoning")?.string ?? .empty
    if role == .assistant, let calls = value.member("tool_calls") {
      for call in calls.elements {
        let read = try readToolCall(call)
        names[read.id] = read.name
        message.toolCalls.append(read)
        fields.insert(.toolHistory)
      }
    }
    if role == .tool {
      message.toolCallID = value.member("tool_call_id")?.string ?? .empty
      message.toolName = names[message.toolCallID] ?? value.member("name")?.string ?? .empty
      fields.insert(.toolHistory)
    }
    return message
  }

  /// The role of OpenAI's word for it.
  static func role(_ word: ByteString) -> ChatMessage.Role? {
    if word == "user" { return .user }
    if word == "assistant" { return .assistant }
    if word == "system" || word == "developer" { return .system }
    return word == "tool" ? .tool : nil
  }

  /// Reads a call; in the Responses API the function's members are the call's own.
  static func readToolCall(
    _ value: JSONValue, field: ByteString = "messages"
  ) throws(ChatProblem) -> ChatToolCall {
    let function = value.member("function") ?? value
    guard let name = function.member("name")?.string else {
      throw ChatProblem("Each tool call needs a function with a name.", field: field)
    }
    var call = ChatToolCall(
      id: (value.member("call_id") ?? value.member("id"))?.string ?? .empty, name: name,
      arguments: function.member("arguments")?.string ?? .empty)
    call.arguments = call.argumentsObject
    call.signature =
      value.member("extra_content")?.member("google")?.member("thought_signature")?.string ?? .empty
    return call
  }

  /// Reads a text, or parts in the words of either of OpenAI's APIs.
  static func readContent(
    _ value: JSONValue?, _ fields: inout ChatFields, field: ByteString = "messages"
  ) throws(ChatProblem) -> [ChatPart] {
    guard let value, !value.isNull else { return [] }
    if let text = value.string { return text.isEmpty ? [] : [.text(text)] }
    guard value.kind == .array else {
      throw ChatProblem("A message's content must be a string or an array.", field: field)
    }
    var parts: [ChatPart] = []
    for part in value.elements { parts.append(try readPart(part, &fields, field)) }
    return parts
  }

  private static func readPart(
    _ part: JSONValue, _ fields: inout ChatFields, _ field: ByteString
  ) throws(ChatProblem) -> ChatPart {
    let type = part.member("type")?.string ?? .empty
    if type == "text" || type == "refusal" || type == "input_text" || type == "output_text" {
      return .text((part.member("text") ?? part.member("refusal"))?.string ?? .empty)
    }
    if type == "image_url" || type == "input_image", let image = part.member("image_url"),
      let url = image.string ?? image.member("url")?.string
    {
      var media = try ChatMedia(url: url, field: field)
      media.detail = (image.member("detail") ?? part.member("detail"))?.string ?? .empty
      fields.insert(media.url.isEmpty ? .images : .imageURLs)
      return .image(media)
    }
    if type == "input_audio", let audio = part.member("input_audio") {
      var media = ChatMedia()
      media.data = audio.member("data")?.string ?? .empty
      media.mimeType = "audio/" + (audio.member("format")?.string ?? "wav")
      fields.insert(.audio)
      return .audio(media)
    }
    let file = part.member("file") ?? part
    if type == "file" || type == "input_file", let data = file.member("file_data")?.string {
      var media = try ChatMedia(url: data, field: field)
      media.name = file.member("filename")?.string ?? .empty
      fields.insert(.files)
      return .file(media)
    }
    throw ChatProblem(
      "A part of a message has an unknown type or lacks its content: " + type + ".",
      field: field)
  }
}
