// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway
@testable import Vendors

/// Settings that only a channel's type has: taken over, stored, used.
struct StateChannelConfigTests {
  private static let fields: [VendorField] = [
    VendorField("!region|Region|us-east-1"), VendorField("mode|Mode||fast|fast,slow"),
    VendorField("account_key|Account"),
  ]

  private func apply(
    _ body: String, to old: ByteString = "", _ fields: [VendorField] = fields
  ) throws(AdminError) -> (config: String, keepsSecret: Bool) {
    let buffer = Buffer()
    buffer.append(text: body)
    var record = ChannelRecord(name: "c", type: "openai", config: old)
    let keeps = try ChannelConfig.apply(
      try AdminBody(buffer, knowing: ["config"]), fields, &record)
    return (record.config.text, keeps)
  }

  private func refuses(
    _ body: String, _ sentence: String, _ code: StaticString = "invalid_field",
    _ location: SourceLocation = #_sourceLocation
  ) {
    do throws(AdminError) {
      _ = try apply(body)
      Issue.record("accepted", sourceLocation: location)
    } catch {
      #expect(error.status == 400, sourceLocation: location)
      #expect(ByteString(error.code) == code, sourceLocation: location)
      #expect(error.message.text == sentence, sourceLocation: location)
    }
  }

  // Taken over.

  @Test func storesWhatTheTypeKnows() throws {
    let stored = try apply(#"{"config":{"region":"eu-1","mode":"slow","account_key":"a \"b\""}}"#)
    #expect(stored.config == #"{"region":"eu-1","mode":"slow","account_key":"a \"b\""}"#)
    #expect(!stored.keepsSecret)
    #expect(try apply(#"{"config":{"region":"eu-1","mode":""}}"#).config == #"{"region":"eu-1"}"#)
    #expect(try apply(#"{"config":null}"#, []).config.isEmpty)
    #expect(try apply("{}", []).config.isEmpty)
  }

  @Test func refusesWhatTheTypeDoesNotKnow() {
    refuses(
      #"{"config":{"zone":"a"}}"#, "The field config.zone is not known for this channel type.",
      "unknown_field")
    refuses(#"{"config":{"region":"a","mode":"x"}}"#, "config.mode must be one of fast|slow.")
    let characters = "config.region must be 1 to 256 characters of A-Z a-z 0-9 . _ : / @ + -."
    refuses(#"{"config":{"region":"a b"}}"#, characters)
    refuses(#"{"config":{"region":"a?b"}}"#, characters)
    refuses(#"{"config":{"region":"\#(String(repeating: "a", count: 257))"}}"#, characters)
    refuses(#"{"config":{"region":7}}"#, "config must be an object of texts.")
    refuses(#"{"config":[]}"#, "config must be an object of texts.")
    let secret = "config.account_key must be a text of at most 8192 bytes, not a sealed one."
    refuses(#"{"config":{"region":"a","account_key":"sealed1$AAAA"}}"#, secret)
    refuses(
      #"{"config":{"region":"a","account_key":"\#(String(repeating: "a", count: 8193))"}}"#, secret)
  }

  @Test func asksForWhatIsNeeded() {
    let sentence = "config.region is needed for this channel type."
    refuses("{}", sentence)
    refuses(#"{"config":{}}"#, sentence)
    refuses(#"{"config":{"region":""}}"#, sentence)
    refuses(#"{"config":null}"#, sentence)
  }

  private static let stored: ByteString =
    #"{"region":"a","account_key":"a secret of some length"}"#

  @Test func keepsASecretThatIsGivenAsItsHint() throws {
    let kept = try apply(#"{"config":{"region":"b","account_key":"…ngth"}}"#, to: Self.stored)
    #expect(kept.config == #"{"region":"b","account_key":"a secret of some length"}"#)
    #expect(kept.keepsSecret)
    let changed = try apply(#"{"config":{"region":"b","account_key":"other"}}"#, to: Self.stored)
    #expect(changed.config == #"{"region":"b","account_key":"other"}"#)
    #expect(!changed.keepsSecret)
    let dropped = try apply(#"{"config":{"region":"b"}}"#, to: Self.stored)
    #expect(dropped.config == #"{"region":"b"}"#)
  }

  /// Another type has other settings.
  @Test func keepsWhatTheTypeKnowsWhenTheBodyHasNone() throws {
    let kept = try apply("{}", to: Self.stored)
    #expect(kept.config == Self.stored.text && kept.keepsSecret)
    let other = try apply("{}", to: Self.stored, [VendorField("region|Region")])
    #expect(other.config == #"{"region":"a"}"# && !other.keepsSecret)
  }

  @Test func readsAnyStoredTextWithoutHarm() {
    for text: ByteString in ["", "{", "[]", "7", #"{"a":1}"#, "nonsense"] {
      #expect(ChannelConfig.pairs(text).isEmpty)
    }
  }

  // In use.

  private func channel(
    _ type: ByteString, _ base: ByteString, _ config: ByteString
  ) throws(FieldError) -> Channel {
    try RelayFixtures.channel(
      ChannelRecord(id: 1, name: "c", type: type, baseURL: base, keys: "k", config: config))
  }

  @Test func addsTheDefaultsOfTheType() throws {
    let azure = try channel("azure", "https://a.example", #"{"api_version":"2024-10-21"}"#)
    #expect(azure.config == ["api_version": "2024-10-21", "deployment_dots": "keep"])
  }

  @Test func fillsTheBaseURL() throws {
    let config: ByteString = #"{"api_version":"2024-10-21"}"#
    let channel = try channel("azure", "https://{api_version}.example/{api_version}", config)
    #expect(channel.url.authority == "2024-10-21.example" as StaticString)
    #expect(channel.url.path == "/2024-10-21" as StaticString)
    for (base, config) in [
      ("https://{region}.example", config), ("https://{api_version.example", config),
      ("https://{api_version}.example", #"{"api_version":"evil.example/"}"#),
      ("https://{api_version}.example", #"{"api_version":"sealed1$AAAA"}"#),
      ("https://{api_version}.example", "{}"),
    ] as [(ByteString, ByteString)] {
      #expect(throws: FieldError.self) { try self.channel("azure", base, config) }
    }
  }

  @Test func callsAzuresDeployments() throws {
    let classic = try channel(
      "azure", "https://r.example", #"{"api_version":"2024-10-21","deployment_dots":"strip"}"#)
    #expect(classic.upstreamModel(for: "gpt-3.5-turbo") == "gpt-35-turbo" as StaticString)
    #expect(
      classic.path(of: .embeddings, model: "gpt-35-turbo").text
        == "/openai/deployments/gpt-35-turbo/embeddings?api-version=2024-10-21")
    #expect(classic.path(of: "/models").text == "/openai/models?api-version=2024-10-21")
    let plain = try channel("azure", "https://r.example", "")
    #expect(plain.upstreamModel(for: "gpt-3.5-turbo") == "gpt-3.5-turbo" as StaticString)
    #expect(plain.path(of: .chat, model: "m").text == "/openai/v1/chat/completions")
    let mapped = try RelayFixtures.channel(
      ChannelRecord(
        name: "c", type: "azure", baseURL: "https://r.example", modelMapping: "gpt-4.1\ta.b",
        config: #"{"deployment_dots":"strip"}"#))
    #expect(mapped.upstreamModel(for: "gpt-4.1") == "a.b" as StaticString)
  }
}
