// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// What is left on an account.
package struct Balance: Equatable, Sendable {
  /// An exact decimal number, such as `12.34`.
  package let amount: ByteString
  /// ISO 4217, such as `CNY`.
  package let currency: ByteString
}

/// How a vendor tells an account's balance: one GET with the channel's key.
package enum BalanceCall: UInt8, Sendable {
  /// Source: https://api-docs.deepseek.com/api/get-user-balance, read 2026-11.
  case deepSeek
  /// Source: https://platform.moonshot.cn/docs/api/balance, read 2026-11.
  case moonshot

  /// The path of the call on the host of a base URL with this path.
  package func path(below base: ByteString, of vendor: Vendor) -> ByteString {
    switch self {
    case .deepSeek: Vendor.pathWithoutVersion(base) + "/user/balance"
    case .moonshot: vendor.path(below: base, "/users/me/balance")
    }
  }

  /// Reads an answer with status 200; nil when it has not the vendor's form.
  ///
  /// The host tells vendors with several currencies apart.
  package func read(_ answer: JSONValue, _ host: ByteString) -> Balance? {
    switch self {
    case .deepSeek: BalanceCall.deepSeek(answer)
    case .moonshot: BalanceCall.moonshot(answer, host)
    }
  }

  private static func deepSeek(_ answer: JSONValue) -> Balance? {
    // One entry per currency; most accounts have money in one of them.
    var first: Balance?
    guard let infos = answer.member("balance_infos") else { return nil }
    for info in infos.elements {
      guard let text = info.member("total_balance")?.string,
        let amount = text.withBytes({ JSONNumber.plain($0) }),
        let currency = info.member("currency")?.string, isCurrency(currency)
      else { continue }
      let balance = Balance(amount: amount, currency: currency)
      if amount.bytes.contains(where: { $0 > UInt8(ascii: "0") && ASCII.isDigit($0) }) {
        return balance
      }
      first = first ?? balance
    }
    return first
  }

  /// The international platform (api.moonshot.ai) counts in dollars.
  private static func moonshot(_ answer: JSONValue, _ host: ByteString) -> Balance? {
    guard let lexeme = answer.member("data")?.member("available_balance")?.lexeme,
      let amount = lexeme.withBytes({ JSONNumber.plain($0) })
    else { return nil }
    let isInternational = host.lowercased.bytes.suffix(12).elementsEqual(
      ByteString(".moonshot.ai").bytes)
    return Balance(amount: amount, currency: isInternational ? "USD" : "CNY")
  }

  /// Three capital letters: a vendor's text must not become anything else here.
  private static func isCurrency(_ text: ByteString) -> Bool {
    text.count == 3 && text.bytes.allSatisfy { $0 &- UInt8(ascii: "A") < 26 }
  }
}
