// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// What a token's quota period and its limits per minute mean for a request.
extension Relay {
  /// Begins the quota's next period when it is time, and throws 429 when the token has asked for
  /// as much as it may within a minute.
  func checkLimits(of token: Token) throws(RelayError) {
    gateway.renewQuota(of: token)
    let limits = token.rateLimits
    guard !limits.isNone else { return }
    let delay = gateway.rates.delay(
      of: token.id, limits, tokens: tokenEstimate, now: gateway.loop.now)
    guard delay > 0 else { return }
    let seconds = (delay + 999) / 1000
    let status = gateway.rates.status(of: token.id, limits, now: gateway.loop.now)
    let isRequests = limits.requests > 0 && status.requestsLeft == 0
    let message = Buffer()
    message.append("This API key may use ")
    message.append(decimal: isRequests ? limits.requests : limits.tokens)
    message.append(isRequests ? " requests a minute" : " tokens a minute")
    message.append(". Try again in ")
    message.append(decimal: seconds)
    message.append(" s.")
    throw RelayError(
      429, isRequests ? "requests" : "tokens", "rate_limit_exceeded", message.byteString,
      retryAfter: seconds)
  }

  /// Tokens of the prompt, and of the longest completion that the request asks for.
  private var tokenEstimate: Int64 {
    let completion = mode.hasCompletion ? (body.completionLimit ?? 0) * body.answerCount : 0
    return promptEstimate + completion
  }

  /// Counts the request, which nothing refuses any more, for the limits per minute.
  func countAdmission(of token: Token) {
    guard !token.rateLimits.isNone else { return }
    rateTicket = gateway.rates.admit(
      token.id, tokens: tokenEstimate, now: gateway.loop.now)
  }

  /// The request has used so many tokens in the end.
  func settleLimits(of token: Token, tokens: Int64) {
    if tokens > 0 { token.accessedAt = UnixTime.seconds }
    guard let ticket = rateTicket else { return }
    rateTicket = nil
    gateway.rates.settle(token.id, ticket, using: tokens, now: gateway.loop.now)
  }

  /// What the client is told of its limits per minute; nil when it has none.
  var rateStatus: RateStatus? {
    guard let token = caller?.token, !token.rateLimits.isNone else { return nil }
    return gateway.rates.status(of: token.id, token.rateLimits, now: gateway.loop.now)
  }

  /// Says in a refusal for want of quota when it is renewed, if that will help.
  func tellRenewal(_ refusal: inout RelayError, _ caller: Caller, needing amount: Int64) {
    let token = caller.token
    guard let time = gateway.quotaResetsAt(token), let quota = token.record.quota,
      Micro.ofUnits(quota) >= amount, quota > 0,
      caller.user.availableMicro.map({ $0 >= amount && $0 > 0 }) ?? true
    else { return }
    refusal.retryAfter = max(1, time - UnixTime.seconds)
    refusal.message =
      refusal.message + " The quota of this API key is renewed at " + gateway.zone.text(of: time)
      + "."
  }
}
