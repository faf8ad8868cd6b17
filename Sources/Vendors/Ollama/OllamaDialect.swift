// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

extension Dialect {
  /// Ollama's own API.
  ///
  /// Source: https://docs.ollama.com/api, read 2026-11.
  package static let ollama = Dialect(
    name: "ollama",
    writes: [
      .temperature, .topP, .topK, .stop, .seed, .presencePenalty, .frequencyPenalty, .jsonObject,
      .jsonSchema, .reasoning, .tools, .toolHistory, .images, .maxTokens, .system,
    ],
    drops: [], framing: .lines,
    // The memory is this machine's: another channel may have more.
    errors: ErrorFormat(
      codes: "", messages: "error error.message",
      rules: """
        disable key|403:
        failover failed|500:~requires more system memory
        """),
    head: { facts in
      CallHead(
        path: facts.basePath + "/api/chat",
        fields: facts.key.isEmpty
          ? .empty : CallHead.field("Authorization", "Bearer " + facts.key))
    },
    encode: { request, facts, output in OllamaEncoder.encode(request, facts, output) },
    makeDecoder: { _ in OllamaDecoder() })
}

/// Writes chat requests for Ollama's `/api/chat`.
enum OllamaEncoder {
  static func encode(_ request: ChatRequest, _ facts: CallFacts, _ output: Buffer) {
    var json = JSONWriter(output)
    json.beginObject()
    json.member("model", facts.model)
    // Left out, it means true.
    json.member("stream", facts.isStream)
    json.key("messages")
    json.beginArray()
    for message in request.messages { write(message, &json) }
    json.endArray()
    OpenAIEncoder.writeToolList(request, &json)
    switch request.format {
    case .unspecified, .text: break
    case .jsonObject: json.member("format", "json" as StaticString)
    case .jsonSchema(_, let schema, _):
      json.key("format")
      json.raw(schema)
    }
    if let reasoning = request.reasoning { write(reasoning, &json) }
    writeOptions(request, &json)
    json.endObject()
  }

  private static func write(_ message: ChatMessage, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("role", OpenAIEncoder.word(message.role))
    json.member("content", message.resultText)
    if !message.reasoning.isEmpty { json.member("thinking", message.reasoning) }
    if message.hasMedia {
      json.key("images")
      json.beginArray()
      for case .image(let media) in message.parts { json.string(media.data) }
      json.endArray()
    }
    if message.role == .tool {
      if !message.toolName.isEmpty { json.member("tool_name", message.toolName) }
      json.member("tool_call_id", message.toolCallID)
    }
    writeCalls(message.toolCalls, &json)
    json.endObject()
  }

  /// Writes `tool_calls`; nothing for none.
  static func writeCalls(_ calls: [ChatToolCall], _ json: inout JSONWriter) {
    guard !calls.isEmpty else { return }
    json.key("tool_calls")
    json.beginArray()
    for call in calls {
      json.beginObject()
      json.member("id", call.id)
      json.key("function")
      json.beginObject()
      json.member("name", call.name)
      json.key("arguments")
      json.raw(call.arguments)
      json.endObject()
      json.endObject()
    }
    json.endArray()
  }

  private static func write(_ reasoning: ChatReasoning, _ json: inout JSONWriter) {
    switch reasoning.effort {
    case .none: json.member("think", false)
    case .minimal, .low: json.member("think", "low" as StaticString)
    case .medium: json.member("think", "medium" as StaticString)
    case .high: json.member("think", "high" as StaticString)
    case .xhigh: json.member("think", "max" as StaticString)
    }
  }

  private static func writeOptions(_ request: ChatRequest, _ json: inout JSONWriter) {
    guard
      !request.fields.isDisjoint(with: [
        .temperature, .topP, .topK, .stop, .seed, .presencePenalty, .frequencyPenalty, .maxTokens,
      ])
    else { return }
    json.key("options")
    json.beginObject()
    if let limit = request.maxTokens { json.member("num_predict", limit) }
    OpenAIEncoder.writeNumbers(request, &json)
    json.endObject()
  }
}

/// Reads answers of Ollama's `/api/chat`: one object, or one a line.
final class OllamaDecoder: ChatDecoder {
  private var hasStarted = false
  private var callCount = 0

  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    if let root = event.json(orFailIn: &events) { read(answer: root, into: &events) }
  }

  func read(answer root: JSONValue, into events: inout [ChatEvent]) {
    if let error = root.member("error"), !error.isNull {
      let format = Dialect.ollama.errors
      events.append(.failure(ErrorAnswer(status: 200, answer: root, format: format)))
      return
    }
    if !hasStarted {
      hasStarted = true
      events.append(.start(id: .empty, created: 0))
    }
    let message = root.member("message")
    if let text = message?.member("thinking")?.string, !text.isEmpty {
      events.append(.reasoning(text))
    }
    if let text = message?.member("content")?.string, !text.isEmpty { events.append(.text(text)) }
    if let calls = message?.member("tool_calls") {
      for call in calls.elements { read(call: call, into: &events) }
    }
    guard root.member("done")?.bool == true else { return }
    let usage = ChatUsage(root, prompt: "prompt_eval_count", completion: "eval_count")
    if usage != ChatUsage() { events.append(.usage(usage)) }
    let isCut = root.member("done_reason")?.string.map { $0 == "length" } ?? false
    events.append(.finish(isCut ? .length : callCount > 0 ? .toolCalls : .stop))
  }

  /// Calls come whole.
  private func read(call: JSONValue, into events: inout [ChatEvent]) {
    guard let function = call.member("function"), let name = function.member("name")?.string else {
      return
    }
    events.append(
      .toolCall(
        index: callCount, id: call.member("id")?.string ?? .empty, name: name,
        signature: .empty))
    if let arguments = function.member("arguments"), arguments.kind == .object {
      events.append(.arguments(index: callCount, arguments.lexeme))
    }
    callCount += 1
  }

  func end(into events: inout [ChatEvent]) {}
}
