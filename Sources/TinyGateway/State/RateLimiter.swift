// SPDX-License-Identifier: MIT
import Platform

/// The windows of the tokens that have limits and were used within the last minute.
struct RateLimiter {
  /// Below so many windows, nobody looks for those that are empty.
  private static let keptCount = 64

  private var windows: [Int64: RateWindow] = [:]
  private var sweepCount = RateLimiter.keptCount

  /// Tokens with a window.
  var count: Int { windows.count }

  private static func milliseconds(_ instant: Instant) -> Int64 { instant.nanoseconds / 1_000_000 }

  /// Milliseconds until the token's limits admit a request of so many tokens; 0 for at once.
  mutating func delay(
    of token: Int64, _ limits: RateLimits, tokens: Int64, now: Instant
  ) -> Int64 {
    let time = RateLimiter.milliseconds(now)
    windows[token]?.advance(to: time)
    return windows[token]?.delay(limits, tokens: tokens, at: time) ?? 0
  }

  /// Counts an admitted request.
  mutating func admit(_ token: Int64, tokens: Int64, now: Instant) -> RateWindow.Ticket {
    let time = RateLimiter.milliseconds(now)
    if windows.count >= sweepCount { sweep(time) }
    return windows[token, default: RateWindow()].admit(tokens: tokens, at: time)
  }

  /// Corrects the tokens of a request that has ended.
  mutating func settle(_ token: Int64, _ ticket: RateWindow.Ticket, using used: Int64, now: Instant)
  {
    let time = RateLimiter.milliseconds(now)
    windows[token]?.advance(to: time)
    windows[token]?.settle(ticket, using: used, at: time)
  }

  /// What a client is told of its limits.
  mutating func status(of token: Int64, _ limits: RateLimits, now: Instant) -> RateStatus {
    let time = RateLimiter.milliseconds(now)
    windows[token]?.advance(to: time)
    let window = windows[token] ?? RateWindow()
    return RateStatus(
      limits: limits, requestsLeft: max(0, limits.requests - window.requests),
      tokensLeft: max(0, limits.tokens - window.tokens),
      requestsReset: window.requestsReset(at: time), tokensReset: window.tokensReset(at: time))
  }

  /// Lets go of windows in which nothing is left.
  private mutating func sweep(_ time: Int64) {
    for token in Array(windows.keys) {
      windows[token]?.advance(to: time)
      if windows[token]?.isEmpty ?? false { windows[token] = nil }
    }
    sweepCount = max(RateLimiter.keptCount, windows.count * 2)
  }
}

/// A token's limits per minute and what is left, as OpenAI's header lines tell it.
struct RateStatus: Equatable {
  let limits: RateLimits
  let requestsLeft: Int64
  let tokensLeft: Int64
  /// Milliseconds until all is left again.
  let requestsReset: Int64
  let tokensReset: Int64

  /// Appends `x-ratelimit-limit-requests` and the like, of those limits that there are.
  func append(to fields: Buffer) {
    if limits.requests > 0 {
      RateStatus.append("requests", limits.requests, requestsLeft, requestsReset, fields)
    }
    if limits.tokens > 0 {
      RateStatus.append("tokens", limits.tokens, tokensLeft, tokensReset, fields)
    }
  }

  private static func append(
    _ kind: StaticString, _ limit: Int64, _ left: Int64, _ reset: Int64, _ fields: Buffer
  ) {
    fields.append("x-ratelimit-limit-")
    fields.append(kind)
    fields.append(": ")
    fields.append(decimal: limit)
    fields.append("\r\nx-ratelimit-remaining-")
    fields.append(kind)
    fields.append(": ")
    fields.append(decimal: left)
    fields.append("\r\nx-ratelimit-reset-")
    fields.append(kind)
    fields.append(": ")
    append(duration: reset, to: fields)
    fields.append("\r\n")
  }

  /// Appends `850ms`, `7s`, `12.034s` or `1m0s`.
  static func append(duration milliseconds: Int64, to buffer: Buffer) {
    if milliseconds > 0, milliseconds < 1000 {
      buffer.append(decimal: milliseconds)
      return buffer.append("ms")
    }
    if milliseconds >= 60_000 {
      buffer.append(decimal: milliseconds / 60_000)
      buffer.append("m")
    }
    buffer.append(decimal: milliseconds / 1000 % 60)
    var part = milliseconds % 1000
    if part > 0 { buffer.append(".") }
    var unit: Int64 = 100
    while part > 0 {
      buffer.append(decimal: part / unit)
      part %= unit
      unit /= 10
    }
    buffer.append("s")
  }
}
