// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// Quota as money, and the balance as chat clients ask for it: OpenAI's old billing calls, which
/// One API answers too.
///
/// Source: One API's `controller/billing.go`, read 2026-11. Amounts are in the currency of the
/// options, `total_usage` in hundredths of it, as decimals of six places without binary fractions.
enum Billing {
  /// What One API tells of a key without limits.
  private static let unlimited: Int64 = 100_000_000
  private static let placeCount = 6

  /// Which of the calls a path is.
  enum Call {
    case subscription, usage

    init?(_ path: ByteString) {
      if path == "/dashboard/billing/subscription" || path == "/v1/dashboard/billing/subscription" {
        self = .subscription
      } else if path == "/dashboard/billing/usage" || path == "/v1/dashboard/billing/usage" {
        self = .usage
      } else {
        return nil
      }
    }
  }

  /// Whose balance it is.
  struct Usage {
    let token: Token
    let user: User
    /// What the token has used in the present period of its quota.
    let usedMicro: Int64

    /// What the key has used and what it may still use: of its own quota and of its owner's the
    /// lesser part; nil when neither has a limit.
    var limitMicro: Int64? {
      let own = token.record.quota.map { Micro.left(of: $0, used: usedMicro) }
      let owners = user.record.quota.map { Micro.left(of: $0, used: user.usedMicro) }
      return [own, owners].compactMap { $0 }.min().map { usedMicro.addingSaturated(max(0, $0)) }
    }
  }

  /// Answers a call for the caller's key.
  static func answer(
    _ call: Call, _ caller: Caller, _ responder: Responder, _ gateway: Gateway, _ requestID: Int64
  ) {
    let body = Buffer()
    var json = JSONWriter(body)
    let usage = Usage(
      token: caller.token, user: caller.user, usedMicro: gateway.usedMicro(of: caller.token))
    write(call, usage, gateway.options, &json)
    responder.respond(json: body, requestID: requestID)
  }

  /// Writes the answer's object.
  static func write(
    _ call: Call, _ usage: Usage, _ options: Options, _ json: inout JSONWriter
  ) {
    json.beginObject()
    switch call {
    case .subscription:
      json.member("object", "billing_subscription" as StaticString)
      json.member("has_payment_method", true)
      let limit =
        usage.limitMicro.map { amount($0, options, hundredths: false) } ?? unlimited * Micro.perUnit
      for name in ["soft_limit_usd", "hard_limit_usd", "system_hard_limit_usd"] as [StaticString] {
        json.key(name)
        json.fixedPoint(limit, decimals: placeCount)
      }
      json.member("access_until", usage.token.record.expiresAt ?? 0)
    case .usage:
      json.member("object", "list" as StaticString)
      json.key("total_usage")
      json.fixedPoint(
        amount(usage.usedMicro, options, hundredths: true), decimals: placeCount)
    }
    json.endObject()
  }

  /// What millionths of a quota unit are worth in the currency: a decimal of up to six places.
  static func cost(_ micro: Int64, _ options: Options) -> ByteString {
    let buffer = Buffer()
    appendCost(micro, options, to: buffer)
    return buffer.byteString
  }

  /// Appends the same.
  static func appendCost(_ micro: Int64, _ options: Options, to buffer: Buffer) {
    let millionths = amount(micro, options, hundredths: false)
    JSONNumber.append(millionths, decimals: placeCount, to: buffer)
  }

  /// Writes what costs are counted in.
  static func writeCurrency(_ options: Options, _ json: inout JSONWriter) {
    json.member("currency", options.currency)
    json.member("quota_per_unit", options.quotaPerUnit)
  }

  /// Millionths of the currency, or of a hundredth of it, for millionths of a quota unit; rounded
  /// half up.
  static func amount(_ micro: Int64, _ options: Options, hundredths: Bool) -> Int64 {
    let perUnit = max(1, options.quotaPerUnit)
    let factor: Int64 = hundredths ? 100 : 1
    let (whole, rest) = micro.quotientAndRemainder(dividingBy: perUnit)
    let (high, overflowed) = whole.multipliedReportingOverflow(by: factor)
    if overflowed { return .max }
    let (low, lowOverflowed) = rest.multipliedReportingOverflow(by: factor)
    if lowOverflowed { return high }
    return high.addingSaturated(low / perUnit + (low % perUnit >= perUnit - perUnit / 2 ? 1 : 0))
  }
}
