// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes chat requests for Cohere's API, whose messages and tools have OpenAI's form.
enum CohereEncoder {
  /// Writes the body of a request.
  static func encode(
    _ request: ChatRequest, _ facts: CallFacts, _ output: Buffer
  ) throws(ChatProblem) {
    guard request.stop.count <= 5 else {
      throw .inexpressible("stop with more than five texts", for: "Cohere")
    }
    var json = JSONWriter(output)
    json.beginObject()
    json.member("model", facts.model)
    json.key("messages")
    json.beginArray()
    for message in request.messages { write(message, &json) }
    json.endArray()
    json.member("stream", facts.isStream)
    if let limit = request.maxTokens { json.member("max_tokens", limit) }
    json.number("temperature", request.temperature?.limited("0", "1"))
    json.number("p", request.topP?.limited("0.01", "0.99"))
    json.number("k", request.topK?.limited("0", "500"))
    json.number("seed", request.seed)
    json.number("presence_penalty", request.presencePenalty?.limited("0", "1"))
    json.number("frequency_penalty", request.frequencyPenalty?.limited("0", "1"))
    json.strings("stop_sequences", request.stop)
    writeTools(request, &json)
    writeFormat(request.format, &json)
    writeThinking(request.reasoning, &json)
    json.endObject()
  }

  /// What a model says before it calls tools has a field of its own.
  private static func write(_ message: ChatMessage, _ json: inout JSONWriter) {
    let text = message.toolCalls.isEmpty ? .empty : message.text
    guard !text.isEmpty else { return OpenAIEncoder.write(message, &json) }
    json.beginObject()
    json.member("role", "assistant" as StaticString)
    json.member("tool_plan", text)
    json.key("tool_calls")
    json.beginArray()
    for call in message.toolCalls {
      json.beginObject()
      OpenAIWriter.writeCall(call.id, call.name, call.arguments, .empty, &json)
    }
    json.endArray()
    json.endObject()
  }

  /// A named tool is asked for by listing no other.
  private static func writeTools(_ request: ChatRequest, _ json: inout JSONWriter) {
    guard !request.tools.isEmpty else { return }
    var listed = ChatRequest()
    listed.tools = request.tools
    if case .named(let name) = request.toolChoice { listed.tools.removeAll { $0.name != name } }
    let isStrict = listed.tools.contains { $0.isStrict == true }
    for index in listed.tools.indices { listed.tools[index].isStrict = nil }
    OpenAIEncoder.writeTools(listed, &json)
    if isStrict { json.member("strict_tools", true) }
    switch request.toolChoice {
    case .unspecified, .auto: break
    case .none: json.member("tool_choice", "NONE" as StaticString)
    case .required, .named: json.member("tool_choice", "REQUIRED" as StaticString)
    }
  }

  private static func writeFormat(_ format: ChatFormat, _ json: inout JSONWriter) {
    var schema = ByteString.empty
    switch format {
    case .unspecified, .text: return
    case .jsonObject: break
    case .jsonSchema(_, let given, _): schema = given
    }
    json.key("response_format")
    json.beginObject()
    json.member("type", "json_object" as StaticString)
    if !schema.isEmpty {
      json.key("schema")
      json.raw(schema)
    }
    json.endObject()
  }

  private static func writeThinking(_ reasoning: ChatReasoning?, _ json: inout JSONWriter) {
    guard let reasoning else { return }
    let isOff = reasoning.effort == .none || reasoning.effort == .minimal
    json.key("thinking")
    json.beginObject()
    json.member("type", isOff ? "disabled" : "enabled" as StaticString)
    if !isOff, let budget = reasoning.budgetTokens { json.member("token_budget", budget) }
    json.endObject()
  }
}
