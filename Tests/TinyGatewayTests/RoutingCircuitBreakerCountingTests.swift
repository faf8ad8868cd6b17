// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// How many failures make a circuit breaker open: in a row, and of all within a window.
struct RoutingCircuitBreakerCountingTests {
  private func at(_ milliseconds: Int64) -> Instant { RoutingFixtures.at(milliseconds) }

  /// Three failures in a row open it; percentages are off.
  private static let inARow: CircuitBreaker.Policy = {
    var policy = CircuitBreaker.Policy()
    policy.failureLimit = 3
    policy.errorPercent = 0
    policy.windowMilliseconds = 10_000
    policy.cooldownMilliseconds = 1000
    return policy
  }()

  private let policy = Self.inARow

  // Failures in a row.

  @Test func opensOnFailuresInARow() {
    for limit: Int64 in [1, 2, 5, 30] {
      var policy = policy
      policy.failureLimit = limit
      var breaker = CircuitBreaker()
      for _ in 1..<limit {
        breaker.failed(isProbe: false, at: at(7), policy)
        #expect(breaker.phase == .closed)
      }
      breaker.failed(isProbe: false, at: at(8), policy)
      #expect(breaker.phase == .open(until: at(1008)), "limit \(limit)")
    }
  }

  /// However far apart they are.
  @Test func countsFailuresInARowWithoutAWindow() {
    var breaker = CircuitBreaker()
    for day: Int64 in 0..<3 { breaker.failed(isProbe: false, at: at(day * 86_400_000), policy) }
    #expect(breaker.phase == .open(until: at(2 * 86_400_000 + 1000)))
  }

  @Test func startsOverAfterASuccess() {
    var breaker = CircuitBreaker()
    for _ in 0..<100 {
      for _ in 0..<2 { breaker.failed(isProbe: false, at: at(0), policy) }
      breaker.succeeded(isProbe: false, at: at(0), policy)
    }
    #expect(breaker.phase == .closed)
  }

  @Test func startsOverAfterAProbe() {
    var breaker = CircuitBreaker()
    breaker.tripped(isProbe: false, at: at(0), policy)
    _ = breaker.began(at: at(1000))
    breaker.succeeded(isProbe: true, at: at(1100), policy)
    for _ in 0..<2 { breaker.failed(isProbe: false, at: at(1200), policy) }
    #expect(breaker.phase == .closed)
    breaker.failed(isProbe: false, at: at(1200), policy)
    #expect(breaker.phase == .open(until: at(2200)))
  }

  // The share of failures.

  /// Half of at least twenty requests within ten seconds.
  private static let percentage: CircuitBreaker.Policy = {
    var policy = Self.inARow
    policy.failureLimit = 10_000
    policy.errorPercent = 50
    return policy
  }()

  /// Whether so many failures after successes open it.
  private func isOpen(
    failures: Int, of requests: Int, _ policy: CircuitBreaker.Policy = percentage
  ) -> Bool {
    var breaker = CircuitBreaker()
    for index in 0..<requests {
      // The failures come last, so that no early share decides.
      if index < requests - failures {
        breaker.succeeded(isProbe: false, at: at(0), policy)
      } else {
        breaker.failed(isProbe: false, at: at(0), policy)
      }
    }
    return breaker.phase != .closed
  }

  @Test(arguments: [
    (10, 20, true), (9, 20, false), (10, 21, false), (11, 22, true), (50, 100, true),
    (49, 100, false), (19, 19, false), (10, 19, false), (20, 20, true), (0, 100, false),
  ])
  func opensOnTheShareOfFailures(_ failures: Int, _ requests: Int, _ opens: Bool) {
    #expect(isOpen(failures: failures, of: requests) == opens)
  }

  @Test func takesAnyPercentage() {
    for percent: Int64 in [1, 10, 33, 90, 100] {
      var policy = Self.percentage
      policy.errorPercent = percent
      for failures in 0...100 {
        let opens = failures >= Int(percent)
        #expect(isOpen(failures: failures, of: 100, policy) == opens, "\(failures) of \(percent)")
      }
    }
    var off = Self.percentage
    off.errorPercent = 0
    #expect(!isOpen(failures: 1000, of: 1000, off))
  }

  @Test func forgetsWhatIsOlderThanItsWindow() {
    // Ten failures, then nothing for the window's length: they no longer count.
    var breaker = CircuitBreaker()
    for _ in 0..<19 { breaker.failed(isProbe: false, at: at(0), Self.percentage) }
    for _ in 0..<19 { breaker.succeeded(isProbe: false, at: at(10_000), Self.percentage) }
    breaker.failed(isProbe: false, at: at(10_000), Self.percentage)
    #expect(breaker.phase == .closed)
    // Within the window they do.
    breaker = CircuitBreaker()
    for _ in 0..<19 { breaker.failed(isProbe: false, at: at(0), Self.percentage) }
    for _ in 0..<17 { breaker.succeeded(isProbe: false, at: at(9999), Self.percentage) }
    breaker.failed(isProbe: false, at: at(9999), Self.percentage)
    #expect(breaker.phase != .closed)
  }

  /// Whether eighteen failures still count so long after them, with a success at each of `between`.
  private func counts(after age: Int64, between: [Int64] = [], from start: Int64) -> Bool {
    var breaker = CircuitBreaker()
    breaker.succeeded(isProbe: false, at: at(0), Self.percentage)
    for _ in 0..<18 { breaker.failed(isProbe: false, at: at(start), Self.percentage) }
    for now in between { breaker.succeeded(isProbe: false, at: at(start + now), Self.percentage) }
    for _ in 0...2 { breaker.failed(isProbe: false, at: at(start + age), Self.percentage) }
    return breaker.phase != .closed
  }

  /// Never less than half a window, and never more than one.
  @Test func countsBetweenHalfAWindowAndOne() {
    for start: Int64 in [0, 1, 2500, 4999] {
      for between: [Int64] in [[], [4000], [4999], [5001], [2500, 5000, 7500], [9000]] {
        for age: Int64 in stride(from: 0, through: 25_000, by: 250) {
          let earlier = between.filter { $0 <= age }
          let counts = counts(after: age, between: earlier, from: start)
          if age < 5000 { #expect(counts, "\(start) \(between) \(age)") }
          if age >= 10_000 { #expect(!counts, "\(start) \(between) \(age)") }
        }
      }
    }
  }

  @Test func forgetsTheShareAfterAProbe() {
    var breaker = CircuitBreaker()
    for _ in 0..<20 { breaker.failed(isProbe: false, at: at(0), Self.percentage) }
    #expect(breaker.phase == .open(until: at(1000)))
    _ = breaker.began(at: at(1000))
    breaker.succeeded(isProbe: true, at: at(1001), Self.percentage)
    for _ in 0..<19 { breaker.failed(isProbe: false, at: at(1002), Self.percentage) }
    #expect(breaker.phase == .closed)
  }
}
