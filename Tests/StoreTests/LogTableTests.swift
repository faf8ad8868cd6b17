// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct LogTableTests {
  /// Rows one second apart from 1000 on; user, token, channel and model by remainders.
  private func filled(_ count: Int64) throws -> Database {
    let database = try TemporaryFolder().open()
    for number in 0..<count {
      let row = LogRecord(
        id: LogID.first(ofSecond: 1000 + number), time: 1000 + number, requestID: number,
        userID: number % 2, tokenID: number % 3, channelID: number % 4, modelID: number % 5,
        promptTokens: number, completionTokens: number, charge: number)
      try LogTable.insert([row], in: database)
    }
    return database
  }

  private func check(
    _ database: Database, _ filter: LogFilter, limit: Int64 = 100, offset: Int64 = 0,
    _ expected: [Int64]
  ) throws {
    let rows = try LogTable.list(filter, limit: limit, offset: offset, in: database)
    #expect(rows.map(\.requestID) == expected)
    for row in rows { #expect(row.time == 1000 + row.requestID && filter.admits(row)) }
  }

  @Test func filtersAndPages() throws {
    let database = try filled(12)
    try check(database, LogFilter(), limit: 3, [11, 10, 9])
    try check(database, LogFilter(), limit: 3, offset: 10, [1, 0])
    try check(database, LogFilter(), limit: 0, [])
    try check(database, LogFilter(from: 1008), [11, 10, 9, 8])
    try check(database, LogFilter(from: 1002, until: 1004), [3, 2])
    try check(database, LogFilter(userID: 1, tokenID: 2), [11, 5])
    try check(database, LogFilter(channelID: 3), [11, 7, 3])
    try check(database, LogFilter(modelID: 4), [9, 4])
    try check(
      database, LogFilter(userID: 0, before: LogID.first(ofSecond: 1006)), limit: 2, [4, 2])
    try check(database, LogFilter(userID: 7), [])
    #expect(try LogTable.count(LogFilter(userID: 0), in: database) == 6)
  }

  @Test func removesTheOldestBelowAnID() throws {
    let database = try filled(10)
    let end = LogID.first(ofSecond: 1004)
    for (limit, removed, oldest): (Int64, Int64, Int64) in [(3, 3, 3), (3, 1, 4), (3, 0, 4)] {
      #expect(try LogTable.delete(below: end, limit: limit, in: database) == removed)
      #expect(
        try LogTable.list(LogFilter(), limit: 100, in: database).last?.requestID == oldest)
    }
  }

  @Test func givesBackAmountsThatAreNotTheSumOfTokens() throws {
    let database = try TemporaryFolder().open()
    for (id, prompt, completion, quota): (Int64, Int64, Int64, Int64) in [
      (1, 10, 20, 30_000_000), (2, 10, 20, 30), (3, 0, 0, 0), (4, .max, 1, .max), (5, 7, 0, 0),
    ] {
      let row = LogRecord(
        id: id, requestID: id, userID: 1, tokenID: 1, channelID: 1, modelID: 1,
        promptTokens: prompt, completionTokens: completion, charge: quota)
      try LogTable.insert([row], in: database)
      let back = try #require(LogTable.list(LogFilter(), limit: 1, in: database).first)
      #expect(back.charge == quota && back.promptTokens == prompt)
      #expect(back.completionTokens == completion)
    }
  }

  @Test func letsTheOldestGo() throws {
    let database = try filled(10)
    for (count, left): (Int64, Int64) in [(1, 9), (3, 6), (100, 0), (5, 0)] {
      try LogTable.deleteOldest(count, in: database)
      #expect(try database.integer("SELECT count(*) FROM logs") == left)
      if left > 0 { #expect(try LogTable.lastID(in: database) == LogID.first(ofSecond: 1009)) }
    }
    #expect(try LogTable.lastID(in: database) == 0)
  }
}

struct LogIDTests {
  private func check(after last: Int64, atSecond second: Int64, _ expected: Int64) {
    #expect(LogID.next(after: last, atSecond: second) == expected)
  }

  @Test func growsWithTimeAndNeverFalls() {
    let (fifth, sixth, seventh): (Int64, Int64, Int64) = (5 << 16, 6 << 16, 7 << 16)
    check(after: 0, atSecond: 5, fifth)
    check(after: fifth, atSecond: 5, fifth + 1)
    check(after: fifth + 65_535, atSecond: 5, sixth)
    check(after: seventh, atSecond: 5, seventh + 1)
    check(after: .max, atSecond: 5, .max)
    check(after: 0, atSecond: -1, 1)
    check(after: 0, atSecond: .max, (.max >> 16) << 16)
  }
}
