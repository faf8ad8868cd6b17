// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

/// A WebSocket over a real connection, the test being the server.
struct ClientConnectionWebSocketTests {
  /// An exchange that asked for a WebSocket, and the server's end.
  private struct Pair {
    let loopback: LoopbackUpstream
    let exchange: RecordedExchange
    let server: RawSocket
    /// The head that the client sent.
    let request: String

    /// Asks; `sending` is queued together with it.
    init(sending: ByteString? = nil, idleMilliseconds: Int64 = 5000) throws {
      loopback = try LoopbackUpstream()
      exchange = loopback.lease("", idleMilliseconds: idleMilliseconds)
      exchange.connection?.upgrade(path: "/chat?a=b", headerLines: "X-One: 1\r\n")
      let connection = exchange.connection
      if let sending { sending.withBytes { connection?.send(text: $0) } }
      server = loopback.accept()
      request = server.take(through: "\r\n\r\n")
    }

    var key: ByteString {
      let line = request.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Key: ") }
      return ByteString(utf8: String(line?.dropFirst(19) ?? ""))
    }

    func agree(_ more: [UInt8] = []) {
      let accept = WebSocketHandshake.accept(for: key).text
      let head =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: \(accept)\r\n\r\n"
      server.send([UInt8](head.utf8) + more)
    }

    /// The next frame of the client.
    func frame(_ location: SourceLocation = #_sourceLocation) -> (UInt8, String)? {
      loopback.turn(location: location) {
        server.read()
        return server.isAtEnd || WebSocketFrames.unmasked(server.received) != nil
      }
      guard let frame = WebSocketFrames.unmasked(server.received) else { return nil }
      _ = server.take(frame.count, location: location)
      return (frame.opcode, String(decoding: frame.payload, as: UTF8.self))
    }
  }

  @Test func talks() throws {
    let pair = try Pair(sending: "first")
    #expect(pair.request.hasPrefix("GET /chat?a=b HTTP/1.1\r\nHost: 127.0.0.1:"))
    #expect(pair.request.contains("\r\nSec-WebSocket-Version: 13\r\nX-One: 1\r\n\r\n"))
    pair.loopback.turn(milliseconds: 2)
    #expect(pair.server.received.isEmpty && pair.exchange.connection?.isWebSocket == false)
    var messages: [String] = []
    pair.exchange.whenReceived = {
      messages.append(String(pair.exchange.text.dropFirst(messages.joined().count)))
    }
    pair.agree(WebSocketFrames.text("one") + WebSocketFrames.text("two", isFinal: false))
    #expect(pair.frame().map { $0 == (1, "first") } == true)
    #expect(pair.exchange.codes == [101] && pair.exchange.connection?.isWebSocket == true)
    pair.server.send(WebSocketFrames.frame(9, Array("ping".utf8)))
    #expect(pair.frame().map { $0 == (10, "ping") } == true)
    pair.server.send(WebSocketFrames.frame(0, Array(" and more".utf8)))
    pair.loopback.turn { messages.count == 2 }
    #expect(messages == ["one", "two and more"])
    ByteString("second").withBytes { pair.exchange.connection?.send(text: $0) }
    #expect(pair.frame().map { $0 == (1, "second") } == true)
    pair.server.send(WebSocketFrames.close(1000))
    pair.loopback.turn { pair.exchange.isOver }
    #expect(pair.exchange.endCount == 1 && pair.exchange.failure == nil)
    #expect(pair.frame().map { $0 == (8, "\u{3}\u{FFFD}") } == true)
    #expect(pair.server.takeAll() == "")
    // The connection is not used again.
    let next = pair.loopback.lease()
    #expect(next.connection !== pair.exchange.connection)
  }

  @Test func reportsARefusalAsAnOrdinaryAnswer() throws {
    let pair = try Pair(sending: "first")
    pair.server.send("HTTP/1.1 401 No\r\nContent-Length: 12\r\n\r\nbad sign\u{fc}re")
    pair.loopback.turn { pair.exchange.isOver }
    #expect(pair.exchange.codes == [401] && pair.exchange.body.count == 12)
    #expect(pair.exchange.endCount == 1)
    #expect(pair.server.takeAll() == "")
    let next = pair.loopback.lease()
    #expect(next.connection !== pair.exchange.connection)
  }

  @Test func refusesAWrongHandshake() throws {
    let pair = try Pair(sending: "first")
    pair.server.send(
      "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
    pair.loopback.turn { pair.exchange.isOver }
    #expect(pair.exchange.codes == [] && pair.exchange.failure == .badAnswer)
    #expect(pair.server.takeAll() == "")
  }

  @Test func tellsACutFromAClose() throws {
    for bytes in [[], WebSocketFrames.text("half", isFinal: false), [0x81]] {
      let pair = try Pair()
      pair.agree(WebSocketFrames.text("one") + bytes)
      pair.loopback.turn { pair.exchange.text == "one" }
      pair.server.close()
      pair.loopback.turn { pair.exchange.isOver }
      #expect(pair.exchange.failure == .cut && pair.exchange.endCount == 0)
    }
  }

  @Test func tellsTheServerWhichRuleItBroke() throws {
    for (bytes, code) in [
      (WebSocketFrames.frame(1, [0x61], mask: [1, 2, 3, 4]), 1002),
      (WebSocketFrames.frame(1, [0xFF]), 1007), ([0x81, 127, 0, 0, 0, 0, 1, 0, 0, 0], 1009),
    ] {
      let pair = try Pair()
      pair.agree(bytes)
      pair.loopback.turn { pair.exchange.isOver }
      #expect(pair.exchange.failure == .cut)
      pair.loopback.turn {
        pair.server.read()
        return pair.server.isAtEnd
      }
      let frame = WebSocketFrames.unmasked(pair.server.received)
      #expect(frame?.opcode == 8)
      #expect(frame?.payload == [UInt8(code >> 8), UInt8(code & 255)])
    }
  }

  @Test func closesInOrderWhenCancelled() throws {
    let pair = try Pair()
    pair.agree(WebSocketFrames.text("one"))
    pair.loopback.turn { pair.exchange.text == "one" }
    pair.exchange.connection?.cancel()
    #expect(pair.frame().map { $0.0 == 8 } == true)
    #expect(pair.server.takeAll() == "" && !pair.exchange.isOver)
  }

  /// Before the first message the time for a first byte counts, then that for silence.
  @Test func waitsLongerForTheFirstMessage() throws {
    let pair = try Pair(idleMilliseconds: 30)
    pair.agree()
    pair.loopback.turn { pair.exchange.codes == [101] }
    pair.loopback.turn(milliseconds: 60)
    #expect(!pair.exchange.isOver)
    pair.server.send(WebSocketFrames.text("one"))
    pair.loopback.turn { pair.exchange.isOver }
    #expect(pair.exchange.text == "one" && pair.exchange.failure == .idleTimeout)
  }
}
