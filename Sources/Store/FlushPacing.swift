// SPDX-License-Identifier: MIT
import Platform

/// When a flush begins: an interval after the oldest that waits, and again when asked meanwhile.
struct FlushPacing {
  private let interval: Int64
  private var begun: Instant?
  /// Whether another flush was asked for while one is under way.
  private var wantsAnother = false

  /// Begins with nothing known of the medium.
  init(intervalMilliseconds: Int64) { interval = intervalMilliseconds * 1_000_000 }

  /// When what waits since `oldest` is to be flushed.
  func due(_ oldest: Instant) -> Instant {
    Instant(nanoseconds: oldest.nanoseconds + interval)
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
    begun = nil
    defer { wantsAnother = false }
    return wantsAnother
  }
}
