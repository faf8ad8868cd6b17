// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

/// Frames of a client, and the handshake.
struct WebSocketFrameTests {
  private func written(
    _ opcode: WebSocketOpcode, _ payload: ByteString, mask: UInt32
  ) -> [UInt8] {
    let buffer = Buffer()
    payload.withBytes { WebSocketWriter.append(opcode, $0, mask: mask, to: buffer) }
    return buffer.byteString.bytes
  }

  @Test func masksAsTheStandardsExample() {
    #expect(
      written(.text, "Hello", mask: 0x37FA_213D)
        == [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])  // RFC 6455 §5.7
  }

  @Test func writesEveryLengthForm() {
    for count in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
      let payload = ByteString([UInt8](repeating: 0x61, count: count))
      let frame = WebSocketFrames.unmasked(written(.text, payload, mask: 0x0102_0304))
      #expect(frame?.opcode == 1 && frame?.payload == payload.bytes)
      let headCount = count < 126 ? 6 : count < 65_536 ? 8 : 14
      #expect(frame?.count == headCount + count)
    }
  }

  @Test func writesACloseCode() {
    let buffer = Buffer()
    WebSocketWriter.appendClose(1009, mask: 5, to: buffer)
    let frame = WebSocketFrames.unmasked(buffer.byteString.bytes)
    #expect(frame?.opcode == 8 && frame?.payload == [3, 241])
  }

  private func accepts(_ fields: String) -> Bool {
    let head = ResponseHead()
    let text = ByteString(utf8: "HTTP/1.1 101 Switching Protocols\r\n\(fields)\r\n")
    let outcome = ResponseParser.parse(text.bytes.span, into: head, limits: HeadLimits())
    #expect(outcome == .done(text.count))
    return WebSocketHandshake.isAccepted(head, key: "dGhlIHNhbXBsZSBub25jZQ==")
  }

  @Test func checksTheServersAnswer() {
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
    let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"  // RFC 6455 §1.3
    #expect(accepts(upgrade + accept))
    #expect(accepts("upgrade: WebSocket\r\nconnection: keep-alive, upgrade\r\n" + accept))
    #expect(!accepts(upgrade))
    #expect(!accepts(accept))
    #expect(!accepts(upgrade + "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
    #expect(!accepts(upgrade + accept + accept))
    #expect(!accepts("Upgrade: h2c\r\nConnection: Upgrade\r\n" + accept))
    #expect(!accepts("Upgrade: websocket\r\nConnection: close\r\n" + accept))
    #expect(!accepts(upgrade + accept + "Sec-WebSocket-Extensions: permessage-deflate\r\n"))
    #expect(!accepts(upgrade + accept + "Sec-WebSocket-Protocol: chat\r\n"))
  }

  @Test func asksWithAFreshKey() {
    let keys = (0..<4).map { _ in WebSocketHandshake.makeKey() }
    #expect(Set(keys).count == 4)
    #expect(keys.allSatisfy { Digest.unbase64($0)?.count == 16 })
  }
}
