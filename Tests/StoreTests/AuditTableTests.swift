// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

/// Audit rows: gathered, written, trimmed, listed.
struct AuditTableTests {
  private func row(
    _ id: Int64, user: Int64 = 1, action: ByteString = "token_create",
    address: IPAddress? = IPAddress("192.0.2.1" as ByteString), isAttempt: Bool = false
  ) -> AuditRecord {
    var row = AuditRecord(
      id: id, userID: user, username: ByteString(utf8: "user\(user)"), action: action,
      target: "token 1", address: address, requestID: 77)
    row.isAttempt = isAttempt
    return row
  }

  private func list(
    _ filter: AuditFilter = AuditFilter(), in database: Database
  ) throws -> [AuditRecord] {
    try AuditTable.list(filter, limit: 100, offset: 0, in: database)
  }

  @Test func givesBackWhatItTook() throws {
    let database = try TemporaryFolder().open()
    for address in [nil, "192.0.2.1", "2001:db8::1"] as [ByteString?] {
      var expected = row(
        LogID.first(ofSecond: 1_700_000_000) + 5, address: address.flatMap { IPAddress($0) })
      expected.times = 3
      try AuditTable.insert(expected, in: database)
      let found = try #require(try list(in: database).first)
      #expect(found.id == expected.id && found.time == 1_700_000_000 && found.userID == 1)
      #expect(found.username == "user1" && found.action == "token_create" && found.times == 3)
      #expect(found.target == "token 1" && found.requestID == 77)
      #expect(found.address == expected.address)
      try database.run("DELETE FROM audit")
    }
  }

  @Test func findsByUserActionTimeAndCursor() throws {
    let database = try TemporaryFolder().open()
    for second in 1...6 as ClosedRange<Int64> {
      try AuditTable.insert(
        row(
          LogID.first(ofSecond: second), user: second % 2, action: second < 4 ? "login" : "logout"),
        in: database)
    }
    func seconds(_ change: (inout AuditFilter) -> Void) throws -> [Int64] {
      var filter = AuditFilter()
      change(&filter)
      let rows = try list(filter, in: database)
      #expect(try AuditTable.count(filter, in: database) == Int64(rows.count))
      #expect(rows.allSatisfy(filter.admits))
      return rows.map(\.time)
    }
    #expect(try seconds { _ in } == [6, 5, 4, 3, 2, 1])
    #expect(try seconds { $0.userID = 1 } == [5, 3, 1])
    #expect(try seconds { $0.action = "login" } == [3, 2, 1])
    #expect(try seconds { ($0.from, $0.until) = (2, 5) } == [4, 3, 2])
    #expect(try seconds { $0.before = LogID.first(ofSecond: 3) } == [2, 1])
    #expect(try seconds { ($0.userID, $0.action) = (0, "login") } == [2])
  }

  @Test func keepsBoundedNumbersAndSettingsChangesLongest() throws {
    let database = try TemporaryFolder().open()
    try database.transaction { () throws(StoreError) in
      for id in 1...AuditTable.rowLimit {
        try AuditTable.insert(row(id), in: database)
      }
      for id in 1...(AuditTable.failureLimit + 500) {
        try AuditTable.insert(
          row(AuditTable.rowLimit + id, action: AuditTable.failedLogin), in: database)
      }
      try AuditTable.trim(in: database)
    }
    var failures = AuditFilter()
    failures.action = AuditTable.failedLogin
    #expect(try AuditTable.count(failures, in: database) == AuditTable.failureLimit)
    #expect(try AuditTable.count(AuditFilter(), in: database) == AuditTable.rowLimit)
  }

  @Test func gathersRepeatsIntoOneRow() {
    var gathering = AuditGathering()
    for id in 1...5 as ClosedRange<Int64> { gathering.append(row(id)) }
    gathering.append(row(6, user: 2))
    #expect(gathering.rows.map(\.times) == [5, 1])
    #expect(gathering.rows.first?.id == 1)
  }

  @Test func staysSmallWhateverComes() {
    var gathering = AuditGathering()
    for id in 1...1000 as ClosedRange<Int64> {
      gathering.append(row(id, user: id, action: id % 2 == 0 ? "a" : "b", isAttempt: true))
    }
    #expect(gathering.rows.count == AuditGathering.attemptLimit + 2 && !gathering.isFull)
    #expect(gathering.rows.reduce(0) { $0 + $1.times } == 1000)
    #expect(gathering.rows.last?.username == "" && gathering.rows.last?.target == "others")
    // What was done keeps its names beside them, up to a bound of its own.
    for id in 1001...1255 as ClosedRange<Int64> { gathering.append(row(id, user: id)) }
    #expect(!gathering.isFull)
    gathering.append(row(1256, user: 1256))
    #expect(gathering.isFull && gathering.rows.last?.username == "user1256")
    for id in 2001...9000 as ClosedRange<Int64> { gathering.append(row(id, user: id)) }
    #expect(
      gathering.rows.count == AuditGathering.attemptLimit + 2 + AuditGathering.limit + 1)
  }

  @Test func writesManyRowsEarlyAndWithTheirNames() throws {
    let running = try Running(try TemporaryFolder().open())
    let start = Instant(nanoseconds: 0)
    for user in 1...Int64(AuditGathering.earlyCount) {
      #expect(running.batch.deadline != nil || user == 1)
      running.batch.append(row(running.batch.makeAuditID(), user: user), now: start)
    }
    running.settle()
    #expect(running.batch.deadline == nil)
    let items = try running.perform { (database) throws(StoreError) in
      try AuditTable.list(AuditFilter(), limit: 300, offset: 0, in: database)
    }
    #expect(items.count == AuditGathering.earlyCount)
    #expect(items.allSatisfy { $0.username == ByteString(utf8: "user\($0.userID)") })
  }

  @Test func keepsWhatCouldNotBeWritten() {
    var older = AuditGathering()
    var newer = AuditGathering()
    older.append(row(1))
    newer.append(row(2))
    newer.append(row(3, user: 2))
    newer.prepend(older)
    #expect(newer.rows.map(\.id) == [1, 3] && newer.rows.map(\.times) == [2, 1])
  }

  @Test func writesWaitingRowsLateAndShowsThemBefore() throws {
    let running = try Running(try TemporaryFolder().open())
    let start = Instant(nanoseconds: 0)
    let first = running.batch.makeAuditID()
    #expect(running.batch.makeAuditID() > first)
    running.batch.append(row(first), now: start)
    let deadline = try #require(running.batch.deadline)
    #expect(deadline.milliseconds(since: start) == 60_000)
    try running.perform { (database) throws(StoreError) in
      try AuditTable.insert(row(first + 1, user: 2), in: database)
      try AuditTable.insert(row(first - 1, user: 3), in: database)
    }
    #expect(try ids(running, size: 10) == [first + 1, first, first - 1])
    #expect(try ids(running, number: 2, size: 1) == [first])
    #expect(try ids(running, number: 3, size: 1) == [first - 1])
    running.batch.flush(now: start)
    running.settle()
    #expect(running.batch.deadline == nil)
    #expect(try ids(running, size: 10) == [first + 1, first, first - 1])
  }

  private func ids(_ running: Running, number: Int64 = 1, size: Int64) throws -> [Int64] {
    var result: Result<Listing<AuditRecord>, StoreError>?
    running.batch.listAudit(AuditFilter(), Page(number: number, size: size)) { result = $0 }
    running.settle()
    let listing = try #require(result).get()
    #expect(listing.total == 3)
    return listing.items.map(\.id)
  }
}
