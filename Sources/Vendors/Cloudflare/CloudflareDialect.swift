// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Cloudflare Workers AI, by its own route: it has all models, the one that is like OpenAI's does
/// not, and with it errors come in this form too.
///
/// Source: https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/ and
/// https://developers.cloudflare.com/api/resources/ai/methods/run/, read 2026-11.
enum CloudflareEncoder {
  /// What the vendor's default of 256 tokens is replaced with, which cuts answers without a sign.
  private static let maxTokens: Int64 = 2048

  /// Writes the body of a request; the model is in the path.
  static func encode(_ request: ChatRequest, _ facts: CallFacts, _ output: Buffer) {
    var json = JSONWriter(output)
    json.beginObject()
    json.key("messages")
    json.beginArray()
    for message in request.messages { write(message, &json) }
    json.endArray()
    if facts.isStream { json.member("stream", true) }
    let usual = facts.setting("answer_limit").decimal ?? maxTokens
    json.member("max_tokens", request.maxTokens ?? usual)
    OpenAIEncoder.writeWordChoice(request, &json)
    OpenAIEncoder.writeTools(request, &json)
    writeFormat(request.format, &json)
    json.endObject()
  }

  private static func write(_ message: ChatMessage, _ json: inout JSONWriter) {
    // Pictures are parts as OpenAI has them; without them the content is always a text.
    if message.hasMedia { return OpenAIEncoder.write(message, &json) }
    json.beginObject()
    json.member("role", OpenAIEncoder.word(message.role))
    json.member("content", message.resultText)
    if message.role == .tool {
      json.member("tool_call_id", message.toolCallID)
      json.member("name", message.toolName)
    }
    OpenAIEncoder.writeCalls(message.toolCalls, &json)
    json.endObject()
  }

  /// The schema itself stands where OpenAI has an object with a name.
  private static func writeFormat(_ format: ChatFormat, _ json: inout JSONWriter) {
    guard case .jsonSchema(_, let schema, _) = format else {
      return OpenAIEncoder.writeFormat(format, &json)
    }
    json.key("response_format")
    json.beginObject()
    json.member("type", "json_schema" as StaticString)
    json.key("json_schema")
    json.raw(schema)
    json.endObject()
  }

  /// The path of a model; the account is the setting `account_id`, or in the base URL or the key.
  static func head(_ facts: CallFacts) throws(ChatProblem) -> CallHead {
    let model = try CallFacts.segments(of: facts.model)
    let (account, token) = credentials(facts)
    let fields = CallHead.field("Authorization", "Bearer " + token)
    let span = facts.basePath.bytes.span
    // A gateway's address, or one that names the account already.
    if span.firstIndex(of: "/ai/run") != nil || span.firstIndex(of: "/workers-ai") != nil {
      return CallHead(path: facts.basePath + "/" + model, fields: fields)
    }
    guard !account.isEmpty else {
      throw ChatProblem("The channel needs account_id in its config.", field: "config")
    }
    let path = "/client/v4/accounts/" + (try CallFacts.segments(of: account)) + "/ai/run/"
    return CallHead(path: facts.path(path) + model, fields: fields)
  }

  private static func credentials(_ facts: CallFacts) -> (account: ByteString, token: ByteString) {
    if let (account, token) = facts.key.split(at: UInt8(ascii: "|")) {
      return (account.trimmed, token.trimmed)
    }
    return (facts.setting("account_id"), facts.key)
  }
}

/// Reads answers of Workers AI: its own form, and OpenAI's, which newer models use in place of it.
final class CloudflareDecoder: ChatDecoder {
  private let isStream: Bool
  private let inner = OpenAIDecoder(errors: Dialect.cloudflare.errors)
  private var hasStarted = false
  private var callCount = 0
  private var hasInnerFinish = false

  /// Makes a decoder for one answer.
  init(_ facts: CallFacts) { isStream = facts.isStream }

  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    if event.data == "[DONE]" { return finish(&events) }
    guard let root = event.json(orFailIn: &events) else { return }
    read(root, &events)
  }

  func read(answer root: JSONValue, into events: inout [ChatEvent]) {
    read(root, &events)
    if case .failure = events.last { return }
    finish(&events)
  }

  func end(into events: inout [ChatEvent]) {}

  private func read(_ root: JSONValue, _ events: inout [ChatEvent]) {
    if root.member("success")?.bool == false || root.member("errors")?.element(0) != nil {
      let format = Dialect.cloudflare.errors
      events.append(.failure(ErrorAnswer(status: 200, answer: root, format: format)))
      return
    }
    let wrapped = root.member("result").flatMap { $0.kind == .object ? $0 : nil }
    let result = wrapped ?? root
    if result.member("choices") != nil || result.member("error") != nil {
      var found: [ChatEvent] = []
      inner.read(chunk: result, into: &found)
      for event in found {
        if case .finish = event { hasInnerFinish = true }
        events.append(event)
      }
      return
    }
    if !hasStarted {
      hasStarted = true
      events.append(.start(id: .empty, created: 0))
    }
    if let response = result.member("response"), let text = CloudflareDecoder.text(response) {
      events.append(.text(text))
    }
    for call in result.member("tool_calls")?.elements ?? root.elements { read(call: call, &events) }
    if let usage = result.member("usage"), usage.kind == .object {
      events.append(.usage(OpenAIDecoder.usage(usage)))
    }
  }

  /// In JSON mode the answer is a value, not its text.
  private static func text(_ response: JSONValue) -> ByteString? {
    if let text = response.string { return text.isEmpty ? nil : text }
    return response.isNull ? nil : response.lexeme
  }

  private func read(call: JSONValue, _ events: inout [ChatEvent]) {
    let function = call.member("function") ?? call
    guard let name = function.member("name")?.string, !name.isEmpty else { return }
    let id = call.member("id")?.string ?? .empty
    events.append(.toolCall(index: callCount, id: id, name: name, signature: .empty))
    if let arguments = function.member("arguments"), !arguments.isNull {
      events.append(.arguments(index: callCount, arguments.string ?? arguments.lexeme))
    }
    callCount += 1
  }

  /// The vendor gives no reason.
  private func finish(_ events: inout [ChatEvent]) {
    guard !hasInnerFinish else { return }
    hasInnerFinish = true
    events.append(.finish(callCount > 0 ? .toolCalls : .stop))
  }
}

extension Dialect {
  /// Cloudflare's own format.
  package static let cloudflare = Dialect(
    name: "cloudflare",
    writes: [
      .temperature, .topP, .topK, .seed, .presencePenalty, .frequencyPenalty, .maxTokens, .system,
      .tools, .toolChoice, .parallelTools, .toolHistory, .jsonObject, .jsonSchema, .images,
      .imageURLs,
    ],
    drops: [.reasoning], framing: .events, errors: cloudflareErrors,
    head: { (facts) throws(ChatProblem) in try CloudflareEncoder.head(facts) },
    encode: { request, facts, output in CloudflareEncoder.encode(request, facts, output) },
    makeDecoder: { CloudflareDecoder($0) })

  private static let cloudflareErrors = ErrorFormat(
    codes: "errors.code error.code", messages: "errors.message error.message error",
    rules: """
      disable key|10000|401:|403:
      failover model|5007|7000|7003
      disable account|3036
      retry busy|3040
      client|5004|5006
      retry timeout|3007
      """)
}
