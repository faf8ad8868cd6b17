// SPDX-License-Identifier: MIT
import Platform

/// Identifies one request in answers, in the log and in its row.
///
/// Seconds since 1970 in front, so that ids sort by time and a log row stores the difference to
/// its own time in few bytes; a counter behind. It is no secret and need not be random.
final class RequestIDSource {
  private static let counterBits: Int64 = 16
  /// Starts anywhere, so that two starts within a second do not repeat ids.
  private var counter = Int64(Random.number() & 0xFFFF)

  /// A new id.
  func next() -> Int64 {
    counter = (counter + 1) & (1 << RequestIDSource.counterBits - 1)
    return UnixTime.seconds << RequestIDSource.counterBits | counter
  }
}

/// How a request's id is shown: 16 hexadecimal digits.
enum RequestID {
  /// Appends the digits.
  static func append(_ id: Int64, to buffer: Buffer) {
    buffer.append(hexadecimal16: UInt64(bitPattern: id))
  }

  /// Appends the header lines that tell it: One API's name and the one that SDKs read.
  static func appendHeaders(_ id: Int64, to buffer: Buffer) {
    buffer.append("X-Oneapi-Request-Id: ")
    append(id, to: buffer)
    buffer.append("\r\nX-Request-Id: ")
    append(id, to: buffer)
    buffer.append("\r\n")
  }
}
