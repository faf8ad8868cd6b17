// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct RedemptionTableTests {
  private let database: Database
  private let user: Int64

  init() throws {
    database = try TemporaryFolder().open()
    var record = UserRecord.sample
    record.quota = 10
    user = try UserTable.insert(record, in: database)
  }

  private func code(
    _ byte: UInt8, name: ByteString = "gift", quota: Int64 = 5, expiresAt: Int64? = nil,
    status: RedemptionStatus = .unused
  ) -> RedemptionRecord {
    RedemptionRecord(
      name: name, codeHash: hash(byte), codeHint: "tgc-…", quota: quota, expiresAt: expiresAt,
      status: status, createdAt: 7)
  }

  private func hash(_ byte: UInt8) -> ByteString { ByteString([UInt8](repeating: byte, count: 32)) }

  private func redeem(
    _ byte: UInt8, by id: Int64? = nil, at now: Int64 = 100, upTo limit: Int64 = 1000
  ) throws -> RedemptionOutcome {
    let (id, database, hash) = (id ?? user, database, hash(byte))
    return try database.transaction { () throws(StoreError) in
      try RedemptionTable.redeem(codeHash: hash, by: id, at: now, upTo: limit, in: database)
    }
  }

  private func quota(_ id: Int64? = nil) throws -> Int64? {
    try UserTable.find(id ?? user, in: database)?.quota
  }

  @Test func givesBackWhatItTook() throws {
    var used = code(2, quota: 9_000_000_000_000, expiresAt: 9, status: .used)
    (used.usedBy, used.usedAt) = (user, 8)
    for record in [code(1), used] {
      let id = try RedemptionTable.insert(record, in: database)
      let found = try #require(try RedemptionTable.find(id, in: database))
      #expect(found.name == record.name && found.codeHash == record.codeHash)
      #expect(found.codeHint == record.codeHint && found.quota == record.quota)
      #expect(found.expiresAt == record.expiresAt && found.status == record.status)
      #expect(found.usedBy == record.usedBy && found.usedAt == record.usedAt)
      #expect(found.createdAt == 7)
    }
    #expect(try RedemptionTable.count(in: database) == 2)
  }

  @Test func addsToTheQuotaOnce() throws {
    let id = try RedemptionTable.insert(code(1), in: database)
    #expect(try redeem(1) == .added(5, code: id))
    #expect(try quota() == 15)
    #expect(try redeem(1) == .refused(.used))
    #expect(try quota() == 15)
    let found = try RedemptionTable.find(id, in: database)
    #expect(found?.status == .used && found?.usedBy == user && found?.usedAt == 100)
  }

  @Test func refusesWhatCannotBeUsed() throws {
    _ = try RedemptionTable.insert(code(1, status: .disabled), in: database)
    _ = try RedemptionTable.insert(code(2, expiresAt: 100), in: database)
    _ = try RedemptionTable.insert(code(3, expiresAt: 101), in: database)
    #expect(try redeem(1) == .refused(.disabled))
    #expect(try redeem(2) == .refused(.expired))
    #expect(try redeem(9) == .unknown)
    #expect(try quota() == 10)
    #expect(try redeem(3) == .added(5, code: 3))
  }

  @Test func expiresNothingWhileTheClockIsNotKnown() throws {
    _ = try RedemptionTable.insert(code(1, expiresAt: 1), in: database)
    #expect(try redeem(1, at: 0) == .added(5, code: 1))
  }

  @Test func leavesTheCodeUnusedWhenTheQuotaCannotGrow() throws {
    _ = try RedemptionTable.insert(code(1), in: database)
    let unlimited = try UserTable.insert(
      UserRecord(username: "bob", passwordHash: ""), in: database)
    #expect(try redeem(1, by: unlimited) == .quotaRefused)
    #expect(try redeem(1, by: 99) == .quotaRefused)
    #expect(try redeem(1, upTo: 14) == .quotaRefused)
    #expect(try quota(unlimited) == nil)
    #expect(try redeem(1, upTo: 15) == .added(5, code: 1))
  }

  @Test func changesCodesThatWereNotUsed() throws {
    let id = try RedemptionTable.insert(code(1, expiresAt: 50), in: database)
    var edit = RedemptionEdit()
    edit.name = "other"
    edit.status = .disabled
    var changed = try RedemptionTable.update(id, edit, in: database)
    #expect(changed.name == "other" && changed.status == .disabled && changed.expiresAt == 50)
    edit = RedemptionEdit()
    edit.changesExpiry = true
    edit.status = .unused
    changed = try RedemptionTable.update(id, edit, in: database)
    #expect(changed.name == "other" && changed.status == .unused && changed.expiresAt == nil)
  }

  @Test func leavesUsedCodesAsTheyAre() throws {
    let (database, edit) = (database, RedemptionEdit())
    let id = try RedemptionTable.insert(code(1), in: database)
    #expect(try redeem(1) == .added(5, code: id))
    #expect(
      kind { () throws(StoreError) in _ = try RedemptionTable.update(id, edit, in: database) }
        == .constraint)
    #expect(
      kind { () throws(StoreError) in _ = try RedemptionTable.update(99, edit, in: database) }
        == .notFound)
    #expect(try RedemptionTable.find(id, in: database)?.status == .used)
  }

  @Test func removesOnce() throws {
    let database = database
    let id = try RedemptionTable.insert(code(1), in: database)
    try RedemptionTable.delete(id, in: database)
    #expect(
      kind { () throws(StoreError) in try RedemptionTable.delete(id, in: database) } == .notFound)
    #expect(try redeem(1) == .unknown)
  }

  @Test func listsWhatAFilterAdmits() throws {
    _ = try RedemptionTable.insert(code(1, name: "Spring 100%"), in: database)
    _ = try RedemptionTable.insert(code(2, name: "spring", expiresAt: 100), in: database)
    _ = try RedemptionTable.insert(code(3, status: .used), in: database)
    _ = try RedemptionTable.insert(code(4, expiresAt: 100, status: .disabled), in: database)
    _ = try RedemptionTable.insert(code(5, expiresAt: 101), in: database)
    let cases: [(RedemptionStatus?, ByteString, Int64, [Int64])] = [
      (nil, "", 100, [1, 2, 3, 4, 5]), (.unused, "", 100, [1, 5]), (.unused, "", 0, [1, 2, 5]),
      (.expired, "", 100, [2]), (.expired, "", 0, []), (.used, "", 100, [3]),
      (.disabled, "", 100, [4]), (nil, "SPRING", 100, [1, 2]), (nil, "%", 100, [1]),
      (nil, "_", 100, []), (.unused, "gift", 100, [5]),
    ]
    for (status, name, now, expected) in cases {
      let filter = RedemptionFilter(status: status, name: name, now: now)
      let all = try RedemptionTable.list(filter, Page(), in: database)
      #expect(all.items.map(\.id) == expected && all.total == Int64(expected.count))
    }
    let page = try RedemptionTable.list(
      RedemptionFilter(now: 0), Page(number: 2, size: 2), in: database)
    #expect(page.items.map(\.id) == [3, 4] && page.total == 5)
  }
}
