// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

/// What goes by age, and when nothing does.
struct RetentionTests {
  private static let now: Int64 = 2_000_000_000

  private func check(days: Int64, at seconds: Int64?, expiredBefore second: Int64?) {
    let end = Retention(logDays: days).expiredLogs(at: seconds)
    #expect(end == second.map(LogID.first(ofSecond:)) ?? 0)
  }

  @Test func expiresNothingWithoutAnAgeOrAClock() {
    let now = RetentionTests.now
    check(days: 0, at: now, expiredBefore: nil)
    check(days: 7, at: nil, expiredBefore: nil)
    check(days: .max, at: now, expiredBefore: nil)
    check(days: 1_000_000, at: now, expiredBefore: 0)
    check(days: 7, at: now, expiredBefore: now - 7 * 86_400)
  }

  private func fill(_ database: Database, count: Int64, ageDays: Int64) throws {
    try database.transaction { () throws(StoreError) in
      let first = LogID.first(ofSecond: RetentionTests.now - ageDays * 86_400)
      var rows: [LogRecord] = []
      for number in 0..<count {
        rows.append(
          LogRecord(
            id: first + number, requestID: 1, userID: 1, tokenID: 1, channelID: 1, modelID: 1))
      }
      try LogTable.insert(rows, in: database)
    }
  }

  private func flush(_ writer: BatchWriter, at seconds: Int64?, _ database: Database) throws {
    let row = LogRecord(
      id: try LogTable.lastID(in: database) + 1, requestID: 1, userID: 1, tokenID: 1,
      channelID: 1, modelID: 1)
    let outcome = writer.write(
      BatchContents(rows: [row]), keeping: Retention(logDays: 7), at: seconds, in: database)
    guard case .written = outcome else {
      Issue.record("not written: \(outcome)")
      return
    }
  }

  @Test func letsOldRowsGoAFewWithEachFlush() throws {
    let database = try TemporaryFolder().open()
    let writer = BatchWriter(StoreSettings(logByteLimit: 1 << 30))
    try fill(database, count: 400, ageDays: 8)
    try fill(database, count: 10, ageDays: 6)
    let step = LogRing.stepCount(afterAdding: 1)
    try flush(writer, at: nil, database)
    #expect(try database.integer("SELECT count(*) FROM logs") == 411)
    try flush(writer, at: RetentionTests.now, database)
    #expect(try database.integer("SELECT count(*) FROM logs") == 412 - step)
    try flush(writer, at: RetentionTests.now, database)
    #expect(try database.integer("SELECT count(*) FROM logs") == 13)
  }
}
