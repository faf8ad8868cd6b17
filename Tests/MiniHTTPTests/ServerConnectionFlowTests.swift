// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

/// Slow, silent and vanishing clients.
struct ServerConnectionFlowTests {
  private static let upload = "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n"
  private static let get = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"

  // Timeouts.

  @Test func tellsAClientWhoseHeadDoesNotCome() throws {
    let loopback = try LoopbackServer { $0.headMilliseconds = 20 }
    let client = loopback.connect(sending: "GET / HTT")
    #expect(client.takeAll().hasPrefix("HTTP/1.1 408"))
  }

  @Test func countsTheHeadFromItsFirstByte() throws {
    let loopback = try LoopbackServer { $0.headMilliseconds = 60 }
    let client = loopback.connect(sending: "G")
    let start = Instant.now
    loopback.turn {
      _ = client.put([0x47][...])
      client.read()
      return client.isAtEnd
    }
    #expect(Instant.now.milliseconds(since: start) < 5000)
    #expect(client.text.hasPrefix("HTTP/1.1 408"))
  }

  @Test func tellsAClientWhoseBodyDoesNotCome() throws {
    let loopback = try LoopbackServer { $0.bodyIdleMilliseconds = 20 }
    let client = loopback.connect(sending: Self.upload + "abc")
    #expect(client.takeAll().hasPrefix("HTTP/1.1 408"))
    #expect(loopback.service.exchanges.first?.cancelCount == 1)
  }

  @Test func tellsAClientWhoseBodyDrips() throws {
    let loopback = try LoopbackServer { limits in
      limits.bodyGraceMilliseconds = 30
      limits.bodyBytesPerSecond = 1_000_000
    }
    let client = loopback.connect(sending: Self.upload)
    loopback.turn {
      _ = client.put([0x61][...])
      client.read()
      return client.isAtEnd
    }
    #expect(client.text.hasPrefix("HTTP/1.1 408"))
  }

  @Test func closesIdleConnectionsSilently() throws {
    let loopback = try LoopbackServer { $0.keepAliveMilliseconds = 20 }
    let unused = loopback.connect()
    #expect(unused.takeAll() == "")
    let used = loopback.connect(sending: "GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(used.takeAll().hasSuffix("you asked for /a"))
    loopback.turn { loopback.server.connectionCount == 0 }
  }

  @Test func givesUpOnAClientThatTakesNothing() throws {
    let loopback = try LoopbackServer { $0.writeStallMilliseconds = 30 }
    let client = loopback.connect(sending: Self.get)
    loopback.turn { loopback.service.exchanges.count == 1 }
    let exchange = loopback.service.exchanges[0]
    exchange.responder.begin(.ok, length: nil) { _ in }
    exchange.write(String(repeating: "x", count: 30_000_000))
    loopback.turn { exchange.cancelCount == 1 }
    loopback.turn { loopback.server.connectionCount == 0 }
    #expect(client.received.isEmpty)
  }

  /// An upstream that takes its time is not the client's fault.
  @Test func doesNotBlameTheClientForBackPressure() throws {
    let loopback = try LoopbackServer { limits in
      limits.bodyIdleMilliseconds = 300
      limits.bodyGraceMilliseconds = 300
    }
    loopback.service.whenBegun = { $0.acceptsBody = false }
    let client = loopback.connect(sending: Self.upload)
    loopback.turn { loopback.service.exchanges.count == 1 }
    loopback.turn(milliseconds: 400)
    let exchange = loopback.service.exchanges[0]
    exchange.acceptsBody = true
    exchange.responder.resume()
    loopback.turn(milliseconds: 5)
    #expect(exchange.cancelCount == 0)
    client.send("abc")
    loopback.turn { exchange.body.count == 3 || exchange.cancelCount > 0 }
    #expect(exchange.cancelCount == 0)
  }

  // Back-pressure.

  @Test func stopsReadingWhenTheExchangeIsFull() throws {
    let loopback = try LoopbackServer()
    loopback.service.whenBegun = { exchange in
      exchange.whenReceived = { exchange.acceptsBody = exchange.body.count < 100_000 }
    }
    let client = loopback.connect(sending: Self.upload)
    let piece = [UInt8](repeating: 0x61, count: 65536)
    var sent = 0
    let patience = Instant.now.advanced(byMilliseconds: 100)
    while Instant.now < patience {
      sent += client.put(piece[...])
      loopback.turn(milliseconds: 1)
    }
    let exchange = loopback.service.exchanges[0]
    #expect(exchange.body.count >= 100_000 && exchange.body.count <= 200_000)
    #expect(sent < 40_000_000)
    exchange.acceptsBody = true
    exchange.whenReceived = nil
    exchange.responder.resume()
    loopback.turn { exchange.body.count == sent }
  }

  @Test func tellsWhenASlowClientHasTakenEnough() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(sending: Self.get)
    loopback.turn { loopback.service.exchanges.count == 1 }
    let exchange = loopback.service.exchanges[0]
    exchange.responder.begin(.ok, length: nil) { _ in }
    let piece = String(repeating: "x", count: 10_000)
    var written = 0
    func fill() {
      while exchange.responder.queuedByteCount < HTTPLimits().queuedByteCount, written < 12_000_000
      {
        exchange.write(piece)
        written += piece.utf8.count
      }
      if written >= 12_000_000 { exchange.responder.end() }
    }
    exchange.whenDrained = fill
    var largest = 0
    fill()
    loopback.turn {
      fill()
      largest = max(largest, exchange.responder.queuedByteCount)
      client.read()
      return client.received.count > written && exchange.responder.isEnded
    }
    #expect(exchange.drainCount > 0)
    #expect(largest < 2 * HTTPLimits().queuedByteCount)
    let answer = client.take(through: "\r\n0\r\n\r\n")
    #expect(answer.utf8.count > 12_000_000)
  }

  /// What is still on its way to a slow client is not an idle connection.
  @Test func sendsAnAnswerToItsEndHoweverSlowTheClient() throws {
    let loopback = try LoopbackServer { $0.keepAliveMilliseconds = 30 }
    let client = loopback.connect(sending: Self.get)
    loopback.turn { loopback.service.exchanges.count == 1 }
    loopback.service.exchanges[0].answer([UInt8](repeating: 0x61, count: 20_000_000))
    loopback.turn(milliseconds: 100)
    _ = client.take(through: "\r\n\r\n")
    #expect(client.take(20_000_000).utf8.count == 20_000_000)
  }

  @Test func boundsWhatIsPipelined() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(sending: Self.get)
    loopback.turn { loopback.service.exchanges.count == 1 }
    let piece = [UInt8](String(repeating: "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", count: 1000).utf8)
    var sent = 0
    let patience = Instant.now.advanced(byMilliseconds: 100)
    while Instant.now < patience {
      sent += client.put(piece[(sent % piece.count)...])
      loopback.turn(milliseconds: 1)
    }
    #expect(sent < 40_000_000)
    #expect(loopback.service.exchanges.count == 1)
  }

  /// Many small requests with large answers must not fill the memory.
  @Test func boundsTheAnswersToPipelinedRequests() throws {
    let loopback = try LoopbackServer()
    let body = [UInt8](repeating: 0x61, count: 50_000)
    var largest = 0
    loopback.service.whenBegun = { exchange in
      largest = max(largest, exchange.responder.queuedByteCount)
      exchange.answer(body)
    }
    let client = loopback.connect()
    let count = 2000
    _ = client.put(
      [UInt8](
        String(repeating: "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", count: count).utf8)[
          ...])
    loopback.turn(milliseconds: 200)
    #expect(largest < 1_000_000)
  }

  // Clients that go away.

  @Test func cancelsWhenTheClientEnds() throws {
    for isReset in [false, true] {
      let loopback = try LoopbackServer()
      let client = loopback.connect(sending: Self.get)
      loopback.turn { loopback.service.exchanges.count == 1 }
      if isReset { client.reset() } else { client.endOutput() }
      loopback.turn { loopback.server.connectionCount == 0 }
      #expect(loopback.service.exchanges[0].cancelCount == 1)
    }
  }

  @Test func cancelsWhenTheClientEndsWithinTheBody() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(sending: Self.upload + "abc")
    loopback.turn { loopback.service.exchanges.first?.body.count == 3 }
    client.close()
    loopback.turn { loopback.server.connectionCount == 0 }
    #expect(loopback.service.exchanges[0].cancelCount == 1)
    #expect(!loopback.service.exchanges[0].hasBodyEnded)
  }

  @Test func noticesAResetDuringBackPressure() throws {
    let loopback = try LoopbackServer()
    loopback.service.whenBegun = { $0.acceptsBody = false }
    let client = loopback.connect(sending: Self.upload)
    loopback.turn { loopback.service.exchanges.count == 1 }
    client.reset()
    #expect(loopback.countTurns(milliseconds: 50) < 50)
    #expect(loopback.service.exchanges[0].cancelCount == 1)
  }

  @Test func touchesNothingAfterTheEnd() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(sending: Self.get)
    loopback.turn { loopback.service.exchanges.count == 1 }
    client.reset()
    loopback.turn { loopback.server.connectionCount == 0 }
    let responder = loopback.service.exchanges[0].responder
    responder.begin(.ok, length: nil) { _ in }
    responder.resume()
    responder.end()
    loopback.turn(milliseconds: 2)
    #expect(loopback.server.connectionCount == 0)
  }
}
