// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Names, addresses and codes of ERNIE's first version.
extension Dialect {
  /// Baidu's "wenxinworkshop".
  package static let ernie = Dialect(
    name: "ernie",
    writes: [
      .temperature, .topP, .frequencyPenalty, .maxTokens, .stop, .system, .tools, .toolChoice,
      .toolHistory, .jsonObject,
    ],
    drops: [.parallelTools], framing: .events, errors: ernieErrors,
    head: { (facts) throws(ChatProblem) in
      let endpoint = try CallFacts.segments(of: ernieEndpoint(facts.model))
      return CallHead(
        path: facts.path("/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/") + endpoint
          + "?access_token=" + CallFacts.encoded(facts.accessToken))
    },
    encode: { (request, facts, output) throws(ChatProblem) in
      try ERNIEEncoder.encode(request, facts, output)
    },
    makeDecoder: { _ in ERNIEDecoder() },
    exchange: TokenExchange(
      contentType: "application/json",
      url: { (facts) throws(ChatProblem) in try ernieTokenURL(facts) },
      body: { _ in .empty },
      read: { answer in
        guard let token = answer.member("access_token")?.string, !token.isEmpty else { return nil }
        return (token, max(0, answer.member("expires_in")?.int64 ?? 0))
      }))

  /// The address of the token exchange; the key is `API_KEY|SECRET_KEY`.
  private static func ernieTokenURL(_ facts: CallFacts) throws(ChatProblem) -> ByteString {
    guard let (id, secret) = facts.key.trimmed.split(at: UInt8(ascii: "|")), !id.isEmpty,
      !secret.isEmpty
    else { throw ChatProblem("the key must be API_KEY|SECRET_KEY", field: "keys") }
    let host = facts.setting("exchange_url")
    return (host.isEmpty ? "https://" + facts.authority + "/oauth/2.0/token" : host)
      + "?grant_type=client_credentials&client_id=" + CallFacts.encoded(id.trimmed)
      + "&client_secret=" + CallFacts.encoded(secret.trimmed)
  }

  /// The last segment of a model's path.
  static func ernieEndpoint(_ model: ByteString) -> ByteString {
    let name = model.lowercased
    for (known, endpoint) in ernieEndpoints where name == known { return ByteString(endpoint) }
    return name
  }

  /// Where it is not the model's name in lower case.
  private static let ernieEndpoints: [(model: StaticString, endpoint: StaticString)] = [
    ("ernie-4.0-8k", "completions_pro"), ("ernie-4.0", "completions_pro"),
    ("ernie-bot-4", "completions_pro"), ("ernie-4.0-8k-preview-0518", "completions_adv_pro"),
    ("ernie-3.5-8k", "completions"), ("ernie-bot", "completions"),
    ("ernie-speed-8k", "ernie_speed"), ("ernie-speed", "ernie_speed"),
    ("ernie-lite-8k-0922", "eb-instant"), ("ernie-bot-turbo", "eb-instant"),
    ("ernie-lite-8k-0308", "ernie-lite-8k"), ("ernie-character-8k", "ernie-char-8k"),
    ("ernie-functions-8k", "ernie-func-8k"), ("bloomz-7b", "bloomz_7b1"),
    ("yi-34b-chat", "yi_34b_chat"),
  ]

  /// Codes come with HTTP 200; those of the token exchange are words.
  static let ernieErrors = ErrorFormat(
    codes: "error_code error", messages: "error_msg error_description",
    rules: """
      retry failed|1
      retry busy|2
      failover model|3
      retry rate|4
      disable key|6
      refresh key|13
      disable key|14
      retry key|15
      disable account|17
      failover rate|18
      disable account|19
      refresh key|100|110|111
      retry failed|336000
      client|336001|336002|336003
      disable account|336004
      failover model|336005
      client|336006
      client length|336007
      retry busy|336100
      client length|336103
      client|33610*
      failover rate|336501|336502
      client|337*
      disable key|invalid_client
      """)
}

/// Reads answers of ERNIE's first version.
///
/// Each event and each whole answer may be an error instead. Usage is cumulative. A whole answer is
/// an event without `is_end`.
final class ERNIEDecoder: ChatDecoder {
  private var hasStarted = false
  private var hasCall = false

  /// Makes a decoder for one answer.
  init() {}

  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    guard let root = event.json(orFailIn: &events) else { return }
    read(answer: root, into: &events)
  }

  func read(answer root: JSONValue, into events: inout [ChatEvent]) {
    if root.member("error") != nil || root.member("error_code").map({ $0.int64 != 0 }) ?? false {
      events.append(.failure(ErrorAnswer(status: 200, answer: root, format: Dialect.ernieErrors)))
      return
    }
    guard root.member("result") != nil || root.member("function_call") != nil else { return }
    if !hasStarted {
      hasStarted = true
      events.append(
        .start(
          id: root.member("id")?.string ?? .empty, created: root.member("created")?.int64 ?? 0))
    }
    if let call = root.member("function_call"), call.kind == .object { read(call: call, &events) }
    if let text = root.member("result")?.string, !text.isEmpty { events.append(.text(text)) }
    if let usage = root.member("usage"), usage.kind == .object {
      events.append(.usage(OpenAIDecoder.usage(usage)))
    }
    if root.member("is_end")?.bool ?? true { events.append(.finish(reason(root))) }
  }

  func end(into events: inout [ChatEvent]) {}

  private func read(call: JSONValue, _ events: inout [ChatEvent]) {
    // One call in an answer; what it says of its reasons is no part of the answer.
    if !hasCall {
      hasCall = true
      events.append(
        .toolCall(
          index: 0, id: .empty, name: call.member("name")?.string ?? .empty, signature: .empty)
      )
    }
    if let text = call.member("arguments")?.string, !text.isEmpty {
      events.append(.arguments(index: 0, text))
    }
  }

  private func reason(_ root: JSONValue) -> FinishReason {
    if hasCall { return .toolCalls }
    let word = root.member("finish_reason")?.string ?? .empty
    let isBanned = root.member("need_clear_history")?.bool == true
    if word == "content_filter" || isBanned && root.member("ban_round") != nil {
      return .contentFilter
    }
    return word == "length" || root.member("is_truncated")?.bool == true ? .length : .stop
  }
}
