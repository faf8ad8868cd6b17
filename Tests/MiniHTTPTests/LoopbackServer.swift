// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

/// A server with a service whose exchanges the test looks at, and clients on raw sockets.
final class LoopbackServer: Loopback {
  let server: Server
  let service = ScriptedService()
  let port: Int

  init(_ adjust: (inout HTTPLimits) -> Void = { _ in }) throws {
    let loop = try EventLoop()
    var limits = HTTPLimits()
    adjust(&limits)
    server = Server(
      loop: loop, service: service, limits: limits, log: Log(level: .error, descriptor: -1))
    port = try server.listen(on: Loopback.address, port: 0)
    super.init(loop: loop)
  }

  /// Breaks the ring of loop, listener and server.
  deinit {
    server.stop()
    loop.wakeAt = 0
    loop.turn()
  }

  func connect() -> RawSocket { RawSocket(connectingTo: port, owner: self) }

  /// A client that has sent the text.
  func connect(sending text: String) -> RawSocket {
    let client = connect()
    client.send(text)
    return client
  }
}

/// Answers by path: `/echo` with the body, `/early` at once, `/later…` when the test does it.
final class ScriptedService: Service {
  private(set) var exchanges: [ScriptedExchange] = []
  private(set) var refusals: [Int] = []
  var whenBegun: ((ScriptedExchange) -> Void)?

  func begin(_ head: RequestHead, _ responder: Responder) -> any Exchange {
    let exchange = ScriptedExchange(
      path: String(decoding: head.path, as: UTF8.self), responder: responder)
    exchanges.append(exchange)
    if exchange.path == "/early" { exchange.answer("no", Status(413)) }
    whenBegun?(exchange)
    return exchange
  }

  func refuse(_ status: Status, _ sentence: StaticString, _ responder: Responder) {
    refusals.append(status.code)
    ByteString(sentence).withBytes { responder.respond(status, fields: { _ in }, body: $0) }
  }
}

/// One request, as the service sees it.
final class ScriptedExchange: Exchange {
  let path: String
  let responder: Responder
  var acceptsBody = true
  private(set) var body: [UInt8] = []
  private(set) var hasBodyEnded = false
  private(set) var drainCount = 0
  private(set) var cancelCount = 0
  var whenDrained: (() -> Void)?
  var whenReceived: (() -> Void)?

  init(path: String, responder: Responder) {
    self.path = path
    self.responder = responder
  }

  func answer(_ text: String, _ status: Status = .ok) { answer([UInt8](text.utf8), status) }

  func answer(_ bytes: [UInt8], _ status: Status = .ok) {
    bytes.withUnsafeBytes { responder.respond(status, fields: { _ in }, body: $0) }
  }

  func write(_ text: String) {
    [UInt8](text.utf8).withUnsafeBytes { responder.write($0) }
  }

  func received(_ bytes: Span<UInt8>) {
    body += ByteString(bytes).bytes
    whenReceived?()
  }

  func bodyEnded() {
    hasBodyEnded = true
    if !path.hasPrefix("/later"), responder.isWaiting {
      answer(path == "/echo" ? body : [UInt8]("you asked for \(path)".utf8))
    }
  }

  func outputDrained() {
    drainCount += 1
    whenDrained?()
  }

  func cancelled() { cancelCount += 1 }
}
