// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

/// Requests and answers over a real connection.
struct ServerConnectionTests {
  private static let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
  private static let answerToA = "\r\n\r\nyou asked for /a"

  private func request(_ path: String, _ fields: String = "", _ body: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\(body)"
  }

  @Test func servesSeveralRequestsOnOneConnection() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect()
    for _ in 0..<3 {
      client.send(Self.get)
      let answer = client.take(through: Self.answerToA)
      #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(answer.contains("\r\nContent-Length: 16\r\n"))
      #expect(!answer.contains("Connection:"))
    }
    #expect(loopback.server.connectionCount == 1)
  }

  @Test func answersPipelinedRequestsInOrder() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(
      sending: Self.get + request("/later") + request("/echo", "Content-Length: 3\r\n", "abc")
        + Self.get)
    #expect(client.take(through: Self.answerToA).hasPrefix("HTTP/1.1 200"))
    loopback.turn(milliseconds: 5)
    client.read()
    #expect(client.received.isEmpty)
    #expect(loopback.service.exchanges.count == 2)
    loopback.service.exchanges[1].answer("late")
    #expect(client.take(through: "\r\n\r\nlate").hasPrefix("HTTP/1.1 200"))
    #expect(client.take(through: "\r\n\r\nabc").hasPrefix("HTTP/1.1 200"))
    #expect(client.take(through: Self.answerToA).hasPrefix("HTTP/1.1 200"))
  }

  @Test func acceptsRequestsByteByByte() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect()
    let text =
      request("/echo", "Content-Length: 5\r\n", "hello")
      + request(
        "/echo", "Transfer-Encoding: chunked\r\n", "3;x\r\nabc\r\n2\r\nde\r\n0\r\nA: b\r\n\r\n")
    for byte in text.utf8 {
      client.send([byte])
      loopback.turn(milliseconds: 0)
      loopback.turn { client.put([]) == 0 }
    }
    #expect(client.take(through: "\r\n\r\nhello").hasPrefix("HTTP/1.1 200"))
    #expect(client.take(through: "\r\n\r\nabcde").hasPrefix("HTTP/1.1 200"))
  }

  @Test func beginsBeforeTheBodyIsThere() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(
      sending: request("/later", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n"))
    loopback.turn { loopback.service.exchanges.first?.body.count == 3 }
    #expect(loopback.service.exchanges.first?.hasBodyEnded == false)
    client.send("0\r\n\r\n")
    loopback.turn { loopback.service.exchanges.first?.hasBodyEnded == true }
  }

  // RFC 9110 §10.1.1.

  @Test func invitesTheBodyOnceWhenItIsExpected() throws {
    let loopback = try LoopbackServer()
    let fields = "Content-Length: 3\r\nExpect: 100-continue\r\n"
    let client = loopback.connect(sending: request("/echo", fields))
    #expect(client.take(through: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
    client.send("abc")
    #expect(client.take(through: "\r\n\r\nabc").hasPrefix("HTTP/1.1 200"))
  }

  @Test func doesNotInviteABodyThatIsRefused() throws {
    let loopback = try LoopbackServer()
    let fields = "Content-Length: 3\r\nExpect: 100-continue\r\n"
    let client = loopback.connect(sending: request("/early", fields))
    #expect(client.takeAll().hasPrefix("HTTP/1.1 413"))
  }

  @Test func invitesNoBodyWhereThereIsNone() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(sending: request("/a", "Expect: 100-continue\r\n"))
    #expect(client.take(through: Self.answerToA).hasPrefix("HTTP/1.1 200"))
    let old = loopback.connect(
      sending: "POST /echo HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx")
    #expect(old.takeAll().hasPrefix("HTTP/1.1 200"))
  }

  @Test func refusesOtherExpectations() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(sending: request("/a", "Expect: magic\r\n") + Self.get)
    let answer = client.takeAll()
    #expect(answer.hasPrefix("HTTP/1.1 417"))
    #expect(answer.contains("\r\nConnection: close\r\n"))
    #expect(loopback.service.exchanges.isEmpty)
  }

  @Test func answersHeadWithoutABody() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(sending: "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n" + Self.get)
    #expect(client.take(through: "\r\n\r\n").contains("\r\nContent-Length: 16\r\n"))
    #expect(client.take(through: Self.answerToA).hasPrefix("HTTP/1.1 200"))
  }

  @Test func speaksToOldClients() throws {
    let loopback = try LoopbackServer()
    let closing = loopback.connect(sending: "GET /a HTTP/1.0\r\n\r\n")
    let answer = closing.takeAll()
    #expect(answer.hasPrefix("HTTP/1.1 200") && answer.hasSuffix(Self.answerToA))
    #expect(answer.contains("\r\nConnection: close\r\n"))
    let kept = loopback.connect()
    for _ in 0..<2 {
      kept.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      #expect(kept.take(through: Self.answerToA).contains("\r\nConnection: keep-alive\r\n"))
    }
  }

  @Test func obeysConnectionClose() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(sending: request("/a", "Connection: close\r\n") + Self.get)
    let answer = client.takeAll()
    #expect(answer.contains("\r\nConnection: close\r\n") && answer.hasSuffix(Self.answerToA))
    #expect(loopback.service.exchanges.count == 1)
    client.close()
    loopback.turn { loopback.server.connectionCount == 0 }
  }

  @Test func parsesNothingBehindABrokenMessage() throws {
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    for (text, status) in [
      ("GET / HTTP/1.1\r\n\r\n", 400), ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
      (request("/a", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400),
      (request("/echo", "Transfer-Encoding: chunked\r\n", "zz\r\n"), 400),
      (request("/echo", "Transfer-Encoding: chunked\r\n", "1\r\nabc\r\n0\r\n\r\n"), 400),
      ("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    ] {
      let loopback = try LoopbackServer()
      let client = loopback.connect(sending: text + smuggled)
      let answer = client.takeAll()
      #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(text)")
      #expect(answer.contains("\r\nConnection: close\r\n"), "\(text)")
      #expect(answer.components(of: "\r\nContent-Length: ") == 1, "\(text)")
      #expect(loopback.service.exchanges.allSatisfy { $0.path != "/smuggled" }, "\(text)")
      #expect(loopback.service.refusals == [status], "\(text)")
    }
  }

  @Test func cancelsTheExchangeWhoseBodyBreaks() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(
      sending: request("/later", "Transfer-Encoding: chunked\r\n", "1\r\nax"))
    #expect(client.takeAll().hasPrefix("HTTP/1.1 400"))
    #expect(loopback.service.exchanges.first?.cancelCount == 1)
    #expect(loopback.service.exchanges.first?.hasBodyEnded == false)
  }

  @Test func closesAfterAnAnswerBeforeTheBodysEnd() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(
      sending: request("/early", "Content-Length: 100\r\n", "abc") + Self.get)
    #expect(client.takeAll().hasPrefix("HTTP/1.1 413"))
    #expect(loopback.service.exchanges.count == 1)
    #expect(loopback.service.exchanges.first?.cancelCount == 0)
  }

  /// The client must be able to read the answer although it goes on sending.
  @Test func dropsWhatComesBehindARefusal() throws {
    let loopback = try LoopbackServer()
    let client = loopback.connect(sending: request("/early", "Content-Length: 1000000\r\n"))
    loopback.turn { loopback.service.exchanges.count == 1 }
    client.send([UInt8](repeating: 0x61, count: 500_000))
    #expect(client.takeAll().hasPrefix("HTTP/1.1 413"))
    #expect(loopback.server.connectionCount == 1)
    client.close()
    loopback.turn { loopback.server.connectionCount == 0 }
  }

  @Test func lingersNotForEver() throws {
    let byTime = try LoopbackServer { $0.lingeringMilliseconds = 20 }
    let quiet = byTime.connect(sending: "x\r\n\r\n")
    #expect(quiet.takeAll().hasPrefix("HTTP/1.1 400"))
    byTime.turn { byTime.server.connectionCount == 0 }
    let bySize = try LoopbackServer { $0.lingeringByteCount = 10_000 }
    let busy = bySize.connect(sending: "x\r\n\r\n")
    #expect(busy.takeAll().hasPrefix("HTTP/1.1 400"))
    bySize.turn {
      _ = busy.put([UInt8](repeating: 0x61, count: 5000)[...])
      return bySize.server.connectionCount == 0
    }
  }

  @Test func ignoresUpgrades() throws {
    let loopback = try LoopbackServer()
    let fields = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
    let client = loopback.connect(sending: request("/a", fields))
    #expect(client.take(through: Self.answerToA).hasPrefix("HTTP/1.1 200"))
  }
}

extension String {
  /// How often the text occurs.
  func components(of text: String) -> Int {
    var count = 0
    var rest = self[...]
    while let found = rest.firstRange(of: text) {
      count += 1
      rest = rest[found.upperBound...]
    }
    return count
  }
}
