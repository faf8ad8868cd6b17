// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes one chat request for Anthropic's Messages API.
///
/// Source: https://docs.anthropic.com/en/api/messages, read 2026-11.
struct AnthropicEncoder {
  /// Anthropic wants a limit; this one is for clients that give none.
  static let defaultMaxTokens: Int64 = 4096
  /// The tool whose input is the answer, for models that know no schemas of answers.
  static let answerTool: StaticString = "tinygateway_answer"

  let request: ChatRequest
  let model: AnthropicModel
  /// A JSON schema of the answer is written as a tool.
  let answersByTool: Bool
  /// Tokens for thinking; 0 without.
  let budget: Int64
  let maxTokens: Int64

  init(_ request: ChatRequest, model name: ByteString) {
    self.request = request
    model = AnthropicModel(name)
    if case .jsonSchema = request.format {
      answersByTool = !model.knowsSchemas
    } else {
      answersByTool = false
    }
    var budget: Int64 = 0
    if model.thinks, !answersByTool, request.allowsThinking {
      budget = AnthropicEncoder.budget(request)
    }
    self.budget = budget
    maxTokens = request.maxTokens ?? budget + AnthropicEncoder.defaultMaxTokens
  }

  /// At least 1,024 tokens, and a quarter of the limit left for the answer.
  private static func budget(_ request: ChatRequest) -> Int64 {
    guard let reasoning = request.reasoning else { return 0 }
    var budget: Int64
    switch reasoning.effort {
    case .none: return 0
    case .minimal: budget = 1024
    case .low: budget = 2048
    case .medium: budget = 8192
    case .high: budget = 16384
    case .xhigh: budget = 24576
    }
    if let given = reasoning.budgetTokens { budget = max(1024, given) }
    if let limit = request.maxTokens { budget = min(budget, limit / 4 * 3) }
    return budget < 1024 ? 0 : budget
  }

  /// Writes the body.
  func encode(_ facts: CallFacts, _ output: Buffer) throws(ChatProblem) {
    var json = JSONWriter(output)
    json.beginObject()
    json.member("model", facts.model)
    json.member("max_tokens", maxTokens)
    let system = request.systemText
    if !system.isBlank { json.member("system", system) }
    json.key("messages")
    json.beginArray()
    try writeTurns(&json)
    json.endArray()
    if facts.isStream { json.member("stream", true) }
    writeSampling(&json)
    writeTools(&json)
    writeOutput(&json)
    if !request.user.isEmpty {
      json.key("metadata")
      json.beginObject()
      json.member("user_id", request.user)
      json.endObject()
    }
    json.endObject()
  }

  private func writeSampling(_ json: inout JSONWriter) {
    json.strings("stop_sequences", request.stop.filter { !$0.isBlank })
    guard budget == 0, model.takesSampling else { return }
    json.number("temperature", request.temperature?.limited("0", "1"))
    if request.temperature == nil || model.takesBothSamplings {
      json.number("top_p", request.topP)
    }
    json.number("top_k", request.topK)
  }

  /// Writes `thinking` and `output_config`.
  private func writeOutput(_ json: inout JSONWriter) {
    var schema = ByteString.empty
    if case .jsonSchema(_, let given, _) = request.format, !answersByTool { schema = given }
    let hasEffort = budget > 0 && model.isAdaptive
    if budget > 0 {
      json.key("thinking")
      json.beginObject()
      json.member("type", hasEffort ? "adaptive" : "enabled" as StaticString)
      if !hasEffort { json.member("budget_tokens", budget) }
      json.endObject()
    }
    guard hasEffort || !schema.isEmpty else { return }
    json.key("output_config")
    json.beginObject()
    if hasEffort { json.member("effort", effort) }
    if !schema.isEmpty {
      json.key("format")
      json.beginObject()
      json.member("type", "json_schema" as StaticString)
      json.key("schema")
      json.raw(schema)
      json.endObject()
    }
    json.endObject()
  }

  private var effort: StaticString {
    switch request.reasoning?.effort {
    case .minimal, .low: "low"
    case .high: "high"
    case .xhigh: model.version >= 47 ? "xhigh" : "max"
    default: "medium"
    }
  }

  private func writeTools(_ json: inout JSONWriter) {
    guard !request.tools.isEmpty || answersByTool else { return }
    json.key("tools")
    json.beginArray()
    for tool in request.tools {
      write(tool.name, tool.description, tool.parameters, &json)
      if tool.isStrict == true, model.knowsSchemas { json.member("strict", true) }
      json.endObject()
    }
    if answersByTool, case .jsonSchema(_, let schema, _) = request.format {
      write(
        ByteString(AnthropicEncoder.answerTool), "Gives the answer in the form that is asked for.",
        schema, &json)
      json.endObject()
    }
    json.endArray()
    writeToolChoice(&json)
  }

  /// Begins a tool's object.
  private func write(
    _ name: ByteString, _ description: ByteString, _ schema: ByteString, _ json: inout JSONWriter
  ) {
    json.beginObject()
    json.member("name", name)
    if !description.isEmpty { json.member("description", description) }
    json.key("input_schema")
    json.rawObjectSchema(schema)
  }

  private func writeToolChoice(_ json: inout JSONWriter) {
    var type: StaticString = "auto"
    var name = ByteString.empty
    var isGiven = true
    switch request.toolChoice {
    case .unspecified: isGiven = false
    case .auto: break
    case .none: type = "none"
    case .required: type = "any"
    case .named(let given): (type, name) = ("tool", given)
    }
    if answersByTool {
      isGiven = true
      if name.isEmpty { type = "any" }
      if request.tools.isEmpty { (type, name) = ("tool", ByteString(AnthropicEncoder.answerTool)) }
    }
    let isSerial = request.allowsParallelTools == false && request.toolChoice != .none
    guard isGiven || isSerial else { return }
    json.key("tool_choice")
    json.beginObject()
    json.member("type", type)
    if !name.isEmpty { json.member("name", name) }
    if isSerial { json.member("disable_parallel_tool_use", true) }
    json.endObject()
  }
}
