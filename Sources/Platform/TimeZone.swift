// SPDX-License-Identifier: MIT

/// When a day begins, for people in one place.
package struct TimeZone: Sendable {
  /// Universal time.
  package static let utc = TimeZone()

  /// Seconds that local time is ahead of universal time at a Unix time.
  package func offset(at unixSeconds: Int64) -> Int64 { 0 }

  /// Days from 1970-01-01 to the local date at a Unix time.
  package func day(at unixSeconds: Int64) -> Int64 {
    let local = unixSeconds + offset(at: unixSeconds)
    return local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
  }
}
