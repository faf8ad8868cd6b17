// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

/// What verified upstreams say about the time: shown by the doctor, never used to set a clock.
struct ClockHint {
  /// Answers within this time after one that told the time are not looked at.
  private static let restMilliseconds: Int64 = 600_000

  /// How much later than the clock the date of the last answer was.
  private(set) var aheadSeconds: Int64?
  private var restUntil = Instant(nanoseconds: 0)

  /// Takes the date of an answer whose sender is verified.
  mutating func note(_ head: ResponseHead, now: Instant) {
    guard now >= restUntil, let seconds = head.dateSeconds else { return }
    restUntil = now.advanced(byMilliseconds: ClockHint.restMilliseconds)
    aheadSeconds = seconds - UnixTime.seconds
  }
}
