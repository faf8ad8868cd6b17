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

  @Test func knowsTheDearestPassword() {
    let accounts = AccountDirectory()
    func put(_ id: Int64, _ rounds: Int) {
      accounts.put(
        UserRecord(
          id: id, username: ByteString(number: id), passwordHash: Password.hash("x", rounds: rounds)
        ))
    }
    #expect(accounts.dearestRounds == 0)
    put(1, 5)
    #expect(accounts.dearestRounds == 5)
    put(2, 9)
    put(3, 7)
    #expect(accounts.dearestRounds == 9)
    put(2, 6)  // A new password, cheaper.
    #expect(accounts.dearestRounds == 7)
    put(1, 8)
    #expect(accounts.dearestRounds == 8)
    accounts.removeUser(1)
    #expect(accounts.dearestRounds == 7)
    accounts.removeAll()
    #expect(accounts.dearestRounds == 0)
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

  @Test func hasAChannelGroupOfItsOwnOnlyWhereItNamesOne() throws {
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

  @Test func tellsHashesApartThatStartAlike() throws {
    /// A hash whose first eight bytes are those of all.
    func hash(_ last: UInt8) -> ByteString { ByteString([UInt8](repeating: 7, count: 31) + [last]) }
    func find(_ last: UInt8, _ accounts: AccountDirectory) -> Int64? {
      hash(last).withBytes { SHA256Digest($0) }.flatMap { accounts.token(keyHash: $0)?.id }
    }
    let accounts = AccountDirectory()
    for id in 1...Int64(3) {
      var record = record(id)
      record.keyHash = hash(UInt8(id))
      try accounts.put(record)
    }
    #expect((1...4).map { find($0, accounts) } == [1, 2, 3, nil])
    accounts.removeToken(1)
    #expect((1...4).map { find($0, accounts) } == [nil, 2, 3, nil])
    accounts.removeToken(3)
    #expect((1...4).map { find($0, accounts) } == [nil, 2, nil, nil])
    accounts.removeToken(2)
    #expect((1...4).map { find($0, accounts) } == [nil, nil, nil, nil])
  }

  @Test func looksUpAsFastAmongManyTokens() throws {
    /// Nanoseconds of the fastest of several rounds of look-ups, found and not.
    func time(_ count: Int64) throws -> Int64 {
      let accounts = AccountDirectory()
      for id in 1...count { try accounts.put(record(id, key: ByteString(number: id))) }
      let hashes = (1...Int64(200)).map { Digest.sha256(ByteString(number: $0)) }
      return (0..<20).map { _ in
        let start = Instant.now
        var found = 0
        for _ in 0..<20 {
          for hash in hashes where accounts.token(keyHash: hash) != nil { found += 1 }
        }
        let end = Instant.now
        #expect(found == 20 * Int(min(count, 200)))
        return end.nanoseconds - start.nanoseconds
      }.min() ?? 0
    }
    let (few, many) = (try time(100), try time(10_000))
    #expect(many < few * 8, "\(few) ns among 100 tokens, \(many) ns among 10000")
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
