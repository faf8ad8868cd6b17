// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Vendors

/// One small request of the gateway's own to a channel's upstream, and its whole answer.
///
/// For channel tests, model lists, balances and access tokens, and to see whether a machine is
/// awake; counted neither in quotas nor in the channel's figures.
final class UpstreamProbe: ClientExchange {
  /// Longest answer that is kept, in bytes; a longer one is a failure.
  static let answerByteCount = 4 * 1024 * 1024
  /// The whole request may take so long, in milliseconds.
  static let longestMilliseconds: Int64 = 120_000

  /// What came of it.
  struct Outcome {
    /// nil when no whole answer came; `failure` says why then.
    var status: Int?
    var body = Buffer()
    var failure: ByteString = .empty
    /// What became of the connection; nil when it did its work.
    var kind: ClientFailure.Kind?
    var isTimeout = false
    /// It answered, but with more than is read.
    var isTooLong = false
    /// From the start to the answer's head; nil when none came.
    var firstByteMilliseconds: Int64?
    var latencyMilliseconds: Int64 = 0
  }

  private enum Call {
    case get(ByteString)
    case post(ByteString, Buffer)
    case own(CallHead, Buffer)
    case exchange(Exchange)
  }

  /// A POST to an address of its own, without the channel's key and headers.
  struct Exchange {
    /// Its path is not used.
    let url: URL
    /// With its query.
    let path: ByteString
    let body: Buffer
    let contentType: StaticString
  }

  private let gateway: Gateway
  private let channel: Channel
  private let url: URL
  private let key: ByteString
  private let call: Call
  private let timeouts: ClientTimeouts
  private let startedAt = Instant.now
  private var connection: ClientConnection?
  private var done: ((Outcome) -> Void)?
  private var outcome = Outcome()
  private var isRetry = false

  private init(
    _ channel: Channel, _ gateway: Gateway, _ call: Call, timeouts: ClientTimeouts? = nil,
    _ done: @escaping (Outcome) -> Void
  ) {
    self.channel = channel
    self.gateway = gateway
    self.call = call
    self.timeouts = timeouts ?? channel.timeouts
    self.done = done
    switch call {
    case .exchange(let exchange): (url, key) = (exchange.url, .empty)
    case .own: (url, key) = (channel.url, .empty)
    case .get, .post: (url, key) = (channel.url, channel.health.keyInTurn())
    }
  }

  /// Sends a GET of a path on the channel's host; `done` is called once, unless the probe is
  /// cancelled.
  ///
  /// `timeouts`: nil for the channel's own. `fresh`: leave connections in the pool alone.
  static func get(
    _ path: ByteString, _ channel: Channel, _ gateway: Gateway,
    timeouts: ClientTimeouts? = nil, fresh: Bool = false, _ done: @escaping (Outcome) -> Void
  ) -> UpstreamProbe {
    let probe = UpstreamProbe(channel, gateway, .get(path), timeouts: timeouts, done)
    probe.start(fresh: fresh)
    return probe
  }

  /// Sends a POST with a JSON body; `done` is called once, unless the probe is cancelled.
  static func post(
    _ path: ByteString, _ body: Buffer, _ channel: Channel, _ gateway: Gateway,
    _ done: @escaping (Outcome) -> Void
  ) -> UpstreamProbe {
    let probe = UpstreamProbe(channel, gateway, .post(path, body), done)
    probe.start(fresh: false)
    return probe
  }

  /// Sends a call in the vendor's own format, which has the key in its head; `done` as above.
  static func own(
    _ head: CallHead, _ body: Buffer, _ channel: Channel, _ gateway: Gateway,
    _ done: @escaping (Outcome) -> Void
  ) -> UpstreamProbe {
    let probe = UpstreamProbe(channel, gateway, .own(head, body), done)
    probe.start(fresh: false)
    return probe
  }

  /// Sends a POST to another address than the channel's; `done` as above.
  static func exchange(
    _ exchange: Exchange, _ channel: Channel, _ gateway: Gateway, timeouts: ClientTimeouts,
    _ done: @escaping (Outcome) -> Void
  ) -> UpstreamProbe {
    let probe = UpstreamProbe(channel, gateway, .exchange(exchange), timeouts: timeouts, done)
    probe.start(fresh: false)
    return probe
  }

  /// Whether `done` is still to be called.
  var isPending: Bool { done != nil }

  /// Nobody waits any more.
  func cancel() {
    done = nil
    connection?.cancel()
    connection = nil
  }

  private func start(fresh: Bool) {
    guard let target = target else {
      outcome.kind = .tls
      return fail(
        "https needs certificate authorities, and none were found: " + gateway.tlsProblem)
    }
    let connection = gateway.pool.lease(target, for: self, timeouts: timeouts, fresh: fresh)
    // A host that cannot be looked up may have failed within the call.
    guard done != nil else { return }
    self.connection = connection
    switch call {
    case .get(let path):
      UpstreamCall.appendHead(
        get: path, channel: channel, key: key, to: connection.outgoing)
    case .post(let path, let body):
      UpstreamCall.appendHead(
        post: path, channel: channel, key: key, bodyByteCount: Int64(body.count),
        to: connection.outgoing)
      connection.outgoing.append(contentsOf: body)
    case .own(let head, let body):
      UpstreamCall.appendHead(
        head, channel: channel, bodyByteCount: head.isGet ? nil : Int64(body.count),
        to: connection.outgoing)
      if !head.isGet { connection.outgoing.append(contentsOf: body) }
    case .exchange(let exchange):
      UpstreamCall.appendHead(exchange, to: connection.outgoing)
      connection.outgoing.append(contentsOf: exchange.body)
    }
  }

  /// Nil for https without certificate authorities.
  private var target: ConnectionPool.Target? {
    guard case .exchange = call else { return UpstreamCall.target(for: channel, in: gateway) }
    if url.isSecure, gateway.tlsContext == nil { return nil }
    return ConnectionPool.Target(url: url, context: url.isSecure ? gateway.tlsContext : nil)
  }

  private var elapsed: Int64 { Instant.now.milliseconds(since: startedAt) }

  // What the connection tells.

  var acceptsAnswer: Bool { true }

  func receivedHead(_ head: ResponseHead) {
    outcome.status = head.status.code
    outcome.firstByteMilliseconds = elapsed
  }

  func receivedBody(_ bytes: Span<UInt8>) {
    outcome.body.append(bytes)
    if outcome.body.count > UpstreamProbe.answerByteCount {
      connection?.cancel()
      outcome.isTooLong = true
      fail("the answer is longer than 4 MiB")
    } else if elapsed > UpstreamProbe.longestMilliseconds {
      connection?.cancel()
      outcome.isTimeout = true
      fail("the answer was not complete within two minutes")
    }
  }

  func connected() {}
  func requestDrained() {}

  func answerEnded() { finish() }

  func failed(_ failure: ClientFailure) {
    if failure.kind == .stale, !isRetry {
      isRetry = true
      return start(fresh: true)
    }
    outcome.kind = failure.kind
    switch failure.kind {
    case .connectTimeout, .firstByteTimeout, .idleTimeout: outcome.isTimeout = true
    case .resolve, .refusedAddress, .connect, .tls, .reset, .stale, .badAnswer, .cut: break
    }
    fail(words(for: failure))
  }

  private func fail(_ sentence: ByteString) {
    outcome.status = nil
    outcome.failure = sentence
    finish()
  }

  private func finish() {
    connection = nil
    outcome.latencyMilliseconds = elapsed
    let done = done
    self.done = nil
    done?(outcome)
  }

  /// The failure in plain words.
  private func words(for failure: ClientFailure) -> ByteString {
    let place = url.host + " port " + ByteString(number: Int64(url.port))
    let text = failure.text
    switch failure.kind {
    case .resolve:
      return "the name " + url.host + " was not found: " + text
        + "; check base_url and the DNS server"
    case .refusedAddress: return text
    case .connect:
      return "no connection to " + place + ": " + text
        + "; start the server there, or correct base_url"
    case .connectTimeout:
      return "no connection to " + place + " within "
        + ByteString(number: timeouts.connectMilliseconds)
        + " ms; check base_url and the network"
    case .tls: return "no secure connection to " + place + ": " + text
    case .reset, .stale: return place + " closed the connection without an answer"
    case .firstByteTimeout:
      return place + " did not answer within "
        + ByteString(number: timeouts.firstByteMilliseconds) + " ms"
    case .badAnswer: return place + " does not speak HTTP/1.1 as expected: " + text
    case .cut: return "the answer of " + place + " broke off"
    case .idleTimeout:
      return "the answer of " + place + " stopped for more than "
        + ByteString(number: timeouts.idleMilliseconds) + " ms"
    }
  }
}
