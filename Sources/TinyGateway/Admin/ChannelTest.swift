// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform

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
    send(usingNewLimit: false)
  }

  /// Whether `done` is still to be called.
  var isPending: Bool { done != nil }

  /// Nobody waits any more.
  func cancel() {
    done = nil
    probe?.cancel()
    probe = nil
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
    let text = outcome.body.readable
    guard JSONQuery.kind(of: text) == .object else {
      return ProbeProblem.isPage(outcome.body)
        ? "the upstream answered with a web page in place of a chat completion: base_url is wrong"
        : "the upstream answered, but not with a chat completion: is base_url right?"
    }
    if JSONQuery.member("choices", in: text) != nil { return nil }
    if JSONQuery.member("error", in: text) != nil {
      return "the upstream answered with an error: " + ProbeProblem.told(outcome.body, channel)
    }
    return "the upstream answered, but not with a chat completion: is base_url right?"
  }
}
