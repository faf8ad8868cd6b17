// SPDX-License-Identifier: MIT

/// Unix seconds as the texts that protocols want, all in UTC.
extension UnixTime {
  /// Appends `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
  package static func appendHTTPDate(_ seconds: Int64, to buffer: Buffer) {
    let days = seconds / 86400
    let date = CalendarDate(days: days)
    let dayNames: StaticString = "ThuFriSatSunMonTueWed"
    let monthNames: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
    buffer.append(UnsafeRawBufferPointer(start: dayNames.utf8Start + Int(days % 7) * 3, count: 3))
    buffer.append(", ")
    buffer.append(twoDigits: date.day)
    buffer.append(UInt8(ascii: " "))
    buffer.append(
      UnsafeRawBufferPointer(start: monthNames.utf8Start + (date.month - 1) * 3, count: 3))
    buffer.append(UInt8(ascii: " "))
    buffer.append(decimal: date.year)
    buffer.append(UInt8(ascii: " "))
    appendTimeOfDay(seconds, separated: true, to: buffer)
    buffer.append(" GMT")
  }

  /// The text `2023-11-14T22:13:20Z` (RFC 3339).
  package static func timestamp(_ seconds: Int64) -> ByteString {
    let buffer = Buffer()
    CalendarDate(days: seconds / 86400).append(to: buffer)
    buffer.append(UInt8(ascii: "T"))
    appendTimeOfDay(seconds, separated: true, to: buffer)
    buffer.append(UInt8(ascii: "Z"))
    return buffer.byteString
  }

  /// The text `20231114T221320Z` (ISO 8601, basic form).
  package static func compactTimestamp(_ seconds: Int64) -> ByteString {
    let date = CalendarDate(days: seconds / 86400)
    let buffer = Buffer()
    buffer.append(twoDigits: date.year / 100)
    buffer.append(twoDigits: date.year % 100)
    buffer.append(twoDigits: date.month)
    buffer.append(twoDigits: date.day)
    buffer.append(UInt8(ascii: "T"))
    appendTimeOfDay(seconds, separated: false, to: buffer)
    buffer.append(UInt8(ascii: "Z"))
    return buffer.byteString
  }

  private static func appendTimeOfDay(_ seconds: Int64, separated: Bool, to buffer: Buffer) {
    let rest = Int(seconds % 86400)
    buffer.append(twoDigits: rest / 3600)
    if separated { buffer.append(UInt8(ascii: ":")) }
    buffer.append(twoDigits: rest / 60 % 60)
    if separated { buffer.append(UInt8(ascii: ":")) }
    buffer.append(twoDigits: rest % 60)
  }
}
