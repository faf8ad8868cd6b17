// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// The turns of a conversation in Anthropic's blocks.
///
/// A user's turn with results of tools becomes one message for each result, and one of what is
/// left; pictures and documents among the results go there as well, since most vendors take only
/// text from tools.
extension AnthropicReader {
  static func readTurn(
    _ value: JSONValue, _ names: inout [ByteString: ByteString],
    into request: inout ChatRequest
  ) throws(ChatProblem) {
    let word = value.member("role")?.string ?? .empty
    guard word == "user" || word == "assistant" || word == "system" else {
      throw ChatProblem(
        "Each message needs a role: user, assistant or system.", field: "messages")
    }
    guard let content = value.member("content"), content.kind == .array || content.string != nil
    else {
      throw ChatProblem(
        "A message's content must be a string or an array of blocks.", field: "messages")
    }
    var message = ChatMessage(
      word == "user" ? .user : word == "system" ? .system : .assistant,
      text: content.string ?? .empty)
    if message.role == .system { request.fields.insert(.system) }
    var hasResults = false
    var thoughtCount = 0
    for block in content.elements {
      let type = block.member("type")?.string ?? .empty
      if type == "tool_result" {
        let media = try readResult(block, names, into: &request)
        message.parts.append(contentsOf: media)
        hasResults = true
      } else if type == "tool_use" {
        let call = try readCall(block)
        names[call.id] = call.name
        message.toolCalls.append(call)
        request.fields.insert(.toolHistory)
      } else if type == "thinking" {
        message.reasoning.append(block.member("thinking")?.string ?? .empty)
        message.reasoningSignature = block.member("signature")?.string ?? .empty
        thoughtCount += 1
      } else if type == "redacted_thinking" {
        thoughtCount += 1
      } else {
        try readPart(block, type, &message.parts, &request.fields)
      }
    }
    // A seal is on one block only, and vendors want all blocks back as they were.
    if thoughtCount > 1 { message.reasoningSignature = .empty }
    if !hasResults || !message.parts.isEmpty { request.messages.append(message) }
  }

  private static func readCall(_ block: JSONValue) throws(ChatProblem) -> ChatToolCall {
    guard let id = block.member("id")?.string, let name = block.member("name")?.string,
      let input = block.member("input"), input.kind == .object
    else {
      throw ChatProblem(
        "Each block of type tool_use needs an id, a name and an object as input.",
        field: "messages")
    }
    return ChatToolCall(id: id, name: name, arguments: input.lexeme)
  }

  /// Appends the message of a result, and returns what of it is no text.
  private static func readResult(
    _ block: JSONValue, _ names: [ByteString: ByteString], into request: inout ChatRequest
  ) throws(ChatProblem) -> [ChatPart] {
    var parts: [ChatPart] = []
    if let content = block.member("content") {
      if let text = content.string { parts.append(.text(text)) }
      for inner in content.elements {
        let type = inner.member("type")?.string ?? .empty
        try readPart(inner, type, &parts, &request.fields)
      }
    }
    var media: [ChatPart] = []
    var text = ByteString.empty
    for part in parts {
      if case .text(let piece) = part {
        text.append(piece, behind: "\n")
      } else {
        media.append(part)
      }
    }
    if text.isEmpty, !media.isEmpty { text = "The result is attached." }
    var message = ChatMessage(.tool, text: text)
    message.toolCallID = block.member("tool_use_id")?.string ?? .empty
    message.toolName = names[message.toolCallID] ?? .empty
    message.isToolError = block.member("is_error")?.bool ?? false
    request.messages.append(message)
    request.fields.insert(.toolHistory)
    return media
  }

  /// Appends a block of text, or a picture or document.
  private static func readPart(
    _ block: JSONValue, _ type: ByteString, _ parts: inout [ChatPart], _ fields: inout ChatFields
  ) throws(ChatProblem) {
    let source = block.member("source")
    if type == "text", let text = block.member("text")?.string {
      if !text.isEmpty { parts.append(.text(text)) }
    } else if type == "image", let media = readMedia(source) {
      fields.insert(media.url.isEmpty ? .images : .imageURLs)
      parts.append(.image(media))
    } else if type == "document", var media = readMedia(source) {
      media.name = block.member("title")?.string ?? .empty
      fields.insert(.files)
      parts.append(.file(media))
    } else if type == "document" || type == "search_result" {
      try readText(of: block, source, &parts)
    } else if type.bytes.span.firstIndex(of: "_tool_") != nil {
      // Calls and results of tools that Anthropic runs itself.
      fields.insert(.builtInTools)
    } else {
      throw ChatProblem(
        "A block of a message has an unknown type or lacks its content: " + type + ".",
        field: "messages")
    }
  }

  /// A document or search result that is text: its title, then its text.
  private static func readText(
    of block: JSONValue, _ source: JSONValue?, _ parts: inout [ChatPart]
  ) throws(ChatProblem) {
    let content = block.member("content") ?? source?.member("content")
    guard let text = source?.member("data")?.string ?? OpenAIDecoder.text(content) else {
      throw ChatProblem(
        "A document's source must be base64, a url, text or content: uploaded files are not "
          + "known here.", field: "messages")
    }
    let title = block.member("title")?.string ?? .empty
    parts.append(.text(title.isEmpty ? text : title + "\n\n" + text))
  }

  /// Base64 or an address; nil for another source.
  private static func readMedia(_ source: JSONValue?) -> ChatMedia? {
    guard let source else { return nil }
    var media = ChatMedia()
    let type = source.member("type")?.string ?? .empty
    if type == "base64", let data = source.member("data")?.string {
      media.data = data
      media.mimeType = source.member("media_type")?.string ?? .empty
      return media
    }
    guard type == "url", let url = source.member("url")?.string else { return nil }
    media.url = url
    return media
  }
}
