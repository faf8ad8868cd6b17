// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads answers of AWS Bedrock's Converse API.
///
/// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html,
/// read 2026-11.
final class BedrockDecoder: ChatDecoder {
  private var hasStarted = false
  /// The blocks that are calls, in the order of their beginning.
  private var blocks: [Int64] = []

  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    if event.name.starts(with: "exception:") || event.name.starts(with: "error:") {
      return events.add(.failure(BedrockDecoder.failure(event)))
    }
    guard let root = event.json(orFailIn: &events) else { return }
    start(&events)
    let index = root.member("contentBlockIndex")?.int64 ?? 0
    if event.name == "contentBlockStart" {
      if let call = root.member("start")?.member("toolUse") { begin(call, index, &events) }
    } else if event.name == "contentBlockDelta" {
      if let delta = root.member("delta") { read(delta, index, &events) }
    } else if event.name == "messageStop" {
      finish(root, &events)
    } else if event.name == "metadata" {
      readUsage(root, &events)
    }
  }

  func read(answer: JSONValue, into events: inout [ChatEvent]) {
    guard let content = answer.member("output")?.member("message")?.member("content") else {
      return
    }
    start(&events)
    var index: Int64 = 0
    for block in content.elements {
      if let call = block.member("toolUse") {
        begin(call, index, &events)
        if let input = call.member("input")?.lexeme {
          events.add(.arguments(index: blocks.count - 1, DialectText.compact(input)))
        }
      } else if let thoughts = block.member("reasoningContent")?.member("reasoningText") {
        readThoughts(thoughts, &events)
      } else if let text = block.member("text")?.string, !text.isEmpty {
        events.add(.text(text))
      }
      index += 1
    }
    finish(answer, &events)
    readUsage(answer, &events)
  }

  func end(into events: inout [ChatEvent]) {}

  private func start(_ events: inout [ChatEvent]) {
    guard !hasStarted else { return }
    hasStarted = true
    events.add(.start(id: .empty, created: 0))
  }

  private func begin(_ call: JSONValue, _ index: Int64, _ events: inout [ChatEvent]) {
    events.add(
      .toolCall(
        index: blocks.count, id: call.member("toolUseId")?.string ?? .empty,
        name: call.member("name")?.string ?? .empty, signature: .empty))
    blocks.append(index)
  }

  private func read(_ delta: JSONValue, _ index: Int64, _ events: inout [ChatEvent]) {
    if let text = delta.member("text")?.string, !text.isEmpty { events.add(.text(text)) }
    if let input = delta.member("toolUse")?.member("input")?.string, !input.isEmpty,
      let call = blocks.firstIndex(of: index)
    {
      events.add(.arguments(index: call, input))
    }
    if let thoughts = delta.member("reasoningContent") { readThoughts(thoughts, &events) }
  }

  private func readThoughts(_ thoughts: JSONValue, _ events: inout [ChatEvent]) {
    if let text = thoughts.member("text")?.string, !text.isEmpty { events.add(.reasoning(text)) }
    if let seal = thoughts.member("signature")?.string, !seal.isEmpty {
      events.add(.reasoningSignature(seal))
    }
  }

  private func finish(_ root: JSONValue, _ events: inout [ChatEvent]) {
    guard let word = root.member("stopReason")?.string else { return }
    var reason = FinishReason.stop
    if word == "max_tokens" || word == "model_context_window_exceeded" {
      reason = .length
    } else if word == "tool_use" {
      reason = .toolCalls
    } else if word == "guardrail_intervened" || word == "content_filtered" {
      reason = .contentFilter
    }
    events.add(.finish(reason))
  }

  private func readUsage(_ root: JSONValue, _ events: inout [ChatEvent]) {
    guard let counts = root.member("usage") else { return }
    var usage = ChatUsage(counts, prompt: "inputTokens", completion: "outputTokens")
    usage.cached = counts.tokens("cacheReadInputTokens")
    usage.cacheWritten = counts.tokens("cacheWriteInputTokens")
    // `inputTokens` leaves both out.
    usage.prompt += usage.cached + usage.cacheWritten
    events.add(.usage(usage))
  }

  /// An exception in the midst of a stream, judged as the status that it has elsewhere.
  private static func failure(_ event: StreamEvent) -> ErrorAnswer {
    let name = event.name.split(at: UInt8(ascii: ":"))?.after ?? .empty
    var status = 500
    for (exception, code) in statuses where name.lowercased == exception { status = code }
    let message = event.json?.member("message")?.string
    let answer = ErrorAnswer(status: status, body: event.data, format: Dialect.bedrockErrors)
    return ErrorAnswer(
      status: 200, message: message ?? event.data, code: name, action: answer.action,
      meaning: answer.meaning)
  }

  private static let statuses: [(StaticString, Int)] = [
    ("validationexception", 400), ("throttlingexception", 429),
    ("modelstreamerrorexception", 424), ("modeltimeoutexception", 408),
    ("serviceunavailableexception", 503), ("internalserverexception", 500),
  ]
}

extension Dialect {
  /// AWS Bedrock's Converse API.
  package static let bedrockConverse = Dialect(
    name: "bedrock",
    writes: [
      .temperature, .topP, .topK, .stop, .maxTokens, .system, .tools, .toolChoice, .toolHistory,
      .images, .files, .jsonSchema, .reasoning,
    ],
    drops: [.seed, .presencePenalty, .frequencyPenalty, .parallelTools],
    framing: .amazonEvents, errors: bedrockErrors,
    head: { facts throws(ChatProblem) in try BedrockCall.head(facts) },
    encode: { request, facts, output throws(ChatProblem) in
      try BedrockEncoder.encode(request, facts, output)
    },
    makeDecoder: { _ in BedrockDecoder() })

  /// The exception's name is in a header; status and sentence say as much of what it means.
  package static let bedrockErrors = ErrorFormat(
    codes: "__type code", messages: "message Message",
    rules: """
      client length|400:~too long
      failover model|400:~on-demand throughput
      disable account|400:~service quota
      disable key|403:
      retry failed|424:
      """, codeField: "x-amzn-errortype")
}
