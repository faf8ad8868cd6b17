// SPDX-License-Identifier: MIT
import Platform

/// The `Date` header, made once a second (RFC 9110 §5.6.7 and §6.6.1).
///
/// A clock that is behind the build date is no clock: then the field is left out.
final class DateField {
  private let loop: EventLoop
  private var line = ByteString.empty
  private var madeAt = Instant(nanoseconds: .min)

  init(loop: EventLoop) { self.loop = loop }

  /// Appends the header line.
  func append(to buffer: Buffer) {
    if loop.now.nanoseconds / 1_000_000_000 != madeAt.nanoseconds / 1_000_000_000 {
      madeAt = loop.now
      line = UnixTime.isPlausible ? DateField.line(UnixTime.seconds) : .empty
    }
    buffer.append(line)
  }

  /// `Date: Sun, 06 Nov 1994 08:49:37 GMT` and its line end.
  static func line(_ seconds: Int64) -> ByteString {
    let buffer = Buffer()
    buffer.append("Date: ")
    UnixTime.appendHTTPDate(seconds, to: buffer)
    buffer.append("\r\n")
    return buffer.byteString
  }
}
