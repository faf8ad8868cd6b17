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
    let (year, month, day) = civil(days)
    let dayNames: StaticString = "ThuFriSatSunMonTueWed"
    let monthNames: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
    let buffer = Buffer()
    buffer.append("Date: ")
    buffer.append(UnsafeRawBufferPointer(start: dayNames.utf8Start + Int(days % 7) * 3, count: 3))
    buffer.append(", ")
    buffer.append(twoDigits: day)
    buffer.append(UInt8(ascii: " "))
    buffer.append(UnsafeRawBufferPointer(start: monthNames.utf8Start + (month - 1) * 3, count: 3))
    buffer.append(UInt8(ascii: " "))
    buffer.append(decimal: year)
    buffer.append(UInt8(ascii: " "))
    buffer.append(twoDigits: rest / 3600)
    buffer.append(UInt8(ascii: ":"))
    buffer.append(twoDigits: rest / 60 % 60)
    buffer.append(UInt8(ascii: ":"))
    buffer.append(twoDigits: rest % 60)
    buffer.append(" GMT\r\n")
    return buffer.byteString
  }

  /// Year, month and day of a day number since 1970 in the Gregorian calendar.
  ///
  /// Counts in eras of 400 years that begin on 1 March, so that leap days come last.
  private static func civil(_ days: Int64) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = Int(shifted - era * 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (yearOfEra + Int(era) * 400 + (month <= 2 ? 1 : 0), month, day)
  }
}
