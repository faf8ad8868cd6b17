// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes chat requests for AWS Bedrock's Converse API.
///
/// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html,
/// read 2026-11.
enum BedrockEncoder {
  static func encode(
    _ request: ChatRequest, _ facts: CallFacts, _ output: Buffer
  ) throws(ChatProblem) {
    let thinking = BedrockThinking(request, model: facts.model)
    var json = JSONWriter(output)
    json.beginObject()
    let system = request.systemText
    if !system.isEmpty {
      json.key("system")
      json.beginArray()
      writeText(system, &json)
      json.endArray()
    }
    try writeMessages(request, &json)
    writeTools(request, &json)
    writeInference(request, thinking, &json)
    if thinking.isClaude { writeClaude(request, thinking, &json) }
    writeFormat(request.format, &json)
    json.endObject()
  }

  /// Writes turns of the user and the assistant in turn; neighbours of one role become one.
  ///
  /// Results of tools are the user's. Empty texts are refused there, so they are left out.
  private static func writeMessages(
    _ request: ChatRequest, _ json: inout JSONWriter
  ) throws(ChatProblem) {
    json.key("messages")
    json.beginArray()
    var isAssistant: Bool?
    for message in request.messages where message.role != .system && hasContent(message) {
      if isAssistant != (message.role == .assistant) {
        if isAssistant != nil { endMessage(&json) }
        isAssistant = message.role == .assistant
        json.beginObject()
        json.member("role", message.role == .assistant ? "assistant" : "user")
        json.key("content")
        json.beginArray()
      }
      try write(message, &json)
    }
    if isAssistant != nil { endMessage(&json) }
    json.endArray()
  }

  private static func endMessage(_ json: inout JSONWriter) {
    json.endArray()
    json.endObject()
  }

  private static func hasContent(_ message: ChatMessage) -> Bool {
    message.role == .tool || message.hasMedia || !message.text.isEmpty
      || !message.toolCalls.isEmpty || !message.reasoningSignature.isEmpty
  }

  private static func write(
    _ message: ChatMessage, _ json: inout JSONWriter
  ) throws(ChatProblem) {
    if message.role == .tool { return try writeResult(message, &json) }
    if !message.reasoningSignature.isEmpty {
      begin("reasoningContent", &json)
      json.key("reasoningText")
      json.beginObject()
      json.member("text", message.reasoning)
      json.member("signature", message.reasoningSignature)
      json.endObject()
      end(&json)
    }
    for part in message.parts { try BedrockMedia.write(part, &json) }
    for call in message.toolCalls {
      begin("toolUse", &json)
      json.member("toolUseId", call.id)
      json.member("name", call.name)
      json.key("input")
      json.raw(call.arguments)
      end(&json)
    }
  }

  private static func writeResult(
    _ message: ChatMessage, _ json: inout JSONWriter
  ) throws(ChatProblem) {
    begin("toolResult", &json)
    json.member("toolUseId", message.toolCallID)
    json.key("content")
    json.beginArray()
    if !message.hasMedia, message.text.isEmpty {
      json.beginObject()
      json.key("json")
      json.raw("{}")
      json.endObject()
    }
    for part in message.parts { try BedrockMedia.write(part, &json) }
    json.endArray()
    json.member("status", message.isToolError ? "error" : "success")
    end(&json)
  }

  private static func writeTools(_ request: ChatRequest, _ json: inout JSONWriter) {
    var tools = request.tools
    // A conversation with calls must name tools, also where the request has none left or wants
    // none called.
    let called = request.fields.contains(.toolHistory)
    if request.toolChoice == .none, !called { tools = [] }
    if tools.isEmpty, called { tools = calledTools(request) }
    guard !tools.isEmpty else { return }
    json.key("toolConfig")
    json.beginObject()
    json.key("tools")
    json.beginArray()
    for tool in tools { write(tool, &json) }
    json.endArray()
    switch request.toolChoice {
    case .unspecified, .none: break
    case .auto: json.rawMember("toolChoice", #"{"auto":{}}"#)
    case .required: json.rawMember("toolChoice", #"{"any":{}}"#)
    case .named(let name):
      json.key("toolChoice")
      begin("tool", &json)
      json.member("name", name)
      end(&json)
    }
    json.endObject()
  }

  /// The functions that the conversation has calls of.
  private static func calledTools(_ request: ChatRequest) -> [ChatTool] {
    var tools: [ChatTool] = []
    var seen: [ByteString: ByteString] = [:]
    for message in request.messages {
      for call in message.toolCalls where seen.updateValue(.empty, forKey: call.name) == nil {
        tools.append(ChatTool(name: call.name))
      }
    }
    return tools
  }

  private static func write(_ tool: ChatTool, _ json: inout JSONWriter) {
    begin("toolSpec", &json)
    json.member("name", tool.name)
    json.member("description", tool.description.isEmpty ? tool.name : tool.description)
    json.key("inputSchema")
    json.beginObject()
    json.rawMember(
      "json",
      tool.parameters.isEmpty ? #"{"type":"object","properties":{}}"# : tool.parameters)
    json.endObject()
    end(&json)
  }

  private static func writeInference(
    _ request: ChatRequest, _ thinking: BedrockThinking, _ json: inout JSONWriter
  ) {
    // Claude refuses to stop at white space.
    let stop = request.stop.filter { !$0.isBlank }
    let temperature = thinking.budgetTokens == nil ? request.temperature : nil
    let limit = thinking.maxTokens ?? request.maxTokens
    guard limit != nil || temperature != nil || request.topP != nil || !stop.isEmpty else {
      return
    }
    json.key("inferenceConfig")
    json.beginObject()
    if let limit { json.member("maxTokens", limit) }
    json.number("temperature", DialectText.upToOne(temperature))
    json.number("topP", request.topP)
    json.strings("stopSequences", stop)
    json.endObject()
  }

  /// What Anthropic's models take beside Converse's own fields.
  private static func writeClaude(
    _ request: ChatRequest, _ thinking: BedrockThinking, _ json: inout JSONWriter
  ) {
    let topK = thinking.budgetTokens == nil ? request.topK : nil
    guard topK != nil || thinking.budgetTokens != nil else { return }
    json.key("additionalModelRequestFields")
    json.beginObject()
    json.number("top_k", topK)
    if let budget = thinking.budgetTokens {
      json.key("thinking")
      json.beginObject()
      json.member("type", "enabled" as StaticString)
      json.member("budget_tokens", budget)
      json.endObject()
    }
    json.endObject()
  }

  private static func writeFormat(_ format: ChatFormat, _ json: inout JSONWriter) {
    guard case .jsonSchema(let name, let schema, _) = format else { return }
    json.key("outputConfig")
    json.beginObject()
    json.key("textFormat")
    json.beginObject()
    json.member("type", "json_schema" as StaticString)
    json.key("structure")
    begin("jsonSchema", &json)
    json.member("name", name)
    json.member("schema", DialectText.compact(schema))
    end(&json)
    json.endObject()
    json.endObject()
  }

  static func writeText(_ text: ByteString, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("text", text)
    json.endObject()
  }

  /// Begins `{"KEY":{`.
  static func begin(_ key: StaticString, _ json: inout JSONWriter) {
    json.beginObject()
    json.key(key)
    json.beginObject()
  }

  static func end(_ json: inout JSONWriter) {
    json.endObject()
    json.endObject()
  }
}

extension JSONWriter {
  /// Writes a member whose value is JSON already.
  @inline(never)
  mutating func rawMember(_ key: StaticString, _ value: ByteString) {
    self.key(key)
    raw(value)
  }
}
