// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Testing

@testable import TinyGateway

/// What an upstream's error tells about channel and key, and what may follow it.
struct RelayUpstreamErrorOutcomeTests {
  private func error(
    _ status: Int, code: String = "", type: String = "", retryAfter: Int64? = nil
  ) -> UpstreamError {
    let body = "{\"error\":{\"message\":\"m\",\"code\":\"\(code)\",\"type\":\"\(type)\"}}"
    return UpstreamError(status: status, retryAfter: retryAfter, body: RelayFixtures.buffer(body))
  }

  private func check(
    _ error: UpstreamError, _ outcome: AttemptOutcome,
    _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(error.outcome == outcome, "\(error.status)", sourceLocation: location)
  }

  // Channel and key.

  @Test func setsAKeyAsideOnExactCodesOnly() {
    check(error(401), .keyRejected(reason: "the vendor rejects the key (401)"))
    check(
      error(401, code: "invalid_api_key"),
      .keyRejected(reason: "the vendor rejects the key (401 invalid_api_key)"))
    check(
      error(400, code: "account_deactivated"),
      .keyRejected(reason: "the vendor rejects the key (400 account_deactivated)"))
    check(error(402), .keyRejected(reason: "the account has no balance (402)"))
    check(
      error(429, code: "insufficient_quota"),
      .keyRejected(reason: "the account has no balance (429 insufficient_quota)"))
    check(
      error(403, type: "billing_not_active"),
      .keyRejected(reason: "the account has no balance (403 billing_not_active)"))
    check(error(400, code: "Invalid_API_Key"), .answered)
    check(error(400, code: "invalid api key"), .answered)
  }

  /// A region, a model or a policy may be behind it, with a key that is good.
  @Test func keepsAKeyThatWasForbiddenSomething() {
    check(error(403), .unsuited)
    #expect(error(403).isFaultOfKey)
  }

  @Test func saysNothingBadOfAChannelThatRefusesARequest() {
    for status in [400, 405, 413, 415, 422, 451, 499] {
      check(error(status, retryAfter: 9), .answered)
    }
    check(error(404, retryAfter: 9), .unsuited)
  }

  @Test func blamesTheChannelForItsFailures() {
    for status in [408, 409, 500, 502, 503, 504, 529, 599] {
      check(error(status), .channelFailed(isUnreachable: false, restMilliseconds: nil))
      check(
        error(status, retryAfter: 7), .channelFailed(isUnreachable: false, restMilliseconds: 7000))
    }
    for status in [301, 302, 307, 308] {
      check(error(status, retryAfter: 7), .channelFailed(isUnreachable: false))
    }
    check(
      UpstreamError(event: #"{"error":{"message":"overloaded"}}"#),
      .channelFailed(isUnreachable: false, restMilliseconds: nil))
  }

  @Test func restsTheKeyThatIsRateLimited() {
    check(error(429), .rateLimited(restMilliseconds: nil))
    check(error(429, retryAfter: 0), .rateLimited(restMilliseconds: 0))
    check(error(429, retryAfter: 20), .rateLimited(restMilliseconds: 20_000))
  }

  /// Whatever a vendor writes there, nothing overflows and nobody rests for years.
  @Test func believesARestOfADayAtMost() {
    for seconds in [86_400, 86_401, 9_999_999, Int64.max] {
      check(error(429, retryAfter: seconds), .rateLimited(restMilliseconds: 86_400_000))
      check(
        error(503, retryAfter: seconds),
        .channelFailed(isUnreachable: false, restMilliseconds: 86_400_000))
    }
  }

  /// The reason is shown to the owner: a vendor's code must not make it endless.
  @Test func leavesOutACodeThatIsNoCode() {
    for code in [String(repeating: "x", count: 65), String(repeating: "東", count: 5000)] {
      check(error(401, code: code), .keyRejected(reason: "the vendor rejects the key (401)"))
    }
    let longest = String(repeating: "x", count: 64)
    check(
      error(401, code: longest),
      .keyRejected(reason: ByteString(utf8: "the vendor rejects the key (401 \(longest))")))
  }

  // What may follow.

  @Test func triesAnotherKeyWhereTheKeyIsAtFault() {
    for status in [401, 402, 403, 429] { #expect(error(status).isFaultOfKey) }
    #expect(error(400, code: "invalid_api_key").isFaultOfKey)
    #expect(error(500, code: "insufficient_quota").isFaultOfKey)
    for status in [302, 400, 404, 408, 409, 413, 422, 500, 502, 503, 504] {
      #expect(!error(status).isFaultOfKey, "\(status)")
    }
    #expect(!UpstreamError(event: #"{"error":{"message":"m"}}"#).isFaultOfKey)
  }

  @Test func followsTheOwnersListOfStatuses() throws {
    let own = try #require(RetryStatuses("418,500-502"))
    for status in 400...599 {
      let always = [401, 402, 403, 404].contains(status)
      let listed = status == 418 || (500...502).contains(status)
      #expect(error(status).mayDifferElsewhere(own) == (always || listed), "\(status)")
      #expect(error(status).mayDifferElsewhere(RetryStatuses()) == always, "\(status)")
    }
    for status in 300...399 { #expect(error(status).mayDifferElsewhere(RetryStatuses())) }
    #expect(error(400, code: "insufficient_quota").mayDifferElsewhere(RetryStatuses()))
    #expect(error(400, code: "invalid_api_key").mayDifferElsewhere(RetryStatuses()))
  }

  @Test func knowsATooLongPromptByItsExactCode() {
    for status in [400, 413, 422] {
      #expect(error(status, code: "context_length_exceeded").isContextTooLong)
    }
    for code in ["", "context_length", "Context_length_exceeded", "string_above_max_length"] {
      #expect(!error(400, code: code).isContextTooLong, "\(code)")
    }
    #expect(error(400, type: "context_length_exceeded").isContextTooLong)
    #expect(
      !UpstreamError(event: #"{"error":{"message":"context_length_exceeded"}}"#).isContextTooLong)
  }

  @Test func judgesAnErrorWithStatus200ByItsCode() {
    func said(_ code: ByteString) -> UpstreamError {
      UpstreamError(event: "{\"error\":{\"message\":\"m\",\"code\":\"" + code + "\"}}")
    }
    check(said("rate_limit_exceeded"), .rateLimited(restMilliseconds: nil))
    #expect(said("rate_limit_exceeded").converted.status == 429)
    #expect(said("invalid_api_key").isFaultOfKey && said("insufficient_quota").isFaultOfKey)
    #expect(said("context_length_exceeded").isContextTooLong)
    #expect(said("context_length_exceeded").converted.status == 400)
    #expect(!said("invalid_value").mayDifferElsewhere(RetryStatuses()))
    check(said("anything"), .channelFailed(isUnreachable: false, restMilliseconds: nil))
  }

  // Failures of the connection.

  @Test(arguments: [
    (ClientFailure.Kind.resolve, true, ErrorKind.connect), (.connect, true, .connect),
    (.connectTimeout, true, .timeout), (.refusedAddress, false, .connect),
    (.firstByteTimeout, false, .timeout), (.idleTimeout, false, .timeout), (.tls, false, .tls),
    (.reset, false, .reset), (.stale, false, .reset), (.badAnswer, false, .badAnswer),
    (.cut, false, .cut),
  ])
  func knowsWhatIsNotEvenAConnection(
    _ kind: ClientFailure.Kind, _ isUnreachable: Bool, _ counted: ErrorKind
  ) {
    #expect(kind.isUnreachable == isUnreachable)
    #expect(kind.errorKind == counted)
  }

  // The pause before the next attempt.

  @Test(arguments: [1, 2, 3, 4, 10, 99, 1000, 60_000] as [Int64])
  func jittersAPauseByAQuarter(_ milliseconds: Int64) {
    let all = (0..<UInt64(milliseconds + 5)).map { Relay.jittered(milliseconds, $0) }
    let least = all.min() ?? 0
    let most = all.max() ?? 0
    #expect(least >= milliseconds - milliseconds / 4 && least > 0)
    #expect(most <= milliseconds + milliseconds / 4 + 1)
    if milliseconds >= 4 {
      #expect(least == milliseconds - milliseconds / 4)
      #expect(Set(all).count == Int(milliseconds / 2 + 1))
    }
    for dice in [UInt64.max, UInt64.max - 1, 1 << 63] as [UInt64] {
      #expect((least...most).contains(Relay.jittered(milliseconds, dice)))
    }
  }

  @Test func keepsNoPauseAtNone() {
    #expect(Relay.jittered(0, 7) == 0)
    #expect(Relay.jittered(0) == 0)
  }
}
