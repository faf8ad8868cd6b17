// SPDX-License-Identifier: MIT
import Platform

/// One upstream dialect: what a channel of this type speaks, and its defaults.
///
/// Vendors that speak OpenAI's format differ only in these facts, so each is one row of
/// `VendorRegistry`; dialects of their own will add functions here.
package struct Vendor: Sendable {
  /// The channel type's slug, stored in databases: never rename.
  package let slug: StaticString
  /// For people.
  package let name: StaticString
  /// Used when the channel has none; empty when the owner must give one.
  package let defaultBaseURL: StaticString
  /// Used when the channel lists no models; empty means that it serves any model asked for.
  package let models: [ByteString]
  /// Whether a channel works without a key, as local servers do.
  package let isKeyOptional: Bool
  /// How the vendor tells the account's balance; nil when it does not.
  package var balance: BalanceCall?
  /// What its chat calls speak.
  package var dialect: Dialect = .openAI
  /// Where the facts were read, with the date.
  package let source: StaticString

  /// The path of an API call below a channel's base URL path.
  ///
  /// A base URL that ends with a version segment (`/v1`, `/v3`, `/v1beta`) already has it;
  /// otherwise `/v1` goes between, as clients of One API write base URLs without it.
  package func path(below base: ByteString, _ call: StaticString) -> ByteString {
    endsWithVersion(base) ? base + ByteString(call) : base + "/v1" + ByteString(call)
  }

  /// A base URL's path without its version segment, for calls beside the versioned ones.
  func pathWithoutVersion(_ base: ByteString) -> ByteString {
    guard endsWithVersion(base), let slash = base.bytes.lastIndex(of: UInt8(ascii: "/")) else {
      return base
    }
    return ByteString(Array(base.bytes[..<slash]))
  }

  private func endsWithVersion(_ base: ByteString) -> Bool {
    guard let slash = base.bytes.lastIndex(of: UInt8(ascii: "/")) else { return false }
    let segment = base.bytes[(slash + 1)...]
    guard segment.count >= 2, segment.first == UInt8(ascii: "v") else { return false }
    return ASCII.isDigit(segment[segment.startIndex + 1])
  }
}
