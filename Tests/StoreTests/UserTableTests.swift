// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct UserTableTests {
  private let full = UserRecord(
    username: ByteString([0x7A, 0xC3, 0xBC]), passwordHash: "h", role: .root, userGroup: "staff",
    quota: 5_000_000_000, status: .disabled, mustChangePassword: true,
    createdAt: 4_000_000_000, sessionEpoch: 7)

  private func expectSame(_ left: UserRecord?, _ right: UserRecord) {
    #expect(left?.id == right.id && left?.username == right.username)
    #expect(left?.passwordHash == right.passwordHash && left?.role == right.role)
    #expect(left?.userGroup == right.userGroup && left?.quota == right.quota)
    #expect(left?.usedMicro == right.usedMicro && left?.status == right.status)
    #expect(left?.mustChangePassword == right.mustChangePassword)
    #expect(left?.createdAt == right.createdAt && left?.sessionEpoch == right.sessionEpoch)
  }

  @Test func givesBackWhatItTook() throws {
    let database = try TemporaryFolder().open()
    for record in [UserRecord.sample, full] {
      var expected = record
      expected.id = try UserTable.insert(record, in: database)
      expectSame(try UserTable.find(expected.id, in: database), expected)
      expectSame(try UserTable.find(username: record.username, in: database), expected)
    }
    #expect(try UserTable.find(99, in: database) == nil)
    #expect(try UserTable.find(username: "Ann", in: database) == nil)
  }

  @Test func changesAllButTheUsage() throws {
    let database = try TemporaryFolder().open()
    let id = try UserTable.insert(.sample, in: database)
    var used = UsageDelta()
    used.add(40, at: 1)
    try UsageTable.add(used, to: .user, id, in: database)
    var changed = full
    changed.id = id
    changed.usedMicro = 1
    try UserTable.update(changed, in: database)
    changed.usedMicro = 40
    expectSame(try UserTable.find(id, in: database), changed)
  }

  @Test func refusesATakenName() throws {
    let database = try TemporaryFolder().open()
    _ = try UserTable.insert(.sample, in: database)
    #expect(
      kind { () throws(StoreError) in try UserTable.insert(.sample, in: database) } == .duplicate)
    var other = full
    other.id = try UserTable.insert(full, in: database)
    other.username = UserRecord.sample.username
    let renamed = other
    #expect(
      kind { () throws(StoreError) in try UserTable.update(renamed, in: database) } == .duplicate)
  }

  @Test func addsToALimitedQuotaUpToTheLimit() throws {
    let database = try TemporaryFolder().open()
    let unlimited = try UserTable.insert(.sample, in: database)
    let limited = try UserTable.insert(full, in: database)
    #expect(try UserTable.addQuota(5, to: limited, upTo: 5_000_000_005, in: database))
    #expect(try !UserTable.addQuota(1, to: limited, upTo: 5_000_000_005, in: database))
    #expect(try !UserTable.addQuota(1, to: unlimited, upTo: 9, in: database))
    #expect(try !UserTable.addQuota(1, to: 99, upTo: 9, in: database))
    #expect(try UserTable.find(limited, in: database)?.quota == 5_000_000_005)
    #expect(try UserTable.find(unlimited, in: database)?.quota == nil)
  }

  @Test func saysWhenThereIsNoSuchUser() throws {
    let database = try TemporaryFolder().open()
    #expect(
      kind { () throws(StoreError) in try UserTable.update(.sample, in: database) } == .notFound)
    #expect(kind { () throws(StoreError) in try UserTable.delete(1, in: database) } == .notFound)
  }

  @Test func takesTheTokensWithIt() throws {
    let database = try TemporaryFolder().open()
    let id = try UserTable.insert(.sample, in: database)
    let token = try TokenTable.insert(.sample(1, userID: id), in: database)
    var used = UsageDelta()
    used.add(40, at: 1)
    try UsageTable.add(used, to: .user, id, in: database)
    try UsageTable.add(used, to: .token, token, in: database)
    try UserTable.delete(id, in: database)
    #expect(try TokenTable.find(token, in: database) == nil)
    #expect(try database.integer("SELECT count(*) FROM usage") == 0)
  }

  @Test func neverGivesAnIdTwice() throws {
    let database = try TemporaryFolder().open()
    let first = try UserTable.insert(.sample, in: database)
    try UserTable.delete(first, in: database)
    #expect(try UserTable.insert(.sample, in: database) > first)
  }

  @Test func listsPages() throws {
    let database = try TemporaryFolder().open()
    for number in 0..<7 {
      var user = UserRecord.sample
      user.username = ByteString(utf8: "u\(number)")
      _ = try UserTable.insert(user, in: database)
    }
    for (number, expected): (Int64, [Int64]) in [(1, [1, 2, 3]), (3, [7]), (4, [])] {
      let listing = try UserTable.list(Page(number: number, size: 3), in: database)
      #expect(listing.items.map(\.id) == expected && listing.total == 7)
    }
    #expect(try UserTable.all(in: database).count == 7)
  }
}
