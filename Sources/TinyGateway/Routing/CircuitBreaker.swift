// SPDX-License-Identifier: MIT
import Platform

/// Keeps requests away from what fails, and finds out with one real request when it is well again.
///
/// closed → open, on failures in a row or too many in a window → half-open: one probe → closed, or
/// open again for twice as long, up to a bound. A pure value: times come from outside.
///
/// The pattern: https://martinfowler.com/bliki/CircuitBreaker.html.
struct CircuitBreaker: Equatable, Sendable {
  /// When it opens and for how long.
  struct Policy: Equatable, Sendable {
    /// Failures in a row that open it.
    var failureLimit: Int64 = 5
    /// Percent of failures within the window that open it; 0: never.
    var errorPercent: Int64 = 50
    /// Length of the window; what is counted is between one and two halves of it.
    var windowMilliseconds: Int64 = 30_000
    /// How long it is open at first.
    var cooldownMilliseconds: Int64 = 5000
    /// The longest it is open, whatever the probes say.
    var cooldownLimitMilliseconds: Int64 = 300_000

    /// Requests within the window below which a percentage says nothing.
    static let leastRequests: Int64 = 20
  }

  enum Phase: Equatable, Sendable {
    case closed
    /// No requests until then.
    case open(until: Instant)
    /// One request is under way whose outcome decides.
    case halfOpen
  }

  /// Whether a request may go now.
  enum Admission: Equatable, Sendable {
    case ready
    /// As the probe: its outcome decides.
    case probe
    /// The vendor asked for a rest until then.
    case resting(until: Instant)
    /// Too many failures; a probe is admitted then.
    case open(until: Instant)
    /// The probe is under way.
    case probing
  }

  private struct Counts: Equatable, Sendable {
    var requests: Int64 = 0
    var failures: Int64 = 0
  }

  private(set) var phase = Phase.closed
  /// Set by a rest that a vendor asked for (`Retry-After`); it says nothing about health.
  private(set) var restsUntil = Instant(nanoseconds: 0)
  private var failuresInARow: Int64 = 0
  /// The probe under way went out before the cool-down was over.
  private var isEarly = false
  private var cooldownMilliseconds: Int64 = 0
  private var windowStart = Instant(nanoseconds: 0)
  private var current = Counts()
  private var previous = Counts()

  func admission(at now: Instant) -> Admission {
    if restsUntil > now { return .resting(until: restsUntil) }
    switch phase {
    case .closed: return .ready
    case .open(let until): return until > now ? .open(until: until) : .probe
    case .halfOpen: return .probing
    }
  }

  /// A request goes out; true when it is the probe.
  ///
  /// `early`: even before the cool-down has passed, where nothing better is left.
  mutating func began(at now: Instant, early: Bool = false) -> Bool {
    guard case .open(let until) = phase, early || until <= now else { return false }
    isEarly = until > now
    phase = .halfOpen
    return true
  }

  /// A request came back well.
  mutating func succeeded(isProbe: Bool, at now: Instant, _ policy: Policy) {
    switch phase {
    case .closed:
      failuresInARow = 0
      count(isFailure: false, at: now, policy)
    case .halfOpen where isProbe:
      phase = .closed
      failuresInARow = 0
      current = Counts()
      previous = Counts()
    case .halfOpen, .open: break  // A request from before says nothing about now.
    }
  }

  /// A request failed for a reason that this breaker guards against.
  mutating func failed(isProbe: Bool, at now: Instant, _ policy: Policy) {
    switch phase {
    case .closed:
      failuresInARow += 1
      count(isFailure: true, at: now, policy)
      if failuresInARow >= policy.failureLimit || isTooBad(policy) {
        open(for: policy.cooldownMilliseconds, at: now)
      }
    case .halfOpen where isProbe: openLonger(at: now, policy)
    case .halfOpen, .open: break
    }
  }

  /// A failure that needs no repetition, such as a refused key: opens at once.
  mutating func tripped(isProbe: Bool, at now: Instant, _ policy: Policy) {
    switch phase {
    case .closed: open(for: policy.cooldownMilliseconds, at: now)
    case .halfOpen where isProbe: openLonger(at: now, policy)
    case .halfOpen, .open: break
    }
  }

  /// A request ended without saying anything, for instance because the client went away.
  mutating func undecided(isProbe: Bool, at now: Instant) {
    guard isProbe, phase == .halfOpen else { return }
    phase = .open(until: now)
  }

  /// The vendor asked to be left alone until then.
  mutating func rest(until instant: Instant) { restsUntil = max(restsUntil, instant) }

  /// Forgets everything: somebody said or saw that it is well.
  mutating func reset() { self = CircuitBreaker() }

  private mutating func open(for milliseconds: Int64, at now: Instant) {
    cooldownMilliseconds = milliseconds
    phase = .open(until: now.advanced(byMilliseconds: milliseconds))
  }

  private mutating func openLonger(at now: Instant, _ policy: Policy) {
    // A probe before its time tells nothing about how long to wait.
    if isEarly { return open(for: cooldownMilliseconds, at: now) }
    let doubled = cooldownMilliseconds.multipliedReportingOverflow(by: 2)
    let limit = max(policy.cooldownLimitMilliseconds, policy.cooldownMilliseconds)
    open(for: doubled.overflow ? limit : min(max(doubled.partialValue, 1), limit), at: now)
  }

  private mutating func count(isFailure: Bool, at now: Instant, _ policy: Policy) {
    let half = max(policy.windowMilliseconds / 2, 1)
    let age = now.milliseconds(since: windowStart)
    if age >= half {
      // The halves follow each other without a gap, or the oldest would count too long.
      let isNext = age < 2 * half
      previous = isNext ? current : Counts()
      windowStart = isNext ? windowStart.advanced(byMilliseconds: half) : now
      current = Counts()
    }
    current.requests += 1
    if isFailure { current.failures += 1 }
  }

  private func isTooBad(_ policy: Policy) -> Bool {
    let requests = current.requests + previous.requests
    let failures = current.failures + previous.failures
    return policy.errorPercent > 0 && requests >= Policy.leastRequests
      && failures * 100 >= requests * policy.errorPercent
  }
}
