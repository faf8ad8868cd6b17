// SPDX-License-Identifier: MIT
import CPlatform
import Platform
import Testing

@testable import MiniHTTP

/// A pool, and an upstream that the test plays itself on raw sockets.
final class LoopbackUpstream: Loopback {
  let pool: ConnectionPool
  let port: Int
  private var listener: Int32

  init(
    policy: AddressPolicy = AddressPolicy(privateBlocks: nil),
    _ adjust: (inout HTTPLimits) -> Void = { _ in }
  ) throws {
    let loop = try EventLoop()
    var limits = HTTPLimits()
    adjust(&limits)
    pool = ConnectionPool(loop: loop, limits: limits, policy: policy)
    let made = Loopback.address.withBytes { cp_listen($0, $1, 0, 64) }
    listener = try SystemError.check(made, "listen")
    port = Int(cp_local_port(made))
    super.init(loop: loop)
  }

  deinit { stopListening() }

  func stopListening() {
    if listener >= 0 { _ = cp_close(listener) }
    listener = -1
  }

  func target(_ host: String = "127.0.0.1", port: Int? = nil) -> ConnectionPool.Target {
    guard let url = URL(ByteString(utf8: "http://\(host):\(port ?? self.port)")) else {
      preconditionFailure("not a URL")
    }
    return ConnectionPool.Target(url: url, context: nil)
  }

  /// Starts an exchange that sends the request.
  func lease(
    _ request: String = "GET / HTTP/1.1\r\n\r\n", to target: ConnectionPool.Target? = nil,
    fresh: Bool = false, connectMilliseconds: Int64 = 5000,
    firstByteMilliseconds: Int64 = 5000, idleMilliseconds: Int64 = 5000
  ) -> RecordedExchange {
    let exchange = RecordedExchange()
    let timeouts = ClientTimeouts(
      connectMilliseconds: connectMilliseconds, firstByteMilliseconds: firstByteMilliseconds,
      idleMilliseconds: idleMilliseconds)
    let connection = pool.lease(
      target ?? self.target(), for: exchange, timeouts: timeouts, fresh: fresh)
    connection.outgoing.append(text: request)
    exchange.connection = connection
    return exchange
  }

  /// The next connection that arrives.
  func accept(location: SourceLocation = #_sourceLocation) -> RawSocket {
    var descriptor: Int32 = -1
    turn(location: location) {
      descriptor = acceptNow()
      return descriptor >= 0
    }
    return RawSocket(descriptor: descriptor, owner: self)
  }

  /// Whether a connection has arrived by now.
  var hasArrival: Bool {
    let descriptor = acceptNow()
    if descriptor >= 0 { _ = cp_close(descriptor) }
    return descriptor >= 0
  }

  private func acceptNow() -> Int32 {
    var address = [UInt8](repeating: 0, count: 16)
    var count: Int32 = 0
    return cp_accept(listener, &address, &count)
  }

  /// One exchange from request to answer; the upstream's end of the connection.
  func exchange(
    answer: String, location: SourceLocation = #_sourceLocation
  ) -> (RecordedExchange, RawSocket) {
    let exchange = lease()
    let upstream = accept(location: location)
    _ = upstream.take(through: "\r\n\r\n", location: location)
    upstream.send(answer, location: location)
    turn(location: location) { exchange.isOver }
    return (exchange, upstream)
  }
}

/// Keeps what an upstream connection reports.
final class RecordedExchange: ClientExchange {
  var connection: ClientConnection?
  var acceptsAnswer = true
  private(set) var codes: [Int] = []
  private(set) var body: [UInt8] = []
  private(set) var endCount = 0
  private(set) var connectedCount = 0
  private(set) var drainCount = 0
  private(set) var failures: [ClientFailure] = []
  var whenReceived: (() -> Void)?
  var whenOver: (() -> Void)?

  var isOver: Bool { endCount + failures.count > 0 }
  var failure: ClientFailure.Kind? { failures.first?.kind }
  var text: String { String(decoding: body, as: UTF8.self) }

  func receivedHead(_ head: ResponseHead) { codes.append(head.status.code) }
  func receivedBody(_ bytes: Span<UInt8>) {
    body += ByteString(bytes).bytes
    whenReceived?()
  }
  func connected() { connectedCount += 1 }
  func requestDrained() { drainCount += 1 }
  func answerEnded() {
    endCount += 1
    whenOver?()
  }
  func failed(_ failure: ClientFailure) {
    failures.append(failure)
    whenOver?()
  }
}
