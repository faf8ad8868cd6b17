// SPDX-License-Identifier: MIT
import Platform

/// How far one access token is, and what follows from each event.
///
/// A pure value: no socket, no clock. `AccessTokens` performs the actions.
struct AccessTokenState: Equatable, Sendable {
  /// What an exchange gave.
  struct Token: Equatable, Sendable {
    let text: ByteString
    /// A little before its end: a request takes its time to arrive.
    let usableUntil: Instant
    /// From here on another one is fetched, while this one still serves.
    var renewAt: Instant
  }

  enum Phase: Equatable, Sendable {
    case idle
    /// Requests wait for the exchange under way.
    case fetching
    case valid(Token)
    /// The next one is fetched while this one serves.
    case renewing(Token)
    /// The exchange failed: no other one until then.
    case resting(until: Instant)
  }

  enum Action: Equatable, Sendable {
    case use(ByteString)
    /// Use it, and begin an exchange that nobody waits for.
    case useAndFetch(ByteString)
    /// Begin an exchange, and wait for it.
    case fetch
    /// Wait for the exchange under way.
    case wait
    /// Fail as the last exchange did.
    case refuse
  }

  /// Longest lifetime that is believed, in seconds.
  static let longestLifetimeSeconds: Int64 = 31 * 86_400
  /// The rest after a first failure, doubled by each further one up to the longest, in
  /// milliseconds.
  static let firstRestMilliseconds: Int64 = 1000
  static let longestRestMilliseconds: Int64 = 60_000

  private(set) var phase = Phase.idle
  private var failureCount = 0

  /// Whether an exchange is under way.
  var isFetching: Bool {
    switch phase {
    case .fetching, .renewing: true
    case .idle, .valid, .resting: false
    }
  }

  /// A request wants the token.
  mutating func wanted(at now: Instant) -> Action {
    switch phase {
    case .idle: return fetch()
    case .fetching: return .wait
    case .valid(let token):
      if now >= token.usableUntil { return fetch() }
      if now < token.renewAt { return .use(token.text) }
      phase = .renewing(token)
      return .useAndFetch(token.text)
    case .renewing(let token):
      if now < token.usableUntil { return .use(token.text) }
      phase = .fetching
      return .wait
    case .resting(let until): return now < until ? .refuse : fetch()
    }
  }

  private mutating func fetch() -> Action {
    phase = .fetching
    return .fetch
  }

  /// The exchange gave a token.
  ///
  /// `lifetimeSeconds`: counted from `start`, when the exchange began.
  mutating func obtained(_ text: ByteString, lifetimeSeconds: Int64, since start: Instant) {
    guard isFetching else { return }
    failureCount = 0
    let lifetime = min(max(lifetimeSeconds, 1), AccessTokenState.longestLifetimeSeconds) * 1000
    let margin = min(max(lifetime / 10, 60_000), 3_600_000, lifetime / 2)
    phase = .valid(
      Token(
        text: text,
        usableUntil: start.advanced(byMilliseconds: lifetime - min(10_000, lifetime / 4)),
        renewAt: start.advanced(byMilliseconds: lifetime - margin)))
  }

  /// The exchange failed.
  mutating func failed(at now: Instant) {
    guard isFetching else { return }
    var rest = AccessTokenState.firstRestMilliseconds
    for _ in 0..<min(failureCount, 6) { rest *= 2 }
    failureCount += 1
    let until = now.advanced(
      byMilliseconds: min(rest, AccessTokenState.longestRestMilliseconds))
    if case .renewing(var token) = phase, now < token.usableUntil {
      token.renewAt = until
      phase = .valid(token)
    } else {
      phase = .resting(until: until)
    }
  }

  /// The vendor calls this token stale; one that has been replaced already changes nothing.
  mutating func calledStale(_ text: ByteString) {
    switch phase {
    case .valid(let token) where token.text == text: phase = .idle
    case .renewing(let token) where token.text == text: phase = .fetching
    case .idle, .fetching, .valid, .renewing, .resting: return
    }
  }
}
