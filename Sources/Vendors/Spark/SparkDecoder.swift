// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads answers of iFlytek Spark's WebSocket: text messages, the last with status 2.
///
/// Source: https://www.xfyun.cn/doc/spark/Web.html, read 2026-11.
final class SparkDecoder: ChatDecoder {
  private var hasStarted = false
  private var hasFinished = false
  private var hasContent = false
  private var callCount = 0

  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    guard let root = event.json(orFailIn: &events) else { return }
    read(frame: root, into: &events)
  }

  /// An array of all frames, or one of them: an answer may be whole in a single frame.
  func read(answer: JSONValue, into events: inout [ChatEvent]) {
    if answer.kind == .array {
      for frame in answer.elements { read(frame: frame, into: &events) }
    } else {
      read(frame: answer, into: &events)
    }
  }

  func end(into events: inout [ChatEvent]) {}

  private func read(frame: JSONValue, into events: inout [ChatEvent]) {
    guard !hasFinished, let header = frame.member("header") else { return }
    let code = header.member("code")?.int64 ?? 0
    let payload = frame.member("payload")
    let refusesAnswer = code == 10014 || code == 10019
    if code == 0 || refusesAnswer { read(header, payload?.member("choices"), &events) }
    if code != 0, !(refusesAnswer && hasContent) {
      return events.add(
        .failure(ErrorAnswer(status: 200, answer: frame, format: Dialect.sparkErrors)))
    }
    if code != 0 || header.member("status")?.int64 == 2
      || payload?.member("choices")?.member("status")?.int64 == 2
    {
      hasFinished = true
      events.add(.finish(code != 0 ? .contentFilter : callCount > 0 ? .toolCalls : .stop))
    }
    if let usage = payload?.member("usage")?.member("text") {
      events.add(
        .usage(
          ChatUsage(usage, prompt: "prompt_tokens", completion: "completion_tokens")))
    }
  }

  private func read(_ header: JSONValue, _ choices: JSONValue?, _ events: inout [ChatEvent]) {
    guard let choices else { return }
    if !hasStarted {
      hasStarted = true
      events.add(.start(id: header.member("sid")?.string ?? .empty, created: 0))
    }
    for text in choices.member("text")?.elements ?? choices.elements {
      if let piece = text.member("reasoning_content")?.string, !piece.isEmpty {
        hasContent = true
        events.add(.reasoning(piece))
      }
      if let piece = text.member("content")?.string, !piece.isEmpty {
        hasContent = true
        events.add(.text(piece))
      }
      guard let call = text.member("function_call"), let name = call.member("name")?.string
      else { continue }
      hasContent = true
      events.add(.toolCall(index: callCount, id: .empty, name: name, signature: .empty))
      if let arguments = call.member("arguments")?.string, !arguments.isEmpty {
        events.add(.arguments(index: callCount, arguments))
      }
      callCount += 1
    }
  }
}

extension Dialect {
  /// iFlytek Spark's WebSocket.
  package static let sparkSocket = Dialect(
    name: "spark-ws",
    writes: [.temperature, .topK, .maxTokens, .system, .tools, .toolChoice, .toolHistory],
    drops: [
      .topP, .stop, .seed, .presencePenalty, .frequencyPenalty, .parallelTools, .reasoning,
    ],
    framing: .messages, errors: sparkErrors,
    head: { facts throws(ChatProblem) in try SparkEncoder.head(facts) },
    encode: { request, facts, output throws(ChatProblem) in
      try SparkEncoder.encode(request, facts, output)
    },
    makeDecoder: { _ in SparkDecoder() }, alwaysStreams: true)

  /// Numbers of `header.code`; a refused handshake has a message only.
  ///
  /// Codes beyond those that are named are failures of the engine.
  package static let sparkErrors = ErrorFormat(
    codes: "header.code code", messages: "header.message message",
    rules: """
      client|10003|10004|10005|10163
      failover rate|10006|10007
      retry busy|10008|10110
      client content|10013|10014|10019|10021
      disable key|10015|10016
      client length|10907
      disable key|11200
      disable account|11201
      failover rate|11202|11203
      retry failed|1*
      disable key|403:
      """)
}
