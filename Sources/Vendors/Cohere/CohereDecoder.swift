// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads chat answers of Cohere's API; plans for tools and citations are left out.
///
/// Source: https://docs.cohere.com/v2/docs/streaming, read 2026-11.
final class CohereDecoder: ChatDecoder {
  private var callCount = 0
  private var hasFinished = false

  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    guard let root = event.json(orFailIn: &events), let type = root.member("type")?.string else {
      return
    }
    let delta = root.member("delta")
    let message = delta?.member("message")
    switch type {
    case _ where type == "message-start":
      events.append(.start(id: root.member("id")?.string ?? .empty, created: 0))
    case _ where type == "content-start", _ where type == "content-delta":
      if let content = message?.member("content") { read(content: content, &events) }
    case _ where type == "tool-call-start":
      if let call = message?.member("tool_calls") { read(call: call, &events) }
    case _ where type == "tool-call-delta":
      arguments(message?.member("tool_calls")?.member("function"), &events)
    case _ where type == "message-end":
      if let delta { finish(delta, &events) }
    default: break
    }
  }

  func read(answer: JSONValue, into events: inout [ChatEvent]) {
    guard let message = answer.member("message"), message.kind == .object else {
      return fail(answer, &events)
    }
    events.append(.start(id: answer.member("id")?.string ?? .empty, created: 0))
    if let content = message.member("content") {
      for block in content.elements { read(content: block, &events) }
    }
    if let calls = message.member("tool_calls") {
      for call in calls.elements { read(call: call, &events) }
    }
    finish(answer, &events)
  }

  func end(into events: inout [ChatEvent]) {}

  private func read(content: JSONValue, _ events: inout [ChatEvent]) {
    if let text = content.member("text")?.string, !text.isEmpty { events.append(.text(text)) }
    if let text = content.member("thinking")?.string, !text.isEmpty {
      events.append(.reasoning(text))
    }
  }

  private func read(call: JSONValue, _ events: inout [ChatEvent]) {
    let function = call.member("function")
    events.append(
      .toolCall(
        index: callCount, id: call.member("id")?.string ?? .empty,
        name: function?.member("name")?.string ?? .empty, signature: .empty))
    callCount += 1
    arguments(function, &events)
  }

  private func arguments(_ function: JSONValue?, _ events: inout [ChatEvent]) {
    guard callCount > 0, let text = function?.member("arguments")?.string, !text.isEmpty else {
      return
    }
    events.append(.arguments(index: callCount - 1, text))
  }

  /// Reads the reason and the counts, which a whole answer and a stream's last event share.
  private func finish(_ value: JSONValue, _ events: inout [ChatEvent]) {
    let word = value.member("finish_reason")?.string ?? .empty
    if word == "ERROR" || word == "TIMEOUT" || value.member("error")?.string != nil {
      events.append(
        .failure(
          ErrorAnswer(
            status: 200, message: value.member("error")?.string ?? .empty, code: word,
            action: .retry, meaning: word == "TIMEOUT" ? .timeout : .broken)))
      return
    }
    if let usage = value.member("usage"), usage.kind == .object {
      let counts = usage.member("tokens") ?? usage.member("billed_units")
      var sum = ChatUsage(counts, prompt: "input_tokens", completion: "output_tokens")
      sum.cached = usage.tokens("cached_tokens")
      events.append(.usage(sum))
    }
    guard !hasFinished, !word.isEmpty else { return }
    hasFinished = true
    events.append(
      .finish(word == "MAX_TOKENS" ? .length : word == "TOOL_CALL" ? .toolCalls : .stop))
  }

  private func fail(_ root: JSONValue, _ events: inout [ChatEvent]) {
    events.append(
      .failure(ErrorAnswer(status: 200, answer: root, format: Dialect.cohere.errors)))
  }
}
