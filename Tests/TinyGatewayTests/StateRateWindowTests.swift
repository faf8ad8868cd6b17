// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// Requests and tokens per minute, as a window that slides on; times are milliseconds.
struct StateRateWindowTests {
  private func limits(_ requests: Int64 = 0, _ tokens: Int64 = 0) -> RateLimits {
    RateLimits(requests: requests, tokens: tokens)
  }

  /// Asks at a time, and counts the request when it is admitted; the delay.
  private func ask(
    _ window: inout RateWindow, _ limits: RateLimits, tokens: Int64 = 0, at now: Int64
  ) -> Int64 {
    window.advance(to: now)
    let delay = window.delay(limits, tokens: tokens, at: now)
    if delay == 0 { _ = window.admit(tokens: tokens, at: now) }
    return delay
  }

  @Test func admitsSoManyRequestsInAnyMinute() {
    var window = RateWindow()
    let limits = limits(3)
    for (now, delay): (Int64, Int64) in [
      (0, 0), (100, 0), (59_000, 0), (59_001, 999), (59_999, 1), (60_000, 0), (60_001, 99),
      (60_100, 0), (60_101, 58_899), (119_000, 0), (119_001, 999),
    ] { #expect(ask(&window, limits, at: now) == delay, "\(now)") }
  }

  @Test func tellsTheDelayThatIsEnough() {
    var window = RateWindow()
    let limits = limits(7, 1000)
    var state: UInt64 = 7
    var now: Int64 = 0
    for _ in 0..<2000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      now += Int64(state >> 40) % 9000
      let tokens = Int64(state >> 20) % 400
      let delay = ask(&window, limits, tokens: tokens, at: now)
      guard delay > 0 else { continue }
      var early = window
      early.advance(to: now + delay - 1)
      #expect(early.delay(limits, tokens: tokens, at: now + delay - 1) == 1)
      now += delay
      #expect(ask(&window, limits, tokens: tokens, at: now) == 0)
      #expect(window.requests <= 7 && window.tokens <= 1000)
    }
  }

  @Test func holdsTokensBackAndCorrectsThem() {
    var window = RateWindow()
    let limits = limits(0, 100)
    let first = window.admit(tokens: 60, at: 0)
    #expect(window.delay(limits, tokens: 40, at: 10) == 0)
    #expect(window.delay(limits, tokens: 41, at: 10) == 59_990)
    window.settle(first, using: 10, at: 500)
    #expect(window.tokens == 10)
    #expect(window.delay(limits, tokens: 90, at: 500) == 0)
    // What is used beyond the estimate counts from when it is known.
    let second = window.admit(tokens: 20, at: 1000)
    window.settle(second, using: 85, at: 30_000)
    #expect(window.tokens == 95)
    #expect(window.delay(limits, tokens: 10, at: 30_000) == 30_000)
    #expect(window.delay(limits, tokens: 30, at: 30_000) == 31_000)
    #expect(window.delay(limits, tokens: 40, at: 30_000) == 60_000)
    window.advance(to: 90_000)
    #expect(window.isEmpty && window.tokens == 0 && window.requests == 0)
  }

  @Test func givesBackWhatAFailedRequestHeld() {
    var window = RateWindow()
    let ticket = window.admit(tokens: 100, at: 0)
    window.settle(ticket, using: 0, at: 10)
    #expect(window.tokens == 0 && window.requests == 1)
    // Nothing is given back for what has left the window.
    let old = window.admit(tokens: 50, at: 20)
    window.advance(to: 60_100)
    window.settle(old, using: 0, at: 60_100)
    #expect(window.tokens == 0 && window.isEmpty)
  }

  @Test func admitsARequestBeyondTheLimitAlone() {
    var window = RateWindow()
    let limits = limits(0, 100)
    #expect(ask(&window, limits, tokens: 500, at: 0) == 0)
    #expect(ask(&window, limits, tokens: 1, at: 1) == 59_999)
    #expect(ask(&window, limits, tokens: 500, at: 59_999) == 1)
    #expect(ask(&window, limits, tokens: 500, at: 60_000) == 0)
  }

  @Test func obeysTheStricterLimit() {
    var window = RateWindow()
    let limits = limits(2, 100)
    #expect(ask(&window, limits, tokens: 90, at: 0) == 0)
    #expect(ask(&window, limits, tokens: 5, at: 10_000) == 0)
    #expect(ask(&window, limits, tokens: 5, at: 20_000) == 40_000)
    #expect(ask(&window, limits, tokens: 96, at: 20_000) == 50_000)
  }

  @Test func staysSmallUnderLoad() {
    var window = RateWindow()
    let limits = limits(1_000_000, 1_000_000_000)
    var last: RateWindow.Ticket?
    var delays: Int64 = 0
    for now in 0..<Int64(120_000) {
      window.advance(to: now)
      delays += window.delay(limits, tokens: 7, at: now)
      last = window.admit(tokens: 7, at: now)
    }
    #expect(delays == 0)
    // A shared second leaves late, never early.
    #expect((60_000...61_001).contains(window.requests))
    #expect(window.tokens == window.requests * 7)
    if let last { window.settle(last, using: 0, at: 120_000) }
    #expect(window.tokens == window.requests * 7 - 7)
    window.advance(to: 300_000)
    #expect(window.isEmpty && window.requests == 0 && window.tokens == 0)
  }

  @Test func saysWhenAllIsLeftAgain() {
    var window = RateWindow()
    #expect(window.requestsReset(at: 0) == 0 && window.tokensReset(at: 0) == 0)
    let ticket = window.admit(tokens: 10, at: 0)
    _ = window.admit(tokens: 0, at: 5000)
    #expect(window.requestsReset(at: 6000) == 59_000 && window.tokensReset(at: 6000) == 54_000)
    window.settle(ticket, using: 0, at: 6000)
    #expect(window.tokensReset(at: 6000) == 0)
  }

  // All tokens together.

  private func instant(_ milliseconds: Int64) -> Instant {
    Instant(nanoseconds: milliseconds * 1_000_000)
  }

  @Test func keepsTokensApartAndForgetsIdleOnes() {
    var limiter = RateLimiter()
    let one = limits(1)
    for token in 1...Int64(200) {
      #expect(limiter.delay(of: token, one, tokens: 0, now: instant(token)) == 0)
      _ = limiter.admit(token, tokens: 5, now: instant(token))
      #expect(limiter.delay(of: token, one, tokens: 0, now: instant(token)) == 60_000)
    }
    #expect(limiter.count == 200)
    for token in 1000...Int64(1100) { _ = limiter.admit(token, tokens: 0, now: instant(70_000)) }
    #expect(limiter.count == 101)
    limiter.settle(7, RateWindow.Ticket(time: 7, tokens: 5), using: 9, now: instant(70_001))
    #expect(limiter.count == 101, "a request that ends late makes no window")
  }

  @Test func tellsWhatOpenAITells() {
    var limiter = RateLimiter()
    let limits = limits(10, 1000)
    _ = limiter.admit(1, tokens: 300, now: instant(0))
    let buffer = Buffer()
    limiter.status(of: 1, limits, now: instant(15_500)).append(to: buffer)
    #expect(
      buffer.byteString.text == """
        x-ratelimit-limit-requests: 10\r
        x-ratelimit-remaining-requests: 9\r
        x-ratelimit-reset-requests: 44.5s\r
        x-ratelimit-limit-tokens: 1000\r
        x-ratelimit-remaining-tokens: 700\r
        x-ratelimit-reset-tokens: 44.5s\r

        """)
    buffer.clear()
    limiter.status(of: 2, RateLimits(requests: 0, tokens: 5), now: instant(0)).append(to: buffer)
    #expect(buffer.byteString.text.hasPrefix("x-ratelimit-limit-tokens: 5\r\n"))
    buffer.clear()
    limiter.status(of: 2, RateLimits(requests: 0, tokens: 0), now: instant(0)).append(to: buffer)
    #expect(buffer.isEmpty)
  }

  @Test(
    arguments: [
      (0, "0s"), (1, "1ms"), (850, "850ms"), (1000, "1s"), (12_034, "12.034s"), (60_000, "1m0s"),
      (61_500, "1m1.5s"),
    ] as [(Int64, String)])
  func writesDurations(_ milliseconds: Int64, _ expected: String) {
    let buffer = Buffer()
    RateStatus.append(duration: milliseconds, to: buffer)
    #expect(buffer.byteString.text == expected)
  }
}
