// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Keys that are exchanged for access tokens, as they are entered: whole files, and their address.
struct AdminExchangedKeyTests {
  private static let account = """
    {"type":"service_account","client_email":"a@b.example","private_key":"-----BEGIN PRIVATE \
    KEY-----\\nx \\"y\\"\\n"}
    """

  private static func literal(_ text: String) -> String {
    var escaped = ""
    for character in text {
      switch character {
      case "\"": escaped += "\\\""
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      default: escaped.append(character)
      }
    }
    return "\"\(escaped)\""
  }

  private func channel(
    _ text: String, over old: ChannelRecord? = nil
  ) throws(AdminError) -> ChannelRecord {
    let buffer = Buffer()
    buffer.append(text: text)
    return try ChannelInput.apply(
      try AdminBody(buffer, knowing: ChannelInput.fields),
      to: old ?? ChannelRecord(name: "", type: ""), isNew: old == nil,
      known: ChannelGroupDirectory())
  }

  private func entered(_ key: String) throws(AdminError) -> ChannelRecord {
    try channel(#"{"name":"v","type":"vertex","keys":[\#(Self.literal(key))]}"#)
  }

  private func refusal(_ body: () throws(AdminError) -> ChannelRecord) -> String? {
    do throws(AdminError) {
      _ = try body()
      return nil
    } catch {
      return error.message.text
    }
  }

  @Test func storesAServiceAccountOnOneLine() throws {
    #expect(try entered(Self.account).keys.text == Self.account)
    let spread = Self.account.replacingOccurrences("{", "{\n  ")
    #expect(try entered("\n" + spread + "\n").keys.text == Self.account)
  }

  @Test func refusesWhatIsNoServiceAccount() {
    let sentence = "keys do not fit: the key must be the JSON file of a service account."
    #expect(refusal { () throws(AdminError) in try entered("AIzaKey") } == sentence)
    #expect(
      refusal { () throws(AdminError) in try entered(#"{"type":"service_account"}"#) }
        == "keys do not fit: the service account has no client_email or no private_key.")
    #expect(refusal { () throws(AdminError) in try entered(#"{"a b":"#) } != nil)
    #expect(refusal { () throws(AdminError) in try entered(#"{"a":"ö b"}"#) } != nil)
  }

  @Test func demandsKeysAgainForAnotherPlaceOfTokens() throws {
    let stored = try entered(Self.account)
    let moved = #"{"config":{"token_url":"https://evil.example/token"}}"#
    #expect(
      refusal { () throws(AdminError) in try channel(moved, over: stored) }?
        .hasPrefix("Changing the address of a channel") == true)
    let baidu = try channel(#"{"name":"b","type":"ernie-v1","keys":["id|secret"]}"#)
    let exchanged = #"{"config":{"exchange_url":"https://evil.example/token"}}"#
    #expect(
      refusal { () throws(AdminError) in try channel(exchanged, over: baidu) }?
        .hasPrefix("Changing the address of a channel") == true)
    let other = try channel(
      #"{"config":{"location":"europe-west4"},"keys":[\#(Self.literal(Self.account))]}"#,
      over: stored)
    #expect(other.config == #"{"location":"europe-west4"}"#)
  }
}

extension String {
  /// Every occurrence replaced, without Foundation.
  fileprivate func replacingOccurrences(_ from: Character, _ to: String) -> String {
    map { $0 == from ? to : String($0) }.joined()
  }
}
