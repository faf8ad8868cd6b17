// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads requests of OpenAI's Responses API into the hub model.
///
/// What needs the vendor's memory (`previous_response_id`, `conversation`, `background`) or its
/// own tools is noted as a field that no dialect can express. `store` is a hint without effect:
/// nothing is kept here.
/// Source: https://platform.openai.com/docs/api-reference/responses/create, read 2026-11.
package enum ResponsesReader {
  /// Fields without effect on the answer.
  private static let hints: [StaticString] = [
    "input", "instructions", "metadata", "store", "service_tier", "prompt_cache_key",
    "prompt_cache_retention", "prompt_cache_options", "safety_identifier", "stream_options",
    "max_tool_calls",
  ]
  /// Fields that are those of chat completions.
  private static let shared: [StaticString] = [
    "model", "stream", "temperature", "top_p", "max_output_tokens", "parallel_tool_calls", "user",
    "tool_choice",
  ]

  /// Reads the body of a request.
  package static func read(_ root: JSONValue) throws(ChatProblem) -> ChatRequest {
    var request = ChatRequest()
    for (key, value) in root.members where !value.isNull {
      try readField(key, value, into: &request)
    }
    if let text = root.member("instructions")?.string, !text.isEmpty {
      request.messages.append(ChatMessage(.system, text: text))
      request.fields.insert(.system)
    }
    guard let input = root.member("input") else {
      throw ChatProblem("The field input is missing.", field: "input")
    }
    if let text = input.string {
      request.messages.append(ChatMessage(.user, text: text))
    } else {
      var items = ResponsesItems()
      for item in input.elements { try items.add(item, &request) }
      items.end(&request)
    }
    if request.messages.isEmpty {
      throw ChatProblem(
        "The field input must be a string or an array of items that is not empty.", field: "input")
    }
    return request
  }

  private static func readField(
    _ key: ByteString, _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) {
    if hints.contains(where: { key == $0 }) { return }
    if shared.contains(where: { key == $0 }) {
      return try OpenAIReader.readField(key, value, into: &request)
    }
    if key == "tools" { return try readTools(value, into: &request) }
    if key == "reasoning" { return try readReasoning(value, into: &request) }
    if key == "text" { return try readText(value, into: &request) }
    if key == "top_logprobs" {
      if value.int64 != 0 { request.fields.insert(.logprobs) }
    } else if key == "include" {
      for entry in value.elements {
        // The vendor's seal on thoughts is always told.
        guard let word = entry.string, !(word == "reasoning.encrypted_content") else { continue }
        request.noteUnknown("include with " + word)
      }
    } else if key == "truncation" {
      if value.string.map({ !($0 == "disabled") }) ?? true { request.noteUnknown(key) }
    } else if value.kind != .false {
      request.noteUnknown(key)
    }
  }

  private static func readTools(
    _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) {
    for tool in value.elements {
      let type = tool.member("type")?.string ?? "function"
      if type == "function" { continue }
      request.noteUnknown("tools with the type " + type)
      return
    }
    try OpenAIReader.readTools(value, into: &request)
  }

  private static func readReasoning(
    _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) {
    guard let effort = value.member("effort"), !effort.isNull else { return }
    try OpenAIReader.readEffort(effort, field: "reasoning.effort", into: &request)
    let summary = value.member("summary") ?? value.member("generate_summary")
    request.reasoning?.showsThoughts = summary?.string != nil
  }

  private static func readText(
    _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) {
    if let format = value.member("format"), !format.isNull {
      try OpenAIReader.readFormat(format, field: "text.format", into: &request)
    }
    if let verbosity = value.member("verbosity")?.string, !(verbosity == "medium") {
      request.noteUnknown("text.verbosity")
    }
  }
}

/// Joins the items of an input to turns: what a model thought, said and called in one go is one
/// message of the assistant, as chat protocols have it.
struct ResponsesItems {
  /// Names of functions by the ids of their calls.
  private var names: [ByteString: ByteString] = [:]

  /// Reads the next item.
  mutating func add(_ item: JSONValue, _ request: inout ChatRequest) throws(ChatProblem) {
    let type = item.member("type")?.string ?? "message"
    if type == "message" {
      try addMessage(item, &request)
    } else if type == "function_call" {
      let call = try OpenAIReader.readToolCall(item, field: "input")
      names[call.id] = call.name
      if request.messages.last?.role != .assistant {
        request.messages.append(ChatMessage(.assistant))
      }
      request.messages[request.messages.count - 1].toolCalls.append(call)
      request.fields.insert(.toolHistory)
    } else if type == "function_call_output" {
      var message = ChatMessage(.tool)
      message.toolCallID = item.member("call_id")?.string ?? .empty
      message.toolName = names[message.toolCallID] ?? .empty
      message.parts = try OpenAIReader.readContent(
        item.member("output"), &request.fields, field: "input")
      request.messages.append(message)
      request.fields.insert(.toolHistory)
    } else if type == "reasoning" {
      addReasoning(item, &request)
    } else {
      request.noteUnknown("input with items of the type " + type)
    }
  }

  private func addMessage(
    _ item: JSONValue, _ request: inout ChatRequest
  ) throws(ChatProblem) {
    guard let role = OpenAIReader.role(item.member("role")?.string ?? .empty), role != .tool else {
      throw ChatProblem(
        "Each message of input needs a role: system, developer, user or assistant.",
        field: "input")
    }
    let parts = try OpenAIReader.readContent(
      item.member("content"), &request.fields, field: "input")
    if role == .system { request.fields.insert(.system) }
    if role == .assistant, let last = request.messages.last, last.role == .assistant,
      last.parts.isEmpty
    {
      request.messages[request.messages.count - 1].parts = parts
      return
    }
    var message = ChatMessage(role)
    message.parts = parts
    request.messages.append(message)
  }

  private func addReasoning(_ item: JSONValue, _ request: inout ChatRequest) {
    var message = ChatMessage(.assistant)
    for part in item.member("summary")?.elements ?? item.elements {
      message.reasoning.append(part.member("text")?.string ?? .empty)
    }
    message.reasoningSignature = item.member("encrypted_content")?.string ?? .empty
    // Thoughts between calls of one turn have no place of their own.
    if request.messages.last?.role == .assistant { return }
    request.messages.append(message)
  }

  /// Leaves thoughts out that nothing followed.
  func end(_ request: inout ChatRequest) {
    if let last = request.messages.last, last.role == .assistant, last.parts.isEmpty,
      last.toolCalls.isEmpty
    {
      request.messages.removeLast()
    }
  }
}

extension ChatRequest {
  /// Notes a field that the hub model does not know; the first one is named.
  package mutating func noteUnknown(_ field: ByteString) {
    if unknownField.isEmpty { unknownField = field }
    fields.insert(.other)
  }
}

extension ClientDialect {
  /// OpenAI's Responses API.
  package static let responses = ClientDialect(
    name: "responses", passes: "responses",
    fieldNames: [
      (.jsonObject, "text.format"), (.jsonSchema, "text.format"), (.reasoning, "reasoning"),
      (.maxTokens, "max_output_tokens"), (.logprobs, "top_logprobs"), (.system, "instructions"),
      (.toolHistory, "input with items of the type function_call"), (.images, "input_image"),
      (.imageURLs, "input_image with an address"), (.files, "input_file"),
    ],
    read: { (root) throws(ChatProblem) in try ResponsesReader.read(root) },
    makeWriter: { ResponsesWriter($0) },
    writeError: { OpenAIWriter.write($0, to: $1) })
}
