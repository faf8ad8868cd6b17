// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import MiniHTTP
@testable import TinyGateway

/// Which keys are let in, how they are presented, and what refused ones are told.
@Suite(.serialized)
struct RelayAuthenticatorTests {
  /// A gateway with a few accounts; it listens nowhere.
  private final class Fixture {
    let configuration: ConfigurationFixture
    let gateway: Gateway

    init() throws {
      configuration = try ConfigurationFixture("trusted_proxies: 10.0.0.0/8\n")
      let settings = try configuration.load().get()
      let loader = ConfigurationLoader(
        invocation: try Invocation(arguments: ["tinygateway"]), environment: [])
      gateway = try Gateway(
        configuration: settings, loader: loader, log: Log(level: .error, descriptor: -1),
        signals: -1)
      for (id, role, status) in [
        (101, .user, .enabled), (102, .admin, .enabled), (103, .root, .enabled),
        (104, .user, .disabled),
      ] as [(Int64, UserRole, RecordStatus)] {
        gateway.accounts.put(
          UserRecord(
            id: id, username: ByteString(utf8: "user\(id)"), passwordHash: "", role: role,
            status: status))
      }
    }

    /// Adds a token; its key is `sk-` and the name.
    func add(
      _ id: Int64, _ name: ByteString, user: Int64 = 101, expiresAt: Int64? = nil,
      allowedIPs: ByteString = "", status: RecordStatus = .enabled
    ) throws {
      try gateway.accounts.put(
        TokenRecord(
          id: id, userID: user, name: name, keyHash: Digest.sha256("sk-" + name).bytes,
          keyHint: "", expiresAt: expiresAt, allowedIPs: allowedIPs, status: status))
    }
  }

  private let fixture: Fixture

  init() throws {
    fixture = try Fixture()
    let now = UnixTime.seconds
    try fixture.add(1, "user")
    try fixture.add(2, "admin", user: 102)
    try fixture.add(3, "root", user: 103)
    try fixture.add(4, "off", status: .disabled)
    try fixture.add(5, "orphan", user: 104)
    try fixture.add(6, "nobody", user: 999)
    try fixture.add(7, "past", expiresAt: now - 1)
    try fixture.add(8, "long-past", expiresAt: 1)
    try fixture.add(9, "now", expiresAt: now)
    try fixture.add(10, "soon", expiresAt: now + 3600)
    try fixture.add(11, "near", allowedIPs: "192.168.1.0/24,2001:db8::/32")
    try fixture.add(12, "with-hyphens-7", user: 102)
  }

  private func authenticate(_ fields: [String], peer: ByteString? = nil) throws -> Caller {
    try Authenticator.authenticate(
      try RelayFixtures.head(fields, peer: peer), fixture.gateway)
  }

  private func accepts(
    _ fields: String..., token: Int64 = 1, channel: Int64? = nil, peer: ByteString? = nil,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let caller = try authenticate(fields, peer: peer)
    #expect(caller.token.id == token, sourceLocation: location)
    #expect(caller.user.id == caller.token.record.userID, sourceLocation: location)
    #expect(caller.pinnedChannel == channel, sourceLocation: location)
  }

  private func refuses(
    _ fields: String..., code: String = "invalid_api_key", status: Int = 401,
    peer: ByteString? = nil, _ location: SourceLocation = #_sourceLocation
  ) throws {
    do {
      let caller = try authenticate(fields, peer: peer)
      Issue.record("accepted token \(caller.token.id)", sourceLocation: location)
    } catch let error as RelayError {
      #expect(error.status == status, sourceLocation: location)
      #expect(error.code.text == code, sourceLocation: location)
      let type = status == 403 ? "permission_error" : "authentication_error"
      #expect(error.type.text == type, sourceLocation: location)
      for field in fields where field.contains("sk-") {
        let key = field[(field.firstRange(of: "sk-")?.upperBound ?? field.endIndex)...]
        #expect(!error.message.text.contains(key), sourceLocation: location)
      }
    }
  }

  @Test func holdsATokenToItsRulesWithoutItsKey() throws {
    func refusal(_ token: Int64, peer: ByteString = "192.168.1.9") throws -> String? {
      let token = try #require(fixture.gateway.accounts.token(token))
      do {
        // A key in the head says nothing then.
        let head = try RelayFixtures.head(["X-Api-Key: sk-admin"], peer: peer)
        let caller = try Authenticator.authenticate(head, fixture.gateway, as: token)
        #expect(caller.token === token && caller.user.id == token.record.userID)
        #expect(caller.pinnedChannel == nil)
        return nil
      } catch let error as RelayError {
        return error.code.text
      }
    }
    #expect(try refusal(1) == nil)
    #expect(try refusal(12) == nil)
    #expect(try refusal(4) == "token_disabled")
    #expect(try refusal(5) == "token_disabled")
    #expect(try refusal(6) == "invalid_api_key")
    #expect(try refusal(7) == "token_expired")
    #expect(try refusal(11) == nil)
    #expect(try refusal(11, peer: "192.168.2.9") == "ip_not_allowed")
  }

  @Test func saysWhichChannelGroupsServe() throws {
    let groups = fixture.gateway.userGroups
    let standard = try #require(groups.find("default"))
    var record = standard.record
    record.channelGroups = "vip,default"
    #expect(try authenticate(["X-Api-Key: sk-user"]).channelGroups == ["default"])
    groups.put(record)
    #expect(try authenticate(["X-Api-Key: sk-user"]).channelGroups == ["vip", "default"])
  }

  @Test func findsTheKeyInEitherHeader() throws {
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
      try accepts("Authorization: \(scheme) sk-user")
      try accepts("authorization:\(scheme) sk-user \t")
    }
    try accepts("X-Api-Key: sk-user")
    try accepts("x-api-key:  sk-user  ")
    try accepts("Api-Key: sk-user")
    try accepts("X-Goog-Api-Key: sk-user")
  }

  @Test func refusesOtherSpellings() throws {
    try refuses()
    for value in [
      "", "sk-user", "Bearer", "Bearer ", "Bearer  sk-user", "Bearersk-user", "Bearer\tsk-user",
      "Basic c2stdXNlcg==", "Token sk-user", "Bearer Bearer sk-user", "Bearer sk-user,sk-user",
    ] { try refuses("Authorization: \(value)") }
    try refuses("X-Api-Key: Bearer sk-user")
    try refuses("X-Api-Key:")
    try refuses("Api-Key: sk-user", "X-Goog-Api-Key: sk-user")
    try refuses("Api-Key: sk-user", "Authorization: Bearer sk-user")
    try refuses("Goog-Api-Key: sk-user")
    try refuses("Cookie: key=sk-user")
  }

  @Test func refusesTwoKeys() throws {
    try refuses("Authorization: Bearer sk-user", "X-Api-Key: sk-user")
    try refuses("Authorization: Bearer sk-user", "Authorization: Bearer sk-user")
    try refuses("Authorization: Bearer sk-unknown", "Authorization: Bearer sk-user")
    try refuses("X-Api-Key: sk-user", "X-Api-Key: sk-user")
  }

  @Test func refusesUnknownKeys() throws {
    for key in ["sk-unknown", "sk-use", "sk-userr", "SK-user", "sk-", "user", "sk-user\u{E9}"] {
      try refuses("Authorization: Bearer \(key)")
      try refuses("X-Api-Key: \(key)")
    }
    try refuses("Authorization: Bearer sk-nobody")
  }

  @Test func saysThatAKeyIsDisabled() throws {
    try refuses("Authorization: Bearer sk-off", code: "token_disabled")
    try refuses("Authorization: Bearer sk-orphan", code: "token_disabled")
  }

  @Test func saysThatAKeyHasExpired() throws {
    try #require(UnixTime.isPlausible, "the clock of this machine is not set")
    for key in ["sk-past", "sk-long-past", "sk-now"] {
      try refuses("Authorization: Bearer \(key)", code: "token_expired")
    }
    try accepts("Authorization: Bearer sk-soon", token: 10)
  }

  @Test(
    arguments: [
      (nil, 100, true, false), (100, 99, true, false), (100, 100, true, true),
      (100, 101, true, true), (1, 100, false, false), (nil, 100, false, false),
    ] as [(Int64?, Int64, Bool, Bool)])
  func expiresNothingBeforeTheClockIsRight(
    _ expiry: Int64?, _ now: Int64, _ isPlausible: Bool, _ isExpired: Bool
  ) {
    #expect(
      Authenticator.isExpired(expiry, now: now, isClockPlausible: isPlausible) == isExpired)
  }

  @Test func allowsListedAddressesOnly() throws {
    let key = "Authorization: Bearer sk-near"
    for peer: ByteString in ["192.168.1.7", "2001:db8::1", "::ffff:192.168.1.7"] {
      try accepts(key, token: 11, peer: peer)
    }
    for peer: ByteString in ["192.168.2.7", "2001:db9::1", "127.0.0.1"] {
      try refuses(key, code: "ip_not_allowed", status: 403, peer: peer)
    }
    try refuses(key, code: "ip_not_allowed", status: 403)
  }

  @Test func believesTrustedProxiesAboutTheAddress() throws {
    let key = "Authorization: Bearer sk-near"
    let near = "X-Forwarded-For: 192.168.1.7"
    try accepts(key, near, token: 11, peer: "10.1.2.3")
    try refuses(key, near, code: "ip_not_allowed", status: 403, peer: "11.1.2.3")
    try refuses(
      key, "X-Forwarded-For: 1.2.3.4", code: "ip_not_allowed", status: 403, peer: "10.1.2.3")
    try refuses(
      key, "X-Forwarded-For: garbage", code: "ip_not_allowed", status: 403, peer: "10.1.2.3")
    try refuses(
      key, "X-Real-IP: 192.168.1.7", code: "ip_not_allowed", status: 403, peer: "10.1.2.3")
  }

  @Test func pinsAChannelForAdministrators() throws {
    try accepts("Authorization: Bearer sk-admin-12", token: 2, channel: 12)
    try accepts("X-Api-Key: sk-root-3", token: 3, channel: 3)
    try accepts("Authorization: Bearer sk-admin", token: 2)
    try refuses("Authorization: Bearer sk-user-12")
    for suffix in ["-", "-x", "-1x", "--1", "-+1", "-1-", "-99999999999999999999", "- 1"] {
      try refuses("Authorization: Bearer sk-admin\(suffix)")
    }
    try refuses("Authorization: Bearer sk-unknown-12")
  }

  @Test func findsKeysWhosePrefixIsMissing() throws {
    for (id, count) in [(30, 39), (31, 40), (32, 128), (33, 129)] as [(Int64, Int)] {
      let bare = String(repeating: "k", count: count)
      try fixture.add(id, ByteString(utf8: bare), user: 102)
      try accepts("X-Api-Key: sk-\(bare)", token: id)
      if id == 31 || id == 32 {
        try accepts("Authorization: Bearer \(bare)", token: id)
        try accepts("X-Api-Key: \(bare)-7", token: id, channel: 7)
      } else {
        try refuses("Authorization: Bearer \(bare)")
      }
      try refuses("X-Api-Key: sk-sk-\(bare)")
    }
    let spaced = String(repeating: "k", count: 30) + " " + String(repeating: "k", count: 30)
    try fixture.add(34, ByteString(utf8: spaced))
    try refuses("X-Api-Key: \(spaced)")
  }

  @Test func prefersAWholeKeyToASuffix() throws {
    try accepts("Authorization: Bearer sk-with-hyphens-7", token: 12)
    try accepts("Authorization: Bearer sk-with-hyphens-7-4", token: 12, channel: 4)
  }

  @Test func namesTheChannelGroupsOfTheCaller() throws {
    fixture.gateway.userGroups.put(
      UserGroupRecord(id: 90, name: "staff", channelGroups: "fast,default"))
    for (id, role, group) in [
      (110, .user, "staff"), (111, .user, "gone"), (112, .admin, "gone"),
    ] as [(Int64, UserRole, ByteString)] {
      fixture.gateway.accounts.put(
        UserRecord(
          id: id, username: ByteString(number: id), passwordHash: "", role: role,
          userGroup: group))
    }
    for (id, name, user, group, groups) in [
      (20, "a", 110, "", ["fast", "default"]), (21, "b", 110, "fast", ["fast"]),
      (22, "c", 110, "slow", []), (23, "d", 111, "", []), (24, "e", 112, "", ["default"]),
      (25, "f", 112, "slow", ["slow"]), (26, "g", 101, "", ["default"]),
    ] as [(Int64, ByteString, Int64, ByteString, [String])] {
      try fixture.gateway.accounts.put(
        TokenRecord(
          id: id, userID: user, name: name, keyHash: Digest.sha256("sk-" + name).bytes,
          keyHint: "", channelGroup: group))
      let caller = try authenticate(["X-Api-Key: sk-\(name.text)"])
      #expect(caller.channelGroups.map(\.text) == groups, "\(name.text)")
    }
  }
}
