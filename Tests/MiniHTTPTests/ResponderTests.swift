// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

/// Answers as they arrive at a client.
struct ResponderTests {
  /// An exchange that waits for its answer, and its client.
  private func begin(
    _ request: String = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
  ) throws -> (LoopbackServer, RawSocket, ScriptedExchange) {
    let loopback = try LoopbackServer()
    let client = loopback.connect(sending: request)
    loopback.turn { loopback.service.exchanges.first?.hasBodyEnded == true }
    return (loopback, client, try #require(loopback.service.exchanges.first))
  }

  @Test func streamsChunks() throws {
    let (loopback, client, exchange) = try begin()
    exchange.responder.begin(.ok, length: nil) { $0.append("X-A: b\r\n") }
    let head = client.take(through: "\r\n\r\n")
    #expect(head.contains("\r\nTransfer-Encoding: chunked\r\n") && head.contains("\r\nX-A: b\r\n"))
    #expect(!head.contains("Content-Length"))
    for text in ["one", "", "two"] {
      exchange.write(text)
      if !text.isEmpty { #expect(client.take(through: "\(text)\r\n") == "3\r\n\(text)\r\n") }
    }
    #expect(!exchange.responder.isEnded)
    exchange.responder.end()
    #expect(client.take(through: "\r\n\r\n") == "0\r\n\r\n")
    client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.take(through: "you asked for /a").hasPrefix("HTTP/1.1 200"))
    #expect(loopback.server.connectionCount == 1)
  }

  @Test func streamsAKnownLength() throws {
    let (_, client, exchange) = try begin()
    exchange.responder.begin(.ok, length: 6) { _ in }
    exchange.write("one")
    exchange.write("two")
    exchange.responder.end()
    let answer = client.take(through: "onetwo")
    #expect(answer.contains("\r\nContent-Length: 6\r\n") && !answer.contains("chunked"))
    client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.take(through: "you asked for /a").hasPrefix("HTTP/1.1 200"))
  }

  @Test func streamsUntilTheEndToOldClients() throws {
    let (_, client, exchange) = try begin("GET /later HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    exchange.responder.begin(.ok, length: nil) { _ in }
    exchange.write("one")
    exchange.responder.end()
    let answer = client.takeAll()
    #expect(answer.hasSuffix("\r\n\r\none"))
    #expect(answer.contains("\r\nConnection: close\r\n"))
    #expect(!answer.contains("chunked") && !answer.contains("Content-Length"))
  }

  @Test func sendsNoBodyToHead() throws {
    for length in [nil, 3] as [Int64?] {
      let (_, client, exchange) = try begin("HEAD /later HTTP/1.1\r\nHost: a\r\n\r\n")
      exchange.responder.begin(.ok, length: length) { _ in }
      exchange.write("one")
      exchange.responder.end()
      #expect(client.take(through: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
      client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(client.take(through: "you asked for /a").hasPrefix("HTTP/1.1 200"))
    }
  }

  @Test func asksForMoreBelowTheLimitOfTheExchange() throws {
    let (loopback, client, exchange) = try begin()
    exchange.responder.queueLimit = 3
    exchange.responder.begin(.ok, length: 6) { _ in }
    exchange.write("one")
    loopback.turn { exchange.drainCount == 1 }
    exchange.write("two")
    exchange.responder.end()
    #expect(client.take(through: "onetwo").hasSuffix("onetwo"))
    // The next answer has the server's limit again.
    client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
    loopback.turn { loopback.service.exchanges.count == 2 }
    #expect(exchange.responder.queueLimit == nil)
  }

  @Test func tellsOnlyTheLengthOfWhatIsNotModified() throws {
    let (_, client, exchange) = try begin()
    let body: StaticString = "whole"
    exchange.responder.respond(
      .notModified, fields: { _ in },
      body: UnsafeRawBufferPointer(start: body.utf8Start, count: body.utf8CodeUnitCount))
    let answer = client.take(through: "\r\n\r\n")
    #expect(answer.hasPrefix("HTTP/1.1 304") && answer.contains("\r\nContent-Length: 5\r\n"))
    client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.take(through: "you asked for /a").hasPrefix("HTTP/1.1 200"))
  }

  /// A client must see that the answer is not whole.
  @Test func cutsAbortedAnswers() throws {
    let (loopback, client, exchange) = try begin()
    exchange.responder.begin(.ok, length: nil) { _ in }
    exchange.write("one")
    exchange.responder.abort()
    let answer = client.takeAll()
    #expect(answer.hasSuffix("3\r\none\r\n"))
    loopback.turn { loopback.server.connectionCount == 0 }
    #expect(exchange.cancelCount == 0)
  }

  @Test func cutsAnswersOfAWrongLength() throws {
    for text in ["ab", "abcd"] {
      let (_, client, exchange) = try begin()
      exchange.responder.begin(.ok, length: 3) { _ in }
      exchange.write(text)
      exchange.responder.end()
      #expect(exchange.responder.isEnded)
      let answer = client.takeAll()
      #expect(answer.hasSuffix(text == "ab" ? "\r\n\r\nab" : "\r\n\r\n"))
    }
  }

  @Test func answersOnce() throws {
    let (_, client, exchange) = try begin()
    #expect(exchange.responder.isWaiting)
    exchange.answer("one")
    #expect(!exchange.responder.isWaiting && exchange.responder.isEnded)
    exchange.answer("two")
    exchange.write("three")
    exchange.responder.end()
    #expect(!exchange.responder.begin(.ok, length: nil) { _ in })
    client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    let answers = client.take(through: "you asked for /a")
    #expect(answers.components(of: "HTTP/1.1") == 2)
    #expect(!answers.contains("two") && !answers.contains("three"))
  }

  @Test func closesWhenTold() throws {
    let (_, client, exchange) = try begin()
    exchange.responder.closeAfterwards()
    exchange.answer("bye")
    let answer = client.takeAll()
    #expect(answer.contains("\r\nConnection: close\r\n") && answer.hasSuffix("\r\n\r\nbye"))
  }

  @Test func writesJSON() throws {
    let (_, client, exchange) = try begin()
    let body = Buffer()
    body.append("{}")
    exchange.responder.respond(.notFound, json: body)
    let answer = client.take(through: "{}")
    #expect(answer.hasPrefix("HTTP/1.1 404 Not Found\r\n"))
    #expect(answer.contains("\r\nContent-Type: application/json\r\n"))
    #expect(answer.contains("\r\nDate: ") == UnixTime.isPlausible)
  }

  @Test func sendsLargeAnswersWhole() throws {
    let (_, client, exchange) = try begin()
    exchange.answer([UInt8](repeating: 0x61, count: 5_000_000))
    _ = client.take(through: "\r\n\r\n")
    #expect(client.take(5_000_000).utf8.allSatisfy { $0 == 0x61 })
  }
}
