// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads answers of Tencent Hunyuan's own API: whole ones are wrapped in `Response`, events of a
/// stream are not; errors come with status 200.
///
/// Source: https://cloud.tencent.com/document/product/1729/105701, read 2026-11.
final class HunyuanDecoder: ChatDecoder {
  private var hasStarted = false
  private var hasFinished = false
  /// The calls' ids, or their indexes where the vendor tells them.
  private var calls: [ByteString] = []

  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    guard let root = event.json(orFailIn: &events) else { return }
    read(answer: root, into: &events)
  }

  func read(answer: JSONValue, into events: inout [ChatEvent]) {
    let root = answer.member("Response") ?? answer
    if root.member("Error")?.kind == .object || root.member("ErrorMsg")?.kind == .object {
      return events.add(
        .failure(ErrorAnswer(status: 200, answer: answer, format: Dialect.hunyuanErrors)))
    }
    guard let choice = root.member("Choices")?.element(0) else { return }
    if !hasStarted {
      hasStarted = true
      events.add(
        .start(
          id: root.member("Id")?.string ?? .empty, created: root.member("Created")?.int64 ?? 0))
    }
    if let content = choice.member("Delta") ?? choice.member("Message") { read(content, &events) }
    if !hasFinished, let word = choice.member("FinishReason")?.string, !word.isEmpty {
      hasFinished = true
      events.add(.finish(reason(word)))
    }
    if let usage = root.member("Usage") {
      events.add(
        .usage(
          ChatUsage(usage, prompt: "PromptTokens", completion: "CompletionTokens")))
    }
  }

  func end(into events: inout [ChatEvent]) {}

  private func read(_ content: JSONValue, _ events: inout [ChatEvent]) {
    if let text = content.member("ReasoningContent")?.string, !text.isEmpty {
      events.add(.reasoning(text))
    }
    if let text = content.member("Content")?.string, !text.isEmpty { events.add(.text(text)) }
    for call in content.member("ToolCalls")?.elements ?? content.elements {
      read(call: call, &events)
    }
  }

  /// Fragments belong together by index, by id where there is none, or else follow the last one.
  private func read(call: JSONValue, _ events: inout [ChatEvent]) {
    let function = call.member("Function")
    let id = call.member("Id")?.string ?? .empty
    let mark = call.member("Index")?.lexeme ?? id
    var index = calls.count - 1
    if !mark.isEmpty { index = calls.firstIndex(of: mark) ?? calls.count }
    if index < 0 || index == calls.count {
      index = calls.count
      calls.append(mark)
      let name = function?.member("Name")?.string ?? .empty
      events.add(.toolCall(index: index, id: id, name: name, signature: .empty))
    }
    if let arguments = function?.member("Arguments")?.string, !arguments.isEmpty {
      events.add(.arguments(index: index, arguments))
    }
  }

  private func reason(_ word: ByteString) -> FinishReason {
    if word == "sensitive" || word == "content_filter" { return .contentFilter }
    if word == "tool_calls" { return .toolCalls }
    return word == "length" ? .length : .stop
  }
}

extension Dialect {
  /// Tencent Hunyuan's own API, with signed requests.
  package static let hunyuanNative = Dialect(
    name: "hunyuan-native",
    writes: [
      .temperature, .topP, .stop, .seed, .system, .tools, .toolChoice, .toolHistory, .images,
      .imageURLs,
    ],
    drops: [.maxTokens, .topK, .presencePenalty, .frequencyPenalty, .parallelTools, .reasoning],
    framing: .events, errors: hunyuanErrors,
    head: { facts throws(ChatProblem) in try HunyuanEncoder.head(facts) },
    encode: { request, facts, output in HunyuanEncoder.encode(request, facts, output) },
    makeDecoder: { _ in HunyuanDecoder() })

  /// Codes of API 3.0; in the midst of a stream they are numbers.
  package static let hunyuanErrors = ErrorFormat(
    codes: "Response.Error.Code Error.Code ErrorMsg.Code",
    messages: "Response.Error.Message Error.Message ErrorMsg.Msg",
    rules: """
      disable key|AuthFailure*|UnauthorizedOperation*
      failover rate|RequestLimitExceeded*|LimitExceeded*
      failover rate|FailedOperation.EngineServerLimitExceeded
      retry timeout|FailedOperation.EngineRequestTimeout|4001
      disable account|FailedOperation.ResourcePackExhausted
      disable account|FailedOperation.FreeResourcePackExhausted
      disable account|FailedOperation.ServiceStop*
      disable key|FailedOperation.ServiceNotActivated
      disable key|FailedOperation.UserUnAuthError
      disable account|ResourceInsufficient*|ResourceUnavailable*
      failover model|InvalidParameterValue.Model
      client|InvalidParameter*|MissingParameter*|UnknownParameter*
      client content|OperationDenied.TextIllegalDetected
      client content|OperationDenied.ImageIllegalDetected
      """)
}
