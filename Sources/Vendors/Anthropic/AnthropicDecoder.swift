// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads answers of Anthropic's Messages API.
///
/// Blocks of the vendor's own tools, redacted thoughts and citations are left out.
/// Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming, read 2026-11.
final class AnthropicDecoder: ChatDecoder {
  private enum Block { case none, call, answer }

  private var block = Block.none
  private var callCount = 0
  /// Arguments of the open call that are told when no fragment comes.
  private var pendingInput = ByteString.empty
  private var hasFinished = false
  private var usage = AnthropicUsage()

  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    guard let root = event.json(orFailIn: &events), let type = root.member("type")?.string else {
      return
    }
    switch type {
    case _ where type == "message_start":
      guard let message = root.member("message") else { return }
      events.append(.start(id: message.member("id")?.string ?? .empty, created: 0))
      read(usage: message.member("usage"), &events)
    case _ where type == "content_block_start":
      endBlock(&events)
      if let block = root.member("content_block") { begin(block, &events) }
    case _ where type == "content_block_delta":
      if let delta = root.member("delta") { read(delta: delta, &events) }
    case _ where type == "content_block_stop": endBlock(&events)
    case _ where type == "message_delta":
      endBlock(&events)
      read(usage: root.member("usage"), &events)
      finish(root.member("delta")?.member("stop_reason")?.string, &events)
    case _ where type == "message_stop": finish("end_turn", &events)
    case _ where type == "error": fail(root, &events)
    default: break
    }
  }

  func read(answer: JSONValue, into events: inout [ChatEvent]) {
    guard let content = answer.member("content"), content.kind == .array else {
      return fail(answer, &events)
    }
    events.append(.start(id: answer.member("id")?.string ?? .empty, created: 0))
    for block in content.elements {
      begin(block, &events)
      endBlock(&events)
    }
    read(usage: answer.member("usage"), &events)
    finish(answer.member("stop_reason")?.string ?? "end_turn", &events)
  }

  func end(into events: inout [ChatEvent]) {}

  private func fail(_ root: JSONValue, _ events: inout [ChatEvent]) {
    events.append(
      .failure(ErrorAnswer(status: 200, answer: root, format: Dialect.anthropicErrors)))
  }

  /// A block begins, in a stream mostly without its content.
  private func begin(_ value: JSONValue, _ events: inout [ChatEvent]) {
    let type = value.member("type")?.string ?? .empty
    if type == "tool_use" {
      let name = value.member("name")?.string ?? .empty
      pendingInput = value.member("input")?.lexeme ?? "{}"
      if name == AnthropicEncoder.answerTool {
        block = .answer
        return
      }
      block = .call
      events.append(
        .toolCall(
          index: callCount, id: value.member("id")?.string ?? .empty, name: name,
          signature: .empty))
      callCount += 1
    } else {
      read(delta: value, &events)
    }
  }

  /// A piece of a block; blocks of text and thoughts have the same members.
  private func read(delta: JSONValue, _ events: inout [ChatEvent]) {
    let type = delta.member("type")?.string ?? .empty
    if type == "text_delta" || type == "text" {
      append(delta.member("text")) { .text($0) }
    } else if type == "thinking_delta" || type == "thinking" {
      append(delta.member("thinking")) { .reasoning($0) }
      append(delta.member("signature")) { .reasoningSignature($0) }
    } else if type == "signature_delta" {
      append(delta.member("signature")) { .reasoningSignature($0) }
    } else if type == "input_json_delta", block != .none {
      append(delta.member("partial_json")) { piece in
        pendingInput = .empty
        return block == .answer ? .text(piece) : .arguments(index: callCount - 1, piece)
      }
    }

    func append(_ value: JSONValue?, _ make: (ByteString) -> ChatEvent) {
      if let piece = value?.string, !piece.isEmpty { events.append(make(piece)) }
    }
  }

  private func endBlock(_ events: inout [ChatEvent]) {
    if block != .none, !pendingInput.isEmpty {
      events.append(
        block == .answer
          ? .text(pendingInput) : .arguments(index: callCount - 1, pendingInput))
    }
    block = .none
    pendingInput = .empty
  }

  private func read(usage value: JSONValue?, _ events: inout [ChatEvent]) {
    guard let value, value.kind == .object else { return }
    usage.merge(value)
    events.append(.usage(usage.counts))
  }

  private func finish(_ word: ByteString?, _ events: inout [ChatEvent]) {
    guard let word, !hasFinished else { return }
    hasFinished = true
    var reason = FinishReason.stop
    if word == "tool_use", callCount > 0 { reason = .toolCalls }
    if word == "max_tokens" || word == "model_context_window_exceeded" { reason = .length }
    if word == "refusal" { reason = .contentFilter }
    events.append(.finish(reason))
  }
}

/// Anthropic's counts, which are told again as an answer goes on: the last above zero counts.
struct AnthropicUsage {
  private var input: Int64 = 0
  private var written: Int64 = 0
  private var cached: Int64 = 0
  private var output: Int64 = 0
  private var reasoning: Int64 = 0

  /// Takes a `usage` object in.
  mutating func merge(_ value: JSONValue) {
    take("input_tokens", value, &input)
    take("cache_creation_input_tokens", value, &written)
    take("cache_read_input_tokens", value, &cached)
    take("output_tokens", value, &output)
    if let details = value.member("output_tokens_details") {
      take("thinking_tokens", details, &reasoning)
    }
  }

  @inline(never)
  private func take(_ key: StaticString, _ value: JSONValue, _ count: inout Int64) {
    let seen = value.tokens(key)
    if seen > 0 { count = seen }
  }

  /// In OpenAI's sense: what comes from the cache counts as prompt.
  var counts: ChatUsage {
    var usage = ChatUsage()
    usage.prompt = input + written + cached
    usage.completion = output
    usage.cached = cached
    usage.cacheWritten = written
    usage.reasoning = reasoning
    return usage
  }
}
