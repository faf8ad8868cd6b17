// SPDX-License-Identifier: MIT
import Glibc
import Platform
import Testing

@testable import MiniHTTP

struct ServerTests {
  private static let later = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
  private static let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"

  /// Whether the client is turned away with a whole answer in the service's words.
  private func isTurnedAway(_ client: RawSocket) -> Bool {
    let answer = client.takeAll()
    return answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("\r\nConnection: close\r\n")
      && answer.hasSuffix("\r\n\r\nThere are too many connections; try again shortly.")
  }

  @Test func turnsAwayConnectionsBeyondTheLimit() throws {
    let loopback = try LoopbackServer { $0.connectionCount = 2 }
    let busy = (0..<2).map { _ in loopback.connect(sending: Self.later) }
    loopback.turn { loopback.service.exchanges.count == 2 }
    #expect(isTurnedAway(loopback.connect()))
    #expect(loopback.server.connectionCount == 2)
    for exchange in loopback.service.exchanges { exchange.answer("ok") }
    for client in busy { #expect(client.take(through: "\r\n\r\nok").hasPrefix("HTTP/1.1 200")) }
  }

  /// What such a client has sent is dropped, so that no reset takes the answer from it.
  @Test func lingersForConnectionsBeyondTheLimit() throws {
    let loopback = try LoopbackServer {
      $0.connectionCount = 0
      $0.lingeringMilliseconds = 60_000
      $0.lingeringByteCount = 100_000
    }
    let before = loopback.loop.handlerCount
    let client = loopback.connect(sending: Self.get)
    #expect(isTurnedAway(client))
    client.send(String(repeating: "x", count: 100_000 - Self.get.utf8.count))
    loopback.turn(milliseconds: 5)
    #expect(loopback.loop.handlerCount == before + 1 && loopback.service.exchanges.isEmpty)
    client.send("x")
    loopback.turn { loopback.loop.handlerCount == before }
    #expect(loopback.server.connectionCount == 0)
  }

  @Test func tellsOnlyAFewConnectionsBeyondTheLimit() throws {
    let loopback = try LoopbackServer { $0.connectionCount = 0 }
    let before = loopback.loop.handlerCount
    let told = (0..<Sizes.turnedAwayConnections).map { _ in loopback.connect() }
    loopback.turn { loopback.loop.handlerCount == before + told.count }
    #expect(loopback.connect().takeAll() == "")
    #expect(loopback.loop.handlerCount == before + told.count)
    for client in told {
      #expect(isTurnedAway(client))
      client.close()
    }
    loopback.turn { loopback.loop.handlerCount == before }
    #expect(isTurnedAway(loopback.connect()))
  }

  @Test func endsTheLingeringOfConnectionsBeyondTheLimit() throws {
    let loopback = try LoopbackServer {
      $0.connectionCount = 0
      $0.lingeringMilliseconds = 20
    }
    let before = loopback.loop.handlerCount
    let client = loopback.connect()
    #expect(isTurnedAway(client))
    loopback.turn { loopback.loop.handlerCount == before }
  }

  @Test func closesTheOldestIdleConnectionForANewOne() throws {
    let loopback = try LoopbackServer { $0.connectionCount = 2 }
    let first = loopback.connect(sending: Self.get)
    #expect(first.take(through: "for /a").hasPrefix("HTTP/1.1 200"))
    let second = loopback.connect(sending: Self.get)
    #expect(second.take(through: "for /a").hasPrefix("HTTP/1.1 200"))
    let third = loopback.connect(sending: Self.get)
    #expect(third.take(through: "for /a").hasPrefix("HTTP/1.1 200"))
    #expect(first.takeAll() == "")
    second.send(Self.get)
    #expect(second.take(through: "for /a").hasPrefix("HTTP/1.1 200"))
  }

  @Test func limitsConnectionsOfOneAddress() throws {
    let loopback = try LoopbackServer { $0.connectionsPerAddress = 1 }
    let first = loopback.connect(sending: Self.get)
    #expect(first.take(through: "for /a").hasPrefix("HTTP/1.1 200"))
    #expect(isTurnedAway(loopback.connect()))
    first.close()
    loopback.turn { loopback.server.connectionCount == 0 }
    let next = loopback.connect(sending: Self.get)
    #expect(next.take(through: "for /a").hasPrefix("HTTP/1.1 200"))
  }

  @Test func tellsThePeersAddress() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(sending: Self.get)
    #expect(client.take(through: "for /a").hasPrefix("HTTP/1.1 200"))
    #expect(loopback.server.head.peerAddress == Loopback.address)
    #expect(!loopback.server.head.isSecure)
  }

  @Test func stopsAfterTheAnswersUnderWay() throws {
    let loopback = try LoopbackServer { $0.lingeringMilliseconds = 20 }
    let idle = loopback.connect(sending: Self.get)
    #expect(idle.take(through: "for /a").hasPrefix("HTTP/1.1 200"))
    let busy = loopback.connect(sending: Self.later + Self.get)
    loopback.turn { loopback.service.exchanges.count == 2 }
    #expect(!loopback.server.isDrained)
    loopback.server.stop()
    #expect(idle.takeAll() == "")
    #expect(!loopback.server.isDrained)
    let refused = loopback.connect()
    refused.read()
    loopback.turn {
      refused.read()
      return refused.isAtEnd
    }
    loopback.service.exchanges[1].answer("last")
    let answer = busy.takeAll()
    #expect(answer.contains("\r\nConnection: close\r\n") && answer.hasSuffix("\r\n\r\nlast"))
    #expect(loopback.service.exchanges.count == 2)
    busy.close()
    loopback.turn { loopback.server.isDrained }
  }

  @Test func finishesAStreamWhileStopping() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(sending: Self.later)
    loopback.turn { loopback.service.exchanges.count == 1 }
    let exchange = loopback.service.exchanges[0]
    exchange.responder.begin(.ok, length: nil) { _ in }
    exchange.write("one")
    #expect(client.take(through: "one\r\n").hasPrefix("HTTP/1.1 200"))
    loopback.server.stop()
    loopback.turn(milliseconds: 5)
    exchange.write("two")
    exchange.responder.end()
    #expect(client.takeAll() == "3\r\ntwo\r\n0\r\n\r\n")
  }

  @Test func sendsTheLastAnswerWhole() throws {
    for isStopping in [true, false] {
      let loopback = try LoopbackServer { $0.connectionCount = 1 }
      let client = loopback.connect(sending: Self.later)
      loopback.turn { loopback.service.exchanges.count == 1 }
      loopback.service.exchanges[0].answer([UInt8](repeating: 0x61, count: 20_000_000))
      loopback.turn(milliseconds: 2)
      if isStopping {
        loopback.server.stop()
      } else {
        #expect(isTurnedAway(loopback.connect()))
      }
      loopback.turn(milliseconds: 2)
      _ = client.take(through: "\r\n\r\n")
      #expect(client.take(20_000_000).utf8.count == 20_000_000)
    }
  }

  @Test func tellsThatAPortIsInUse() throws {
    let loopback = try LoopbackServer()
    let error = #expect(throws: SystemError.self) {
      try loopback.server.listen(on: Loopback.address, port: loopback.port)
    }
    #expect(error?.number == EADDRINUSE)
    #expect(loopback.port > 0)
  }

  @Test func usesNewLimitsFromNowOn() throws {
    let loopback = try LoopbackServer()
    var limits = HTTPLimits()
    limits.connectionCount = 0
    loopback.server.replaceLimits(limits)
    #expect(isTurnedAway(loopback.connect()))
  }

  @Test func survivesManyShortConnections() throws {
    let loopback = try LoopbackServer()
    let before = loopback.loop.handlerCount
    for round in 0..<200 {
      let client = loopback.connect(sending: Self.get)
      if round % 3 == 0 { client.reset() } else { _ = client.take(through: "for /a") }
      client.close()
    }
    loopback.turn { loopback.server.connectionCount == 0 }
    #expect(loopback.loop.handlerCount == before)
  }
}
