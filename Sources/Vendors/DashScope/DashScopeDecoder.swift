// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads answers in DashScope's native format.
///
/// Messages have OpenAI's members. A finish reason of `"null"`, the word, means that there is none
/// yet; usage is cumulative. An error may be an event, or a body without events.
final class DashScopeDecoder: ChatDecoder {
  private let message = OpenAIDecoder(errors: Dialect.dashScope.errors)
  private let isCumulative: Bool
  private var hasStarted = false
  private var hasFinished = false
  private var text = CumulativeText()
  private var reasoning = CumulativeText()
  private var arguments: [CumulativeText] = []

  /// Makes a decoder for one answer.
  init(_ facts: CallFacts) { isCumulative = DashScopeDecoder.isCumulative(facts) }

  /// Whether each event of a stream repeats the text so far.
  static func isCumulative(_ facts: CallFacts) -> Bool {
    facts.setting("incremental_output") == "false"
  }

  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    guard let root = event.json(orFailIn: &events) else { return }
    read(answer: root, into: &events)
  }

  func read(answer root: JSONValue, into events: inout [ChatEvent]) {
    if let code = root.member("code")?.string, !code.isEmpty {
      events.append(
        .failure(ErrorAnswer(status: 200, answer: root, format: Dialect.dashScope.errors)))
      return
    }
    guard let output = root.member("output") else { return }
    if !hasStarted {
      hasStarted = true
      events.append(.start(id: root.member("request_id")?.string ?? .empty, created: 0))
    }
    // Answers without choices are those of `result_format: text`.
    let choice = output.member("choices")?.element(0) ?? output
    var pieces: [ChatEvent] = []
    if let content = choice.member("message") {
      message.read(content, &pieces)
    } else if let text = choice.member("text")?.string, !text.isEmpty {
      pieces.append(.text(text))
    }
    for piece in pieces { if let piece = rest(of: piece) { events.append(piece) } }
    if !hasFinished, let word = choice.member("finish_reason")?.string, !word.isEmpty,
      word != "null"
    {
      hasFinished = true
      events.append(.finish(message.reason(word)))
    }
    if let usage = root.member("usage"), usage.kind == .object {
      var counts = OpenAIDecoder.usage(usage)
      let details = usage.member("output_tokens_details")
      counts.reasoning = max(counts.reasoning, details?.tokens("reasoning_tokens") ?? 0)
      events.append(.usage(counts))
    }
  }

  func end(into events: inout [ChatEvent]) {}

  /// What is new in a piece of a stream; nil when nothing is.
  private func rest(of piece: ChatEvent) -> ChatEvent? {
    guard isCumulative else { return piece }
    switch piece {
    case .text(let whole):
      let rest = text.rest(of: whole)
      return rest.isEmpty ? nil : .text(rest)
    case .reasoning(let whole):
      let rest = reasoning.rest(of: whole)
      return rest.isEmpty ? nil : .reasoning(rest)
    case .arguments(let index, let whole):
      while arguments.count <= index { arguments.append(CumulativeText()) }
      let rest = arguments[index].rest(of: whole)
      return rest.isEmpty ? nil : .arguments(index: index, rest)
    default: return piece
    }
  }
}

extension Dialect {
  /// DashScope's native protocol.
  package static let dashScope = Dialect(
    name: "dashscope",
    writes: [
      .temperature, .topP, .topK, .stop, .seed, .presencePenalty, .jsonObject, .jsonSchema,
      .reasoning, .tools, .toolChoice, .parallelTools, .toolHistory, .images, .imageURLs, .audio,
      .maxTokens, .system,
    ],
    drops: [], framing: .events, errors: dashScopeErrors,
    head: { facts in DashScopeEncoder.head(facts) },
    encode: { (request, facts, output) throws(ChatProblem) in
      try DashScopeEncoder.encode(request, facts, output)
    },
    makeDecoder: { DashScopeDecoder($0) })

  /// Codes of the native protocol; the same in bodies and events.
  private static let dashScopeErrors = ErrorFormat(
    codes: "code", messages: "message",
    rules: """
      client length|InvalidParameter~range of input length should be
      client|InvalidParameter*|BadRequest*|InvalidURL*|UnsupportedOperation
      client content|DataInspectionFailed|data_inspection_failed
      disable account|Arrearage
      disable key|InvalidApiKey
      failover key|AccessDenied*|Model.AccessDenied
      failover account|AllocationQuota*
      failover model|ModelNotFound|model_not_found|WorkSpaceNotFound
      retry timeout|RequestTimeOut
      failover rate|Throttling*|LimitRequests|insufficient_quota
      retry timeout|InternalError.Timeout
      retry busy|ModelUnavailable|ModelServingError
      """)
}
