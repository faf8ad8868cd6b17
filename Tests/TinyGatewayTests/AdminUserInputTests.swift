// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Bodies of user requests: what is taken over, and what is refused with which words.
struct AdminUserInputTests {
  private let groups = UserGroupDirectory()
  private let old = UserRecord(
    id: 7, username: "ann", passwordHash: "old", role: .admin, userGroup: "staff", quota: 5,
    usedMicro: 9, status: .disabled, mustChangePassword: true, createdAt: 3, sessionEpoch: 4)

  init() {
    groups.put(UserGroupRecord(id: 1, name: "default"))
    groups.put(UserGroupRecord(id: 2, name: "staff"))
  }

  private func apply(
    _ text: String, hash: ByteString? = nil, over record: UserRecord? = nil
  ) throws(AdminError) -> UserRecord {
    let body = try AdminBody(RelayFixtures.buffer(text), knowing: UserInput.fields)
    return try UserInput.apply(body, hash: hash, to: record ?? old, groups)
  }

  @Test func takesAWholeUser() throws {
    let blank = UserRecord(username: "", passwordHash: "")
    let record = try apply(
      """
      {"username":"张三 \\"x\\"","password":"eight by","role":"root","group":"staff",
      "quota":9000000000000,"status":"disabled","must_change_password":true}
      """, hash: "new", over: blank)
    #expect(record.username == "张三 \"x\"" && record.passwordHash == "new")
    #expect(record.role == .root && record.userGroup == "staff")
    #expect(record.quota == 9_000_000_000_000 && record.status == .disabled)
    #expect(record.mustChangePassword)
    #expect(try apply(#"{"username":"a","quota":null}"#, over: blank).quota == nil)
    for (name, role) in [("user", UserRole.user), ("admin", .admin), ("root", .root)] {
      #expect(try apply(#"{"role":"\#(name)"}"#).role == role)
    }
  }

  @Test func keepsWhatIsLeftOut() throws {
    let record = try apply("{}")
    #expect(record.username == "ann" && record.passwordHash == "old" && record.role == .admin)
    #expect(record.userGroup == "staff" && record.quota == 5 && record.status == .disabled)
    #expect(record.mustChangePassword && record.sessionEpoch == 4 && record.createdAt == 3)
  }

  @Test func endsLoginsWhenAnAccountIsDisabled() throws {
    var enabled = old
    enabled.status = .enabled
    #expect(try apply(#"{"status":"disabled"}"#, over: enabled).sessionEpoch == 5)
    #expect(try apply(#"{"status":"enabled"}"#, over: enabled).sessionEpoch == 4)
    #expect(try apply(#"{"quota":1}"#, over: enabled).sessionEpoch == 4)
    for text in [#"{"status":"disabled"}"#, #"{"status":"enabled"}"#] {
      #expect(try apply(text).sessionEpoch == 4)
    }
  }

  @Test func endsLoginsWithANewPassword() throws {
    let record = try apply(#"{"password":"eight by"}"#, hash: "new")
    #expect(record.passwordHash == "new" && record.sessionEpoch == 5)
    #expect(!record.mustChangePassword)
    let must = #"{"password":"eight by","must_change_password":true}"#
    #expect(try apply(must, hash: "new").mustChangePassword)
  }

  @Test(arguments: [
    (#"{"username":""}"#, "username must have 1 to 64 bytes"),
    (#"{"username":"\#(String(repeating: "x", count: 65))"}"#, "username"),
    (#"{"username":"a\u0000"}"#, "no control characters"), (#"{"username":1}"#, "username"),
    (#"{"username":null}"#, "username"), (#"{"role":"owner"}"#, "must be one of user, admin, root"),
    (#"{"role":null}"#, "role"),
    (#"{"group":"gold"}"#, #"user group "gold", which does not exist"#),
    (#"{"group":""}"#, "group"), (#"{"group":null}"#, "group"), (#"{"quota":-1}"#, "quota"),
    (#"{"quota":9000000000001}"#, "from 0 to 9000000000000"), (#"{"quota":1.5}"#, "quota"),
    (#"{"quota":"5"}"#, "quota"), (#"{"status":"auto_disabled"}"#, "enabled or disabled"),
    (#"{"must_change_password":1}"#, "true or false"),
    (#"{"username":"same name","password":"same name"}"#, "differ"),
    (#"{"used_quota":0}"#, "used_quota"), (#"{"id":1}"#, "id"),
    (#"{"password_hash":""}"#, "password_hash"),
  ])
  func refusesAWrongField(_ text: String, _ words: String) {
    do throws(AdminError) {
      _ = try apply(text)
      Issue.record("accepted: \(text)")
    } catch {
      #expect(error.status == 400)
      #expect(error.message.text.contains(words), "\(error.message.text)")
    }
  }

  @Test func demandsAName() {
    do throws(AdminError) {
      _ = try apply("{}", over: UserRecord(username: "", passwordHash: ""))
      Issue.record("accepted")
    } catch {
      #expect(error.message == "username is missing.")
    }
  }

  @Test(
    arguments: [
      (0, 1, 1), (5, 9_000_000_000_000 - 5, 9_000_000_000_000), (5, 9_000_000_000_000 - 4, nil),
      (9_000_000_000_000, 1, nil), (Int64.max, 1, nil), (nil, 1, nil),
    ] as [(Int64?, Int64, Int64?)])
  func addsUpToTheLargestQuota(_ quota: Int64?, _ amount: Int64, _ expected: Int64?) {
    var record = old
    record.quota = quota
    do throws(AdminError) {
      #expect(try UserInput.adding(amount, to: record).quota == expected)
    } catch {
      #expect(expected == nil && error.status == 409)
    }
  }

  @Test func findsPartsOfNames() {
    #expect(AdminText.contains("Anna.Maria", "a.m"))
    #expect(AdminText.contains("ann", "ANN"))
    #expect(AdminText.contains("张三", "三"))
    #expect(!AdminText.contains("ann", "anna"))
    #expect(!AdminText.contains("ann", "_n"))
  }

  @Test func forgetsAUserWithTheTokens() throws {
    let accounts = AccountDirectory()
    accounts.put(UserRecord(id: 1, username: "a", passwordHash: ""))
    accounts.put(UserRecord(id: 2, username: "b", passwordHash: ""))
    let keys: [ByteString] = ["k1", "k2", "k3"]
    for (index, key) in keys.enumerated() {
      try accounts.put(
        TokenRecord(
          id: Int64(index + 1), userID: index == 1 ? 2 : 1, name: "t",
          keyHash: Digest.sha256(key).bytes, keyHint: ""))
    }
    accounts.removeUser(1)
    accounts.removeUser(99)
    #expect(accounts.user(1) == nil && accounts.user(named: "a") == nil)
    #expect(Array(accounts.tokens.keys) == [2])
    #expect(keys.map { accounts.token(keyHash: Digest.sha256($0)) != nil } == [false, true, false])
    #expect(accounts.user(named: "b")?.id == 2)
  }
}
