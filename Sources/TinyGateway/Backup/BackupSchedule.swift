// SPDX-License-Identifier: MIT
import Platform

/// When the next backup is due; a pure value, every time comes from outside.
///
/// Boards may have no clock, and may be switched off every evening: the age of the newest file
/// counts where the clock is plausible, the time that the program has run in any case.
struct BackupSchedule {
  /// First look after the start; the start itself reads no folder.
  private static let firstMilliseconds: Int64 = 600_000
  /// After a failure, or when nothing has changed.
  private static let pauseMilliseconds: Int64 = 3_600_000

  /// When to look at the folder; nil for never.
  private(set) var deadline: Instant?
  private let intervalMilliseconds: Int64
  /// The last backup of this run of the program, or its start.
  private var since: Instant

  /// A schedule for so many hours; 0 for never.
  init(hours: Int64, now: Instant) {
    intervalMilliseconds = hours * 3_600_000
    since = now
    if hours > 0 { deadline = now.advanced(byMilliseconds: BackupSchedule.firstMilliseconds) }
  }

  /// Whether a backup is to be made now.
  ///
  /// `newest`: Unix time of the newest file; nil for none.
  /// `clock`: Unix time; nil while it cannot be right.
  mutating func isDue(newest: Int64?, clock: Int64?, now: Instant) -> Bool {
    var rest = intervalMilliseconds - now.milliseconds(since: since)
    if let clock {
      let age = (clock - (newest ?? 0)) &* 1000
      // A file from the future says nothing.
      if age >= 0 { rest = min(rest, intervalMilliseconds - age) }
    }
    guard rest > 0 else { return true }
    deadline = now.advanced(byMilliseconds: rest)
    return false
  }

  /// A backup was made.
  mutating func succeeded(now: Instant) {
    since = now
    guard deadline != nil else { return }
    deadline = now.advanced(byMilliseconds: intervalMilliseconds)
  }

  /// None was made: nothing had changed, or it failed.
  mutating func paused(now: Instant) {
    guard deadline != nil else { return }
    deadline = now.advanced(
      byMilliseconds: min(intervalMilliseconds, BackupSchedule.pauseMilliseconds))
  }

  /// A look is under way, or none is wanted any more.
  mutating func stop() { deadline = nil }
}
