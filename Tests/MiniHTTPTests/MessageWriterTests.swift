// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct MessageWriterTests {
  private func check(_ expected: ByteString, _ write: (Buffer) -> Void) {
    let buffer = Buffer()
    write(buffer)
    #expect(buffer.byteString == expected, "\(buffer.byteString.text)")
  }

  @Test func writesStatusLines() {
    check("HTTP/1.1 200 OK\r\n") { MessageWriter.appendStatusLine(.ok, to: $0) }
    check("HTTP/1.1 503 Service Unavailable\r\n") {
      MessageWriter.appendStatusLine(.serviceUnavailable, to: $0)
    }
    check("HTTP/1.1 599 \r\n") { MessageWriter.appendStatusLine(Status(599), to: $0) }
  }

  @Test func writesFields() {
    check("X-A: b c\r\n") { MessageWriter.append(field: "X-A", [0x62, 0x20, 0x63].span, to: $0) }
    check("X-A: \r\n") { MessageWriter.append(field: "X-A", [UInt8]().span, to: $0) }
  }

  @Test func leavesOutValuesThatWouldEndTheField() {
    for text in ["a\r\nB: c", "a\nb", "a\rb", "a\u{0}b", "a\u{7F}", "\r\n\r\n", "twelve chars\n"] {
      check("") { MessageWriter.append(field: "X-A", [UInt8](text.utf8).span, to: $0) }
    }
  }

  @Test func writesChunks() {
    check("5\r\nhello\r\n") { buffer in
      ByteString("hello").withBytes { MessageWriter.appendChunk($0, to: buffer) }
    }
    check("0\r\n\r\n") { MessageWriter.appendLastChunk(to: $0) }
    let long = ByteString([UInt8](repeating: 0x61, count: 0x1234))
    check(ByteString("1234\r\n") + long + ByteString("\r\n")) { buffer in
      long.withBytes { MessageWriter.appendChunk($0, to: buffer) }
    }
  }

  /// An empty chunk would end the body.
  @Test func writesNoEmptyChunk() {
    check("") { buffer in ByteString.empty.withBytes { MessageWriter.appendChunk($0, to: buffer) } }
  }
}
