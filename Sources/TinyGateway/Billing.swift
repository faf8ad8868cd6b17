// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// The balance as chat clients ask for it: OpenAI's old billing calls, which One API answers too.
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

  /// Answers a call for the caller's key.
  static func answer(
    _ call: Call, _ caller: Caller, _ responder: Responder, _ gateway: Gateway, _ requestID: Int64
  ) {
    let body = Buffer()
    var json = JSONWriter(body)
    write(call, token: caller.token, user: caller.user, gateway.options, &json)
    responder.respond(
      .ok,
      fields: { fields in
        fields.append("Content-Type: application/json\r\n")
        RequestID.appendHeaders(requestID, to: fields)
      }, body: body.readable)
  }

  /// Writes the answer's object.
  static func write(
    _ call: Call, token: Token, user: User, _ options: Options, _ json: inout JSONWriter
  ) {
    json.beginObject()
    switch call {
    case .subscription:
      json.member("object", "billing_subscription" as StaticString)
      json.member("has_payment_method", true)
      let limit = limit(token, user, options)
      for name in ["soft_limit_usd", "hard_limit_usd", "system_hard_limit_usd"] as [StaticString] {
        json.key(name)
        json.fixedPoint(limit, decimals: placeCount)
      }
      json.member("access_until", token.record.expiresAt ?? 0)
    case .usage:
      json.member("object", "list" as StaticString)
      json.key("total_usage")
      json.fixedPoint(
        amount(token.usedMicro, options, hundredths: true), decimals: placeCount)
    }
    json.endObject()
  }

  /// What the key has used and what it may still use: of its own quota and of its owner's the
  /// lesser part.
  private static func limit(_ token: Token, _ user: User, _ options: Options) -> Int64 {
    let lefts = [token.leftMicro, user.leftMicro].compactMap { $0 }
    guard let left = lefts.min() else { return unlimited * 1_000_000 }
    return amount(token.usedMicro.addingSaturated(max(0, left)), options, hundredths: false)
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

extension Token {
  /// Millionths of the quota that are not used, held back or not; nil when unlimited.
  var leftMicro: Int64? { record.quota.map { Micro.ofUnits($0) - usedMicro } }
}

extension User {
  /// Millionths of the quota that are not used, held back or not; nil when unlimited.
  var leftMicro: Int64? { record.quota.map { Micro.ofUnits($0) - usedMicro } }
}
