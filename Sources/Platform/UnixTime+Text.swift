// SPDX-License-Identifier: MIT

/// Unix seconds as the texts that protocols want, all in UTC.
extension UnixTime {
  /// Seconds of a day; there are no leap seconds in Unix time.
  package static let secondsPerDay: Int64 = 86_400

  /// Days from 1970-01-01 to a Unix time, negative before.
  static func day(of seconds: Int64) -> Int64 {
    let day = seconds / secondsPerDay
    return seconds % secondsPerDay < 0 ? day - 1 : day
  }

  /// Appends `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
  package static func appendHTTPDate(_ seconds: Int64, to buffer: Buffer) {
    let days = day(of: seconds)
    let date = CalendarDate(days: days)
    let dayNames: StaticString = "ThuFriSatSunMonTueWed"
    let monthNames: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
    let weekday = Int((days % 7 + 7) % 7)
    buffer.append(UnsafeRawBufferPointer(start: dayNames.utf8Start + weekday * 3, count: 3))
    buffer.append(", ")
    buffer.append(twoDigits: date.day)
    buffer.append(UInt8(ascii: " "))
    buffer.append(
      UnsafeRawBufferPointer(start: monthNames.utf8Start + (date.month - 1) * 3, count: 3))
    buffer.append(UInt8(ascii: " "))
    buffer.append(decimal: date.year)
    buffer.append(UInt8(ascii: " "))
    appendTimeOfDay(seconds, to: buffer)
    buffer.append(" GMT")
  }

  /// The text `2023-11-14T22:13:20Z` (RFC 3339).
  package static func timestamp(_ seconds: Int64) -> ByteString {
    let buffer = Buffer()
    appendTimestamp(seconds, to: buffer)
    return buffer.byteString
  }

  /// Appends the same.
  package static func appendTimestamp(_ seconds: Int64, to buffer: Buffer) {
    appendDateAndTime(seconds, to: buffer)
    buffer.append(UInt8(ascii: "Z"))
  }

  /// The text `20231114T221320Z` (ISO 8601, basic form).
  package static func compactTimestamp(_ seconds: Int64) -> ByteString {
    let date = CalendarDate(days: day(of: seconds))
    let buffer = Buffer()
    buffer.append(twoDigits: date.year / 100)
    buffer.append(twoDigits: date.year % 100)
    buffer.append(twoDigits: date.month)
    buffer.append(twoDigits: date.day)
    buffer.append(UInt8(ascii: "T"))
    let rest = secondOfDay(seconds)
    buffer.append(twoDigits: rest / 3600)
    buffer.append(twoDigits: rest / 60 % 60)
    buffer.append(twoDigits: rest % 60)
    buffer.append(UInt8(ascii: "Z"))
    return buffer.byteString
  }

  /// Appends `2023-11-14T22:13:20`.
  static func appendDateAndTime(_ seconds: Int64, to buffer: Buffer) {
    CalendarDate(days: day(of: seconds)).append(to: buffer)
    buffer.append(UInt8(ascii: "T"))
    appendTimeOfDay(seconds, to: buffer)
  }

  /// Appends `22:13` for so many seconds of a day.
  static func appendHoursAndMinutes(_ seconds: Int64, to buffer: Buffer) {
    let minutes = Int(seconds / 60)
    buffer.append(twoDigits: minutes / 60)
    buffer.append(UInt8(ascii: ":"))
    buffer.append(twoDigits: minutes % 60)
  }

  private static func appendTimeOfDay(_ seconds: Int64, to buffer: Buffer) {
    let rest = secondOfDay(seconds)
    appendHoursAndMinutes(Int64(rest), to: buffer)
    buffer.append(UInt8(ascii: ":"))
    buffer.append(twoDigits: rest % 60)
  }

  private static func secondOfDay(_ seconds: Int64) -> Int {
    let rest = seconds % secondsPerDay
    return Int(rest < 0 ? rest + secondsPerDay : rest)
  }
}
