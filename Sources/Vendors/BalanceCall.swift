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
package struct BalanceCall: Sendable {
  /// Below the base URL.
  package let path: StaticString
  /// Whether the path lies below the version segment of the base URL, or beside it.
  package let isVersioned: Bool
  /// Reads an answer with status 200; nil when it has not the vendor's form.
  ///
  /// The host tells vendors with several currencies apart.
  package let read: @Sendable (_ answer: JSONValue, _ host: ByteString) -> Balance?

  /// The path of the call on the host of a base URL with this path.
  package func path(below base: ByteString, of vendor: Vendor) -> ByteString {
    isVersioned
      ? vendor.path(below: base, path) : vendor.pathWithoutVersion(base) + ByteString(path)
  }
}

/// The balance calls that are known.
enum Balances {
  /// Source: https://api-docs.deepseek.com/api/get-user-balance, read 2026-11.
  static let deepSeek = BalanceCall(path: "/user/balance", isVersioned: false) { answer, _ in
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

  /// Source: https://platform.moonshot.cn/docs/api/balance, read 2026-11; the international
  /// platform (api.moonshot.ai) counts in dollars.
  static let moonshot = BalanceCall(path: "/users/me/balance", isVersioned: true) { answer, host in
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
