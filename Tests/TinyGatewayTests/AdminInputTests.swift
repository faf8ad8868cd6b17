// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Bodies of channel and token requests: what is taken over, and what is refused with which words.
struct AdminInputTests {
  private enum Kind { case channel, token }

  private func body(_ text: String, _ fields: [StaticString]) throws(AdminError) -> AdminBody {
    let buffer = Buffer()
    buffer.append(text: text)
    return try AdminBody(buffer, knowing: fields)
  }

  private func channel(
    _ text: String, over old: ChannelRecord? = nil
  ) throws(AdminError) -> ChannelRecord {
    try ChannelInput.apply(
      try body(text, ChannelInput.fields), to: old ?? ChannelRecord(name: "", type: ""),
      isNew: old == nil, known: Self.channelGroups)
  }

  private func token(
    _ text: String, over old: TokenRecord? = nil, role: UserRole = .root, owner: UserRole? = nil
  ) throws(AdminError) -> TokenRecord {
    let user = UserRecord(username: "u", passwordHash: "", role: role)
    let owner = UserRecord(username: "o", passwordHash: "", role: owner ?? role)
    let blank = TokenRecord(userID: 1, name: "", keyHash: "", keyHint: "")
    let context = TokenInput.Context(
      caller: user, owner: owner, channelGroups: Self.channelGroups, userGroups: Self.userGroups)
    return try TokenInput.apply(
      try body(text, TokenInput.fields), to: old ?? blank, in: context, isNew: old == nil)
  }

  /// `default`, `vip` and `cheap`.
  private static var channelGroups: ChannelGroupDirectory {
    let groups = ChannelGroupDirectory()
    for (index, name) in (["default", "vip", "cheap"] as [ByteString]).enumerated() {
      groups.put(ChannelGroupRecord(id: Int64(index + 1), name: name))
    }
    return groups
  }

  /// `default`, which lists the channel groups `default` and `cheap`.
  private static var userGroups: UserGroupDirectory {
    let groups = UserGroupDirectory()
    groups.put(UserGroupRecord(id: 1, name: "default", channelGroups: "default,cheap"))
    return groups
  }

  /// Expects a refusal with this status and code whose sentence begins with the field's name.
  private func refuses(
    _ kind: Kind, _ text: String, _ field: String, code: StaticString = "invalid_field",
    status: Int = 400, role: UserRole = .root, _ location: SourceLocation = #_sourceLocation
  ) {
    do throws(AdminError) {
      switch kind {
      case .channel: _ = try channel(text, over: Self.existing)
      case .token: _ = try token(text, over: Self.existingToken, role: role)
      }
      Issue.record("accepted: \(text)", sourceLocation: location)
    } catch {
      #expect(error.status == status, sourceLocation: location)
      #expect(ByteString(error.code) == code, "\(error.code)", sourceLocation: location)
      #expect(
        error.message.text.contains(field), "\(error.message.text)", sourceLocation: location)
    }
  }

  private static let existing = ChannelRecord(
    id: 1, name: "old", type: "openai", baseURL: "https://a.example/v1", keys: "sk-1234567890abcd",
    headers: "x-api-key: secret-value-9876\nX-Plain: yes")
  private static let existingToken = TokenRecord(
    id: 1, userID: 1, name: "old", keyHash: "", keyHint: "")

  // Channels.

  @Test func takesAWholeChannel() throws {
    let record = try channel(
      """
      {"name":"A \u{4F60}","type":"openai","keys":["sk-a1","sk-b2"],"base_url":"https://x.example",
      "models":["m1","org/m:2"],"model_mapping":{"m1":"up:1"},"groups":["default","vip"],
      "weight":1000,"priority":-3,"status":"disabled","connect_timeout_ms":1000,
      "first_byte_timeout_ms":0,"idle_timeout_ms":null,"headers":{"X-A":"b: c"},"config":{}}
      """)
    #expect(record.keys == "sk-a1\nsk-b2")
    #expect(record.models == "m1,org/m:2")
    #expect(record.modelMapping == "m1\tup:1")
    #expect(record.groups == "default,vip")
    #expect(record.weight == 1000)
    #expect(record.priority == -3)
    #expect(record.status == .disabled)
    #expect(record.connectTimeoutMilliseconds == 1000)
    #expect(record.headers == "X-A: b: c")
  }

  @Test func keepsWhatAPartialEditLeavesOut() throws {
    let record = try channel(#"{"weight":5}"#, over: Self.existing)
    #expect(record.weight == 5)
    #expect(record.keys == Self.existing.keys)
    #expect(record.headers == Self.existing.headers)
    #expect(record.name == "old")
  }

  @Test func demandsNameTypeAndKeysOfANewChannel() {
    for (text, word) in [
      (#"{"type":"openai","keys":["k"]}"#, "name"), (#"{"name":"a","keys":["k"]}"#, "type"),
      (#"{"name":"a","type":"openai"}"#, "keys"),
    ] {
      do throws(AdminError) {
        _ = try channel(text)
        Issue.record("accepted \(text)")
      } catch {
        #expect(error.message.text.hasPrefix(word), "\(error.message.text)")
      }
    }
  }

  @Test func namesTheFieldThatDoesNotFit() {
    refuses(.channel, #"{"weight":1001}"#, "weight must be a whole number from 0 to 1000")
    refuses(.channel, #"{"weight":-1}"#, "weight")
    refuses(.channel, #"{"weight":1.5}"#, "weight")
    refuses(.channel, #"{"weight":"1"}"#, "weight")
    refuses(.channel, #"{"weight":null}"#, "weight")
    refuses(.channel, #"{"weight":99999999999999999999}"#, "weight")
    refuses(.channel, #"{"name":""}"#, "name")
    refuses(.channel, #"{"name":"a\nb"}"#, "name")
    refuses(.channel, #"{"name":7}"#, "name")
    refuses(.channel, #"{"type":"nonsense"}"#, "type", code: "invalid_field")
    refuses(.channel, #"{"status":"auto_disabled"}"#, "status")
    refuses(.channel, #"{"models":"gpt"}"#, "models")
    refuses(.channel, #"{"models":["a b"]}"#, "models")
    refuses(.channel, #"{"models":["a","a"]}"#, "models")
    refuses(.channel, #"{"models":[1]}"#, "models")
    refuses(.channel, #"{"groups":["a,b"]}"#, "groups")
    refuses(.channel, #"{"groups":[" a"]}"#, "groups")
    refuses(.channel, #"{"model_mapping":{"a":1}}"#, "model_mapping")
    refuses(.channel, #"{"model_mapping":{"a\tb":"c"}}"#, "model_mapping")
    refuses(.channel, #"{"model_mapping":{"a":"b","a":"c"}}"#, "model_mapping")
    refuses(.channel, #"{"keys":["a b"]}"#, "keys")
    refuses(.channel, #"{"keys":["a\nb"]}"#, "keys")
    refuses(.channel, #"{"keys":[]}"#, "keys")
    refuses(.channel, #"{"idle_timeout_ms":3600001}"#, "idle_timeout_ms")
    refuses(.channel, #"{"config":{"region":"x"}}"#, "config.region", code: "unknown_field")
    refuses(.channel, #"{"config":[]}"#, "config")
  }

  @Test func keepsHeaderInjectionOut() {
    refuses(.channel, #"{"headers":{"X-A":"b\r\nHost: evil"}}"#, "headers")
    refuses(.channel, #"{"headers":{"X-A\n":"b"}}"#, "headers")
    refuses(.channel, #"{"headers":{"X-A":["b"]}}"#, "headers")
  }

  @Test func refusesWhatIsNoJSONObjectOfKnownFields() {
    refuses(.channel, #"{"wieght":1}"#, "wieght", code: "unknown_field")
    refuses(.channel, #"{"weight":1,"weight":2}"#, "occurs twice", code: "invalid_json")
    refuses(.channel, "[]", "object", code: "invalid_json")
    refuses(.channel, #"{"weight":1"#, "invalid JSON", code: "invalid_json")
    refuses(.channel, "{\"name\":\"\u{0}\"}", "invalid JSON", code: "invalid_json")
  }

  @Test func demandsKeysAgainForAnotherAddress() throws {
    let everything = #""keys":["sk-new-key"],"headers":{"X-Plain":"yes"}"#
    refuses(.channel, #"{"base_url":"https://evil.example/v1"}"#, "keys", code: "keys_required")
    refuses(.channel, #"{"base_url":""}"#, "keys", code: "keys_required")
    refuses(.channel, #"{"base_url":"http://a.example/v1"}"#, "keys", code: "keys_required")
    refuses(.channel, #"{"base_url":"https://a.example:444/v1"}"#, "keys", code: "keys_required")
    let moved = try channel(
      #"{"base_url":"https://b.example/v1",\#(everything)}"#, over: Self.existing)
    #expect(moved.keys == "sk-new-key")
    let same = try channel(#"{"base_url":"https://A.example:443/v1/"}"#, over: Self.existing)
    #expect(same.keys == Self.existing.keys)
  }

  @Test func demandsKeysAgainWhenTheTypeMovesTheAddress() {
    var record = Self.existing
    record.baseURL = ""
    record.headers = ""
    do throws(AdminError) {
      _ = try channel(#"{"type":"deepseek"}"#, over: record)
      Issue.record("accepted")
    } catch {
      #expect(error.code.description == "keys_required")
    }
  }

  @Test func demandsSecretHeadersAgainForAnotherAddress() {
    refuses(
      .channel, #"{"base_url":"https://b.example/v1","keys":["sk-new-key"]}"#, "headers",
      code: "keys_required")
  }

  @Test func keepsASecretHeaderThatComesBackAsItsHint() throws {
    let hint = AdminText.hint(of: "secret-value-9876").text
    let record = try channel(
      #"{"headers":{"x-api-key":"\#(hint)","X-New":"1"}}"#, over: Self.existing)
    #expect(record.headers == "x-api-key: secret-value-9876\nX-New: 1")
  }

  @Test func showsLittleOfASecret() {
    #expect(AdminText.hint(of: "sk-1234567890abcd") == "sk-…abcd")
    #expect(AdminText.hint(of: "abcdefghijkl") == "…ijkl")
    #expect(AdminText.hint(of: "short") == "…")
    #expect(AdminText.hint(of: "") == "…")
  }

  @Test func hidesChannelKeysInVendorMessages() {
    let text = AdminText.redacted("bad key mykey99 at\n12", hiding: ["mykey99"])
    #expect(text == "bad key *** at 12")
  }

  @Test func shortensBetweenCharacters() {
    #expect(AdminText.prefix("ab\u{4F60}", 4) == "ab")
    #expect(AdminText.prefix("ab\u{4F60}", 5) == "ab\u{4F60}")
    #expect(AdminText.quoted("a\"b\nc") == #""a\"b\nc""#)
  }

  // Tokens.

  @Test func takesAWholeToken() throws {
    let record = try token(
      """
      {"name":"t","expires_at":1900000000,"quota":0,"quota_period":"none",
      "allowed_ips":["10.0.0.0/8","::1"],"models":["m"],"channel_group":"vip","rpm":null,
      "tpm":null,"status":"disabled"}
      """)
    #expect(record.expiresAt == 1_900_000_000)
    #expect(record.quota == 0)
    #expect(record.allowedIPs == "10.0.0.0/8,::1")
    #expect(record.models == "m")
    #expect(record.channelGroup == "vip")
    #expect(record.status == .disabled)
  }

  @Test func liftsLimitsWithNull() throws {
    var old = Self.existingToken
    old.expiresAt = 5
    old.quota = 7
    old.channelGroup = "vip"
    let record = try token(
      #"{"expires_at":null,"quota":null,"channel_group":null}"#, over: old)
    #expect(record.expiresAt == nil)
    #expect(record.quota == nil)
    #expect(record.channelGroup.isEmpty)
  }

  @Test func refusesWrongTokenFields() {
    refuses(.token, #"{"name":""}"#, "name")
    refuses(.token, #"{"quota":-1}"#, "quota")
    refuses(.token, #"{"quota":9000000000001}"#, "quota")
    refuses(.token, #"{"expires_at":0}"#, "expires_at")
    refuses(.token, #"{"expires_at":"soon"}"#, "expires_at")
    refuses(.token, #"{"allowed_ips":["10.0.0.0/33"]}"#, "allowed_ips")
    refuses(.token, #"{"allowed_ips":["localhost"]}"#, "allowed_ips")
    refuses(.token, #"{"allowed_ips":["10.0.0.1,10.0.0.2"]}"#, "allowed_ips")
    refuses(.token, #"{"channel_group":"a,b"}"#, "channel_group")
    refuses(.token, #"{"used_quota":0}"#, "used_quota", code: "unknown_field")
    refuses(.token, #"{"key":"sk-mine"}"#, "key", code: "unknown_field")
  }

  @Test func keepsUsersToTheGroupsOfTheirUserGroup() throws {
    let cheap = #"{"name":"t","channel_group":"cheap"}"#
    #expect(try token(cheap, role: .user).channelGroup == "cheap")
    for name in ["vip", "no-such-group"] {
      refuses(
        .token, #"{"channel_group":"\#(name)"}"#, "channel_group", code: "group_not_allowed",
        status: 403, role: .user)
    }
  }

  @Test func demandsGroupsThatExist() {
    let hint = "does not exist: create it with POST /api/v1/channel-groups"
    refuses(.token, #"{"channel_group":"typo"}"#, #"channel group "typo", which \#(hint)"#)
    refuses(.channel, #"{"groups":["vip","typo"]}"#, #"groups names the channel group "typo","#)
    refuses(.channel, #"{"groups":["typo"]}"#, hint)
  }

  @Test func refusesAGroupThatTheOwnerMayNotUse() throws {
    let text = #"{"name":"t","channel_group":"vip"}"#
    do throws(AdminError) {
      _ = try token(text, role: .admin, owner: .user)
      Issue.record("accepted")
    } catch {
      #expect(error.status == 400)
      #expect(error.message.text.contains("user group of the token's owner"))
    }
    #expect(try token(text, role: .root, owner: .admin).channelGroup == "vip")
  }
}
