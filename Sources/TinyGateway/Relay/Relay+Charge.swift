// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// What a relay costs: its rate, the quota held back for it, and the charge in the end.
extension Relay {
  /// Fixes the rate, and holds back what the request may cost.
  func reserveQuota(_ caller: Caller) throws(RelayError) {
    if target.countsTokens { return }
    guard let rate = gateway.prices.rate(of: model, group: caller.ratio, gateway.options) else {
      throw .forbidden(
        "model_not_priced",
        "The model " + model + " has no price here, and models without one are refused: "
          + "the administrator must add a price (POST /api/v1/prices).")
    }
    self.rate = rate
    // What is free needs no quota that is left.
    guard !rate.isFree else { return }
    do throws(QuotaLedger.Shortage) {
      reservation = try QuotaLedger.reserve(demand, token: caller.token, user: caller.user)
    } catch {
      var refusal = RelayError(shortage: error)
      if error.owner == .token { tellRenewal(&refusal, caller, needing: error.needed) }
      throw refusal
    }
  }

  /// A long body is complete: its limits and its length are known only now.
  func raiseReservation() {
    guard let reservation else { return }
    self.reservation = QuotaLedger.raised(reservation, to: demand.expected)
  }

  /// What the request may cost, as far as its body has come.
  private var demand: QuotaLedger.Demand {
    var usage = Usage(promptTokens: promptEstimate)
    // Of a form most bytes are files, which are counted and not measured.
    if !bodyIsComplete, body.form == nil {
      usage.promptTokens = max(
        usage.promptTokens, Usage.estimate(asciiByteCount: declaredByteCount, nonASCIIByteCount: 0))
    }
    guard mode.hasCompletion else {
      let charge = rate.charge(usage, images: imageCount)
      return QuotaLedger.Demand(asked: charge, expected: charge)
    }
    let limit = body.completionLimit
    usage.completionTokens = (limit ?? 0) * body.answerCount
    let asked = rate.charge(usage)
    if limit != nil { return QuotaLedger.Demand(asked: asked, expected: asked) }
    usage.completionTokens = gateway.options.assumedCompletionTokens * body.answerCount
    return QuotaLedger.Demand(asked: asked, expected: rate.charge(usage))
  }

  private var imageCount: Int64 { mode.isImages ? body.answerCount : 0 }

  /// Another model serves: it is charged at its own price, where that is lower.
  ///
  /// What a client asked for bounds what it pays, and what is held back for it.
  func noteServingModel() {
    guard !(route.model == model), let caller else {
      fallbackRate = nil
      return
    }
    fallbackRate = gateway.prices.rate(of: route.model, group: caller.ratio, gateway.options)
  }

  /// The charge, in millionths of a quota unit.
  ///
  /// `hasAnswer`: whether the upstream has begun to answer, so that images count.
  func charge(_ usage: Usage, hasAnswer: Bool) -> Int64 {
    let images = hasAnswer ? imageCount : 0
    let charge = rate.charge(usage, images: images)
    guard let fallbackRate else { return charge }
    return min(charge, fallbackRate.charge(usage, images: images))
  }

  /// Token counts: the upstream's, else the estimate from what came.
  var producedUsage: Usage {
    if target.countsTokens { return Usage() }
    switch answer {
    case .events(let events, _):
      if events.usage.isReported { return events.usage }
      return Usage(
        promptTokens: promptEstimate, completionTokens: events.completionEstimate)
    case .document(let document, _, _):
      if let usage = document.usage { return usage }
      if !mode.hasCompletion, let usage = document.totalUsage { return usage }
      // Images are counted, not their text.
      guard !mode.isImages else { return Usage() }
      return Usage(
        promptTokens: promptEstimate,
        completionTokens: mode.hasCompletion ? document.completionEstimate : 0)
    case .chat(let passage):
      return passage.usage(promptEstimate: promptEstimate)
    case .passage(let passage):
      return Usage(promptTokens: promptEstimate, completionTokens: passage.estimate)
    case .none, .error: return Usage()
    }
  }
}

extension RelayError {
  /// Tells whose quota does not suffice, how much is left of it, and what is needed.
  init(shortage: QuotaLedger.Shortage) {
    let text = Buffer()
    text.append(
      shortage.owner == .token
        ? "The quota of this API key" : "The quota of the owner of this API key")
    text.append(" does not suffice: ")
    JSONNumber.append(max(0, shortage.left), decimals: 6, to: text)
    text.append(" units are left")
    if shortage.isForNow { text.append(" while other requests are under way") }
    text.append(", and this request needs ")
    JSONNumber.append(shortage.needed, decimals: 6, to: text)
    text.append(shortage.isForNow ? ". Try again when they have ended." : ".")
    self.init(
      429, "insufficient_quota", "insufficient_quota", text.byteString,
      retryAfter: shortage.isForNow ? 1 : nil)
  }
}
