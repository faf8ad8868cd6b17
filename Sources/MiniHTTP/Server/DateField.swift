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
    let days = seconds / 86400
    let rest = Int(seconds % 86400)
    let date = CalendarDate(days: days)
    let dayNames: StaticString = "ThuFriSatSunMonTueWed"
    let monthNames: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
    let buffer = Buffer()
    buffer.append("Date: ")
    buffer.append(UnsafeRawBufferPointer(start: dayNames.utf8Start + Int(days % 7) * 3, count: 3))
    buffer.append(", ")
    buffer.append(twoDigits: date.day)
    buffer.append(UInt8(ascii: " "))
    buffer.append(
      UnsafeRawBufferPointer(start: monthNames.utf8Start + (date.month - 1) * 3, count: 3))
    buffer.append(UInt8(ascii: " "))
    buffer.append(decimal: date.year)
    buffer.append(UInt8(ascii: " "))
    buffer.append(twoDigits: rest / 3600)
    buffer.append(UInt8(ascii: ":"))
    buffer.append(twoDigits: rest / 60 % 60)
    buffer.append(UInt8(ascii: ":"))
    buffer.append(twoDigits: rest % 60)
    buffer.append(" GMT\r\n")
    return buffer.byteString
  }
}
