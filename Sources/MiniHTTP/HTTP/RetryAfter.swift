// SPDX-License-Identifier: MIT
import Platform

/// How long the sender of an answer asks to be left alone.
extension ResponseHead {
  /// The longest rest that is believed: a day.
  package static let retryAfterLimitMilliseconds: Int64 = 86_400_000

  /// The rest in milliseconds, from 0 to the limit; nil when the answer does not ask for one.
  ///
  /// OpenAI's `retry-after-ms` counts first, as the more exact one, then `Retry-After` as seconds
  /// or as a date (RFC 9110 §10.2.3). `now`: the wall clock in milliseconds since 1970; with a
  /// clock that is behind the build date no date says anything.
  package func retryAfterMilliseconds(now: Int64) -> Int64? {
    let limit = ResponseHead.retryAfterLimitMilliseconds
    if let range = range(of: "retry-after-ms"),
      let rest = withBytes(range, { RetryAfter.milliseconds($0, unit: 1) })
    {
      return min(rest, limit)
    }
    guard let range = range(of: .retryAfter) else { return nil }
    return withBytes(range) { value in
      if let rest = RetryAfter.milliseconds(value, unit: 1000) { return min(rest, limit) }
      guard now / 1000 >= UnixTime.buildSeconds,
        let date = HTTPDate.seconds(value, now: now / 1000)
      else { return nil }
      return min(max(date * 1000 - now, 0), limit)
    }
  }
}

extension ResponseHead {
  /// The sender's clock in seconds since 1970, by the field `Date`; nil when it does not tell.
  package var dateSeconds: Int64? {
    range(of: "date").flatMap { range in
      withBytes(range) { HTTPDate.seconds($0, now: max(UnixTime.seconds, UnixTime.buildSeconds)) }
    }
  }
}

/// The number of a rest.
enum RetryAfter {
  /// Reads a whole or decimal number of units; rounds up to a millisecond.
  ///
  /// A number that is too large for any rest is as good as the limit. Some senders write seconds
  /// with a fraction, which the RFC does not know.
  static func milliseconds(_ text: Span<UInt8>, unit: Int64) -> Int64? {
    let limit = ResponseHead.retryAfterLimitMilliseconds
    let point = text.firstIndex(of: UInt8(ascii: ".")) ?? text.count
    guard point > 0, point + 1 != text.count else { return nil }
    var whole: Int64 = 0
    for index in 0..<point {
      guard ASCII.isDigit(text[index]) else { return nil }
      whole = min(whole * 10 + Int64(text[index] &- 0x30), limit)
    }
    whole *= unit
    var place = unit
    var hasRest = false
    for index in min(point + 1, text.count)..<text.count {
      guard ASCII.isDigit(text[index]) else { return nil }
      let digit = Int64(text[index] &- 0x30)
      place /= 10
      whole += digit * place
      if place == 0, digit > 0 { hasRest = true }
    }
    return hasRest ? whole + 1 : whole
  }
}
