// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads requests of Anthropic's Messages API into the hub model.
///
/// Source: https://docs.anthropic.com/en/api/messages, read 2026-11.
package enum AnthropicReader {
  /// Fields without effect on the answer's content, and those that are read elsewhere.
  private static let hints: [StaticString] = [
    "model", "messages", "max_tokens", "stream", "metadata", "service_tier", "inference_geo",
    "context_management", "thinking", "output_config", "output_format", "cache_control",
    "diagnostics", "speed", "user_profile_id", "workspace_id",
  ]

  /// Reads the body of a request.
  package static func read(_ root: JSONValue) throws(ChatProblem) -> ChatRequest {
    var request = ChatRequest()
    guard let messages = root.member("messages"), messages.kind == .array else {
      throw ChatProblem("The field messages must be an array.", field: "messages")
    }
    guard let limit = root.member("max_tokens")?.int64, limit > 0 else {
      throw ChatProblem(
        "The field max_tokens is required and must be a whole number above 0.",
        field: "max_tokens")
    }
    request.maxTokens = limit
    request.fields.insert(.maxTokens)
    request.model = root.member("model")?.string ?? .empty
    request.isStream = root.member("stream")?.bool ?? false
    request.user = root.member("metadata")?.member("user_id")?.string ?? .empty
    for (key, value) in root.members where !value.isNull {
      try readField(key, value, into: &request)
    }
    readReasoning(root, into: &request)
    readFormat(root, into: &request)
    var names: [ByteString: ByteString] = [:]
    for value in messages.elements { try readTurn(value, &names, into: &request) }
    if messages.count == 0 {
      throw ChatProblem("The field messages must not be empty.", field: "messages")
    }
    return request
  }

  private static func readField(
    _ key: ByteString, _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) {
    if hints.contains(where: { key == $0 }) { return }
    switch key {
    case _ where key == "system": try readSystem(value, into: &request)
    case _ where key == "stop_sequences":
      request.stop = value.elements.compactMap { $0.string }
      if !request.stop.isEmpty { request.fields.insert(.stop) }
    case _ where key == "temperature":
      request.temperature = try number(key, value)
      request.fields.insert(.temperature)
    case _ where key == "top_p":
      request.topP = try number(key, value)
      request.fields.insert(.topP)
    case _ where key == "top_k":
      request.topK = try number(key, value)
      request.fields.insert(.topK)
    case _ where key == "tools": try readTools(value, into: &request)
    case _ where key == "tool_choice": try readToolChoice(value, into: &request)
    default:
      if request.unknownField.isEmpty { request.unknownField = key }
      request.fields.insert(.other)
    }
  }

  private static func number(
    _ key: ByteString, _ value: JSONValue
  ) throws(ChatProblem) -> ByteString {
    guard value.kind == .number else {
      throw ChatProblem("The field " + key + " must be a number.", field: key)
    }
    return value.lexeme
  }

  /// A string, or blocks of text, which become one text with blank lines between.
  private static func readSystem(
    _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) {
    var text = value.string ?? .empty
    for block in value.elements {
      guard let piece = block.member("text")?.string else {
        throw ChatProblem(
          "The field system must be a string or an array of text blocks.", field: "system")
      }
      text.append(piece, behind: "\n\n")
    }
    guard !text.isEmpty else { return }
    request.messages.append(ChatMessage(.system, text: text))
    request.fields.insert(.system)
  }

  private static func readTools(
    _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) {
    for entry in value.elements {
      if let type = entry.member("type")?.string, !(type == "custom") {
        request.fields.insert(.builtInTools)
        continue
      }
      try request.addTool(entry, schema: "input_schema")
    }
  }

  private static func readToolChoice(
    _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) {
    let type = value.member("type")?.string ?? .empty
    if type == "auto" {
      request.toolChoice = .auto
    } else if type == "any" {
      request.toolChoice = .required
    } else if type == "none" {
      request.toolChoice = .none
    } else if type == "tool", let name = value.member("name")?.string {
      request.toolChoice = .named(name)
    } else {
      throw ChatProblem(
        "The field tool_choice must have the type auto, any, none, or tool with a name.",
        field: "tool_choice")
    }
    if !(type == "auto") { request.fields.insert(.toolChoice) }
    if value.member("disable_parallel_tool_use")?.bool == true {
      request.allowsParallelTools = false
      request.fields.insert(.parallelTools)
    }
  }

  /// Reads `thinking`, and the effort beside it, which means nothing here without it.
  private static func readReasoning(_ root: JSONValue, into request: inout ChatRequest) {
    guard let thinking = root.member("thinking"), let type = thinking.member("type")?.string,
      type == "enabled" || type == "adaptive"
    else { return }
    let word = root.member("output_config")?.member("effort")?.string ?? .empty
    var reasoning: ChatReasoning
    if let budget = thinking.member("budget_tokens")?.int64 {
      reasoning = ChatReasoning(
        budget < 4096 ? .low : budget < 12288 ? .medium : .high, budgetTokens: budget)
    } else if let effort = ChatReasoning.Effort(named: word == "max" ? "xhigh" : word) {
      reasoning = ChatReasoning(effort)
    } else {
      // The model decides, as it does without the field.
      return
    }
    reasoning.showsThoughts = thinking.member("display")?.string.map { !($0 == "omitted") } ?? true
    request.reasoning = reasoning
    request.fields.insert(.reasoning)
  }

  private static func readFormat(_ root: JSONValue, into request: inout ChatRequest) {
    let format = root.member("output_config")?.member("format") ?? root.member("output_format")
    guard let schema = format?.member("schema"), schema.kind == .object else { return }
    request.format = .jsonSchema(name: "answer", schema: schema.lexeme, isStrict: nil)
    request.fields.insert(.jsonSchema)
  }
}
