// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// One access token: every event in every phase, at the times that matter.
struct RelayAccessTokenStateTests {
  private typealias Phase = AccessTokenState.Phase

  private enum Event {
    case wanted, failed, stale(ByteString)
    /// With its lifetime; the exchange began at the row's time.
    case obtained(ByteString, Int64)
  }

  private static func at(_ seconds: Int64) -> Instant {
    Instant(nanoseconds: 1).advanced(byMilliseconds: seconds * 1000)
  }

  private static func token(
    _ text: ByteString, until: Int64, renew: Int64
  ) -> AccessTokenState.Token {
    AccessTokenState.Token(text: text, usableUntil: at(until), renewAt: at(renew))
  }

  private func send(
    _ event: Event, at seconds: Int64, to state: inout AccessTokenState
  ) -> AccessTokenState.Action? {
    switch event {
    case .wanted: return state.wanted(at: Self.at(seconds))
    case .failed: state.failed(at: Self.at(seconds))
    case .stale(let text): state.calledStale(text)
    case .obtained(let text, let lifetime):
      state.obtained(text, lifetimeSeconds: lifetime, since: Self.at(seconds))
    }
    return nil
  }

  private func check(
    _ rows: [(Event, Int64, AccessTokenState.Action?, Phase)],
    _ location: SourceLocation = #_sourceLocation
  ) {
    var state = AccessTokenState()
    for (number, (event, seconds, action, phase)) in rows.enumerated() {
      let seen = send(event, at: seconds, to: &state)
      #expect(seen == action, "row \(number)", sourceLocation: location)
      #expect(state.phase == phase, "row \(number)", sourceLocation: location)
    }
  }

  private static let first = token("a", until: 3590, renew: 3240)

  @Test func fetchesOnceAndUses() {
    check([
      (.stale("a"), 0, nil, .idle),
      (.failed, 0, nil, .idle),
      (.obtained("x", 60), 0, nil, .idle),
      (.wanted, 0, .fetch, .fetching),
      (.wanted, 1, .wait, .fetching),
      (.stale("a"), 1, nil, .fetching),
      (.obtained("a", 3600), 0, nil, .valid(Self.first)),
      (.obtained("x", 60), 1, nil, .valid(Self.first)),
      (.failed, 1, nil, .valid(Self.first)),
      (.wanted, 3239, .use("a"), .valid(Self.first)),
    ])
  }

  @Test func renewsWhileTheOldOneServes() {
    let second = Self.token("b", until: 6830, renew: 6480)
    check([
      (.wanted, 0, .fetch, .fetching),
      (.obtained("a", 3600), 0, nil, .valid(Self.first)),
      (.wanted, 3240, .useAndFetch("a"), .renewing(Self.first)),
      (.wanted, 3241, .use("a"), .renewing(Self.first)),
      (.stale("b"), 3241, nil, .renewing(Self.first)),
      (.obtained("b", 3600), 3240, nil, .valid(second)),
      (.wanted, 3242, .use("b"), .valid(second)),
    ])
  }

  @Test func waitsWhereTheOldOneIsOver() {
    check([
      (.wanted, 0, .fetch, .fetching),
      (.obtained("a", 3600), 0, nil, .valid(Self.first)),
      (.wanted, 3590, .fetch, .fetching),
      (.obtained("a", 3600), 0, nil, .valid(Self.first)),
      (.wanted, 3240, .useAndFetch("a"), .renewing(Self.first)),
      (.wanted, 3590, .wait, .fetching),
    ])
  }

  @Test func restsLongerWithEachFailure() {
    var rows: [(Event, Int64, AccessTokenState.Action?, Phase)] = []
    var now: Int64 = 0
    for rest: Int64 in [1, 2, 4, 8, 16, 32, 60, 60] {
      let resting = Phase.resting(until: Self.at(now + rest))
      rows.append((.wanted, now, .fetch, .fetching))
      rows.append((.failed, now, nil, resting))
      rows.append((.wanted, now + rest - 1, .refuse, resting))
      now += rest
    }
    rows.append((.wanted, now, .fetch, .fetching))
    let token = Self.token("a", until: now + 90, renew: now + 50)
    rows.append((.obtained("a", 100), now, nil, .valid(token)))
    rows.append((.stale("a"), now, nil, .idle))
    rows.append((.wanted, now, .fetch, .fetching))
    rows.append((.failed, now, nil, .resting(until: Self.at(now + 1))))
    check(rows)
  }

  @Test func keepsAValidOneWhenTheRenewalFails() {
    let later = Self.token("a", until: 3590, renew: 3251)
    check([
      (.wanted, 0, .fetch, .fetching),
      (.obtained("a", 3600), 0, nil, .valid(Self.first)),
      (.wanted, 3240, .useAndFetch("a"), .renewing(Self.first)),
      (.failed, 3250, nil, .valid(later)),
      (.wanted, 3250, .use("a"), .valid(later)),
      (.wanted, 3251, .useAndFetch("a"), .renewing(later)),
      (.failed, 3590, nil, .resting(until: Self.at(3592))),
    ])
  }

  @Test func dropsWhatTheVendorCallsStale() {
    check([
      (.wanted, 0, .fetch, .fetching),
      (.obtained("a", 3600), 0, nil, .valid(Self.first)),
      (.stale("old"), 1, nil, .valid(Self.first)),
      (.stale("a"), 1, nil, .idle),
      (.wanted, 2, .fetch, .fetching),
      (.obtained("a", 3600), 0, nil, .valid(Self.first)),
      (.wanted, 3240, .useAndFetch("a"), .renewing(Self.first)),
      (.stale("a"), 3241, nil, .fetching),
      (.wanted, 3242, .wait, .fetching),
    ])
  }

  /// Lifetime to the seconds of its end and of the renewal.
  @Test(arguments: [
    (Int64(0), Int64(750), Int64(500)), (1, 750, 500), (40, 30_000, 20_000),
    (300, 290_000, 240_000), (7200, 7_190_000, 6_480_000),
    (2_592_000, 2_591_990_000, 2_588_400_000),
    (Int64.max, 2_678_390_000, 2_674_800_000),
  ])
  func leavesAMargin(lifetime: Int64, until: Int64, renew: Int64) {
    var state = AccessTokenState()
    #expect(state.wanted(at: Self.at(0)) == .fetch)
    state.obtained("a", lifetimeSeconds: lifetime, since: Self.at(0))
    let token = AccessTokenState.Token(
      text: "a", usableUntil: Self.at(0).advanced(byMilliseconds: until),
      renewAt: Self.at(0).advanced(byMilliseconds: renew))
    #expect(state.phase == .valid(token))
  }
}
