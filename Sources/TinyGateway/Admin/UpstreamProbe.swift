// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform

/// One small request of the gateway's own to a channel's upstream, and its whole answer.
///
/// For channel tests, model lists and balances, and to see whether a machine is awake; counted
/// neither in quotas nor in the channel's figures.
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
  }

  private let gateway: Gateway
  private let channel: Channel
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
    key = channel.health.keyInTurn()
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

  /// Whether `done` is still to be called.
  var isPending: Bool { done != nil }

  /// Nobody waits any more.
  func cancel() {
    done = nil
    connection?.cancel()
    connection = nil
  }

  private func start(fresh: Bool) {
    guard let target = UpstreamCall.target(for: channel, in: gateway) else {
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
    }
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

  func requestDrained() {}

  func answerEnded() { finish() }

  func failed(_ failure: ClientFailure) {
    if failure.kind == .stale, !isRetry {
      isRetry = true
      return start(fresh: true)
    }
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
    let place = channel.url.host + " port " + ByteString(number: Int64(channel.url.port))
    let text = failure.text
    func within(_ milliseconds: Int64) -> ByteString {
      " within " + ByteString(number: milliseconds) + " ms"
    }
    switch failure.kind {
    case .resolve:
      return "the name " + channel.url.host + " was not found: " + text
        + "; check base_url and the DNS server"
    case .refusedAddress: return text
    case .connect: return "no connection to " + place + ": " + text
    case .connectTimeout:
      return "no connection to " + place + within(timeouts.connectMilliseconds)
    case .tls: return "no secure connection to " + place + ": " + text
    case .reset, .stale: return place + " closed the connection without an answer"
    case .firstByteTimeout:
      return place + " did not answer" + within(timeouts.firstByteMilliseconds)
    case .badAnswer: return place + " does not speak HTTP/1.1 as expected: " + text
    case .cut: return "the answer of " + place + " broke off"
    case .idleTimeout:
      return "the answer of " + place + " stopped for more than "
        + ByteString(number: timeouts.idleMilliseconds) + " ms"
    }
  }
}
