// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import Store

/// Small flash: what happened lives in memory, or leaves room for settings.
struct HistoryTests {
  private let folder = TemporaryFolder()

  private func start(_ settings: StoreSettings) throws -> Running {
    let database = try folder.open(settings)
    if database.wasCreated {
      _ = try UserTable.insert(.sample, in: database)
      _ = try TokenTable.insert(.sample(), in: database)
    }
    return try Running(database, settings: settings)
  }

  private func add(_ rows: Int64, charge: Int64, to running: Running) {
    let model = running.batch.modelID(for: "m")
    for number in 0..<rows {
      if charge > 0 { running.batch.addUsage(user: 1, token: 1, charge: charge, now: .now) }
      running.batch.count(
        ChannelAttempt(channelID: 1, isSuccess: true, latencyMilliseconds: 10), now: .now)
      running.batch.append(
        LogRecord(requestID: number, userID: 1, tokenID: 1, channelID: 1, modelID: model),
        now: .now)
    }
    running.batch.flush(now: .now)
    running.settle()
  }

  private func rowCount(_ running: Running) throws -> Int64 {
    try running.perform { database throws(StoreError) in
      try LogTable.count(LogFilter(), in: database)
    }
  }

  private let inMemory = StoreSettings(
    journalMode: .persist, pageByteCount: 1024, journalSizeLimit: 64 << 10,
    logByteLimit: 256 << 10, keepsHistoryInMemory: true)

  @Test func writesNoHistoryToTheFlash() throws {
    let running = try start(inMemory)
    let before = folder.content()
    add(300, charge: 0, to: running)
    #expect(try rowCount(running) == 300)
    #expect(folder.content() == before, "the file has changed")
    running.batch.append(
      AuditRecord(
        id: running.batch.makeAuditID(), userID: 1, username: "ann", action: "login",
        target: .empty, address: nil, requestID: 1), now: .now)
    running.batch.flush(now: .now)
    running.settle()
    #expect(folder.content() == before, "an audit row has changed the file")
    try running.storage.close(flushing: running.batch)
  }

  @Test func keepsSettingsAndUsedQuotasOnTheFlash() throws {
    let running = try start(inMemory)
    add(5, charge: 3, to: running)
    _ = try running.perform { database throws(StoreError) in
      try OptionTable.set("kept", to: "value", in: database)
    }
    try running.storage.close(flushing: running.batch)

    let again = try start(inMemory)
    #expect(try rowCount(again) == 0)
    let snapshot = try Snapshot(from: again.database)
    #expect(snapshot.users.first?.usedMicro == 15)
    #expect(snapshot.options.contains { $0.name == "kept" })
    #expect(snapshot.models.isEmpty)
    try again.storage.close(flushing: again.batch)
  }

  @Test func keepsTheLogInMemoryBelowItsSize() throws {
    let running = try start(inMemory)
    for _ in 0..<60 { add(200, charge: 0, to: running) }
    let bytes = try running.perform { database throws(StoreError) in
      try LogRing.memoryByteCount(of: database)
    }
    #expect(bytes <= 320 << 10, "\(bytes) bytes")
    #expect(try rowCount(running) > 1000)
    try running.storage.close(flushing: running.batch)
  }

  @Test func leavesWhatTheFlashHeldOutOfSightAndUntouched() throws {
    let stored = try start(StoreSettings())
    add(7, charge: 0, to: stored)
    try stored.storage.close(flushing: stored.batch)
    let moved = try start(StoreSettings(keepsHistoryInMemory: true))
    #expect(try rowCount(moved) == 0)
    try moved.storage.close(flushing: moved.batch)
    let back = try start(StoreSettings())
    #expect(try rowCount(back) == 7)
    try back.storage.close(flushing: back.batch)
  }

  @Test func restoresSettingsButNoHistoryIntoMemory() throws {
    let stored = try start(StoreSettings())
    add(7, charge: 2, to: stored)
    _ = try stored.perform { database throws(StoreError) in
      try UserTable.insert(
        UserRecord(username: "root", passwordHash: "h", role: .root), in: database)
    }
    let backup = folder.path("backup")
    try Backup.write(stored.database, to: backup, withRecords: true, key: nil)
    try stored.storage.close(flushing: stored.batch)

    let other = TemporaryFolder()
    let database = try other.open(inMemory)
    _ = try Restore.check(backup)
    try Restore.apply(backup, to: database) { _ in }
    #expect(try LogTable.count(LogFilter(), in: database) == 0)
    #expect(try UserTable.find(1, in: database)?.usedMicro == 14)
    // What is in memory goes into a backup.
    let next = other.path("next")
    try Backup.write(database, to: next, withRecords: true, key: nil)
    _ = try Restore.check(next)
    try database.close()
  }

  @Test func keepsTheReserveForSettings() throws {
    let running = try start(StoreSettings(reserveByteCount: .max))
    add(50, charge: 3, to: running)
    #expect(running.batch.failure?.kind == .full)
    #expect(try rowCount(running) == 0)
    let used = try running.perform { database throws(StoreError) in
      try OptionTable.set("kept", to: "value", in: database)
      return try UserTable.find(1, in: database)?.usedMicro
    }
    #expect(used == 150)
    // The rows are still waiting for room.
    #expect(throws: StoreError.self) {
      try running.storage.close(flushing: running.batch)
    }
  }
}
