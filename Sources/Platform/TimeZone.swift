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
    let year = CalendarDate(days: UnixTime.day(of: time + standardOffset)).year
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
    return UnixTime.day(of: time + offset(at: time))
  }

  /// The local month at a Unix time: year · 12 + month, which counts from 1.
  package func month(at unixSeconds: Int64) -> Int64 {
    let date = CalendarDate(days: day(at: unixSeconds))
    return Int64(date.year * 12 + date.month)
  }

  /// The Unix time at which the next local day begins.
  package func startOfNextDay(after unixSeconds: Int64) -> Int64 {
    start(ofDay: day(at: unixSeconds) + 1)
  }

  /// The Unix time at which the next local month begins.
  package func startOfNextMonth(after unixSeconds: Int64) -> Int64 {
    let date = CalendarDate(days: day(at: unixSeconds))
    return start(ofDay: TimeZone.startOfMonth(after: date.month, of: date.year))
  }

  /// Days from 1970-01-01 to the first day of the next month.
  static func startOfMonth(after month: Int, of year: Int) -> Int64 {
    CalendarDate(year: year + month / 12, month: month % 12 + 1, day: 1).days
  }

  /// The local date and time, such as `2026-11-26T00:00:00+08:00` (RFC 3339).
  package func text(of unixSeconds: Int64) -> ByteString {
    let offset = offset(at: unixSeconds)
    let buffer = Buffer()
    UnixTime.appendDateAndTime(unixSeconds + offset, to: buffer)
    buffer.append(offset < 0 ? "-" : "+")
    UnixTime.appendHoursAndMinutes(abs(offset), to: buffer)
    return buffer.byteString
  }

  /// The first second of a local day; its midnight need not exist.
  package func start(ofDay wanted: Int64) -> Int64 {
    let midnight = wanted * UnixTime.secondsPerDay
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
  func local(in year: Int) -> Int64 {
    let newYear = CalendarDate(year: year, month: 1, day: 1).days
    let number: Int64
    switch day {
    case .julian(let day):
      let march = CalendarDate(year: year, month: 3, day: 1).days
      number = day >= 60 ? march + day - 60 : newYear + day - 1
    case .ofYear(let day): number = newYear + day
    case .weekday(let month, let week, let weekday):
      let first = CalendarDate(year: year, month: Int(month), day: 1).days
      let next = TimeZone.startOfMonth(after: Int(month), of: year)
      // 1970-01-01 was a Thursday, 4.
      let found = first + (weekday - (first + 4) % 7 + 14) % 7 + (week - 1) * 7
      number = found < next ? found : found - 7
    }
    return number * UnixTime.secondsPerDay + seconds
  }
}
