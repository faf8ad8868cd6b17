// SPDX-License-Identifier: MIT
import Platform

/// How one attempt ended, as far as it tells something about the channel or its key.
enum AttemptOutcome: Equatable, Sendable {
  /// The upstream answered as it should, or refused the request for what is in it.
  case answered
  /// The upstream is well, but lacks the model, or the permission for it.
  case unsuited
  /// The channel failed; `isUnreachable`: not even a connection; with the time that it asks to be
  /// left alone.
  case channelFailed(isUnreachable: Bool, restMilliseconds: Int64? = nil)
  /// The vendor said, by an exact code, that the key or its account is of no use.
  case keyRejected(reason: ByteString)
  /// Too many requests; with the time that the vendor asks to be left alone.
  case rateLimited(restMilliseconds: Int64?)
  /// No connection, but the machine can be woken.
  case asleep
  /// Nothing was learnt: the client went away.
  case undecided
}

/// One attempt that is under way on a channel; `ChannelHealth.end` takes it back.
struct AttemptTicket: Sendable {
  let key: ByteString
  fileprivate let isChannelProbe: Bool
  fileprivate let isKeyProbe: Bool
}

/// How well a channel is, and how busy: breakers, keys, open requests, latency.
///
/// Lives as long as the channel's id: a change of settings hands it to the new `Channel`. Loop's
/// thread only; all in memory, so after a restart every channel is tried anew.
final class ChannelHealth {
  /// One key of the channel, or the one that stands for "no key".
  struct Key: Sendable {
    let value: ByteString
    var breaker = CircuitBreaker()
    /// Why the vendor rejects it; empty while it does not.
    var rejection = ByteString.empty
  }

  /// Whether a request could go, and if not, why.
  enum Readiness: Equatable, Sendable {
    case ready
    /// As many requests as the channel takes are open.
    case busy
    /// The breaker is open or its probe is under way.
    case circuitOpen(until: Instant?)
    /// Every key rests, as the vendor asked.
    case resting(until: Instant)
    /// Every key is rejected, or was tried by this request.
    case keysAside(until: Instant?)
    /// The channel's machine is being woken.
    case waking
  }

  private(set) var breaker = CircuitBreaker()
  private(set) var keys = [Key(value: .empty)]
  private(set) var openRequests: Int64 = 0
  /// Moving average of the time to the first byte in microseconds; 0 before any.
  private(set) var firstByteMicroseconds: Int64 = 0
  private(set) var measuredAt = Instant(nanoseconds: 0)
  /// Since when no connection can be made; nil when the last one could.
  private(set) var unreachableSince: Instant?
  /// When the upstream last answered what can be used; failures say nothing about the way to it.
  private(set) var reachedAt = Instant(nanoseconds: 0)
  /// The machine is being woken, and others serve meanwhile.
  var isWaking = false
  private var nextKey = 0
  var policy = CircuitBreaker.Policy()

  /// Takes the channel's keys over, each once; known ones keep their state.
  func adopt(keys values: [ByteString]) {
    let known = keys
    keys = []
    for value in values.isEmpty ? [.empty] : values
    where !keys.contains(where: { $0.value == value }) {
      keys.append(known.first { $0.value == value } ?? Key(value: value))
    }
    nextKey = 0
  }

  /// Whether a request could go now; `early`: also to what is not known to be well again.
  ///
  /// `tried`: keys that this request has used already.
  func readiness(
    at now: Instant, limit: Int64, tried: [ByteString] = [], early: Bool = false
  ) -> Readiness {
    if isWaking, !early { return .waking }
    switch breaker.admission(at: now) {
    case .ready, .probe: break
    case .open(let until) where !early: return .circuitOpen(until: until)
    case .probing: return .circuitOpen(until: nil)
    case .open: break
    case .resting(let until): return .resting(until: until)
    }
    if usableKey(at: now, tried, early) == nil { return keysAreAside(at: now, tried) }
    return limit > 0 && openRequests >= limit ? .busy : .ready
  }

  private func usableKey(at now: Instant, _ tried: [ByteString], _ early: Bool) -> Int? {
    var second: Int?
    for step in 0..<keys.count {
      let next = nextKey + step
      let index = next < keys.count ? next : next - keys.count
      if tried.contains(keys[index].value) { continue }
      switch keys[index].breaker.admission(at: now) {
      case .ready, .probe: return index
      // A key that the vendor rejects is not tried before its time: that may lock the account.
      case .open where keys[index].rejection.isEmpty: second = second ?? index
      case .open, .resting, .probing: continue
      }
    }
    return early ? second : nil
  }

  /// Why there is no key, and until when: the first to come back counts.
  private func keysAreAside(at now: Instant, _ tried: [ByteString]) -> Readiness {
    var rest: Instant?
    var other: Instant?
    for key in keys where !tried.contains(key.value) {
      switch key.breaker.admission(at: now) {
      case .resting(let until): rest = min(rest ?? until, until)
      case .open(let until): other = min(other ?? until, until)
      case .ready, .probe, .probing: continue
      }
    }
    if let rest { return .resting(until: rest) }
    return .keysAside(until: other)
  }

  /// A request goes out with the next usable key; nil when there is none.
  func begin(at now: Instant, tried: [ByteString] = [], early: Bool = false) -> AttemptTicket? {
    guard let index = usableKey(at: now, tried, early) else { return nil }
    nextKey = index + 1 < keys.count ? index + 1 : 0
    openRequests += 1
    return AttemptTicket(
      key: keys[index].value,
      isChannelProbe: breaker.began(at: now, early: early),
      isKeyProbe: keys[index].breaker.began(at: now, early: early))
  }

  /// The key for a request of the gateway's own, which is not counted.
  func keyInTurn() -> ByteString {
    nextKey = (nextKey + 1) % keys.count
    return keys[nextKey].value
  }

  /// The request has ended.
  func end(_ ticket: AttemptTicket, _ outcome: AttemptOutcome, at now: Instant) {
    openRequests -= 1
    let index = keys.firstIndex { $0.value == ticket.key }
    let isProbe = ticket.isChannelProbe
    let isKeyProbe = ticket.isKeyProbe
    switch outcome {
    case .answered, .unsuited:
      breaker.succeeded(isProbe: isProbe, at: now, policy)
      if let index {
        keys[index].breaker.succeeded(isProbe: isKeyProbe, at: now, policy)
      }
      if outcome == .unsuited { noteUnsuited(at: now) }
    case .channelFailed(_, let rest):
      breaker.failed(isProbe: isProbe, at: now, policy)
      if let rest { breaker.rest(until: now.advanced(byMilliseconds: rest)) }
      if let index { keys[index].breaker.undecided(isProbe: isKeyProbe, at: now) }
    case .keyRejected(let reason):
      // The upstream answers, so the channel itself is well.
      breaker.succeeded(isProbe: isProbe, at: now, policy)
      if let index {
        keys[index].breaker.tripped(isProbe: isKeyProbe, at: now, policy)
        keys[index].rejection = reason
      }
    case .rateLimited(let rest):
      breaker.succeeded(isProbe: isProbe, at: now, policy)
      if let index { limit(&keys[index].breaker, rest, isKeyProbe, at: now) }
    case .undecided, .asleep:
      breaker.undecided(isProbe: isProbe, at: now)
      if let index { keys[index].breaker.undecided(isProbe: isKeyProbe, at: now) }
    }
    if let index, keys[index].breaker.phase == .closed { keys[index].rejection = .empty }
    noteReach(outcome, at: now)
  }

  /// A rest that the vendor asked for is kept exactly; without one it is a failure of the key.
  private func limit(
    _ breaker: inout CircuitBreaker, _ rest: Int64?, _ isProbe: Bool, at now: Instant
  ) {
    guard let rest else { return breaker.failed(isProbe: isProbe, at: now, policy) }
    breaker.succeeded(isProbe: isProbe, at: now, policy)
    breaker.rest(until: now.advanced(byMilliseconds: rest))
  }

  private func noteReach(_ outcome: AttemptOutcome, at now: Instant) {
    switch outcome {
    case .channelFailed(isUnreachable: true, _), .asleep:
      if unreachableSince == nil { unreachableSince = now }
    case .answered, .unsuited, .keyRejected, .rateLimited:
      unreachableSince = nil
      reachedAt = now
    case .channelFailed:
      // A connection there was, but silence, a reset or a cut may be the internet's end as well.
      unreachableSince = nil
    case .undecided: break
    }
  }

  /// A latency older than this says nothing any more, in milliseconds.
  private static let latencyAgeMilliseconds: Int64 = 60_000

  /// Whether the latency was measured lately.
  func hasLatency(at now: Instant) -> Bool {
    firstByteMicroseconds > 0
      && now.milliseconds(since: measuredAt) < ChannelHealth.latencyAgeMilliseconds
  }

  /// What counts as the latency of a channel that had nothing to offer: any other goes first.
  private static let unsuitedMicroseconds: Int64 = 60_000_000

  /// The channel lacked one model: others go first, but one name that it does not know must not
  /// take a quick channel out for all models.
  private func noteUnsuited(at now: Instant) {
    let limit = ChannelHealth.unsuitedMicroseconds
    let isMeasured = hasLatency(at: now) && firstByteMicroseconds < limit / 4
    noteFirstByte(isMeasured ? firstByteMicroseconds * 4 : limit, at: now)
  }

  /// An answer has begun after this time.
  ///
  /// A quarter of the newest: the average follows a change within some ten requests.
  func noteFirstByte(_ microseconds: Int64, at now: Instant) {
    let change = microseconds - firstByteMicroseconds
    firstByteMicroseconds =
      hasLatency(at: now) ? firstByteMicroseconds + change / 4 : max(microseconds, 1)
    measuredAt = now
  }

  /// The channel was seen to work, by a test or a person: everything counts as well.
  func recover() {
    breaker.reset()
    unreachableSince = nil
    for index in keys.indices {
      keys[index].breaker.reset()
      keys[index].rejection = .empty
    }
  }

  /// A test of the gateway's own went well, or found an outage: then the next real request is
  /// the probe.
  ///
  /// A rest that a vendor asked for goes on: it says nothing about health.
  func noteTest(works: Bool, at now: Instant) {
    guard works else { return breaker.tripped(isProbe: false, at: now, policy) }
    let rest = breaker.restsUntil
    breaker.reset()
    breaker.rest(until: rest)
    unreachableSince = nil
    reachedAt = now
    // Which of several keys was tested says nothing about the others.
    guard keys.count == 1 else { return }
    let keyRest = keys[0].breaker.restsUntil
    keys[0].breaker.reset()
    keys[0].breaker.rest(until: keyRest)
    keys[0].rejection = .empty
  }

  /// Why the channel is off by the gateway's own decision; nil while a key is left.
  var rejection: ByteString? {
    guard let first = keys.first, keys.allSatisfy({ !$0.rejection.isEmpty }) else { return nil }
    return first.rejection
  }
}
