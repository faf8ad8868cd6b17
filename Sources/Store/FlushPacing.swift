// SPDX-License-Identifier: MIT
import Platform

/// When a flush begins, so that it ends within one interval of what it writes.
///
/// It begins early by what flushes take: by half more than the slowest of late, by a 64th of the
/// interval at least, and by half of the interval at most. Where a flush takes longer than that
/// half, what was answered while one was under way is written within two flushes' time.
struct FlushPacing {
  private let interval: Int64
  private var begun: Instant?
  /// Nanoseconds; at the start, when nothing is known of the medium, half of the interval.
  ///
  /// Forgotten by a 32nd with each flush: one in some dozens folds the write-ahead log back, and
  /// is the slowest.
  private var slowest: Int64
  /// Whether another flush was asked for while one is under way.
  private var wantsAnother = false

  /// Begins with nothing known of the medium.
  init(intervalMilliseconds: Int64) {
    interval = intervalMilliseconds * 1_000_000
    slowest = interval / 2
  }

  /// When what waits since `oldest` is to be flushed.
  func due(_ oldest: Instant) -> Instant {
    let early = max(interval / 64, min(interval / 2, slowest + slowest / 2))
    return Instant(nanoseconds: oldest.nanoseconds + interval - early)
  }

  /// A flush is asked for; false while one is under way, after which comes another.
  mutating func mayBegin() -> Bool {
    wantsAnother = begun != nil
    return begun == nil
  }

  /// A flush begins.
  mutating func begin(now: Instant) { begun = now }

  /// A flush has ended; whether another was asked for meanwhile.
  mutating func end(now: Instant) -> Bool {
    guard let begun else { return false }
    self.begun = nil
    slowest = min(interval / 2, max(now.nanoseconds - begun.nanoseconds, slowest - slowest / 32))
    defer { wantsAnother = false }
    return wantsAnother
  }
}
