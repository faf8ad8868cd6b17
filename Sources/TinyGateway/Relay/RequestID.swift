// SPDX-License-Identifier: MIT
import Platform

/// Identifies one request in answers, in the log and in its row.
///
/// 63 bits: milliseconds since 1970 in front, so that ids sort by time, and random bits behind.
enum RequestID {
  private static let randomBits: Int64 = 20

  /// A new id.
  static func make() -> Int64 {
    let random = Int64(Random.number() & (1 << UInt64(randomBits) - 1))
    return (UnixTime.milliseconds << randomBits | random) & Int64.max
  }

  /// Appends the id as it is shown: 16 hexadecimal digits.
  static func append(_ id: Int64, to buffer: Buffer) {
    for shift in stride(from: 60, through: 0, by: -4) {
      buffer.append(hexDigit: UInt8(truncatingIfNeeded: id >> Int64(shift)) & 15)
    }
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
