// SPDX-License-Identifier: MIT
import CPlatform
import Platform
import Store

/// The database that is imported: opened for reading only, recognised, never changed.
enum ImportFile {
  private static let magic: StaticString = "SQLite format 3\0"
  /// Offset of the file format's version for reading, and its number for WAL
  /// (https://www.sqlite.org/fileformat2.html §1.3, read 2026-11).
  private static let versionOffset = 19
  private static let walVersion: UInt8 = 2
  private static let headByteCount = 100

  /// Opens the file, or throws a sentence.
  ///
  /// A shared lock is all that it takes of the file. A file in WAL mode is read without any,
  /// because a lock would need files beside it; so its WAL must be empty.
  static func open(_ path: ByteString) throws(StartError) -> Database {
    let head = try readHead(path)
    guard head.count == headByteCount, head.starts(with: magic) else {
      throw StartError(path, " is no SQLite database; nothing was changed")
    }
    for ending in ["-wal", "-journal"] as [StaticString] {
      guard isUnfinished(path + ByteString(ending)) else { continue }
      throw StartError(
        path, " has changes that are only in ", path + ByteString(ending),
        """
        : stop the program that uses it, run sqlite3 on it with PRAGMA \
        wal_checkpoint(TRUNCATE), and import again; nothing was changed
        """)
    }
    do throws(StoreError) {
      return try Database(foreign: path, isImmutable: head[versionOffset] == walVersion)
    } catch { throw unreadable(path, error) }
  }

  /// Which program made the database; throws when it was neither.
  ///
  /// New API migrates a database of One API in place, so that its columns decide.
  static func product(of database: Database) throws(StartError) -> ForeignProduct {
    do throws(StoreError) {
      for table in ["users", "tokens", "channels"] as [StaticString] {
        guard try ForeignTable.exists(table, in: database) else { throw neither }
      }
      for (table, column) in needed {
        guard try ForeignTable.has(column: column, in: table, of: database) else { throw neither }
      }
      if try ForeignTable.exists("setups", in: database) { return .newAPI }
      for (table, column) in ofNewAPI {
        if try ForeignTable.has(column: column, in: table, of: database) { return .newAPI }
      }
      return .oneAPI
    } catch {
      if error.kind == .notFound {
        throw StartError(
          database.path, " is a database of neither One API nor New API; nothing was changed")
      }
      throw unreadable(database.path, error)
    }
  }

  private static let neither = StoreError(.notFound, message: "tables are missing")

  private static let needed: [(StaticString, StaticString)] = [
    ("users", "username"), ("users", "quota"), ("tokens", "key"), ("tokens", "user_id"),
    ("tokens", "remain_quota"), ("channels", "type"), ("channels", "key"),
  ]

  private static let ofNewAPI: [(StaticString, StaticString)] = [
    ("tokens", "model_limits_enabled"), ("channels", "channel_info"), ("channels", "auto_ban"),
    ("channels", "setting"),
  ]

  /// What is said of a source that cannot be read to its end.
  static func unreadable(_ path: ByteString, _ error: StoreError) -> StartError {
    let why = error.kind == .busy ? "another process writes to it: stop that" : error.message
    return StartError(path, " cannot be read: ", why, "; nothing was changed")
  }

  private static func readHead(_ path: ByteString) throws(StartError) -> ByteString {
    if let failure = ProcessContext.readingFailure(path) {
      throw StartError(path, " cannot be read: ", ByteString(utf8: failure.text))
    }
    let descriptor = path.withCString { cp_open($0, Int32(CP_READ), 0) }
    var head = [UInt8](repeating: 0, count: headByteCount)
    let count = head.withUnsafeMutableBytes { cp_read(descriptor, $0.baseAddress, $0.count) }
    _ = cp_close(descriptor)
    return ByteString(Array(head.prefix(max(0, Int(count)))))
  }

  /// Whether a WAL or a journal holds something; a journal that is done begins with zeros.
  private static func isUnfinished(_ path: ByteString) -> Bool {
    guard path.withCString({ cp_file_size($0) }) > 0 else { return false }
    let descriptor = path.withCString { cp_open($0, Int32(CP_READ), 0) }
    guard descriptor >= 0 else { return true }
    var first: UInt8 = 0
    let count = cp_read(descriptor, &first, 1)
    _ = cp_close(descriptor)
    return count != 1 || first != 0
  }
}

extension StartError {
  /// A sentence about a file.
  @inline(never)
  init(
    _ file: ByteString, _ words: StaticString, _ detail: ByteString = .empty,
    _ rest: StaticString = ""
  ) {
    let text = Buffer()
    text.append(file)
    text.append(words)
    text.append(detail)
    text.append(rest)
    sentence = text.byteString
  }
}
