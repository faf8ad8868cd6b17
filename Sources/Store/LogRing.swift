// SPDX-License-Identifier: MIT
import Platform

/// Keeps the request log below its size: the oldest rows go, a few with each flush.
///
/// Their pages are used again for new rows, so that the file stops growing. The log's part of the
/// file is what is in use less an estimate of the other tables, which need not be exact.
final class LogRing {
  /// Trims between two estimates of the other tables.
  private static let trimsPerEstimate = 64
  private static let deletedPerStep: Int64 = 256
  /// Bytes of a row of each other table, with its indexes and half-empty pages.
  private static let userByteCount: Int64 = 400
  private static let tokenByteCount: Int64 = 500
  private static let channelByteCount: Int64 = 2000
  private static let hourByteCount: Int64 = 250
  private static let usageDayByteCount: Int64 = 50

  private let byteLimit: Int64
  /// Whether the log lies in memory; the size is that of the temporary tables then.
  private let isInMemory: Bool
  private var otherByteCount: Int64 = 0
  private var trimsUntilEstimate = 0

  /// Makes a ring.
  init(byteLimit: Int64, isInMemory: Bool) {
    self.byteLimit = byteLimit
    self.isInMemory = isInMemory
  }

  /// Deletes old rows when the log is too large; at least twice as many as were added.
  func trim(afterAdding rowCount: Int, in database: Database) throws(StoreError) {
    let used =
      isInMemory
      ? try LogRing.memoryByteCount(of: database) : try LogRing.usedByteCount(of: database)
    guard used > byteLimit else { return }
    if trimsUntilEstimate == 0 {
      otherByteCount =
        isInMemory
        ? try LogRing.historyByteCount(in: database) : try LogRing.otherByteCount(in: database)
      trimsUntilEstimate = LogRing.trimsPerEstimate
    }
    trimsUntilEstimate -= 1
    guard used - otherByteCount > byteLimit else { return }
    try LogTable.deleteOldest(LogRing.stepCount(afterAdding: rowCount), in: database)
  }

  /// Bytes of the file that hold something.
  static func usedByteCount(of database: Database) throws(StoreError) -> Int64 {
    try
      (database.integer("PRAGMA main.page_count")
      - database.integer("PRAGMA main.freelist_count"))
      * database.integer("PRAGMA main.page_size")
  }

  /// Bytes of the temporary tables that hold something.
  static func memoryByteCount(of database: Database) throws(StoreError) -> Int64 {
    try
      (database.integer("PRAGMA temp.page_count")
      - database.integer("PRAGMA temp.freelist_count"))
      * database.integer("PRAGMA temp.page_size")
  }

  /// Rows that one flush may remove.
  static func stepCount(afterAdding rowCount: Int) -> Int64 {
    Int64(rowCount) * 2 + LogRing.deletedPerStep
  }

  /// Bytes that everything but the log takes, roughly.
  static func otherByteCount(in database: Database) throws(StoreError) -> Int64 {
    try database.integer("SELECT count(*) FROM sqlite_master WHERE rootpage > 0")
      * database.integer("PRAGMA page_size")
      + database.integer("SELECT count(*) FROM users") * userByteCount
      + database.integer("SELECT count(*) FROM tokens") * tokenByteCount
      + database.integer("SELECT count(*) FROM channels") * channelByteCount
      + historyByteCount(in: database)
  }

  /// Bytes of what is recorded beside the log, roughly.
  private static func historyByteCount(in database: Database) throws(StoreError) -> Int64 {
    try database.integer("SELECT count(*) FROM channel_hours") * hourByteCount
      + database.integer("SELECT count(*) FROM usage_days") * usageDayByteCount
  }
}
