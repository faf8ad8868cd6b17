// SPDX-License-Identifier: MIT

/// The local days of times that mostly follow each other: the calendar is asked about once a day.
///
/// It gives what `TimeZone.day(at:)` gives, also when the clock jumps.
package struct LocalDays: Sendable {
  private let zone: TimeZone
  private var day: Int64 = 0
  /// Unix times known to be on that day.
  private var times: Range<Int64> = 0..<0

  /// Makes a calendar of a zone.
  package init(_ zone: TimeZone) { self.zone = zone }

  /// Days from 1970-01-01 to the local date at a Unix time.
  package mutating func day(at unixSeconds: Int64) -> Int64 {
    if !times.contains(unixSeconds) { look(up: unixSeconds) }
    return day
  }

  private mutating func look(up unixSeconds: Int64) {
    day = zone.day(at: unixSeconds)
    let season = zone.season(at: unixSeconds)
    let midnight = day * UnixTime.secondsPerDay - season.offset
    let span = midnight..<(midnight + UnixTime.secondsPerDay)
    times = span.clamped(to: season.times)
  }
}
