// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing
import Vendors

@testable import MiniHTTP
@testable import TinyGateway

/// What follows from a channel's record.
struct StateChannelTests {
  private func channel(
    type: ByteString = "openai-compatible", base: ByteString = "http://127.0.0.1:9/v1",
    keys: ByteString = "", models: ByteString = "", mapping: ByteString = "",
    config: ByteString = ""
  ) throws(FieldError) -> Channel {
    try RelayFixtures.channel(
      ChannelRecord(
        id: 1, name: "c", type: type, baseURL: base, keys: keys, models: models,
        modelMapping: mapping, config: config))
  }

  /// Settings with the examples of those that a vendor needs.
  private func neededConfig(_ vendor: Vendor) -> ByteString {
    let members = vendor.fields.filter { $0.isRequired }.map {
      "\"\($0.name.text)\":\"\($0.example.text)\""
    }
    return ByteString(utf8: "{\(members.joined(separator: ","))}")
  }

  private func refuses(
    _ field: String, _ location: SourceLocation = #_sourceLocation,
    _ make: () throws(FieldError) -> Channel
  ) {
    do throws(FieldError) {
      _ = try make()
      Issue.record("accepted", sourceLocation: location)
    } catch {
      #expect(error.field.text == field, sourceLocation: location)
      #expect(error.sentence.text.hasPrefix(field + " "), sourceLocation: location)
    }
  }

  // Vendor and address.

  @Test func acceptsEveryVendorWithItsDefaults() throws {
    for vendor in VendorRegistry.all {
      let hasDefault = !ByteString(vendor.defaultBaseURL).isEmpty
      let channel = try channel(
        type: ByteString(vendor.slug), base: hasDefault ? "" : "https://llm.example",
        config: neededConfig(vendor))
      #expect(channel.url.isSecure || channel.url.host == "127.0.0.1", "\(vendor.name)")
      let path = channel.path(of: .chat, model: "m").text
      #expect(path.hasPrefix(channel.url.path.text + "/"), "\(vendor.name)")
      #expect(!path.contains("//") && !path.contains("/v1/v1"), "\(path)")
      for model in channel.models { #expect(ModelName.isValid(model), "\(model.text)") }
    }
  }

  @Test func refusesAnUnknownType() {
    for type: ByteString in ["", "OpenAI", "nonsense"] {
      refuses("type") { () throws(FieldError) in try channel(type: type) }
    }
  }

  @Test func needsABaseURLWhereTheVendorHasNone() {
    refuses("base_url") { () throws(FieldError) in try channel(base: "") }
  }

  @Test func refusesABaseURLThatIsNone() {
    for base: ByteString in [
      "llm.example", "ftp://llm.example", "http://", "http://user@llm.example", "http://a b",
      "http://llm.example/v1?a=b", "http://llm.example#x", "http://llm.example:99999", "/v1",
    ] { refuses("base_url") { () throws(FieldError) in try channel(base: base) } }
  }

  @Test(arguments: [
    ("https://llm.example", "/v1"), ("https://llm.example/", "/v1"),
    ("https://llm.example/v1", "/v1"), ("https://llm.example/v1/", "/v1"),
    ("https://llm.example/v1//", "/v1"), ("https://llm.example/api/v3", "/api/v3"),
    ("https://llm.example/openai", "/openai/v1"),
    ("https://llm.example/v1beta", "/v1beta"), ("https://v1.example", "/v1"),
  ])
  func knowsThePathOfEachTask(_ base: String, _ prefix: String) throws {
    let channel = try channel(base: ByteString(utf8: base))
    #expect(channel.path(of: .chat, model: "m").text == prefix + "/chat/completions")
    #expect(channel.path(of: .completions, model: "m").text == prefix + "/completions")
    #expect(channel.path(of: .embeddings, model: "m").text == prefix + "/embeddings")
    #expect(channel.path(of: "/models").text == prefix + "/models")
  }

  // Keys.

  @Test(arguments: [
    ("", 0), ("k1", 1), ("k1\nk2", 2), ("k1\nk2\nk3\n", 3), ("\n k1 \n\n", 1),
  ])
  func usesItsKeysInTurn(_ keys: String, _ count: Int) throws {
    let channel = try channel(keys: ByteString(utf8: keys))
    #expect(channel.keys.count == count)
    guard count > 0 else { return #expect(channel.health.keyInTurn().isEmpty) }
    let taken = (0..<(4 * count)).map { _ in channel.health.keyInTurn().text }
    for start in 0...(3 * count) {
      #expect(Set(taken[start..<(start + count)]).count == count, "from \(start)")
    }
    #expect(Set(taken) == Set((1...count).map { "k\($0)" }))
  }

  // Models.

  private func names(_ channel: Channel) -> [String] { channel.models.map(\.text).sorted() }

  @Test func servesListedAndMappedModels() throws {
    let channel = try channel(models: "a, b ,c", mapping: "a\tx\npublic\ty:8b")
    #expect(names(channel) == ["a", "b", "c", "public"])
    #expect(channel.serves("public"))
    #expect(!channel.serves("x"))
    #expect(!channel.serves("A"))
    #expect(channel.upstreamModel(for: "a") == "x")
    #expect(channel.upstreamModel(for: "public") == "y:8b")
    #expect(channel.upstreamModel(for: "b") == "b")
  }

  @Test func servesTheVendorsModelsWithoutAList() throws {
    let channel = try channel(type: "deepseek", base: "", mapping: "public\tdeepseek-chat")
    #expect(names(channel) == ["deepseek-chat", "deepseek-reasoner", "public"])
  }

  @Test func servesAnyModelWhereTheVendorListsNone() throws {
    let channel = try channel(mapping: "public\tx")
    #expect(channel.models.isEmpty)
    #expect(channel.serves("anything"))
    #expect(channel.upstreamModel(for: "public") == "x")
  }

  // Groups, state, timeouts.

  @Test func readsItsGroups() throws {
    for (groups, expected) in [("a", ["a"]), ("a,b , c", ["a", "b", "c"]), ("", [])] {
      let record = RelayFixtures.record(groups: ByteString(utf8: groups))
      #expect(try RelayFixtures.channel(record).groups.map(\.text) == expected)
    }
  }

  @Test func isEnabledWithStatusAndWeight() throws {
    for (status, weight, isEnabled): (ChannelStatus, Int64, Bool) in [
      (.enabled, 1, true), (.enabled, 1000, true), (.enabled, 0, false), (.disabled, 1, false),
      (.autoDisabled, 1, false),
    ] {
      let record = RelayFixtures.record(weight: weight, status: status)
      #expect(try RelayFixtures.channel(record).isEnabled == isEnabled)
    }
  }

  @Test func usesTheGatewaysTimeoutsUnlessItHasItsOwn() throws {
    var record = RelayFixtures.record()
    var timeouts = try RelayFixtures.channel(record).timeouts
    #expect(timeouts.connectMilliseconds == 1000)
    #expect(timeouts.firstByteMilliseconds == 2000)
    #expect(timeouts.idleMilliseconds == 3000)
    record.connectTimeoutMilliseconds = 7
    record.firstByteTimeoutMilliseconds = 8
    record.idleTimeoutMilliseconds = 9
    timeouts = try RelayFixtures.channel(record).timeouts
    #expect(timeouts.connectMilliseconds == 7)
    #expect(timeouts.firstByteMilliseconds == 8)
    #expect(timeouts.idleMilliseconds == 9)
  }

  // Where it is.

  @Test(arguments: [
    ("http://127.0.0.1:9", true), ("http://192.168.1.7", true), ("http://10.1.2.3/v1", true),
    ("http://172.16.0.1", true), ("http://169.254.1.1", true), ("http://[::1]:8080", true),
    ("http://[fd00::7]", true), ("http://[fe80::7]", true), ("http://8.8.8.8", false),
    ("http://172.32.0.1", false), ("http://[2001:db8::1]", false), ("http://nas:11434", true),
    ("http://localhost", true), ("http://localhost.", true), ("http://box.local", true),
    ("http://BOX.Local", true), ("http://ai.lan", true), ("http://ai.lan.", true),
    ("http://a.b.home.arpa", true), ("http://ai.corp.internal", true),
    ("http://ai.localdomain", true), ("https://api.example.com", false),
    ("https://api.example.com.", false), ("https://local.example.com", false),
    ("https://notlocal", true), ("https://xlan.example", false), ("https://a.wlan", false),
  ])
  func knowsALocalUpstreamByItsAddress(_ base: String, _ isLocal: Bool) throws {
    #expect(try channel(base: ByteString(utf8: base)).isLocal == isLocal)
  }

  @Test func believesTheOwnerAboutThePlace() throws {
    for base: ByteString in ["http://192.168.1.7", "https://api.example.com", "http://nas"] {
      var record = RelayFixtures.record()
      record.baseURL = base
      record.location = .local
      #expect(try RelayFixtures.channel(record).isLocal)
      record.location = .cloud
      #expect(try !RelayFixtures.channel(record).isLocal)
    }
  }
}
