// SPDX-License-Identifier: MIT

/// When a day begins, for people in one place.
///
/// A standard offset and, with daylight saving time, the two changes of each year: what a POSIX
/// `TZ` says. Changes of the past that followed other rules are not known.
package struct TimeZone: Equatable, Sendable {
  /// Universal time.
  package static let utc = TimeZone(standardOffset: 0, daylight: nil)

  /// Seconds that standard time is ahead of universal time.
  let standardOffset: Int64
  let daylight: DaylightTime?

  /// Times beyond the years 1 to 9999 count as their ends.
  private static let times: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

  /// Seconds that local time is ahead of universal time at a Unix time.
  package func offset(at unixSeconds: Int64) -> Int64 { season(at: unixSeconds).offset }

  /// The offset at a Unix time, and the times around it between which it is the same.
  func season(at unixSeconds: Int64) -> (offset: Int64, times: Range<Int64>) {
    guard let daylight else { return (standardOffset, .min..<(.max)) }
    let time = min(max(unixSeconds, TimeZone.times.lowerBound), TimeZone.times.upperBound)
    let year = CivilDate(day: CivilDate.day(ofSecond: time + standardOffset)).year
    // What the last change before the time says; a change can lie days outside of its year.
    var latest = Int64.min
    var next = Int64.max
    var offset = standardOffset
    for year in (year - 1)...(year + 1) {
      let end = daylight.end.local(in: year) - daylight.offset
      if end <= time, end > latest { (latest, offset) = (end, standardOffset) }
      // At the same second the start wins: daylight saving time all year is written like that.
      let start = daylight.start.local(in: year) - standardOffset
      if start <= time, start >= latest { (latest, offset) = (start, daylight.offset) }
      if end > time { next = min(next, end) }
      if start > time { next = min(next, start) }
    }
    return (offset, latest..<next)
  }

  /// Days from 1970-01-01 to the local date at a Unix time.
  package func day(at unixSeconds: Int64) -> Int64 {
    let time = min(max(unixSeconds, TimeZone.times.lowerBound), TimeZone.times.upperBound)
    return CivilDate.day(ofSecond: time + offset(at: time))
  }

  /// The local month at a Unix time: year · 12 + month, which counts from 1.
  package func month(at unixSeconds: Int64) -> Int64 {
    let date = CivilDate(day: day(at: unixSeconds))
    return date.year * 12 + date.month
  }

  /// The Unix time at which the next local day begins.
  package func startOfNextDay(after unixSeconds: Int64) -> Int64 {
    start(ofDay: day(at: unixSeconds) + 1)
  }

  /// The Unix time at which the next local month begins.
  package func startOfNextMonth(after unixSeconds: Int64) -> Int64 {
    let date = CivilDate(day: day(at: unixSeconds))
    let next = CivilDate(year: date.year + date.month / 12, month: date.month % 12 + 1, day: 1)
    return start(ofDay: next.dayNumber)
  }

  /// The local date and time, such as `2026-11-26T00:00:00+08:00` (RFC 3339).
  package func text(of unixSeconds: Int64) -> ByteString {
    let offset = offset(at: unixSeconds)
    let local = unixSeconds + offset
    let date = CivilDate(day: day(at: unixSeconds))
    let ofDay = local - CivilDate.day(ofSecond: local) * CivilDate.secondsPerDay
    let buffer = Buffer()
    func append(_ number: Int64, _ separator: StaticString) {
      if number < 10 { buffer.append("0") }
      buffer.append(decimal: number)
      buffer.append(separator)
    }
    append(date.year, "-")
    append(date.month, "-")
    append(date.day, "T")
    append(ofDay / 3600, ":")
    append(ofDay / 60 % 60, ":")
    append(ofDay % 60, offset < 0 ? "-" : "+")
    append(abs(offset) / 3600, ":")
    append(abs(offset) / 60 % 60, "")
    return buffer.byteString
  }

  /// The first second of a local day; its midnight need not exist.
  package func start(ofDay wanted: Int64) -> Int64 {
    let midnight = wanted * CivilDate.secondsPerDay
    let other = daylight?.offset ?? standardOffset
    var early = midnight - max(standardOffset, other)
    if day(at: early) >= wanted { return early }
    var late = midnight - min(standardOffset, other)
    if day(at: late - 1) < wanted { return late }
    // Where clocks go forward over midnight, the day begins with the change.
    while late - early > 1 {
      let middle = early + (late - early) / 2
      if day(at: middle) >= wanted { late = middle } else { early = middle }
    }
    return late
  }
}

/// The part of the year with another offset.
struct DaylightTime: Equatable, Sendable {
  /// Seconds that local time is ahead of universal time.
  let offset: Int64
  /// In standard time.
  let start: ClockChange
  /// In daylight saving time.
  let end: ClockChange
}

/// A moment of each year in local time.
struct ClockChange: Equatable, Sendable {
  /// How the day is found.
  enum Day: Equatable, Sendable {
    /// 1 to 365; 29 February is not counted.
    case julian(Int64)
    /// 0 to 365.
    case ofYear(Int64)
    /// Month from 1, week 1 to 5 (the last), weekday from Sunday, 0.
    case weekday(month: Int64, week: Int64, weekday: Int64)
  }

  let day: Day
  /// From the day's midnight; may be negative or beyond the day.
  let seconds: Int64

  /// Seconds from 1970-01-01 00:00 to the local date and time.
  func local(in year: Int64) -> Int64 {
    let newYear = CivilDate(year: year, month: 1, day: 1).dayNumber
    let number: Int64
    switch day {
    case .julian(let day):
      let march = CivilDate(year: year, month: 3, day: 1).dayNumber
      number = day >= 60 ? march + day - 60 : newYear + day - 1
    case .ofYear(let day): number = newYear + day
    case .weekday(let month, let week, let weekday):
      let first = CivilDate(year: year, month: month, day: 1).dayNumber
      let next = CivilDate(year: year + month / 12, month: month % 12 + 1, day: 1).dayNumber
      // 1970-01-01 was a Thursday, 4.
      let found = first + (weekday - (first + 4) % 7 + 14) % 7 + (week - 1) * 7
      number = found < next ? found : found - 7
    }
    return number * CivilDate.secondsPerDay + seconds
  }
}

/// A date of the Gregorian calendar.
struct CivilDate: Equatable {
  static let secondsPerDay: Int64 = 86_400

  let year: Int64
  /// 1 to 12.
  let month: Int64
  /// From 1.
  let day: Int64

  init(year: Int64, month: Int64, day: Int64) {
    (self.year, self.month, self.day) = (year, month, day)
  }

  /// The date so many days after 1970-01-01; years before 0 are not for it.
  init(day number: Int64) {
    // Years begin with March here, so that the leap day comes last; eras of 400 years.
    let days = number + 719_468
    let era = days / 146_097
    let ofEra = days - era * 146_097
    let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let fromMarch = (5 * ofYear + 2) / 153
    day = ofYear - (153 * fromMarch + 2) / 5 + 1
    month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// Days from 1970-01-01.
  var dayNumber: Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + ofYear - 719_468
  }

  /// The day number of a second since 1970-01-01 00:00.
  static func day(ofSecond second: Int64) -> Int64 {
    second >= 0 ? second / secondsPerDay : (second - secondsPerDay + 1) / secondsPerDay
  }
}
