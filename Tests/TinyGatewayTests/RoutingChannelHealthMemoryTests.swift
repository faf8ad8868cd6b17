// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// What a channel's health keeps: over changes of settings, of latency, of who was reached.
struct RoutingChannelHealthMemoryTests {
  private func at(_ milliseconds: Int64) -> Instant { RoutingFixtures.at(milliseconds) }

  private func health(_ keys: ByteString...) -> ChannelHealth {
    let health = ChannelHealth()
    health.adopt(keys: keys)
    return health
  }

  private func attempt(_ health: ChannelHealth, _ outcome: AttemptOutcome, _ now: Int64 = 0) {
    guard let ticket = health.begin(at: at(now)) else {
      Issue.record("no key")
      return
    }
    health.end(ticket, outcome, at: at(now))
  }

  private let answered = AttemptOutcome.answered
  private let rejected = AttemptOutcome.keyRejected(reason: "no such key")

  // New keys.

  @Test func keepsTheStateOfKnownKeys() {
    let health = health("a", "b", "c")
    attempt(health, rejected)
    attempt(health, .rateLimited(restMilliseconds: 5000))
    health.adopt(keys: ["c", "b", "d", "a"])
    #expect(health.keys.map(\.value.text) == ["c", "b", "d", "a"])
    #expect(health.keys.map(\.rejection.text) == ["", "", "", "no such key"])
    #expect(health.keys[1].breaker.admission(at: at(1)) == .resting(until: at(5000)))
    #expect(health.keys[2].breaker == CircuitBreaker())
  }

  @Test func forgetsKeysThatAreGone() {
    let health = health("a", "b")
    attempt(health, rejected)
    health.adopt(keys: ["b"])
    health.adopt(keys: ["a", "b"])
    #expect(health.keys.map(\.rejection.text) == ["", ""])
    health.adopt(keys: [])
    #expect(health.keys.map(\.value.text) == [""])
  }

  @Test func endsAttemptsOfKeysThatAreGone() throws {
    for outcome: AttemptOutcome in [answered, rejected, .rateLimited(restMilliseconds: 9)] {
      let health = health("a", "b")
      let ticket = try #require(health.begin(at: at(0)))
      health.adopt(keys: ["b"])
      health.end(ticket, outcome, at: at(1))
      #expect(health.openRequests == 0)
      #expect(health.rejection == nil)
      #expect(health.readiness(at: at(1), limit: 0) == .ready)
    }
  }

  /// A key that an owner pasted twice is one key: the second would never be set aside.
  @Test func takesAKeyOnce() {
    let health = health("a", "b", "a", "a")
    #expect(health.keys.map(\.value.text) == ["a", "b"])
    attempt(health, rejected)
    attempt(health, rejected)
    #expect(health.rejection == "no such key")
  }

  @Test func keepsBreakerAndLoadOverNewKeys() throws {
    let health = health("a")
    for _ in 0..<5 { attempt(health, .channelFailed(isUnreachable: true)) }
    health.adopt(keys: ["b"])
    #expect(health.breaker.phase == .open(until: at(5000)))
    #expect(health.unreachableSince == at(0))
  }

  // Recovery.

  @Test func countsAsWellAgainWhenItWasSeenToWork() {
    let health = health("a", "b")
    attempt(health, rejected)
    attempt(health, .rateLimited(restMilliseconds: 9_000_000))
    for _ in 0..<5 {
      guard let ticket = health.begin(at: at(9_000_000)) else { break }
      health.end(ticket, .channelFailed(isUnreachable: true), at: at(9_000_000))
    }
    #expect(health.breaker.phase != .closed)
    health.recover()
    #expect(health.breaker == CircuitBreaker())
    #expect(health.keys.allSatisfy { $0.breaker == CircuitBreaker() && $0.rejection.isEmpty })
    #expect(health.unreachableSince == nil)
    #expect(health.rejection == nil)
    #expect(health.readiness(at: at(0), limit: 0) == .ready)
  }

  @Test func isWakingUntilToldOtherwise() {
    let health = health("a")
    health.isWaking = true
    #expect(health.readiness(at: at(0), limit: 0) == .waking)
    #expect(health.readiness(at: at(0), limit: 0, early: true) == .ready)
    health.isWaking = false
    #expect(health.readiness(at: at(0), limit: 0) == .ready)
  }

  // Reach.

  private enum Reach { case reached, unreachable, unknown }

  @Test func knowsSinceWhenNothingCanBeReached() {
    for (outcome, reach): (AttemptOutcome, Reach) in [
      (answered, .reached), (.unsuited, .reached),
      (rejected, .reached), (.rateLimited(restMilliseconds: nil), .reached),
      (.rateLimited(restMilliseconds: 0), .reached),
      (.channelFailed(isUnreachable: true), .unreachable), (.asleep, .unreachable),
      (.undecided, .unknown),
    ] {
      let fresh = health("a")
      attempt(fresh, outcome, 50)
      #expect(fresh.unreachableSince == (reach == .unreachable ? at(50) : nil), "\(outcome)")
      #expect(
        fresh.reachedAt == (reach == .reached ? at(50) : Instant(nanoseconds: 0)), "\(outcome)")

      let gone = health("a")
      attempt(gone, .channelFailed(isUnreachable: true), 10)
      attempt(gone, outcome, 50)
      #expect(gone.unreachableSince == (reach == .reached ? nil : at(10)), "\(outcome)")
    }
  }

  @Test func keepsWhenItWasLastReached() {
    let health = health("a")
    attempt(health, answered, 10)
    attempt(health, .channelFailed(isUnreachable: true), 20)
    attempt(health, .channelFailed(isUnreachable: true), 30)
    #expect(health.reachedAt == at(10))
    #expect(health.unreachableSince == at(20))
    attempt(health, answered, 40)
    #expect(health.reachedAt == at(40))
    #expect(health.unreachableSince == nil)
  }

  /// Silence or a reset may be the internet's end as well: nothing was heard.
  @Test func learnsNothingOfTheWayFromAFailureBehindAConnection() {
    let health = health("a")
    attempt(health, answered, 10)
    attempt(health, .channelFailed(isUnreachable: true), 20)
    attempt(health, .channelFailed(isUnreachable: false), 30)
    #expect(health.reachedAt == at(10))
    #expect(health.unreachableSince == nil)
  }

  // Latency.

  @Test func goesLastForAMinuteWhenItLacksTheModel() {
    let health = health("a")
    attempt(health, .unsuited, 10)
    #expect(health.hasLatency(at: at(10)) && health.firstByteMicroseconds > 10_000_000)
    #expect(!health.hasLatency(at: at(70_010)))
  }

  /// One name that it does not know must not take a quick channel out for all models.
  @Test func slowsDownByDegreesWhenItIsMeasured() {
    let health = health("a")
    health.noteFirstByte(1000, at: at(0))
    attempt(health, .unsuited, 10)
    #expect(health.firstByteMicroseconds == 1750)
  }

  private func measure(_ health: ChannelHealth, _ microseconds: Int64?, _ now: Int64 = 0) {
    if let microseconds { health.noteFirstByte(microseconds, at: at(now)) }
    attempt(health, .answered, now)
  }

  @Test func followsTheTimeToTheFirstByte() {
    let health = health("a")
    #expect(health.firstByteMicroseconds == 0)
    for (microseconds, average): (Int64?, Int64) in [
      (1000, 1000), (1000, 1000), (2000, 1250), (nil, 1250), (250, 1000), (0, 750),
    ] {
      measure(health, microseconds)
      #expect(health.firstByteMicroseconds == average)
    }
  }

  @Test func reachesAChangedLatencyWithinTenRequests() {
    let health = health("a")
    measure(health, 100_000)
    for _ in 0..<10 { measure(health, 1_000_000) }
    #expect((900_000...1_000_000).contains(health.firstByteMicroseconds))
    for _ in 0..<10 { measure(health, 100_000) }
    #expect((100_000...200_000).contains(health.firstByteMicroseconds))
  }

  /// 0 stands for "not measured".
  @Test func neverAveragesToNothing() {
    let health = health("a")
    for first: Int64 in [0, 1, 2, 3, 4, 9] {
      measure(health, first)
      for _ in 0..<50 { measure(health, 0) }
      #expect(health.firstByteMicroseconds > 0)
    }
  }

  /// What was slow an hour ago must not look slow for the next ten measurements.
  @Test func measuresAnewWhatIsOld() {
    let health = health("a")
    measure(health, 10_000_000, 0)
    measure(health, 10_000_000, 59_999)
    measure(health, 100_000, 119_998)
    #expect(health.firstByteMicroseconds == 7_525_000)
    measure(health, 100_000, 179_998)
    #expect(health.firstByteMicroseconds == 100_000)
    #expect(health.measuredAt == at(179_998))
  }

  @Test func remembersWhenItMeasured() {
    let health = health("a")
    measure(health, 5, 10)
    measure(health, nil, 20)
    attempt(health, .rateLimited(restMilliseconds: nil), 30)
    #expect(health.measuredAt == at(10))
    measure(health, 5, 40)
    #expect(health.measuredAt == at(40))
  }
}
