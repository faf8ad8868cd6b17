// SPDX-License-Identifier: MIT
import CPlatform

/// A point on the monotonic clock, in nanoseconds; the wall clock never moves it.
package struct Instant: Comparable, Sendable {
  /// Nanoseconds since an arbitrary start.
  package let nanoseconds: Int64

  /// Makes an instant from nanoseconds since the clock's start.
  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// The present.
  package static var now: Instant { Instant(nanoseconds: cp_monotonic_nanoseconds()) }

  /// What the calling thread has used of the processor, in nanoseconds.
  package static var threadNanoseconds: Int64 { cp_thread_nanoseconds() }

  @inline(__always)
  package static func < (left: Instant, right: Instant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// The instant `milliseconds` later; saturates instead of overflowing.
  package func advanced(byMilliseconds milliseconds: Int64) -> Instant {
    let (delta, overflowed) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    let (sum, overflowedAgain) = nanoseconds.addingReportingOverflow(delta)
    return Instant(nanoseconds: overflowed || overflowedAgain ? .max : sum)
  }

  /// Whole milliseconds from `earlier` to here; negative when it is later.
  package func milliseconds(since earlier: Instant) -> Int64 {
    (nanoseconds - earlier.nanoseconds) / 1_000_000
  }
}

/// Wall-clock time.
package enum UnixTime {
  /// Seconds since 1970.
  package static var seconds: Int64 { cp_wall_milliseconds() / 1000 }
  /// Milliseconds since 1970.
  package static var milliseconds: Int64 { cp_wall_milliseconds() }
  /// Lets the clock stand still for the calling thread until `release()`: a turn of the loop asks
  /// about ten times for each request.
  package static func hold() { cp_wall_hold() }
  /// Lets the clock run again.
  package static func release() { cp_wall_release() }
  /// Seconds since 1970 at which this program was built: a lower bound for the present.
  package static var buildSeconds: Int64 { cp_build_time() }
  /// Whether the clock is plausible: boards without a battery start in 1970.
  package static var isPlausible: Bool { seconds >= buildSeconds }
}
