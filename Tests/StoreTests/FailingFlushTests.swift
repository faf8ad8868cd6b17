// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import Store

/// Flushes that fail: sums wait and are counted once, rows are dropped beyond a bound.
struct FailingFlushTests {
  private func start() throws -> Running {
    let settings = StoreSettings(flushIntervalMilliseconds: 1000, flushRowCount: 200)
    let database = try TemporaryFolder().open(settings)
    _ = try UserTable.insert(.sample, in: database)
    _ = try TokenTable.insert(.sample(), in: database)
    _ = try ChannelTable.insert(.sample, in: database)
    return try Running(database, settings: settings)
  }

  private func limitPages(_ count: Int64?, _ running: Running) throws {
    _ = try running.perform { database throws(StoreError) in
      let present = try database.integer("PRAGMA page_count")
      try database.pragma("max_page_count", count ?? present)
    }
  }

  private func add(_ count: Int, _ running: Running) {
    for number in 0..<count {
      running.batch.addUsage(user: 1, token: 1, charge: 1, now: .now)
      running.batch.append(
        LogRecord(requestID: Int64(number), userID: 1, tokenID: 1, channelID: 1, modelID: 0),
        now: .now)
    }
  }

  private func state(_ running: Running) throws -> (used: Int64, rows: Int64) {
    try running.perform { database throws(StoreError) in
      (
        try UserTable.find(1, in: database)?.usedMicro ?? -1,
        try LogTable.count(LogFilter(), in: database)
      )
    }
  }

  @Test func writesTheSumsOnAFullDiskAndRowsLater() throws {
    let running = try start()
    running.batch.addUsage(user: 1, token: 1, charge: 1, now: .now)
    running.batch.flush(now: .now)  // Makes the rows of sums, while there is room.
    running.settle()
    try limitPages(nil, running)
    add(300, running)
    running.settle()
    running.batch.flush(now: .now)
    running.settle()
    #expect(running.batch.failure?.kind == .full && running.storage.failure?.kind == .full)
    #expect(try state(running).used == 301)
    #expect(running.batch.deadline != nil && running.batch.droppedRowCount == 0)
    let failed = running.batch.failedFlushCount
    #expect(failed >= 1)

    try limitPages(100_000, running)
    running.batch.flush(now: .now)
    running.settle()
    let (used, rows) = try state(running)
    #expect(used == 301 && rows == 300)
    #expect(running.batch.failure == nil && running.storage.failure == nil)
    #expect(running.batch.failedFlushCount == failed)
    #expect(running.batch.deadline == nil)
  }

  @Test func dropsRowsBeyondTheBoundAndCountsThem() throws {
    let running = try start()
    try limitPages(nil, running)
    add(1000, running)
    running.settle()
    add(1000, running)
    running.settle()
    let waiting: Int64 = 800  // Four flushes' worth.
    #expect(running.batch.droppedRowCount == 2000 - waiting)
    try limitPages(100_000, running)
    running.batch.flush(now: .now)
    running.settle()
    let (used, rows) = try state(running)
    #expect(used == 2000 && rows == waiting)
  }

  @Test func triesAgainLessAndLessOften() throws {
    let running = try start()
    _ = try running.perform { database throws(StoreError) in
      try database.execute("PRAGMA query_only=ON")
    }
    var waits: [Int64] = []
    running.batch.addUsage(user: 1, token: 1, charge: 5, now: .now)
    for _ in 0..<12 {
      let before = Instant.now
      running.batch.flush(now: before)
      running.settle()
      #expect(running.batch.failure?.kind == .readOnly)
      let deadline = try #require(running.batch.deadline)
      waits.append((deadline.milliseconds(since: before) + 100) / 1000)
    }
    #expect(waits.prefix(4) == [1, 2, 4, 8] && waits.last == 300)
    #expect(try state(running).used == 0)
    _ = try running.perform { database throws(StoreError) in
      try database.execute("PRAGMA query_only=OFF")
    }
    running.batch.flush(now: .now)
    running.settle()
    #expect(try state(running).used == 5 && running.batch.failure == nil)
  }

  @Test func triesOnceMoreWhenAskedDuringOneThatFails() throws {
    let running = try start()
    running.batch.addUsage(user: 1, token: 1, charge: 1, now: .now)
    running.batch.flush(now: .now)  // Makes the rows of sums, while there is room.
    running.settle()
    try limitPages(nil, running)
    add(190, running)
    running.batch.flush(now: .now)
    running.batch.addUsage(user: 1, token: 1, charge: 5, now: .now)
    running.batch.flush(now: .now)  // As when the power is failing.
    running.settle()
    #expect(running.batch.failure?.kind == .full && running.batch.failedFlushCount == 2)
    #expect(try state(running).used == 196, "sums have room on a full disk")
  }

  @Test func triesAFullDiskAgainAfterEachInterval() throws {
    let running = try start()
    try limitPages(nil, running)
    add(190, running)
    for _ in 0..<6 {
      let before = Instant.now
      running.batch.flush(now: before)
      running.settle()
      #expect(running.batch.failure?.kind == .full)
      let deadline = try #require(running.batch.deadline)
      #expect((deadline.milliseconds(since: before) + 100) / 1000 == 1)
      add(190, running)
    }
  }

  @Test func saysAtTheStopWhatCouldNotBeWritten() throws {
    let running = try start()
    try limitPages(nil, running)
    add(190, running)
    #expect(throws: StoreError.self) { try running.storage.close(flushing: running.batch) }
  }

  @Test func makesRoomOnAFullDiskByLettingOldRowsGo() throws {
    let running = try start()
    for _ in 0..<20 {
      add(190, running)
      running.batch.flush(now: .now)
      running.settle()
    }
    try limitPages(nil, running)
    for _ in 0..<20 {
      add(190, running)
      running.batch.flush(now: .now)
      running.settle()
    }
    running.batch.flush(now: .now)  // The last one may have had to make room first.
    running.settle()
    let (used, rows) = try state(running)
    #expect(used == 40 * 190 && running.batch.droppedRowCount == 0)
    #expect(rows > 2000 && rows < 4000)
    #expect(running.batch.failure == nil)
  }
}
