// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// How well a channel is after what its attempts met.
struct RoutingChannelHealthTests: ChannelHealthTesting {
  // Keys.

  @Test func usesItsKeysInTurn() {
    let health = health("a", "b", "c")
    #expect((0..<7).map { _ in attempt(health, answered) } == ["a", "b", "c", "a", "b", "c", "a"])
  }

  @Test func hasOneTurnWithoutKeys() {
    for health in [health(), ChannelHealth()] {
      #expect(readiness(health) == .ready)
      for _ in 0..<3 { #expect(attempt(health, answered) == "") }
      #expect(attempt(health, answered, tried: [.empty]) == nil)
    }
  }

  @Test func leavesOutKeysThatTheRequestHasTried() {
    let health = health("a", "b", "c")
    #expect(attempt(health, answered, tried: ["a"]) == "b")
    #expect(attempt(health, answered, tried: ["a", "c"]) == "b")
    #expect(attempt(health, answered, tried: ["a", "b", "c"]) == nil)
    #expect(readiness(health, tried: ["a", "b"]) == .ready)
    #expect(readiness(health, tried: ["a", "b", "c"]) == .keysAside(until: nil))
    #expect(readiness(health, tried: ["x"]) == .ready)
  }

  @Test func setsARejectedKeyAside() {
    let health = health("a", "b", "c")
    #expect(attempt(health, answered) == "a")
    #expect(attempt(health, rejected) == "b")
    #expect((0..<4).map { _ in attempt(health, answered) } == ["c", "a", "c", "a"])
    #expect(health.keys.map(\.rejection.text) == ["", "no such key", ""])
    #expect(health.rejection == nil)
    #expect(health.breaker.phase == .closed, "the channel itself is well")
  }

  @Test func isOffWithItsLastKey() {
    let health = health("a", "b")
    attempt(health, .keyRejected(reason: "no balance"), 0)
    #expect(health.rejection == nil)
    attempt(health, rejected, 100)
    #expect(health.rejection == "no balance", "the first key's reason")
    #expect(readiness(health, 200) == .keysAside(until: at(1000)))
    #expect(attempt(health, answered, 200) == nil)
  }

  @Test func tellsTheOnlyKeysReason() {
    let health = health()
    attempt(health, rejected)
    #expect(health.rejection == "no such key")
    health.adopt(keys: ["new"])
    #expect(health.rejection == nil)
    #expect(readiness(health) == .ready)
  }

  @Test func findsOutWithOneRequestThatAKeyIsGoodAgain() throws {
    let health = health("a")
    attempt(health, rejected, 0)
    #expect(readiness(health, 999) == .keysAside(until: at(1000)))
    #expect(readiness(health, 1000) == .ready)
    let probe = try #require(health.begin(at: at(1000)))
    #expect(readiness(health, 1001) == .keysAside(until: nil))
    #expect(health.begin(at: at(1001)) == nil)
    health.end(probe, rejected, at: at(1100))
    #expect(readiness(health, 3099) == .keysAside(until: at(3100)), "twice as long")
    #expect(attempt(health, answered, 3100) == "a")
    #expect(health.rejection == nil)
    #expect(readiness(health, 3100) == .ready)
  }

  /// 429 is said to keys that are known; 500 and silence say nothing of the key.
  @Test func forgetsARejectionOnlyWhenTheKeyWorked() {
    for (outcome, forgets): (AttemptOutcome, Bool) in [
      (answered, true), (.unsuited, true),
      (.rateLimited(restMilliseconds: 50), true), (.rateLimited(restMilliseconds: nil), false),
      (failed, false), (.undecided, false), (.asleep, false), (rejected, false),
    ] {
      let health = health("a")
      attempt(health, rejected, 0)
      attempt(health, outcome, 1000)
      #expect((health.rejection == nil) == forgets, "\(outcome)")
      let isClosed = health.keys[0].breaker.phase == .closed
      #expect(isClosed == forgets, "\(outcome)")
    }
  }

  @Test func ignoresALateAnswerOfARejectedKey() throws {
    let health = health("a")
    let slow = try #require(health.begin(at: at(0)))
    attempt(health, rejected, 10)
    health.end(slow, answered, at: at(20))
    #expect(health.rejection == "no such key")
    #expect(readiness(health, 20) == .keysAside(until: at(1010)))
  }

  @Test func givesKeysForTheGatewaysOwnRequests() {
    let health = health("a", "b")
    #expect(Set((0..<2).map { _ in health.keyInTurn().text }) == ["a", "b"])
    #expect(health.openRequests == 0)
    #expect(ChannelHealth().keyInTurn().isEmpty)
  }

  // Rests.

  @Test func restsAKeyExactlyAsLongAsItsVendorAsks() {
    let health = health("a", "b")
    #expect(attempt(health, .rateLimited(restMilliseconds: 5000), 0) == "a")
    #expect((0..<3).map { _ in attempt(health, answered, 4999) } == ["b", "b", "b"])
    #expect((0..<2).map { _ in attempt(health, answered, 5000) } == ["a", "b"])
  }

  @Test func isBackWithTheFirstKeyThatIs() {
    let health = health("a", "b", "c")
    attempt(health, .rateLimited(restMilliseconds: 5000), 0)
    attempt(health, .rateLimited(restMilliseconds: 3000), 0)
    attempt(health, .rateLimited(restMilliseconds: 9000), 0)
    #expect(readiness(health, 0) == .resting(until: at(3000)))
    #expect(readiness(health, 2999) == .resting(until: at(3000)))
    #expect(readiness(health, 2999, early: true) == .resting(until: at(3000)))
    #expect(readiness(health, 2999, tried: ["b"]) == .resting(until: at(5000)))
    #expect(attempt(health, answered, 2999, early: true) == nil)
    #expect(readiness(health, 3000) == .ready)
    #expect(health.breaker.phase == .closed)
    #expect(health.rejection == nil)
  }

  @Test func tellsARestBeforeARejection() {
    let health = health("a", "b")
    attempt(health, rejected, 0)
    attempt(health, .rateLimited(restMilliseconds: 9000), 0)
    #expect(readiness(health, 500) == .resting(until: at(9000)))
    #expect(attempt(health, answered, 1000) == "a", "the probe of the rejected key")
  }

  @Test func countsA429WithoutATimeAsAFailureOfTheKey() {
    let health = health("a")
    for _ in 0..<2 { attempt(health, .rateLimited(restMilliseconds: nil), 0) }
    #expect(readiness(health, 0) == .ready)
    attempt(health, .rateLimited(restMilliseconds: nil), 0)
    #expect(readiness(health, 0) == .keysAside(until: at(1000)))
    #expect(health.breaker.phase == .closed)
    #expect(health.rejection == nil)
  }

  @Test func restsAChannelThatAsksForIt() {
    let health = health("a", "b")
    attempt(health, .channelFailed(isUnreachable: false, restMilliseconds: 700), 0)
    for early in [false, true] {
      #expect(readiness(health, 699, early: early) == .resting(until: at(700)))
    }
    #expect(readiness(health, 700) == .ready)
  }

  // Load.

  @Test func isBusyAtItsLimit() throws {
    let health = health("a", "b")
    var open: [AttemptTicket] = []
    for count: Int64 in 1...3 {
      #expect(readiness(health, limit: 3) == .ready)
      open.append(try #require(health.begin(at: at(0))))
      #expect(health.openRequests == count)
    }
    #expect(readiness(health, limit: 3) == .busy)
    #expect(readiness(health, limit: 2) == .busy, "the owner lowered it")
    #expect(readiness(health, limit: 4) == .ready)
    #expect(readiness(health, limit: 0) == .ready, "no limit")
    #expect(readiness(health, limit: 3, tried: ["a", "b"]) == .keysAside(until: nil))
    health.end(open.removeLast(), answered, at: at(1))
    #expect(readiness(health, limit: 3) == .ready)
  }

  @Test func endsEveryKindOfAttemptOnce() throws {
    for outcome: AttemptOutcome in [
      answered, failed, rejected, .undecided, .asleep, .rateLimited(restMilliseconds: nil),
      .rateLimited(restMilliseconds: 7), .channelFailed(isUnreachable: true, restMilliseconds: 7),
    ] {
      let health = health("a")
      let first = try #require(health.begin(at: at(0)))
      let second = try #require(health.begin(at: at(0)))
      health.end(first, outcome, at: at(1))
      #expect(health.openRequests == 1, "\(outcome)")
      health.end(second, outcome, at: at(1))
      #expect(health.openRequests == 0, "\(outcome)")
    }
  }

  /// Thousands of attempts in any order, with keys that come and go.
  @Test func neverCountsFewerThanNoRequests() {
    var dice = FixedDice(7)
    let health = health("a", "b")
    let outcomes = [
      answered, failed, rejected, .undecided, .asleep, .rateLimited(restMilliseconds: 90),
    ]
    var open: [AttemptTicket] = []
    for step: Int64 in 0..<20_000 {
      switch Int.random(in: 0..<20, using: &dice) {
      case 0: health.recover()
      case 1:
        let keys: [ByteString] = ["a", "b", "c", "d"]
        health.adopt(keys: keys.filter { _ in Bool.random(using: &dice) })
      case 2..<11:
        if let ticket = health.begin(at: at(step), early: Bool.random(using: &dice)) {
          open.append(ticket)
        }
      default:
        guard !open.isEmpty else { continue }
        let ticket = open.remove(at: Int.random(in: open.indices, using: &dice))
        health.end(
          ticket, outcomes.randomElement(using: &dice) ?? .undecided, at: at(step))
      }
      #expect(health.openRequests == Int64(open.count))
      let isConsistent = health.keys.allSatisfy {
        $0.rejection.isEmpty || $0.breaker.phase != .closed
      }
      #expect(isConsistent, "a rejected key is never one in use")
    }
  }
}
