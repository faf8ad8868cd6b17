// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import Store

/// A folder for one test's database, removed with the object.
final class TemporaryFolder {
  let url: URL

  init() {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("tinygateway-\(UUID().uuidString)")
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch { Issue.record(error) }
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The path of a file in the folder.
  func path(_ name: String = "db.db") -> ByteString {
    ByteString(utf8: url.appendingPathComponent(name).path)
  }

  /// The bytes of a file in the folder; empty when it is missing.
  func content(_ name: String = "db.db") -> Data {
    (try? Data(contentsOf: url.appendingPathComponent(name))) ?? Data()
  }

  /// Replaces a file in the folder.
  func write(_ content: Data, to name: String = "db.db") {
    do {
      try content.write(to: url.appendingPathComponent(name))
    } catch { Issue.record(error) }
  }

  /// Whether a file is in the folder.
  func has(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: url.appendingPathComponent(name).path)
  }

  /// Opens the folder's database.
  func open(_ settings: StoreSettings = StoreSettings()) throws -> Database {
    try Database(path: path(), settings: settings)
  }
}

/// A storage thread with its batch, whose completions a test runs itself.
final class Running {
  let mailbox: Mailbox
  let database: Database
  let storage: Storage
  let batch: WriteBatch

  init(_ database: Database, settings: StoreSettings = StoreSettings()) throws {
    mailbox = try Mailbox()
    self.database = database
    let snapshot = try Snapshot(from: database)
    storage = try Storage(database, mailbox: mailbox)
    batch = WriteBatch(storage: storage, snapshot: snapshot, settings: settings)
  }

  /// Waits for the storage thread, then plays the loop.
  func settle() {
    repeat {
      while storage.pendingCount > 0 { sched_yield() }
    } while mailbox.runCompletions()
  }

  /// The result of one job.
  func perform<R>(_ work: @escaping (Database) throws(StoreError) -> R) throws -> R {
    var result: Result<R, StoreError>?
    storage.perform(work) { result = $0 }
    settle()
    return try #require(result).get()
  }
}

extension UserRecord {
  static let sample = UserRecord(username: "ann", passwordHash: "pbkdf2$1$a$b")
}

extension TokenRecord {
  /// A token whose hash is 32 times one byte.
  static func sample(_ byte: UInt8 = 1, userID: Int64 = 1) -> TokenRecord {
    TokenRecord(
      userID: userID, name: "laptop", keyHash: ByteString([UInt8](repeating: byte, count: 32)),
      keyHint: "sk-1…9")
  }
}

extension ChannelRecord {
  static let sample = ChannelRecord(name: "main", type: "openai", keys: "sk-a\nsk-b")
}

extension LogTable {
  /// The wanted rows, newest first, at most `limit` after leaving out `offset` of them.
  static func list(
    _ filter: LogFilter, limit: Int64, offset: Int64 = 0, in database: Database
  ) throws(StoreError) -> [LogRecord] {
    var slice = LogSearch.Slice()
    slice.end = filter.idRange.end
    let want = LogSearch.Want(skipped: offset, kept: limit, counted: .max)
    while let end = slice.end {
      slice.scannedCount = 0
      slice = try search(filter, below: end, want, adding: slice, in: database)
    }
    return slice.rows
  }

  /// How many rows are wanted.
  static func count(_ filter: LogFilter, in database: Database) throws(StoreError) -> Int64 {
    Int64(try list(filter, limit: .max, in: database).count)
  }
}

/// The kind of the error that `body` throws; nil when it throws none.
func kind<R>(of body: () throws(StoreError) -> R) -> StoreError.Kind? {
  do throws(StoreError) {
    _ = try body()
    return nil
  } catch { return error.kind }
}
