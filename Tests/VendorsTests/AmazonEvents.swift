// SPDX-License-Identifier: MIT
import Platform

/// Writes AWS event streams, for tests.
enum AmazonEvents {
  static func bytes(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  static func header(_ name: String, _ value: String) -> [UInt8] {
    [UInt8(name.utf8.count)] + Array(name.utf8) + [7, 0, UInt8(value.utf8.count)]
      + Array(value.utf8)
  }

  /// A frame with right checksums and the lengths given, or the true ones.
  static func frame(
    headers: [UInt8], payload: [UInt8], total: Int? = nil, headerCount: Int? = nil
  ) -> [UInt8] {
    var bytes =
      bytes(total ?? headers.count + payload.count + 16) + bytes(headerCount ?? headers.count)
    bytes += self.bytes(Int(CRC32.of(bytes.span)))
    bytes += headers + payload
    return bytes + self.bytes(Int(CRC32.of(bytes.span)))
  }

  static func event(_ type: String, _ payload: String) -> [UInt8] {
    frame(
      headers: header(":event-type", type) + header(":content-type", "application/json")
        + header(":message-type", "event"), payload: Array(payload.utf8))
  }

  static func exception(_ type: String, _ message: String) -> [UInt8] {
    frame(
      headers: header(":exception-type", type) + header(":message-type", "exception"),
      payload: Array(#"{"message":"\#(message)"}"#.utf8))
  }
}
