// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import Store

struct WriteBatchTests {
  private func start(
    _ settings: StoreSettings = StoreSettings(), in folder: TemporaryFolder = TemporaryFolder()
  ) throws -> Running {
    let database = try folder.open(settings)
    if database.wasCreated {
      _ = try UserTable.insert(.sample, in: database)
      _ = try TokenTable.insert(.sample(), in: database)
      _ = try ChannelTable.insert(.sample, in: database)
    }
    return try Running(database, settings: settings)
  }

  private func row(_ requestID: Int64, model: Int64 = 1) -> LogRecord {
    LogRecord(
      requestID: requestID, userID: 1, tokenID: 1, channelID: 1, modelID: model, charge: 3)
  }

  private func rows(_ running: Running) throws -> [LogRecord] {
    try running.perform { database throws(StoreError) in
      try LogTable.list(LogFilter(), limit: 100_000, in: database)
    }
  }

  private func used(_ running: Running) throws -> (user: Int64?, token: Int64?) {
    try running.perform { database throws(StoreError) in
      (
        try UserTable.find(1, in: database)?.usedMicro,
        try TokenTable.find(1, in: database)?.usedMicro
      )
    }
  }

  @Test func sumsWhatItWasGiven() throws {
    let folder = TemporaryFolder()
    let running = try start(in: folder)
    let model = running.batch.modelID(for: "gpt-4o")
    #expect(model == running.batch.modelID(for: "gpt-4o"))
    for number: Int64 in 1...250 {
      running.batch.addUsage(user: 1, token: 1, charge: number, now: .now)
      running.batch.append(row(number, model: model), now: .now)
      running.batch.count(
        ChannelAttempt(channelID: 1, isSuccess: true, latencyMilliseconds: 10), now: .now)
      if number % 100 == 0 {
        running.batch.flush(now: .now)
        running.settle()
      }
    }
    try running.storage.close(flushing: running.batch)

    let again = try folder.open()
    let snapshot = try Snapshot(from: again)
    #expect(snapshot.users.first?.usedMicro == 31_375)
    #expect(snapshot.tokens.first?.usedMicro == 31_375)
    #expect((snapshot.tokens.first?.accessedAt ?? 0) > 0)
    #expect(snapshot.models.map(\.name) == ["gpt-4o"])
    let stored = try LogTable.list(LogFilter(), limit: 1000, in: again)
    #expect(stored.map(\.requestID) == Array((1...250).reversed()))
    #expect(snapshot.lastLogID == stored.first?.id)
    #expect(try again.integer("SELECT sum(charge) FROM usage_days") == 750)
    let hours = try ChannelHourTable.all(fromHour: 0, in: again)
    #expect(hours.reduce(0) { $0 + $1.requests } == 250)
  }

  @Test func wakesOnlyWhileSomethingWaits() throws {
    let running = try start(StoreSettings(flushIntervalMilliseconds: 1000))
    let zero = Instant(nanoseconds: 0)
    #expect(running.batch.deadline == nil)
    running.batch.addUsage(user: 1, token: 1, charge: 1, now: zero)
    let due = zero.advanced(byMilliseconds: 500)  // The first: `FlushPacing` knows nothing yet.
    #expect(running.batch.deadline == due)
    running.batch.append(row(1), now: zero.advanced(byMilliseconds: 400))
    #expect(running.batch.deadline == due)
    running.batch.deadlinePassed(now: zero.advanced(byMilliseconds: 499))
    #expect(!running.batch.isFlushing)
    running.batch.deadlinePassed(now: due)
    #expect(running.batch.isFlushing && running.batch.deadline == nil)
    running.settle()
    #expect(!running.batch.isFlushing && running.batch.deadline == nil)
  }

  @Test func flushesWhenEnoughRowsWait() throws {
    let running = try start(StoreSettings(flushRowCount: 10))
    for number: Int64 in 1...9 { running.batch.append(row(number), now: .now) }
    #expect(!running.batch.isFlushing)
    for number: Int64 in 10...25 { running.batch.append(row(number), now: .now) }
    #expect(running.batch.isFlushing)
    running.settle()
    #expect(try rows(running).count == 25)
  }

  @Test func flushesAgainWhenAskedWhileOneIsUnderWay() throws {
    let running = try start()
    running.batch.append(row(1), now: .now)
    running.batch.flush(now: .now)
    #expect(running.batch.isFlushing)
    running.batch.append(row(2), now: .now)
    running.batch.flush(now: .now)
    running.batch.append(row(3), now: .now)
    running.settle()
    #expect(try rows(running).map(\.requestID) == [3, 2, 1])
    #expect(running.batch.deadline == nil)
    // Nobody asked: what comes meanwhile waits for its own time.
    running.batch.append(row(4), now: .now)
    running.batch.flush(now: .now)
    running.batch.append(row(5), now: .now)
    running.settle()
    #expect(try rows(running).count == 4 && running.batch.deadline != nil)
  }

  @Test func givesGrowingIdsAcrossRestarts() throws {
    let folder = TemporaryFolder()
    var last: Int64 = 0
    for _ in 0..<3 {
      let running = try start(in: folder)
      for number: Int64 in 1...5 { running.batch.append(row(number), now: .now) }
      try running.storage.close(flushing: running.batch)
      let database = try folder.open()
      let ids = try LogTable.list(LogFilter(), limit: 5, in: database).map(\.id)
      #expect(ids.allSatisfy { $0 > last } && ids == ids.sorted(by: >))
      last = ids.first ?? 0
      try database.close()
    }
  }

  @Test func beginsAPeriodInOrderWithTheUsage() throws {
    let running = try start()
    running.batch.addUsage(user: 1, token: 1, charge: 100, now: .now)
    running.batch.flush(now: .now)
    running.batch.addUsage(user: 1, token: 1, charge: 50, now: .now)
    running.batch.startPeriod(token: 1, at: 777, now: .now)
    running.batch.addUsage(user: 1, token: 1, charge: 7, now: .now)
    running.settle()
    running.batch.flush(now: .now)
    running.settle()
    let (user, token) = try used(running)
    #expect(user == 157 && token == 7)
    let start = try running.perform { database throws(StoreError) in
      try TokenTable.find(1, in: database)?.periodStart
    }
    #expect(start == 777)
  }

  @Test func limitsTheNamesOfModels() throws {
    let running = try start()
    for number in 1...WriteBatch.modelLimit {
      #expect(running.batch.modelID(for: ByteString(utf8: "m\(number)")) == Int64(number))
    }
    #expect(running.batch.modelID(for: "one more") == 0)
    #expect(running.batch.modelID(for: "m7") == 7 && running.batch.modelName(7) == "m7")
    #expect(running.batch.modelName(0) == nil)
    #expect(running.batch.knownModelID(for: "m7") == 7)
    #expect(running.batch.knownModelID(for: "one more") == nil)
  }

  @Test func keepsNoRowsWithoutALog() throws {
    let running = try start(StoreSettings(flushRowCount: 2, logByteLimit: 0))
    for number: Int64 in 1...9 { running.batch.append(row(number), now: .now) }
    #expect(running.batch.droppedRowCount == 0)
    running.batch.flush(now: .now)
    running.settle()
    #expect(try rows(running).isEmpty && running.batch.deadline == nil)
  }

  @Test func keepsTheLogBelowItsLimit() throws {
    let folder = TemporaryFolder()
    let settings = StoreSettings(flushRowCount: 500, logByteLimit: 200_000)
    let running = try start(settings, in: folder)
    for number: Int64 in 1...20_000 {
      running.batch.append(row(number), now: .now)
      if running.batch.isFlushing { running.settle() }
    }
    let kept = try rows(running)
    #expect(kept.first?.requestID == 20_000)
    #expect(kept.count > 2000 && kept.count < 7000)
    #expect(zip(kept, kept.dropFirst()).allSatisfy { $0.requestID == $1.requestID + 1 })
    try running.storage.close(flushing: running.batch)
    #expect(folder.content().count < 380_000)
  }
}
