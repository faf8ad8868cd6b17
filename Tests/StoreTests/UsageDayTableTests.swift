// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

/// Usage by day, user, token and model: gathered, written, summed, and let go.
struct UsageDayTableTests {
  private func row(
    user: Int64 = 1, token: Int64 = 1, model: Int64 = 1, charge: Int64 = 5, status: Int64 = 200
  ) -> LogRecord {
    LogRecord(
      requestID: 1, userID: user, tokenID: token, channelID: 1, modelID: model, promptTokens: 3,
      completionTokens: 2, cachedTokens: 1, charge: charge, status: status)
  }

  private var today: Int64 { TimeZone.utc.day(at: UnixTime.seconds) }

  private func report(
    _ running: Running, count: Int = 10, _ change: (inout UsageQuery) -> Void = { _ in }
  ) throws -> UsageSummary {
    var query = UsageQuery(firstDay: today - 1, lastDay: today + 1)
    change(&query)
    var result: Result<UsageSummary, StoreError>?
    running.batch.report(query, groupCount: count) { result = $0 }
    running.settle()
    return try #require(result).get()
  }

  /// Rows of so many days before today, one for each token.
  private func fill(_ database: Database, days: ClosedRange<Int64>, tokens: Int64) throws {
    try database.transaction { () throws(StoreError) in
      for day in days {
        for token in 1...tokens {
          var sums = UsageSums()
          sums.add(row(token: token))
          try UsageDayTable.add(
            sums, to: UsageDayKey(day: day, userID: 1, tokenID: token, modelID: 1), in: database)
        }
      }
    }
  }

  @Test func sumsWhatIsWrittenAndWhatWaits() throws {
    let running = try Running(try TemporaryFolder().open())
    for token: Int64 in 1...2 { running.batch.append(row(token: token), now: .now) }
    running.batch.flush(now: .now)
    running.settle()
    running.batch.append(row(token: 2, charge: 7, status: 502), now: .now)
    running.batch.flush(now: .now)  // Under way while it is asked.
    running.batch.append(row(user: 2, token: 3, model: 2, charge: 11), now: .now)

    let whole = try report(running).total
    #expect(whole.requests == 4 && whole.failures == 1 && whole.charge == 28)
    #expect(
      whole.promptTokens == 12 && whole.completionTokens == 8 && whole.cachedTokens == 4)
    let byToken = try report(running) { $0.tellsTokens = true }
    #expect(byToken.groups.map { $0.key.tokenID } == [2, 3, 1] && !byToken.isCut)
    let largest = try report(running, count: 1) { $0.tellsTokens = true }
    #expect(largest.groups.map { $0.sums.charge } == [12] && largest.isCut)
    #expect(largest.total == whole)
    let ofUser = try report(running) {
      $0.userID = 2
      $0.tellsModels = true
    }
    #expect(ofUser.groups.map { $0.key } == [UsageDayKey(modelID: 2)] && ofUser.total.charge == 11)
    #expect(try report(running) { $0.lastDay = today - 1 }.total == UsageSums())
  }

  @Test func countsEachRequestOnceInSlicesWithFlushesBetween() throws {
    let database = try TemporaryFolder().open()
    let count = UsageSearch.sliceRowCount
    try fill(database, days: (today - 3)...(today - 1), tokens: count)
    let running = try Running(database)
    running.batch.append(row(charge: 7), now: .now)
    var query = UsageQuery(firstDay: today - 9, lastDay: today)
    query.tellsDays = true
    var result: Result<UsageSummary, StoreError>?
    running.batch.report(query, groupCount: 10) { result = $0 }
    // What waited when the search began is written between its first slice and its last.
    running.batch.flush(now: .now)
    running.batch.append(row(charge: 11), now: .now)
    running.settle()
    let found = try #require(result).get()
    #expect(found.total.requests == count * 3 + 2 && found.total.charge == count * 15 + 18)
    #expect(found.groups.map { $0.key.day } == Array((today - 3)...today))
    #expect(found.groups.map { $0.sums.requests } == [count, count, count, 2])
    #expect(try self.report(running) { $0.tokenID = count }.total.requests == 1)
  }

  @Test func agreesWithTheRowsAndTheUsedQuota() throws {
    let database = try TemporaryFolder().open()
    _ = try UserTable.insert(.sample, in: database)
    let running = try Running(database)
    for number: Int64 in 1...2500 {
      let charge = number * 7919 % 1000
      running.batch.addUsage(user: 1, token: 0, charge: charge, now: .now)
      running.batch.append(row(token: number % 40, model: number % 7, charge: charge), now: .now)
      if number % 100 == 0 { running.settle() }
    }
    running.batch.flush(now: .now)
    running.settle()
    let sums = try running.perform { database throws(StoreError) in
      [
        try database.integer("SELECT sum(charge) FROM logs"),
        try database.integer("SELECT sum(charge) FROM usage_days"),
        try database.integer("SELECT used_micro FROM usage WHERE owner = 1"),
      ]
    }
    let expected = (1...2500).reduce(0 as Int64) { $0 + Int64($1) * 7919 % 1000 }
    #expect(sums == [expected, expected, expected])
  }

  @Test func writesEarlyWhenManyKeysWait() throws {
    let running = try Running(
      try TemporaryFolder().open(StoreSettings(flushRowCount: 100_000)),
      settings: StoreSettings(flushRowCount: 100_000))
    for token in 1..<Int64(WriteBatch.earlyDayCount) {
      running.batch.append(row(token: token), now: .now)
    }
    #expect(!running.batch.isFlushing)
    running.batch.append(row(token: 1), now: .now)
    #expect(!running.batch.isFlushing)
    running.batch.append(row(token: -1), now: .now)
    #expect(running.batch.isFlushing)
  }

  @Test func losesNothingWhenTooManyKeysWait() {
    var contents = BatchContents()
    var sums = UsageSums()
    sums.add(row())
    for token in 1...Int64(BatchContents.dayLimit) + 50 {
      contents.add(sums, to: UsageDayKey(day: 1, userID: 1, tokenID: token))
    }
    #expect(contents.days.count == BatchContents.dayLimit + 1)
    #expect(contents.days[UsageDayKey(day: 1, userID: 1)]?.requests == 50)
  }

  @Test func letsOldDaysGoInSteps() throws {
    let database = try TemporaryFolder().open()
    try fill(database, days: 1...10, tokens: 450)
    var pruning = UsagePruning()
    for left: Int64 in [3500, 2500, 1800, 1800] {
      try pruning.step(today: 10, usageDays: 4, in: database)
      #expect(try database.integer("SELECT count(*) FROM usage_days") == left)
    }
    #expect(try database.integer("SELECT min(day) FROM usage_days") == 7)
  }

  @Test func keepsBelowARowLimitButNeverDropsToday() throws {
    let database = try TemporaryFolder().open()
    try fill(database, days: 1...4, tokens: 100)
    var pruning = UsagePruning(rowLimit: 150)
    try pruning.step(today: 4, usageDays: 0, in: database)
    #expect(try database.integer("SELECT count(*) FROM usage_days") == 150)
    #expect(try database.integer("SELECT count(*) FROM usage_days WHERE day = 4") == 100)
    try fill(database, days: 5...5, tokens: 400)
    try pruning.step(today: 5, usageDays: 0, in: database)
    #expect(try database.integer("SELECT count(*) FROM usage_days") == 400)
  }

  @Test func prunesOnceADay() throws {
    let database = try TemporaryFolder().open()
    var pruning = UsagePruning()
    try pruning.step(today: 10, usageDays: 4, in: database)
    try fill(database, days: 1...1, tokens: 1)
    try pruning.step(today: 10, usageDays: 4, in: database)
    #expect(try database.integer("SELECT count(*) FROM usage_days") == 1)
    try pruning.step(today: 11, usageDays: 4, in: database)
    #expect(try database.integer("SELECT count(*) FROM usage_days") == 0)
  }

  @Test func boundsTheGroupsOfAnAnswer() {
    var query = UsageQuery(firstDay: 0, lastDay: 10)
    query.tellsTokens = true
    var report = UsageReport()
    var sums = UsageSums()
    sums.add(row())
    for token in 1...Int64(UsageReport.groupLimit) + 5 {
      report.add(sums, of: UsageDayKey(day: 1, tokenID: token), in: query)
    }
    #expect(report.isCut && report.groups.count == UsageReport.groupLimit)
    #expect(report.total.requests == Int64(UsageReport.groupLimit) + 5)
    #expect(report.summary(3, isByDay: false).groups.map { $0.key.tokenID } == [1, 2, 3])
  }
}
