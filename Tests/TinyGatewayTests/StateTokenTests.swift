// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Keys and accounts in memory.
struct StateTokenTests {
  private func record(
    _ id: Int64 = 1, key: ByteString = "sk-1", quota: Int64? = nil, used: Int64 = 0,
    allowedIPs: ByteString = "", models: ByteString = "", group: ByteString = ""
  ) -> TokenRecord {
    TokenRecord(
      id: id, userID: 1, name: "t", keyHash: Digest.sha256(key).bytes, keyHint: "", quota: quota,
      usedMicro: Micro.ofUnits(used), allowedIPs: allowedIPs, models: models, channelGroup: group)
  }

  @Test func needsAHashOfTheRightLength() {
    for hash: ByteString in ["", "short", ByteString([UInt8](repeating: 1, count: 33))] {
      var record = record()
      record.keyHash = hash
      #expect(throws: FieldError.self) { try Token(record) }
    }
  }

  @Test(arguments: [
    ("", "anything", true), ("gpt-4o", "gpt-4o", true), ("gpt-4o", "gpt-4", false),
    ("gpt-4o", "GPT-4o", false), ("a, b ,c", "b", true), ("a,b", "a,b", false), ("a,b", "", false),
  ])
  func allowsListedModels(_ models: String, _ model: String, _ isAllowed: Bool) throws {
    let token = try Token(record(models: ByteString(utf8: models)))
    #expect(token.allows(model: ByteString(utf8: model)) == isAllowed)
  }

  @Test(
    arguments: [
      ("", nil, true), ("", "1.2.3.4", true), ("10.0.0.0/8", nil, false),
      ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false),
      ("1.2.3.4", "1.2.3.4", true), ("1.2.3.4", "1.2.3.5", false),
      ("10.0.0.0/8, 2001:db8::/32", "2001:db8::7", true), ("2001:db8::/32", "10.0.0.1", false),
      ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "::1", false),
      ("192.168.1.0/24", "::ffff:192.168.1.9", true),
    ] as [(String, String?, Bool)])
  func allowsListedAddresses(_ list: String, _ address: String?, _ isAllowed: Bool) throws {
    let token = try Token(record(allowedIPs: ByteString(utf8: list)))
    let parsed = try address.map { try #require(IPAddress(ByteString(utf8: $0))) }
    #expect(token.allows(address: parsed) == isAllowed)
  }

  @Test(arguments: ["nonsense", "10.0.0.0/33", "10.0.0.0/", "1.2.3.4;5.6.7.8", "10.0.0.0/8,x"])
  func refusesAListThatHoldsNoAddresses(_ list: String) {
    #expect {
      try Token(record(allowedIPs: ByteString(utf8: list)))
    } throws: {
      ($0 as? FieldError)?.field.text == "allowed_ips"
    }
  }

  @Test func belongsToTheDefaultGroupWithoutAnother() throws {
    #expect(try Token(record()).channelGroup == "default")
    #expect(try Token(record(group: "vip")).channelGroup == "vip")
    let token = try Token(record())
    #expect(token.ownChannelGroups.isEmpty)
    try token.update(record(group: "vip"))
    #expect(token.ownChannelGroups == ["vip"])
  }

  @Test func knowsWhatIsLeft() throws {
    #expect(try Token(record()).availableUnits == nil)
    let token = try Token(record(quota: 100, used: 30))
    #expect(token.availableUnits == 70)
    token.reservedMicro = Micro.ofUnits(50)
    #expect(token.availableUnits == 20)
  }

  @Test func keepsItsQuotaWhenSettingsChange() throws {
    let token = try Token(record(quota: 100, used: 30))
    token.usedMicro = Micro.ofUnits(40)
    token.reservedMicro = Micro.ofUnits(5)
    try token.update(record(quota: 200, used: 0, allowedIPs: "10.0.0.1", models: "a"))
    #expect(token.usedQuota == 40)
    #expect(token.availableUnits == 155)
    #expect(!token.allows(model: "b"))
    #expect(!token.allows(address: nil))
  }

  @Test func changesNothingWhenAChangeIsRefused() throws {
    let token = try Token(record(quota: 100))
    #expect(throws: FieldError.self) {
      try token.update(record(quota: 1, allowedIPs: "nonsense", models: "a"))
    }
    #expect(token.record.quota == 100)
    #expect(token.allows(model: "b"))
    #expect(token.allows(address: nil))
  }

  // The directory.

  @Test func findsTokensByHash() throws {
    let accounts = AccountDirectory()
    try accounts.put(record(1, key: "sk-1"))
    try accounts.put(record(2, key: "sk-2"))
    #expect(accounts.token(keyHash: Digest.sha256("sk-2"))?.id == 2)
    #expect(accounts.token(keyHash: Digest.sha256("sk-3")) == nil)
    accounts.removeToken(2)
    #expect(accounts.token(keyHash: Digest.sha256("sk-2")) == nil)
    #expect(accounts.token(2) == nil)
    accounts.removeToken(2)
    #expect(accounts.token(1)?.id == 1)
  }

  @Test func changesATokenInPlace() throws {
    let accounts = AccountDirectory()
    try accounts.put(record(1))
    let token = try #require(accounts.token(1))
    try accounts.put(record(1, models: "a"))
    #expect(accounts.token(1) === token)
    #expect(accounts.token(keyHash: Digest.sha256("sk-1")) === token)
    #expect(!token.allows(model: "b"))
  }

  @Test func findsUsersByIdAndName() throws {
    let accounts = AccountDirectory()
    accounts.put(UserRecord(id: 1, username: "anna", passwordHash: ""))
    let user = try #require(accounts.user(1))
    user.usedMicro = Micro.ofUnits(9)
    #expect(accounts.user(named: "anna") === user)
    accounts.put(UserRecord(id: 1, username: "berta", passwordHash: "", quota: 10))
    #expect(accounts.user(named: "anna") == nil)
    #expect(accounts.user(named: "berta") === user)
    #expect(user.availableUnits == 1)
    #expect(accounts.user(named: "Berta") == nil)
    #expect(accounts.user(2) == nil)
  }
}
