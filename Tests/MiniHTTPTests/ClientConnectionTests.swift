// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

/// One exchange over a real connection.
struct ClientConnectionTests {
  private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

  /// What an exchange reports when the upstream sends this and, if so, closes.
  private func check(
    _ answer: String, closes: Bool = false, code: Int? = 200, body: String = "",
    failure: ClientFailure.Kind? = nil, location: SourceLocation = #_sourceLocation
  ) throws {
    let loopback = try LoopbackUpstream()
    let exchange = loopback.lease("POST /x HTTP/1.1\r\nHost: a\r\n\r\n")
    let upstream = loopback.accept(location: location)
    let request = upstream.take(through: "\r\n\r\n", location: location)
    #expect(request == "POST /x HTTP/1.1\r\nHost: a\r\n\r\n", sourceLocation: location)
    upstream.send(answer, location: location)
    if closes { upstream.close() }
    loopback.turn(location: location) { exchange.isOver }
    #expect(exchange.codes == (code.map { [$0] } ?? []), sourceLocation: location)
    #expect(exchange.text == body, sourceLocation: location)
    #expect(exchange.failure == failure, sourceLocation: location)
    #expect(exchange.endCount + exchange.failures.count == 1, sourceLocation: location)
  }

  @Test func readsAnswersByTheirFraming() throws {
    try check(Self.ok, body: "ok")
    try check(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", body: "ok")
    try check("HTTP/1.1 200 OK\r\n\r\nok", closes: true, body: "ok")
    try check("HTTP/1.0 200 OK\r\n\r\nok", closes: true, body: "ok")
    try check("HTTP/1.1 204 No Content\r\n\r\n", code: 204)
    try check("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", code: 500)
  }

  @Test func skipsInterimAnswers() throws {
    try check("HTTP/1.1 100 Continue\r\n\r\n" + Self.ok, body: "ok")
    try check("HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 C\r\n\r\n" + Self.ok, body: "ok")
  }

  @Test func doesNotSwitchProtocols() throws {
    try check("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", code: 101)
  }

  @Test func tellsBrokenAnswersApart() throws {
    try check("", closes: true, code: nil, failure: .reset)
    try check("HTTP/1.1 200", closes: true, code: nil, failure: .badAnswer)
    try check("SSH-2.0-OpenSSH\r\n\r\n", code: nil, failure: .badAnswer)
    try check("HTTP/1.1 200 OK\r\nX : y\r\n\r\n", code: nil, failure: .badAnswer)
    try check(
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", code: nil,
      failure: .badAnswer)
    try check(
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", closes: true, body: "ok", failure: .cut)
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    try check("\(chunked)2\r\nok\r\n", closes: true, body: "ok", failure: .cut)
    try check("\(chunked)2\r\nok\r\nzz", body: "ok", failure: .cut)
  }

  @Test func readsAnswersByteByByte() throws {
    let loopback = try LoopbackUpstream()
    let exchange = loopback.lease()
    let upstream = loopback.accept()
    let answer =
      "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      + "3;x\r\nabc\r\n1\r\nd\r\n0\r\nA: b\r\n\r\n"
    for byte in answer.utf8 {
      upstream.send([byte])
      loopback.turn(milliseconds: 1)
    }
    loopback.turn { exchange.isOver }
    #expect(exchange.codes == [200])
    #expect(exchange.text == "abcd")
    #expect(exchange.failure == nil)
  }

  @Test func streamsTheAnswerAsItComes() throws {
    let loopback = try LoopbackUpstream()
    let exchange = loopback.lease()
    let upstream = loopback.accept()
    upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    loopback.turn { exchange.codes == [200] }
    for text in ["one", "two"] {
      upstream.send("3\r\n\(text)\r\n")
      loopback.turn { exchange.text.hasSuffix(text) }
    }
    #expect(!exchange.isOver)
  }

  @Test func timesOut() throws {
    for (answer, kind): (String, ClientFailure.Kind) in [
      ("", .firstByteTimeout), ("HTTP/1.1 20", .firstByteTimeout),
      ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", .idleTimeout),
    ] {
      let loopback = try LoopbackUpstream()
      let isIdle = kind == .idleTimeout
      let exchange = loopback.lease(
        firstByteMilliseconds: isIdle ? 5000 : 20, idleMilliseconds: isIdle ? 20 : 5000)
      let upstream = loopback.accept()
      upstream.send(answer)
      loopback.turn { exchange.isOver }
      #expect(exchange.failure == kind)
      #expect(upstream.takeAll().hasPrefix("GET /"))
    }
  }

  /// Silence counts only while we listen, also right after we begin to listen again.
  @Test func doesNotBlameTheUpstreamForBackPressure() throws {
    let loopback = try LoopbackUpstream()
    let exchange = loopback.lease(idleMilliseconds: 300)
    let upstream = loopback.accept()
    upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
    loopback.turn { exchange.text == "ab" }
    exchange.acceptsAnswer = false
    exchange.connection?.resume()
    loopback.turn(milliseconds: 400)
    #expect(exchange.failure == nil)
    exchange.acceptsAnswer = true
    exchange.connection?.resume()
    loopback.turn(milliseconds: 5)
    #expect(exchange.failure == nil)
    upstream.send("cd")
    loopback.turn { exchange.isOver }
    #expect(exchange.failure == nil)
  }

  @Test func stopsReadingWhenTheExchangeIsFull() throws {
    let loopback = try LoopbackUpstream()
    let exchange = loopback.lease()
    exchange.whenReceived = { exchange.acceptsAnswer = exchange.body.count < 100_000 }
    let upstream = loopback.accept()
    _ = upstream.take(through: "\r\n\r\n")
    upstream.send("HTTP/1.1 200 OK\r\n\r\n")
    let piece = [UInt8](repeating: 0x61, count: 65536)
    var sent = 0
    let patience = Instant.now.advanced(byMilliseconds: 100)
    while Instant.now < patience {
      sent += upstream.put(piece[...])
      loopback.turn(milliseconds: 1)
    }
    #expect(exchange.body.count >= 100_000 && exchange.body.count <= 200_000)
    #expect(sent < 40_000_000)
    exchange.whenReceived = nil
    exchange.acceptsAnswer = true
    exchange.connection?.resume()
    upstream.close()
    loopback.turn { exchange.isOver }
    #expect(exchange.endCount == 1 && exchange.body.count == sent)
  }

  @Test func noticesAResetDuringBackPressure() throws {
    let loopback = try LoopbackUpstream()
    let exchange = loopback.lease()
    let upstream = loopback.accept()
    upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
    loopback.turn { exchange.text == "ab" }
    exchange.acceptsAnswer = false
    exchange.connection?.resume()
    loopback.turn(milliseconds: 1)
    upstream.reset()
    #expect(loopback.countTurns(milliseconds: 50) < 50)
  }

  @Test func sendsLargeBodiesInOrderAndTellsWhenThereIsRoom() throws {
    let loopback = try LoopbackUpstream()
    let exchange = loopback.lease("POST / HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n")
    let body = Buffer()
    for index in 0..<1000 {
      body.append(ByteString([UInt8](repeating: UInt8(index % 100), count: 8000)))
    }
    exchange.connection?.send(body: body)
    let upstream = loopback.accept()
    #expect((exchange.connection?.queuedByteCount ?? 0) > HTTPLimits().queuedByteCount)
    _ = upstream.take(through: "\r\n\r\n")
    #expect([UInt8](upstream.take(8_000_000).utf8) == body.byteString.bytes)
    #expect(exchange.connection?.queuedByteCount == 0)
    #expect(exchange.drainCount == 1)
    upstream.send(Self.ok)
    loopback.turn { exchange.isOver }
    #expect(exchange.text == "ok")
  }

  @Test func readsAnAnswerThatComesBeforeTheRequestsEnd() throws {
    let loopback = try LoopbackUpstream()
    let exchange = loopback.lease("POST / HTTP/1.1\r\nContent-Length: 50000000\r\n\r\n")
    let body = Buffer()
    body.append(ByteString([UInt8](repeating: 0x61, count: 50_000_000)))
    exchange.connection?.send(body: body)
    let upstream = loopback.accept()
    upstream.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
    loopback.turn { exchange.isOver }
    #expect(exchange.codes == [413] && exchange.text == "no" && exchange.failure == nil)
    upstream.close()
    loopback.turn { exchange.connection?.isFinished == true }
  }

  @Test func reportsNothingAfterACancel() throws {
    for sent in ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"] {
      let loopback = try LoopbackUpstream()
      let exchange = loopback.lease()
      let upstream = loopback.accept()
      upstream.send(sent)
      loopback.turn(milliseconds: 2)
      let before = exchange.body.count
      exchange.connection?.cancel()
      #expect(upstream.takeAll() == "GET / HTTP/1.1\r\n\r\n")
      upstream.close()
      loopback.turn(milliseconds: 2)
      #expect(!exchange.isOver && exchange.body.count == before)
    }
  }

  @Test func cancelsBeforeTheConnectionIsUp() throws {
    let loopback = try LoopbackUpstream()
    let before = loopback.loop.handlerCount
    let exchange = loopback.lease()
    exchange.connection?.cancel()
    loopback.turn(milliseconds: 2)
    #expect(!exchange.isOver)
    #expect(loopback.loop.handlerCount == before)
  }
}
