// SPDX-License-Identifier: MIT
import Platform

/// The storage thread's side of `WriteBatch`: one transaction per flush.
///
/// Used by the storage thread alone, and after it has ended by the loop; hence `@unchecked`.
final class BatchWriter: @unchecked Sendable {
  /// What became of the contents.
  enum Outcome: Sendable {
    case written
    /// The disk is full: sums are written, log rows are not.
    case writtenWithoutRows(StoreError)
    /// Nothing is written.
    case failed(StoreError)
  }

  private let ring: LogRing
  private var prunedHour: Int64 = 0
  private let reserveByteCount: Int64
  private var usagePruning: UsagePruning

  /// Makes a writer that keeps the log below its size and the reserve free.
  init(_ settings: StoreSettings) {
    let isInMemory = settings.keepsHistoryInMemory
    ring = LogRing(byteLimit: settings.logByteLimit, isInMemory: isInMemory)
    reserveByteCount = isInMemory ? 0 : settings.reserveByteCount
    usagePruning = UsagePruning(
      rowLimit: isInMemory ? UsageDayTable.memoryRowLimit : UsageDayTable.rowLimit)
  }

  /// Writes everything, or on a full disk at least the sums; lets what has expired go.
  ///
  /// `seconds`: Unix time; nil while the clock is not plausible.
  func write(
    _ contents: BatchContents, keeping retention: Retention, at seconds: Int64?,
    in database: Database
  ) -> Outcome {
    database.returnToMedium()
    do throws(StoreError) {
      if !contents.rows.isEmpty { try keepReserve(for: contents.rows.count, in: database) }
      try database.transaction { () throws(StoreError) in
        try writeSums(of: contents, in: database)
        try LogTable.insert(contents.rows, in: database)
        try ring.trim(afterAdding: contents.rows.count, in: database)
        let expired = retention.expiredLogs(at: seconds)
        if expired > 0 {
          try LogTable.delete(
            below: expired, limit: LogRing.stepCount(afterAdding: contents.rows.count),
            in: database)
        }
        if let today = contents.newestDay, seconds != nil {
          try usagePruning.step(
            today: today, usageDays: retention.usageDays, in: database)
        }
      }
      return .written
    } catch {
      guard error.kind == .full, !contents.rows.isEmpty else { return .failed(error) }
      return writeSumsOnly(of: contents, in: database, because: error)
    }
  }

  /// Bytes of a log row and its part of a page, rather too many.
  private static let rowByteCount: Int64 = 200

  /// Throws `.full` when rows would make the file grow into what is kept free for settings.
  ///
  /// Pages that old rows have left are as good as free space, so the log goes on as a ring.
  private func keepReserve(
    for rowCount: Int, in database: Database
  ) throws(StoreError) {
    guard reserveByteCount > 0, let free = OpenFile.freeByteCount(near: database.path),
      free < reserveByteCount
    else { return }
    let unused =
      try database.integer("PRAGMA freelist_count") * database.integer("PRAGMA page_size")
    guard unused < Int64(rowCount) * BatchWriter.rowByteCount else { return }
    throw StoreError(
      .full, message: "reserve",
      sentence:
        "there is no room for the log: what is left under the data directory is kept for settings")
  }

  /// Makes room for the next flush by letting old rows go.
  private func writeSumsOnly(
    of contents: BatchContents, in database: Database, because reason: StoreError
  ) -> Outcome {
    do throws(StoreError) {
      try database.transaction { () throws(StoreError) in
        try LogTable.deleteOldest(Int64(contents.rows.count) * 2, in: database)
        try writeSums(of: contents, in: database)
      }
      return .writtenWithoutRows(reason)
    } catch { return .failed(error) }
  }

  private func writeSums(
    of contents: BatchContents, in database: Database
  ) throws(StoreError) {
    for row in contents.audit.rows { try AuditTable.insert(row, in: database) }
    if !contents.audit.rows.isEmpty { try AuditTable.trim(in: database) }
    for model in contents.models { try ModelTable.insert(model, in: database) }
    for (key, delta) in contents.users {
      try UsageTable.add(delta, to: .user, key.id, in: database)
    }
    for (key, delta) in contents.tokens {
      try UsageTable.add(delta, to: .token, key.id, in: database)
    }
    for (key, sums) in contents.days { try UsageDayTable.add(sums, to: key, in: database) }
    var newest: Int64 = 0
    for (key, hour) in contents.hours {
      newest = max(newest, key.hour)
      try ChannelHourTable.add(hour, channelID: key.channelID, in: database)
    }
    if newest > prunedHour {
      try ChannelHourTable.delete(
        before: newest - ChannelHourTable.keptHourCount, in: database)
      prunedHour = newest
    }
  }
}
