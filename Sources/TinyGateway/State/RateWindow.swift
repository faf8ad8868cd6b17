// SPDX-License-Identifier: MIT

/// How much a token may ask for within a minute; 0 for no limit.
struct RateLimits: Equatable {
  let requests: Int64
  let tokens: Int64

  var isNone: Bool { requests == 0 && tokens == 0 }
}

/// What one token has asked for within the last minute, as it slides on; times are milliseconds of
/// the monotonic clock.
struct RateWindow {
  static let milliseconds: Int64 = 60_000
  /// Beyond so many entries, requests of the same second share one and leave together.
  private static let singleCount = 30
  private static let sharedMilliseconds: Int64 = 1000

  private struct Entry {
    let first: Int64
    var latest: Int64
    var requests: Int64
    var tokens: Int64
  }

  /// An admitted request, to correct its tokens by what it really used.
  struct Ticket: Equatable {
    let time: Int64
    let tokens: Int64
  }

  /// Oldest first; 91 at most.
  private var entries: [Entry] = []
  private(set) var requests: Int64 = 0
  private(set) var tokens: Int64 = 0

  var isEmpty: Bool { entries.isEmpty }

  /// Forgets what is a minute old.
  mutating func advance(to now: Int64) {
    let count = entries.firstIndex { $0.latest > now - RateWindow.milliseconds } ?? entries.count
    guard count > 0 else { return }
    for entry in entries[..<count] {
      requests -= entry.requests
      tokens -= entry.tokens
    }
    entries.removeFirst(count)
  }

  /// Milliseconds until the limits admit one request of so many tokens; 0 for at once.
  ///
  /// More tokens than the limit are admitted alone: when no other tokens are in the window. To be
  /// called after `advance`.
  func delay(_ limits: RateLimits, tokens wanted: Int64, at now: Int64) -> Int64 {
    var delay: Int64 = 0
    if limits.requests > 0, requests >= limits.requests {
      delay = wait(at: now, for: requests - limits.requests + 1) { $0.requests }
    }
    let room = max(0, limits.tokens - wanted)
    if limits.tokens > 0, tokens > room {
      delay = max(delay, wait(at: now, for: tokens - room) { $0.tokens })
    }
    return delay
  }

  /// Milliseconds until so many have left the window.
  private func wait(at now: Int64, for amount: Int64, _ count: (Entry) -> Int64) -> Int64 {
    var rest = amount
    for entry in entries {
      rest -= count(entry)
      if rest <= 0 { return entry.latest + RateWindow.milliseconds - now }
    }
    return 0
  }

  /// Counts an admitted request with the tokens that it may use.
  mutating func admit(tokens: Int64, at now: Int64) -> Ticket {
    add(requests: 1, tokens: tokens, at: now)
    return Ticket(time: now, tokens: tokens)
  }

  /// A request has ended: it gives back what it did not use, and counts now what it used beyond.
  mutating func settle(_ ticket: Ticket, using used: Int64, at now: Int64) {
    let more = used - ticket.tokens
    if more > 0 { return add(requests: 0, tokens: more, at: now) }
    guard
      let index = entries.lastIndex(where: { $0.first <= ticket.time && ticket.time <= $0.latest })
    else { return }
    let given = min(-more, entries[index].tokens)
    entries[index].tokens -= given
    tokens -= given
  }

  private mutating func add(requests more: Int64, tokens moreTokens: Int64, at now: Int64) {
    requests += more
    tokens += moreTokens
    if let last = entries.last {
      let isShared = entries.count >= RateWindow.singleCount
      if now <= last.latest || isShared && now - last.first < RateWindow.sharedMilliseconds {
        entries[entries.count - 1].latest = max(now, last.latest)
        entries[entries.count - 1].requests += more
        entries[entries.count - 1].tokens += moreTokens
        return
      }
    }
    entries.append(Entry(first: now, latest: now, requests: more, tokens: moreTokens))
  }

  /// Milliseconds until no request is left in the window.
  func requestsReset(at now: Int64) -> Int64 { reset(at: now) { $0.requests } }

  /// Milliseconds until no token is left in the window.
  func tokensReset(at now: Int64) -> Int64 { reset(at: now) { $0.tokens } }

  private func reset(at now: Int64, _ count: (Entry) -> Int64) -> Int64 {
    guard let last = entries.last(where: { count($0) > 0 }) else { return 0 }
    return max(0, last.latest + RateWindow.milliseconds - now)
  }
}
