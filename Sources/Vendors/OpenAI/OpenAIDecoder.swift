// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads answers in OpenAI's chat format, of the first choice.
///
/// Takes what similar servers write: reasoning under two names, calls without an index or as one
/// object, a finish reason beside content, usage in any chunk, an error in place of a chunk.
/// Source: https://platform.openai.com/docs/api-reference/chat/streaming, read 2026-11.
package final class OpenAIDecoder: ChatDecoder {
  private let errors: ErrorFormat
  private var hasStarted = false
  private var hasFinished = false
  private var callCount = 0
  /// Vendors' indexes of the calls, in the order of their beginning.
  private var callIndexes: [Int64] = []

  /// - Parameter errors: how the vendor's errors are judged.
  package init(errors: ErrorFormat = Dialect.openAI.errors) { self.errors = errors }

  package func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    guard let root = event.json else { return }
    read(chunk: root, into: &events)
  }

  package func read(answer: JSONValue, into events: inout [ChatEvent]) {
    read(chunk: answer, into: &events)
  }

  package func end(into events: inout [ChatEvent]) {}

  /// Reads a chunk, or a whole answer, which differs in one name only.
  package func read(chunk root: JSONValue, into events: inout [ChatEvent]) {
    if let error = root.member("error"), error.kind == .object || error.kind == .string {
      events.append(.failure(ErrorAnswer(status: 200, answer: root, format: errors)))
      return
    }
    let choice = root.member("choices")?.element(0)
    start(root, choice, &events)
    if let content = choice?.member("delta") ?? choice?.member("message") {
      read(content, &events)
    }
    if !hasFinished, let word = choice?.member("finish_reason")?.string, !word.isEmpty {
      hasFinished = true
      events.append(.finish(reason(word)))
    }
    if let usage = root.member("usage") ?? choice?.member("usage"), usage.kind == .object {
      events.append(.usage(OpenAIDecoder.usage(usage)))
    }
  }

  /// Azure's first chunk has neither id nor choice: its values are not the answer's.
  private func start(_ root: JSONValue, _ choice: JSONValue?, _ events: inout [ChatEvent]) {
    guard !hasStarted, choice != nil else { return }
    hasStarted = true
    events.append(
      .start(
        id: root.member("id")?.string ?? .empty, created: root.member("created")?.int64 ?? 0))
  }

  /// Reads a `message` or `delta`.
  func read(_ content: JSONValue, _ events: inout [ChatEvent]) {
    let reasoning =
      content.member("reasoning_content")?.string ?? content.member("reasoning")?.string
    if let reasoning, !reasoning.isEmpty { events.append(.reasoning(reasoning)) }
    if let text = OpenAIDecoder.text(content.member("content")), !text.isEmpty {
      events.append(.text(text))
    }
    if let text = content.member("refusal")?.string, !text.isEmpty { events.append(.refusal(text)) }
    guard let calls = content.member("tool_calls") else { return }
    if calls.kind == .object { return read(call: calls, &events) }
    for call in calls.elements { read(call: call, &events) }
  }

  private func read(call: JSONValue, _ events: inout [ChatEvent]) {
    let function = call.member("function")
    let name = function?.member("name")?.string ?? .empty
    let id = call.member("id")?.string ?? .empty
    var index = callIndexes.count - 1
    if let given = call.member("index")?.int64 {
      index = callIndexes.firstIndex(of: given) ?? callIndexes.count
      guard index == callIndexes.count else { return arguments() }
      callIndexes.append(given)
    } else if !name.isEmpty {
      index = callIndexes.count
      callIndexes.append(Int64(index))
    } else {
      return arguments()
    }
    let signature =
      call.member("extra_content")?.member("google")?.member("thought_signature")?.string ?? .empty
    events.append(.toolCall(index: index, id: id, name: name, signature: signature))
    arguments()

    func arguments() {
      guard index >= 0, let text = function?.member("arguments")?.string, !text.isEmpty else {
        return
      }
      events.append(.arguments(index: index, text))
    }
  }

  /// A string, or the texts of an array of parts.
  static func text(_ value: JSONValue?) -> ByteString? {
    guard let value else { return nil }
    if let text = value.string { return text }
    var joined = ByteString.empty
    var hasText = false
    for part in value.elements {
      guard let text = part.member("text")?.string else { continue }
      joined.append(text)
      hasText = true
    }
    return hasText ? joined : nil
  }

  /// What a finish reason means, beside the calls so far.
  func reason(_ word: ByteString) -> FinishReason {
    if word == "length" || word == "max_tokens" { return .length }
    if word == "tool_calls" || word == "function_call" { return .toolCalls }
    if word == "content_filter" || word == "sensitive" { return .contentFilter }
    return callIndexes.isEmpty ? .stop : .toolCalls
  }

  /// Reads a `usage` object of OpenAI's form.
  package static func usage(_ value: JSONValue) -> ChatUsage {
    func has(_ key: StaticString) -> Bool { value.member(key) != nil }
    var usage = ChatUsage(
      value, prompt: has("prompt_tokens") ? "prompt_tokens" : "input_tokens",
      completion: has("completion_tokens") ? "completion_tokens" : "output_tokens")
    usage.cached =
      value.member("prompt_tokens_details")?.tokens("cached_tokens")
      ?? value.tokens(has("prompt_cache_hit_tokens") ? "prompt_cache_hit_tokens" : "cached_tokens")
    usage.reasoning =
      value.member("completion_tokens_details")?.tokens("reasoning_tokens") ?? 0
    return usage
  }
}

extension Dialect {
  /// OpenAI's chat format, for requests that come in another one.
  package static let openAI = Dialect(
    name: "openai",
    writes: [
      .temperature, .topP, .topK, .stop, .seed, .presencePenalty, .frequencyPenalty, .jsonObject,
      .jsonSchema, .reasoning, .tools, .toolChoice, .parallelTools, .toolHistory, .images,
      .imageURLs, .audio, .files, .maxTokens, .system,
    ],
    drops: [], framing: .events, errors: openAIErrors,
    head: { facts in
      CallHead(
        path: facts.basePath + "/chat/completions",
        fields: facts.key.isEmpty
          ? .empty : CallHead.field("Authorization", "Bearer " + facts.key))
    },
    encode: { request, facts, output in OpenAIEncoder.encode(request, facts, output) },
    makeDecoder: { _ in OpenAIDecoder() })

  /// OpenAI's error codes; those of similar vendors are in the vendors' rows.
  package static let openAIErrors = ErrorFormat(
    codes: ["error.code", "error.type", "code", "type"],
    messages: ["error.message", "message", "error", "detail", "base_resp.status_msg"],
    rules: [
      ErrorRule(0, "insufficient_quota", .disable, .accountEmpty),
      ErrorRule(0, "billing_hard_limit_reached", .disable, .accountEmpty),
      ErrorRule(0, "billing_not_active", .disable, .accountEmpty),
      ErrorRule(0, "exceeded_current_quota_error", .disable, .accountEmpty),
      ErrorRule(0, "invalid_api_key", .disable, .keyRefused),
      ErrorRule(0, "account_deactivated", .disable, .keyRefused),
      ErrorRule(0, "invalid_authentication_error", .disable, .keyRefused),
      ErrorRule(0, "incorrect_api_key_error", .disable, .keyRefused),
      ErrorRule(0, "context_length_exceeded", .client, .contextTooLong),
      ErrorRule(0, "content_filter", .client, .contentRefused),
      ErrorRule(0, "content_policy_violation", .client, .contentRefused),
      ErrorRule(0, "model_not_found", .failover, .modelMissing),
      ErrorRule(0, "rate_limit_exceeded", .failover, .tooManyRequests),
      ErrorRule(0, "rate_limit_error", .failover, .tooManyRequests),
      ErrorRule(0, "rate_limit_reached_error", .failover, .tooManyRequests),
    ])
}
