// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import Store

/// What a request costs on flash: the frames in the WAL, and the pages a checkpoint writes later.
///
/// Its row with the address, its part of the sums and of the usage by day are included. Counted
/// from the files, because other tests of the process write at the same time.
struct FlushSizeTests {
  private static let flushes: Int64 = 40

  /// A request of a gateway with 2 users, 20 tokens and 5 channels at the default prices.
  private func request(_ number: Int64) -> LogRecord {
    let latency = 400 + number * 7919 % 20_000
    let (prompt, completion) = (50 + number * 31 % 4000, 20 + number * 17 % 1500)
    let isFailure = number % 50 == 0
    return LogRecord(
      requestID: LogID.first(ofSecond: UnixTime.seconds - latency / 1000) + number % 1000,
      userID: 1 + number % 2, tokenID: 1 + number % 20, channelID: 1 + number % 5,
      modelID: 1 + number % 12, promptTokens: prompt, completionTokens: completion,
      cachedTokens: number % 4 == 0 ? 1024 : 0, charge: (prompt + completion) * 1_000_000,
      latencyMilliseconds: latency,
      firstByteMilliseconds: 150 + number % 900, status: isFailure ? 502 : 200,
      isStream: number % 3 != 0, attempts: isFailure ? 3 : 1, errorKind: isFailure ? 4 : 0,
      client: IPAddress("192.168.1.77"))
  }

  private func addSettings(to database: Database) throws(StoreError) {
    for number in 0..<2 {
      var user = UserRecord.sample
      user.username = ByteString(utf8: "user\(number)")
      _ = try UserTable.insert(user, in: database)
    }
    for number in 0..<20 {
      _ = try TokenTable.insert(
        .sample(UInt8(number), userID: Int64(1 + number % 2)), in: database)
    }
    for _ in 0..<5 { _ = try ChannelTable.insert(.sample, in: database) }
  }

  private func add(_ row: LogRecord, to batch: WriteBatch) {
    batch.addUsage(user: row.userID, token: row.tokenID, charge: row.charge, now: .now)
    batch.count(
      ChannelAttempt(
        channelID: row.channelID, isSuccess: row.status == 200, errorKind: row.errorKind,
        latencyMilliseconds: row.latencyMilliseconds,
        firstByteMilliseconds: row.firstByteMilliseconds), now: .now)
    batch.append(row, now: .now)
  }

  private func check(rowsPerFlush: Int64, within limit: Int64) throws {
    let folder = TemporaryFolder()
    let settings = StoreSettings(
      walAutocheckpointPages: 100_000, flushRowCount: Int(rowsPerFlush))
    let running = try Running(try folder.open(settings), settings: settings)
    _ = try running.perform { [self] database throws(StoreError) in
      try addSettings(to: database)
    }
    let before = folder.content("db.db-wal").count
    for number in 0..<FlushSizeTests.flushes * rowsPerFlush {
      add(request(number), to: running.batch)
      if running.batch.isFlushing { running.settle() }
    }
    let frames = folder.content("db.db-wal").count - before
    try running.storage.close(flushing: running.batch)
    let bytes = Int64(frames + folder.content().count)
    #expect(bytes / (FlushSizeTests.flushes * rowsPerFlush) <= limit)
  }

  @Test func writesAtMost128BytesPerRequestInFlushesOf1000() throws {
    try check(rowsPerFlush: 1000, within: 128)
  }

  @Test func writesAtMost240BytesPerRequestInFlushesOf200() throws {
    try check(rowsPerFlush: 200, within: 240)
  }

  @Test func writesNothingWhileIdle() throws {
    let folder = TemporaryFolder()
    let running = try Running(try folder.open())
    let before = folder.content("db.db-wal")
    #expect(running.batch.deadline == nil)
    running.batch.deadlinePassed(now: .now)
    running.batch.flush(now: .now)
    running.settle()
    #expect(folder.content("db.db-wal") == before)
    try running.storage.close(flushing: running.batch)
  }
}
