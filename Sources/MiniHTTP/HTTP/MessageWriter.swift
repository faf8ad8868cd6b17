// SPDX-License-Identifier: MIT
import Platform

/// Writes heads and chunk framing; header values from outside go through `append(field:)`.
package enum MessageWriter {
  /// Appends `HTTP/1.1 200 OK` and its line end.
  package static func appendStatusLine(_ status: Status, to buffer: Buffer) {
    if status == .ok { return buffer.append("HTTP/1.1 200 OK\r\n") }
    buffer.append("HTTP/1.1 ")
    buffer.append(decimal: status.code)
    buffer.append(UInt8(ascii: " "))
    buffer.append(status.reason)
    buffer.append("\r\n")
  }

  /// Appends one header field; a value with a line break or NUL is left out (RFC 9110 §5.5).
  package static func append(field name: StaticString, _ value: Span<UInt8>, to buffer: Buffer) {
    guard HeadLines.isValue(value) else { return }
    buffer.append(name)
    buffer.append(": ")
    buffer.append(value)
    buffer.append("\r\n")
  }

  /// Appends one chunk (RFC 9112 §7.1); an empty one is not written, since it would end the body.
  package static func appendChunk(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer) {
    guard bytes.count > 0 else { return }
    buffer.reserve(bytes.count + 20)
    buffer.append(hexadecimal: UInt64(bytes.count))
    buffer.append("\r\n")
    buffer.append(bytes)
    buffer.append("\r\n")
  }

  /// Appends the chunk that ends a body.
  package static func appendLastChunk(to buffer: Buffer) { buffer.append("0\r\n\r\n") }
}
