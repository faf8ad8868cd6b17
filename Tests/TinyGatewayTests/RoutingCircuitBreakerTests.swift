// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// When requests are kept away from what fails, and when they come back.
struct RoutingCircuitBreakerTests {
  private typealias Phase = CircuitBreaker.Phase
  private typealias Admission = CircuitBreaker.Admission

  private func at(_ milliseconds: Int64) -> Instant { RoutingFixtures.at(milliseconds) }

  /// Three failures in a row open it for a second, five at most; percentages are off.
  private static let policy: CircuitBreaker.Policy = {
    var policy = CircuitBreaker.Policy()
    policy.failureLimit = 3
    policy.errorPercent = 0
    policy.windowMilliseconds = 10_000
    policy.cooldownMilliseconds = 1000
    policy.cooldownLimitMilliseconds = 5000
    return policy
  }()

  private let policy = Self.policy

  // Every event in every phase.

  private enum Event: CaseIterable {
    case began, beganEarly
    case probeSucceeded, succeeded, probeFailed, failed, probeTripped, tripped
    case probeUndecided, undecided, reset
  }

  /// Sends an event; whether a probe went out.
  private func send(_ event: Event, to breaker: inout CircuitBreaker, at now: Instant) -> Bool {
    switch event {
    case .began: return breaker.began(at: now)
    case .beganEarly: return breaker.began(at: now, early: true)
    case .probeSucceeded: breaker.succeeded(isProbe: true, at: now, policy)
    case .succeeded: breaker.succeeded(isProbe: false, at: now, policy)
    case .probeFailed: breaker.failed(isProbe: true, at: now, policy)
    case .failed: breaker.failed(isProbe: false, at: now, policy)
    case .probeTripped: breaker.tripped(isProbe: true, at: now, policy)
    case .tripped: breaker.tripped(isProbe: false, at: now, policy)
    case .probeUndecided: breaker.undecided(isProbe: true, at: now)
    case .undecided: breaker.undecided(isProbe: false, at: now)
    case .reset: breaker.reset()
    }
    return false
  }

  private func begins(
    _ breaker: inout CircuitBreaker, _ now: Instant, early: Bool = false
  ) -> Bool {
    breaker.began(at: now, early: early)
  }

  private func opened() -> CircuitBreaker {
    var breaker = CircuitBreaker()
    breaker.tripped(isProbe: false, at: at(0), policy)
    return breaker
  }

  private func halfOpen() -> CircuitBreaker {
    var breaker = opened()
    _ = breaker.began(at: at(1000))
    return breaker
  }

  /// Checks all events at a moment; those without a row change nothing, and no probe goes out.
  private func check(
    _ start: CircuitBreaker, at milliseconds: Int64, _ rows: [(Event, Phase)],
    _ location: SourceLocation = #_sourceLocation
  ) {
    for event in Event.allCases {
      var breaker = start
      let isProbe = send(event, to: &breaker, at: at(milliseconds))
      let expected = rows.first { $0.0 == event }?.1 ?? start.phase
      #expect(breaker.phase == expected, "\(event)", sourceLocation: location)
      let becameProbe = expected == .halfOpen && start.phase != .halfOpen
      #expect(isProbe == becameProbe, "\(event)", sourceLocation: location)
    }
  }

  @Test func answersEveryEventInEveryPhase() {
    check(
      CircuitBreaker(), at: 500,
      [(.probeTripped, .open(until: at(1500))), (.tripped, .open(until: at(1500)))])
    var failedTwice = CircuitBreaker()
    for _ in 0..<2 { failedTwice.failed(isProbe: false, at: at(0), policy) }
    check(
      failedTwice, at: 500,
      [
        (.failed, .open(until: at(1500))), (.probeFailed, .open(until: at(1500))),
        (.tripped, .open(until: at(1500))), (.probeTripped, .open(until: at(1500))),
      ])
    check(opened(), at: 999, [(.beganEarly, .halfOpen), (.reset, .closed)])
    check(opened(), at: 1000, [(.began, .halfOpen), (.beganEarly, .halfOpen), (.reset, .closed)])
    check(
      halfOpen(), at: 1500,
      [
        (.probeSucceeded, .closed), (.probeFailed, .open(until: at(3500))),
        (.probeTripped, .open(until: at(3500))), (.probeUndecided, .open(until: at(1500))),
        (.reset, .closed),
      ])
  }

  @Test func saysWhetherARequestMayGo() {
    #expect(CircuitBreaker().admission(at: at(0)) == .ready)
    #expect(opened().admission(at: at(0)) == .open(until: at(1000)))
    #expect(opened().admission(at: at(999)) == .open(until: at(1000)))
    #expect(opened().admission(at: at(1000)) == .probe)
    #expect(opened().admission(at: at(9_000_000)) == .probe)
    for now: Int64 in [1000, 1001, 9_000_000] {
      #expect(halfOpen().admission(at: at(now)) == .probing)
    }
  }

  // The cool-down.

  @Test func doublesItsCooldownUpToTheBound() {
    var breaker = opened()
    var now: Int64 = 0
    for cooldown: Int64 in [1000, 2000, 4000, 5000, 5000, 5000] {
      #expect(breaker.phase == .open(until: at(now + cooldown)))
      #expect(!begins(&breaker, at(now + cooldown - 1)))
      now += cooldown
      #expect(begins(&breaker, at(now)))
      breaker.failed(isProbe: true, at: at(now), policy)
    }
    _ = breaker.began(at: at(now + 5000))
    breaker.succeeded(isProbe: true, at: at(now + 5000), policy)
    breaker.tripped(isProbe: false, at: at(now + 5000), policy)
    #expect(breaker.phase == .open(until: at(now + 6000)), "a success makes it short again")
  }

  @Test func survivesSillyCooldowns() {
    for (cooldown, limit) in [
      (Int64.max / 2, Int64.max), (Int64.max, 1), (5000, 1000), (0, 0), (0, 1000),
    ] as [(Int64, Int64)] {
      var policy = policy
      policy.cooldownMilliseconds = cooldown
      policy.cooldownLimitMilliseconds = limit
      var breaker = CircuitBreaker()
      breaker.tripped(isProbe: false, at: at(0), policy)
      for _ in 0..<70 {
        #expect(begins(&breaker, at(0), early: true))
        breaker.failed(isProbe: true, at: at(0), policy)
        guard case .open(let until) = breaker.phase else {
          Issue.record("not open with \(cooldown) and \(limit)")
          break
        }
        #expect(until >= at(0))
      }
    }
  }

  // The probe.

  @Test func letsExactlyOneProbeGo() {
    var breaker = opened()
    #expect(begins(&breaker, at(1000)))
    for _ in 0..<10 {
      #expect(!begins(&breaker, at(2000)))
      #expect(!begins(&breaker, at(2000), early: true))
      #expect(breaker.admission(at: at(2000)) == .probing)
    }
  }

  /// The client went away: the next request is the probe, and the cool-down does not grow.
  @Test func sendsAnotherProbeWhenOneIsLost() {
    var breaker = halfOpen()
    for now: Int64 in 1100..<1110 {
      breaker.undecided(isProbe: true, at: at(now))
      #expect(breaker.admission(at: at(now)) == .probe)
      #expect(begins(&breaker, at(now)))
    }
    breaker.failed(isProbe: true, at: at(1200), policy)
    #expect(breaker.phase == .open(until: at(3200)))
  }

  @Test func ignoresResultsOfOlderRequests() {
    for now: Int64 in [500, 1500] {
      for phase in [opened(), halfOpen()] {
        var breaker = phase
        for _ in 0..<50 {
          breaker.succeeded(isProbe: false, at: at(now), policy)
          breaker.failed(isProbe: false, at: at(now), policy)
          breaker.tripped(isProbe: false, at: at(now), policy)
          breaker.undecided(isProbe: false, at: at(now))
        }
        #expect(breaker == phase)
      }
    }
  }

  // Rests.

  @Test func restsExactlyAsLongAsAsked() {
    var breaker = CircuitBreaker()
    breaker.rest(until: at(700))
    #expect(breaker.admission(at: at(0)) == .resting(until: at(700)))
    #expect(
      breaker.admission(at: Instant(nanoseconds: at(700).nanoseconds - 1))
        == .resting(until: at(700)))
    #expect(breaker.admission(at: at(700)) == .ready)
    #expect(breaker.phase == .closed)
  }

  @Test func keepsTheLongestRest() {
    var breaker = CircuitBreaker()
    for until: Int64 in [700, 300, 900, 900, 0] { breaker.rest(until: at(until)) }
    #expect(breaker.admission(at: at(899)) == .resting(until: at(900)))
    #expect(breaker.admission(at: at(900)) == .ready)
  }

  /// A rest says nothing about health: what was open is still open behind it.
  @Test func restsAndIsOpenAtOnce() {
    var breaker = opened()
    breaker.rest(until: at(400))
    #expect(breaker.admission(at: at(0)) == .resting(until: at(400)))
    #expect(breaker.admission(at: at(400)) == .open(until: at(1000)))
    breaker.rest(until: at(2000))
    #expect(breaker.admission(at: at(1500)) == .resting(until: at(2000)))
    #expect(breaker.admission(at: at(2000)) == .probe)
    breaker.reset()
    #expect(breaker.admission(at: at(0)) == .ready)
  }

  @Test func neitherSuccessNorFailureEndsARest() {
    var breaker = CircuitBreaker()
    breaker.rest(until: at(700))
    breaker.succeeded(isProbe: false, at: at(1), policy)
    breaker.failed(isProbe: false, at: at(2), policy)
    #expect(breaker.admission(at: at(3)) == .resting(until: at(700)))
  }

  /// A probe before its time tells nothing about how long to wait.
  @Test func keepsTheCooldownAfterAnEarlyProbe() {
    let policy = CircuitBreaker.Policy(failureLimit: 1, cooldownMilliseconds: 1000)
    var breaker = CircuitBreaker()
    breaker.failed(isProbe: false, at: RoutingFixtures.at(0), policy)
    for now: Int64 in [10, 20, 30] {
      let isProbe = breaker.began(at: RoutingFixtures.at(now), early: true)
      #expect(isProbe)
      breaker.failed(isProbe: isProbe, at: RoutingFixtures.at(now), policy)
      #expect(
        breaker.admission(at: RoutingFixtures.at(now))
          == .open(until: RoutingFixtures.at(now + 1000)))
    }
    let isProbe = breaker.began(at: RoutingFixtures.at(1030))
    #expect(isProbe)
    breaker.failed(isProbe: true, at: RoutingFixtures.at(1040), policy)
    #expect(
      breaker.admission(at: RoutingFixtures.at(1040)) == .open(until: RoutingFixtures.at(3040)))
  }
}
