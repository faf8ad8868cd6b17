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
  private var choiceIndex: Int64?
  /// Vendors' indexes and ids of the calls, in the order of their beginning; -1 without index.
  private var callIndexes: [Int64] = []
  private var callIDs: [ByteString] = []
  /// The last call, as long as its name has not come.
  private var nameless: ChatToolCall?

  /// - Parameter errors: how the vendor's errors are judged.
  package init(errors: ErrorFormat = Dialect.openAI.errors) { self.errors = errors }

  package func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    guard let root = event.json(orFailIn: &events) else { return }
    read(chunk: root, into: &events)
  }

  package func read(answer: JSONValue, into events: inout [ChatEvent]) {
    read(chunk: answer, into: &events)
  }

  package func end(into events: inout [ChatEvent]) { beginNameless(&events) }

  /// Reads a chunk, or a whole answer, which differs in one name only.
  package func read(chunk root: JSONValue, into events: inout [ChatEvent]) {
    if let error = root.member("error"), error.kind == .object || error.kind == .string {
      events.append(.failure(ErrorAnswer(status: 200, answer: root, format: errors)))
      return
    }
    let choice = self.choice(root)
    start(root, choice, &events)
    if let content = choice?.member("delta") ?? choice?.member("message") {
      read(content, &events)
    }
    if !hasFinished, let word = choice?.member("finish_reason")?.string, !word.isEmpty {
      hasFinished = true
      beginNameless(&events)
      events.append(.finish(reason(word)))
    }
    if let usage = root.member("usage") ?? choice?.member("usage"), usage.kind == .object {
      events.append(.usage(OpenAIDecoder.usage(usage)))
    }
  }

  /// The one that the answer began with, where others come between.
  private func choice(_ root: JSONValue) -> JSONValue? {
    guard let choices = root.member("choices") else { return nil }
    for choice in choices.elements {
      let index = choice.member("index")?.int64 ?? 0
      if index == choiceIndex ?? index {
        choiceIndex = index
        return choice
      }
    }
    return nil
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
    guard let calls = content.member("tool_calls"), !calls.isNull else {
      // The older form: one call without an id.
      let function = content.member("function_call")
      return function?.kind == .object ? read(nil, function, &events) : ()
    }
    if calls.kind == .object { return read(calls, calls.member("function"), &events) }
    for call in calls.elements { read(call, call.member("function"), &events) }
  }

  /// Reads a call or a piece of one.
  private func read(_ call: JSONValue?, _ function: JSONValue?, _ events: inout [ChatEvent]) {
    let name = function?.member("name")?.string ?? .empty
    let id = call?.member("id")?.string ?? .empty
    let given = call?.member("index")?.int64
    let known = index(given, id, hasName: !name.isEmpty)
    let index = known ?? callIndexes.count
    if known == nil {
      // A piece of nothing.
      if given == nil, name.isEmpty { return }
      beginNameless(&events)
      callIndexes.append(given ?? -1)
      callIDs.append(id)
      var begun = ChatToolCall(id: id, name: name, arguments: .empty)
      begun.arguments = .empty
      begun.signature =
        call?.member("extra_content")?.member("google")?.member("thought_signature")?.string
        ?? .empty
      nameless = begun
    }
    let isNameless = nameless != nil && index == callIndexes.count - 1
    if isNameless {
      if nameless?.id.isEmpty ?? false { nameless?.id = id }
      nameless?.name = name
      if !name.isEmpty { beginNameless(&events) }
    }
    guard let value = function?.member("arguments"), !value.isNull else { return }
    let piece = value.string ?? DialectText.compact(value.lexeme)
    if piece.isEmpty { return }
    if let held = nameless, isNameless {
      nameless?.arguments = held.arguments + piece
    } else {
      events.append(.arguments(index: index, piece))
    }
  }

  /// The call that a piece belongs to; nil for a new one.
  private func index(_ given: Int64?, _ id: ByteString, hasName: Bool) -> Int? {
    let last = callIndexes.indices.last
    guard let given else {
      if hasName { return nameless == nil ? nil : last }
      return id.isEmpty ? last : callIDs.lastIndex(of: id) ?? last
    }
    guard let open = callIndexes.lastIndex(of: given), !id.isEmpty, callIDs[open] != id else {
      return callIndexes.lastIndex(of: given)
    }
    for index in callIDs.indices where callIDs[index] == id && callIndexes[index] == given {
      return index
    }
    // Some vendors number all calls 0; others make up an id for each piece, but name a call once.
    let isNameless = nameless != nil && open == last
    return hasName && !isNameless && !callIDs[open].isEmpty ? nil : open
  }

  /// Tells of a call whose name did not come at once.
  private func beginNameless(_ events: inout [ChatEvent]) {
    guard let call = nameless else { return }
    nameless = nil
    let index = callIndexes.count - 1
    events.append(.toolCall(index: index, id: call.id, name: call.name, signature: call.signature))
    if !call.arguments.isEmpty { events.append(.arguments(index: index, call.arguments)) }
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
    codes: "error.code error.type code type",
    messages: "error.message message error detail base_resp.status_msg",
    rules: """
      disable account|insufficient_quota|billing_hard_limit_reached
      disable account|billing_not_active|exceeded_current_quota_error
      disable key|invalid_api_key|account_deactivated|invalid_authentication_error
      disable key|incorrect_api_key_error
      client length|context_length_exceeded
      client content|content_filter|content_policy_violation
      failover model|model_not_found
      failover rate|rate_limit_exceeded|rate_limit_error|rate_limit_reached_error
      """)
}
