// SPDX-License-Identifier: MIT

/// A date of the Gregorian calendar, from 0000-03-01 to 9999-12-31.
package struct CalendarDate: Equatable, Sendable {
  package let year: Int
  /// 1…12.
  package let month: Int
  /// 1…31.
  package let day: Int

  private static let daysTo1970: Int64 = 719_468
  private static let lastDay: Int64 = 2_932_896
  private static let eraDays: Int64 = 146_097

  /// The date that is so many days after 1970-01-01, brought into the range above.
  ///
  /// Counts in eras of 400 years that begin on 1 March, so that leap days come last.
  package init(days: Int64) {
    let shifted =
      min(max(days, -CalendarDate.daysTo1970), CalendarDate.lastDay) + CalendarDate.daysTo1970
    let era = shifted / CalendarDate.eraDays
    let dayOfEra = Int(shifted - era * CalendarDate.eraDays)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    year = Int(era) * 400 + yearOfEra + (month <= 2 ? 1 : 0)
  }

  /// Reads `2026-11-25`; nil for anything else, and for days that do not exist.
  package init?(_ text: ByteString) {
    let parts = text.bytes.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].count == 4, parts[1].count == 2, parts[2].count == 2,
      parts.allSatisfy({ $0.allSatisfy(ASCII.isDigit) })
    else { return nil }
    func number(_ digits: ArraySlice<UInt8>) -> Int {
      digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
    self.init(year: number(parts[0]), month: number(parts[1]), day: number(parts[2]))
    guard year > 0, exists else { return nil }
  }

  /// Takes a date as somebody wrote it, which need not exist.
  package init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// Whether the calendar has this day.
  package var exists: Bool { self == CalendarDate(days: days) }

  /// Days since 1970-01-01; also for a month from 1 to 12 of the year after the range.
  package var days: Int64 {
    let marchYear = Int64(month <= 2 ? year - 1 : year)
    let era = marchYear / 400
    let yearOfEra = marchYear - era * 400
    let marchMonth = Int64(month > 2 ? month - 3 : month + 9)
    let dayOfYear = (153 * marchMonth + 2) / 5 + Int64(day) - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * CalendarDate.eraDays + dayOfEra - CalendarDate.daysTo1970
  }

  /// Appends `2026-11-25`.
  package func append(to buffer: Buffer) {
    buffer.append(twoDigits: year / 100)
    buffer.append(twoDigits: year % 100)
    buffer.append(UInt8(ascii: "-"))
    buffer.append(twoDigits: month)
    buffer.append(UInt8(ascii: "-"))
    buffer.append(twoDigits: day)
  }

  /// The text `2026-11-25`.
  package var text: ByteString {
    let buffer = Buffer()
    append(to: buffer)
    return buffer.byteString
  }
}
