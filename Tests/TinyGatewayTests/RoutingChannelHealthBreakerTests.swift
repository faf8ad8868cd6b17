// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// When a channel is left alone after failures, and when it is tried again.
struct RoutingChannelHealthBreakerTests: ChannelHealthTesting {
  @Test func isLeftAloneAfterFailuresInARow() throws {
    let health = health("a", "b")
    for _ in 0..<3 { attempt(health, failed, 0) }
    #expect(readiness(health, 999) == .circuitOpen(until: at(1000)))
    #expect(readiness(health, 1000) == .ready)
    let probe = try #require(health.begin(at: at(1000)))
    #expect(readiness(health, 1001) == .circuitOpen(until: nil))
    #expect(readiness(health, 1001, early: true) == .circuitOpen(until: nil))
    health.end(probe, answered, at: at(1100))
    #expect(readiness(health, 1100) == .ready)
    #expect(health.keys.allSatisfy { $0.breaker.phase == .closed }, "the keys are not to blame")
  }

  @Test func countsWhateverTheUpstreamSaysAsALifeSign() {
    for sign: AttemptOutcome in [
      answered, rejected, .rateLimited(restMilliseconds: 1), .rateLimited(restMilliseconds: nil),
    ] {
      let health = health("a", "b")
      for _ in 0..<2 { attempt(health, failed) }
      attempt(health, sign)
      for _ in 0..<2 { attempt(health, failed, 10) }
      #expect(health.breaker.phase == .closed, "\(sign)")
    }
    for silence: AttemptOutcome in [.undecided, .asleep] {
      let health = health()
      for _ in 0..<2 { attempt(health, failed) }
      attempt(health, silence)
      attempt(health, failed)
      #expect(health.breaker.phase == .open(until: at(1000)), "\(silence)")
    }
  }

  @Test func sendsAnotherProbeWhenOneIsLost() throws {
    for lost: AttemptOutcome in [.undecided, .asleep] {
      let health = health("a")
      for _ in 0..<3 { attempt(health, failed) }
      attempt(health, lost, 1000)
      #expect(readiness(health, 1000) == .ready)
      attempt(health, failed, 1000)
      #expect(readiness(health, 2999) == .circuitOpen(until: at(3000)), "\(lost)")
    }
  }

  @Test func ignoresLateResultsWhileItIsOpen() throws {
    let health = health()
    let slow = try (0..<4).map { _ in try #require(health.begin(at: at(0))) }
    for _ in 0..<3 { attempt(health, failed, 10) }
    health.end(slow[0], answered, at: at(20))
    health.end(slow[1], failed, at: at(20))
    #expect(readiness(health, 1009) == .circuitOpen(until: at(1010)))
    let probe = try #require(health.begin(at: at(1010)))
    health.end(slow[2], answered, at: at(1020))
    health.end(slow[3], failed, at: at(1020))
    #expect(readiness(health, 1020) == .circuitOpen(until: nil))
    health.end(probe, failed, at: at(1030))
    #expect(readiness(health, 3029) == .circuitOpen(until: at(3030)))
  }

  /// Where nothing better is left.
  @Test func letsOneProbeGoEarly() throws {
    let health = health("a")
    for _ in 0..<3 { attempt(health, failed, 0) }
    #expect(readiness(health, 1, early: true) == .ready)
    let probe = try #require(health.begin(at: at(1), early: true))
    #expect(readiness(health, 2, early: true) == .circuitOpen(until: nil))
    health.end(probe, answered, at: at(3))
    #expect(readiness(health, 3) == .ready)
  }

  @Test func prefersAGoodKeyAlsoWhenEarly() {
    let health = health("a", "b", "c")
    for _ in 0..<3 { attempt(health, .rateLimited(restMilliseconds: nil), tried: ["b", "c"]) }
    let used = (0..<4).map { _ in attempt(health, answered, 1, early: true) }
    #expect(used == ["b", "c", "b", "c"])
    #expect(attempt(health, answered, 1, tried: ["b", "c"]) == nil)
    #expect(attempt(health, answered, 1, tried: ["b", "c"], early: true) == "a")
  }

  /// Asking with it again and again may lock the account.
  @Test func keepsARejectedKeyAsideAlsoWhenEarly() {
    let health = health("a")
    attempt(health, rejected, 0)
    for early in [false, true] {
      #expect(readiness(health, 999, early: early) == .keysAside(until: at(1000)))
      #expect(attempt(health, answered, 999, early: early) == nil)
    }
    #expect(readiness(health, 1000) == .ready)
  }

  // Tests of the gateway's own.

  @Test func learnsFromATest() {
    for (keys, forgets): ([ByteString], Bool) in [([], true), (["a"], true), (["a", "b"], false)] {
      let health = ChannelHealth()
      health.adopt(keys: keys)
      attempt(health, rejected)
      health.noteTest(works: false, at: at(0))
      #expect(readiness(health, 4999) == .circuitOpen(until: at(5000)))
      #expect(readiness(health, 5000) == .ready)
      health.noteTest(works: true, at: at(1))
      #expect(health.breaker == CircuitBreaker())
      #expect(health.keys.allSatisfy(\.rejection.isEmpty) == forgets, "\(keys.count) keys")
    }
  }
  /// What the vendor asked for, the channel as a whole or one key, is not a test's to undo.
  @Test func keepsARestWhenATestWorks() {
    for (whole, each) in [(health("a"), health("a")), (health("a", "b"), health("a", "b"))] {
      attempt(whole, .channelFailed(isUnreachable: false, restMilliseconds: 9000))
      for _ in each.keys { attempt(each, .rateLimited(restMilliseconds: 9000)) }
      for health in [whole, each] {
        health.noteTest(works: false, at: at(1))
        health.noteTest(works: true, at: at(2))
        #expect(readiness(health, 8999) == .resting(until: at(9000)))
        #expect(readiness(health, 9000) == .ready)
      }
    }
  }

  @Test func keepsRejectionsOfOtherKeysWhenATestWorks() {
    let health = health("a", "b")
    attempt(health, rejected, tried: ["b"])
    health.noteTest(works: true, at: at(1))
    #expect(health.keys.map(\.rejection.isEmpty) == [false, true])
    #expect(health.keys.map(\.breaker.phase) == [.open(until: at(1000)), .closed])
  }

  @Test func isReachedWhenATestWorks() {
    let health = health("a", "b")
    attempt(health, .channelFailed(isUnreachable: true))
    #expect(health.unreachableSince == at(0))
    health.noteTest(works: false, at: at(5))
    #expect(health.unreachableSince == at(0))
    health.noteTest(works: true, at: at(9))
    #expect(health.unreachableSince == nil && health.reachedAt == at(9))
  }
}
