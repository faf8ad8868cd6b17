// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Vendors

/// A real chat request of one token to a channel, for the test button and the timed tests.
///
/// Counted neither in quotas nor in the channel's figures; the vendor may charge it.
final class ChannelTest {
  /// What came of it.
  struct Result {
    let outcome: UpstreamProbe.Outcome
    /// What is wrong, in plain words; nil when the channel works.
    let problem: ByteString?
    /// Whether the upstream as a whole is out of order, whatever it is asked for.
    let isOutage: Bool
  }

  private let channel: Channel
  private let model: ByteString
  private let gateway: Gateway
  private var done: ((Result) -> Void)?
  private var probe: UpstreamProbe?
  private var waiter: AccessTokens.Waiter?

  /// Sends the request; `done` is called once, unless the test is cancelled.
  ///
  /// `model`: its public name.
  init(
    _ channel: Channel, _ model: ByteString, _ gateway: Gateway, _ done: @escaping (Result) -> Void
  ) {
    self.channel = channel
    self.model = model
    self.gateway = gateway
    self.done = done
    if channel.vendor.isOpenAI { send(usingNewLimit: false) } else { sendInDialect() }
  }

  /// Whether `done` is still to be called.
  var isPending: Bool { done != nil }

  /// Nobody waits any more.
  func cancel() {
    done = nil
    probe?.cancel()
    probe = nil
    waiter?.cancel()
    waiter = nil
  }

  /// Asks for one token; newer OpenAI models want the limit under its newer name.
  private func send(usingNewLimit: Bool) {
    let name = channel.upstreamModel(for: model)
    let body = ChannelTest.chat(name, usingNewLimit: usingNewLimit)
    let started = UpstreamProbe.post(
      channel.path(of: .chat, model: name), body, channel, gateway
    ) { [self] outcome in
      probe = nil
      if outcome.status == 400, !usingNewLimit, ChannelTest.wantsNewLimit(outcome.body) {
        return send(usingNewLimit: true)
      }
      finish(outcome)
    }
    // It may have failed within the call.
    if started.isPending { probe = started }
  }

  private func finish(_ outcome: UpstreamProbe.Outcome) {
    let done = done
    self.done = nil
    done?(
      Result(
        outcome: outcome, problem: ChannelTest.problem(outcome, channel, model),
        isOutage: ChannelTest.isOutage(outcome)))
  }

  /// Whether the upstream did not answer, or answered that it is out of order.
  ///
  /// Any other problem may be one of this request only: a channel for embeddings refuses to chat,
  /// a model may be gone, one of several keys may be refused, a limit may be reached. 501 says
  /// that there is no such call, as servers started for embeddings do.
  static func isOutage(_ outcome: UpstreamProbe.Outcome) -> Bool {
    guard let status = outcome.status else { return !outcome.isTooLong }
    return (500...599).contains(status) && status != 501
  }

  private static func wantsNewLimit(_ body: Buffer) -> Bool {
    body.withReadable { $0.firstIndex(of: "max_completion_tokens") != nil }
  }

  private static func chat(_ model: ByteString, usingNewLimit: Bool) -> Buffer {
    let body = Buffer()
    var json = JSONWriter(body)
    json.beginObject()
    json.member("model", model)
    json.key("messages")
    json.beginArray()
    json.beginObject()
    json.member("role", "user" as StaticString)
    json.member("content", "hi" as StaticString)
    json.endObject()
    json.endArray()
    // Reasoning models refuse a limit of 1 that their thoughts would exceed.
    if usingNewLimit {
      json.member("max_completion_tokens", Int64(16))
    } else {
      json.member("max_tokens", Int64(1))
    }
    json.endObject()
    return body
  }

  /// What is wrong, in plain words; nil when the answer is a chat completion.
  static func problem(
    _ outcome: UpstreamProbe.Outcome, _ channel: Channel, _ model: ByteString
  ) -> ByteString? {
    if let problem = ProbeProblem.of(outcome, channel, model: model) { return problem }
    if !channel.vendor.isOpenAI { return problemInDialect(outcome, channel, model) }
    let text = outcome.body.readable
    guard JSONQuery.kind(of: text) == .object else { return noCompletion(outcome) }
    if let range = JSONQuery.member("choices", in: text),
      JSONQuery.kind(of: UnsafeRawBufferPointer(rebasing: text[range])) == .array
    {
      return nil
    }
    // MiniMax tells errors with status 200, beside choices that are null.
    let told = ProbeProblem.told(outcome.body, channel)
    if JSONQuery.member("error", in: text) != nil || !told.isEmpty {
      return "the upstream answered with an error: " + told
    }
    return noCompletion(outcome)
  }

  static func noCompletion(_ outcome: UpstreamProbe.Outcome) -> ByteString {
    ProbeProblem.isPage(outcome.body)
      ? "the upstream answered with a web page in place of a chat completion: base_url is wrong"
      : "the upstream answered, but not with a chat completion: is base_url right?"
  }
}

/// The same for vendors with a format of their own.
extension ChannelTest {
  /// Has a token fetched first where the vendor wants one.
  private func sendInDialect() {
    let key = channel.health.keyInTurn()
    let facts = channel.facts(model: channel.upstreamModel(for: model), key: key)
    guard let exchange = channel.vendor.dialect.exchange else { return send(facts) }
    let started = gateway.accessTokens.token(
      for: channel, key: key, exchange, config: channel.config
    ) { [self] result in
      waiter = nil
      switch result {
      case .token(let token):
        var facts = facts
        facts.accessToken = token
        send(facts)
      case .failed(let failure): fail("no access token: " + failure.text)
      }
    }
    if started.isPending { waiter = started }
  }

  private func send(_ facts: CallFacts) {
    var facts = facts
    let dialect = channel.vendor.dialect
    var request = ChatRequest()
    request.model = model
    request.messages = [ChatMessage(.user, text: "hi")]
    // Some models refuse a limit of 1.
    request.maxTokens = 16
    request.fields = .maxTokens
    facts.isStream = dialect.alwaysStreams
    facts.random = Random.number()
    let body = Buffer()
    let head: CallHead
    do throws(ChatProblem) {
      try dialect.encode(request, facts, body)
      facts.body = body
      head = try dialect.head(facts)
    } catch {
      return fail(error.message)
    }
    guard !head.isWebSocket else {
      return fail("channels of this type are asked over WebSocket, which the test cannot do")
    }
    let started = UpstreamProbe.own(head, body, channel, gateway) { [self] outcome in
      probe = nil
      finish(outcome)
    }
    if started.isPending { probe = started }
  }

  /// There is nothing to send.
  private func fail(_ reason: ByteString) {
    var outcome = UpstreamProbe.Outcome()
    outcome.failure = AdminText.redacted(reason, hiding: channel.keys)
    // It is no outage that others would be spared.
    outcome.isTooLong = true
    finish(outcome)
  }

  /// What is wrong with an answer of status 200; nil when it is a chat answer.
  private static func problemInDialect(
    _ outcome: UpstreamProbe.Outcome, _ channel: Channel, _ model: ByteString
  ) -> ByteString? {
    let dialect = channel.vendor.dialect
    var facts = channel.facts(model: channel.upstreamModel(for: model), key: .empty)
    facts.isStream = dialect.alwaysStreams
    let passage = ChatPassage(
      framing: dialect.framing, errors: dialect.errors, decoder: dialect.makeDecoder(facts),
      writer: OpenAIWriter(AnswerFacts()), passes: false, isStream: false)
    if !dialect.alwaysStreams { passage.expectDocument() }
    let output = Buffer()
    let isSound = outcome.body.withReadable { bytes in
      passage.read(bytes, limit: Int64(UpstreamProbe.answerByteCount), to: output)
    }
    let ending = passage.end(to: output)
    if let said = passage.failure, !(said.message.isEmpty && said.code.isEmpty) {
      return "the upstream answered with an error: "
        + AdminText.redacted(said.message.isEmpty ? said.code : said.message, hiding: channel.keys)
    }
    if isSound, passage.failure == nil, case .complete = ending { return nil }
    return noCompletion(outcome)
  }
}
