// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads OpenAI's chat requests into the hub model.
///
/// Source: https://platform.openai.com/docs/api-reference/chat/create, read 2026-11.
package enum OpenAIReader {
  /// Fields without effect on the answer: dropped for every other dialect.
  private static let hints: [StaticString] = [
    "metadata", "store", "service_tier", "prompt_cache_key", "prompt_cache_retention",
    "safety_identifier", "stream_options", "model", "messages", "stream",
  ]

  /// Reads the body of a request.
  package static func read(_ root: JSONValue) throws(ChatProblem) -> ChatRequest {
    var request = ChatRequest()
    guard let messages = root.member("messages"), messages.kind == .array else {
      throw ChatProblem("The field messages must be an array.", field: "messages")
    }
    for (key, value) in root.members where !value.isNull {
      try readField(key, value, into: &request)
    }
    var names: [ByteString: ByteString] = [:]
    for value in messages.elements {
      request.messages.append(try readMessage(value, &names, &request.fields))
    }
    if request.messages.isEmpty {
      throw ChatProblem("The field messages must not be empty.", field: "messages")
    }
    return request
  }

  /// Reads a field other than the messages.
  static func readField(
    _ key: ByteString, _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) {
    if key == "model" { request.model = value.string ?? .empty }
    if key == "stream" { request.isStream = value.bool ?? false }
    if key == "stream_options" {
      request.includesUsage = value.member("include_usage")?.bool ?? false
    }
    if hints.contains(where: { key == $0 }) { return }
    if try readNumber(key, value, into: &request) { return }
    switch key {
    case _ where key == "stop":
      request.stop = value.string.map { [$0] } ?? value.elements.compactMap { $0.string }
      request.fields.insert(.stop)
    case _ where key == "user": request.user = value.string ?? .empty
    case _ where key == "tools": try readTools(value, into: &request)
    case _ where key == "tool_choice": try readToolChoice(value, into: &request)
    case _ where key == "parallel_tool_calls":
      request.allowsParallelTools = value.bool
      if value.bool == false { request.fields.insert(.parallelTools) }
    case _ where key == "response_format": try readFormat(value, into: &request)
    case _ where key == "reasoning_effort":
      try readEffort(value, field: key, into: &request)
    case _ where key == "modalities":
      if value.elements.contains(where: { $0.string.map { !($0 == "text") } ?? true }) {
        request.fields.insert(.audioOutput)
      }
    case _ where key == "logit_bias": request.fields.insert(.logitBias)
    case _ where key == "logprobs", _ where key == "top_logprobs":
      if value.bool != false { request.fields.insert(.logprobs) }
    case _ where key == "audio": request.fields.insert(.audioOutput)
    default: request.noteUnknown(key)
    }
  }

  /// Reads how long the model is to think.
  static func readEffort(
    _ value: JSONValue, field: ByteString, into request: inout ChatRequest
  ) throws(ChatProblem) {
    guard let effort = ChatReasoning.Effort(named: value.string ?? .empty) else {
      throw ChatProblem(
        "The field " + field + " must be none, minimal, low, medium, high or xhigh.",
        field: field)
    }
    request.reasoning = ChatReasoning(effort)
    request.fields.insert(.reasoning)
  }

  /// Reads a field that is a number; false for another field.
  private static func readNumber(
    _ key: ByteString, _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) -> Bool {
    let name = ByteString(key.bytes)
    func lexeme() throws(ChatProblem) -> ByteString {
      guard value.kind == .number else {
        throw ChatProblem("The field " + name + " must be a number.", field: name)
      }
      return value.lexeme
    }
    if key == "temperature" {
      request.temperature = try lexeme()
      request.fields.insert(.temperature)
    } else if key == "top_p" {
      request.topP = try lexeme()
      request.fields.insert(.topP)
    } else if key == "top_k" {
      request.topK = try lexeme()
      request.fields.insert(.topK)
    } else if key == "seed" {
      request.seed = try lexeme()
      request.fields.insert(.seed)
    } else if key == "presence_penalty" {
      request.presencePenalty = try lexeme()
      if value.int64 != 0 { request.fields.insert(.presencePenalty) }
    } else if key == "frequency_penalty" {
      request.frequencyPenalty = try lexeme()
      if value.int64 != 0 { request.fields.insert(.frequencyPenalty) }
    } else if key == "max_completion_tokens" || key == "max_tokens"
      || key == "max_output_tokens"
    {
      guard let limit = value.int64, limit > 0 else {
        throw ChatProblem(
          "The field " + name + " must be a whole number above 0.", field: name)
      }
      // The newer name counts where both are given.
      if request.maxTokens == nil || key == "max_completion_tokens" { request.maxTokens = limit }
      request.fields.insert(.maxTokens)
    } else if key == "n" {
      if try lexeme() != "1" { request.fields.insert(.count) }
    } else {
      return false
    }
    return true
  }

  /// Reads functions, which stand in a member of that name or, in the Responses API, alone.
  static func readTools(
    _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) {
    for entry in value.elements {
      guard entry.member("type")?.string.map({ $0 == "function" }) ?? true else {
        request.fields.insert(.builtInTools)
        continue
      }
      try request.addTool(entry.member("function") ?? entry, schema: "parameters")
    }
  }

  private static func readToolChoice(
    _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) {
    if let name = (value.member("function") ?? value).member("name")?.string {
      request.toolChoice = .named(name)
    } else if let word = value.string, word == "auto" {
      request.toolChoice = .auto
      return
    } else if let word = value.string, word == "none" {
      request.toolChoice = .none
    } else if let word = value.string, word == "required" {
      request.toolChoice = .required
    } else {
      throw ChatProblem(
        "The field tool_choice must be none, auto, required or name a function.",
        field: "tool_choice")
    }
    request.fields.insert(.toolChoice)
  }

  /// Reads the form of the answer; a schema stands in a member of its own or, in the Responses
  /// API, beside the type.
  static func readFormat(
    _ value: JSONValue, field: ByteString = "response_format", into request: inout ChatRequest
  ) throws(ChatProblem) {
    let type = value.member("type")?.string ?? .empty
    if type == "text" {
      request.format = .text
    } else if type == "json_object" {
      request.format = .jsonObject
      request.fields.insert(.jsonObject)
    } else if type == "json_schema",
      let schema = (value.member("json_schema") ?? value).member("schema")
    {
      let given = value.member("json_schema") ?? value
      request.format = .jsonSchema(
        name: given.member("name")?.string ?? "answer", schema: schema.lexeme,
        isStrict: given.member("strict")?.bool)
      request.fields.insert(.jsonSchema)
    } else {
      throw ChatProblem(
        "The field " + field + " must have the type text, json_object or json_schema.",
        field: field)
    }
  }
}

extension ChatReasoning.Effort {
  /// OpenAI's words.
  package static let names: [StaticString] = [
    "none", "minimal", "low", "medium", "high", "xhigh",
  ]

  /// The effort of that name.
  package init?(named name: ByteString) {
    guard let index = ChatReasoning.Effort.names.firstIndex(where: { name == $0 }) else {
      return nil
    }
    self.init(rawValue: index)
  }

  /// OpenAI's word.
  package var name: StaticString { ChatReasoning.Effort.names[rawValue] }
}
