// SPDX-License-Identifier: MIT
import CSQLite
import Platform

/// The one connection to `db.db`.
///
/// Opened before the loop runs, then used by one thread only, the storage thread; that is why
/// `@unchecked` holds. Every statement is a literal or made of our own schema's names; its values
/// are bound.
package final class Database: @unchecked Sendable {
  package let path: ByteString
  /// Whether the file was made by this opening.
  package let wasCreated: Bool
  /// Whether the last user of the file ended without closing it.
  package let wasUnclean: Bool
  /// The schema's number before this opening changed it; nil when it was current.
  package internal(set) var migratedFrom: Int64?
  /// Whether tables of what happened are temporary ones, in memory.
  package internal(set) var keepsHistoryInMemory = false

  /// Why the medium takes no writes, so that a layer in memory stands in for it; nil when it does.
  package internal(set) var mediumFailure: StoreError?
  let settings: StoreSettings

  var raw: OpaquePointer?
  private var statements: [UInt: Statement] = [:]

  /// Opens or makes the database, checks it and brings its schema up to date.
  ///
  /// A file that is damaged, foreign or from a newer version is left as it is. Throws with a
  /// sentence that says what to change.
  /// `mediumFailure`: why an opening without it failed: what is stored is opened then to be read,
  /// and every change is refused with this error until `returnToMedium`.
  package init(
    path: ByteString, settings: StoreSettings, mediumFailure: StoreError? = nil
  ) throws(StoreError) {
    try settings.check()
    self.path = path
    self.settings = settings
    self.mediumFailure = mediumFailure.map { Database.writingFailure(near: path) ?? $0 }
    wasCreated = mediumFailure == nil ? try Database.prepareFile(path) : false
    wasUnclean =
      Database.isNonZero(path + "-wal") || Database.isNonZero(path + "-journal")
      || Database.exists(path + Database.checkSuffix)
    try open()
  }

  /// Opens a file other than `db.db`, without any check: an empty one to be filled, or one from
  /// outside, which is only read.
  init(at path: ByteString, isFromOutside: Bool) throws(StoreError) {
    self.path = path
    settings = StoreSettings()
    wasCreated = !isFromOutside
    wasUnclean = false
    var opened: OpaquePointer?
    let result = path.withCString {
      isFromOutside ? cs_open_untrusted($0, 1, &opened) : cs_open($0, &opened)
    }
    raw = opened
    if result != CS_OK { throw error(result) }
  }

  /// Opens another program's database for reading only; it is neither locked for others nor
  /// changed, and nothing is made beside it.
  ///
  /// `isImmutable`: reads it without any lock, as a file in WAL mode needs when nothing may be
  /// made beside it; its WAL file must be empty.
  package init(foreign path: ByteString, isImmutable: Bool) throws(StoreError) {
    self.path = path
    settings = StoreSettings()
    wasCreated = false
    wasUnclean = false
    var opened: OpaquePointer?
    let result = path.withCString { cs_open_untrusted($0, isImmutable ? 1 : 0, &opened) }
    raw = opened
    if result != CS_OK { throw error(result) }
    try execute("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY")
  }

  deinit { release() }

  /// Checkpoints and closes; the object is of no use afterwards.
  ///
  /// Closes also when it throws: then the WAL file stays and is read at the next start.
  package func close() throws(StoreError) {
    guard let raw else { return }
    guard mediumFailure == nil else { return release() }
    let result = cs_checkpoint(raw)
    let failure = result == CS_OK ? nil : error(result)
    cs_set_checkpoint_on_close(raw, failure == nil ? 1 : 0)
    release()
    if let failure { throw failure }
  }

  /// Runs `body` in one transaction: all of it is on the medium when this returns, or nothing.
  ///
  /// A body that only reads writes nothing.
  package func transaction<R>(
    _ body: () throws(StoreError) -> R
  ) throws(StoreError) -> R {
    try run("BEGIN")
    do throws(StoreError) {
      let result = try body()
      try run("COMMIT")
      return result
    } catch {
      // Some failures have rolled back already; a second one would hide the first.
      if let raw, cs_is_in_transaction(raw) != 0 { _ = cs_execute(raw, "ROLLBACK") }
      throw error
    }
  }

  /// Runs a statement that gives no rows; the number of rows it changed.
  @discardableResult
  package func run(
    _ sql: StaticString, _ bind: (Statement) -> Void = { _ in }
  ) throws(StoreError) -> Int64 {
    let statement = try prepared(sql)
    defer { statement.reset() }
    bind(statement)
    let result = statement.step()
    guard let raw, result == CS_DONE || result == CS_ROW else { throw error(result) }
    return cs_changed_row_count(raw)
  }

  /// Runs an INSERT; the id of the new row.
  package func insert(
    _ sql: StaticString, _ bind: (Statement) -> Void
  ) throws(StoreError) -> Int64 {
    try run(sql, bind)
    return raw.map { cs_last_inserted_id($0) } ?? 0
  }

  /// Calls `read` with each row of a query.
  package func each(
    _ sql: StaticString, _ bind: (Statement) -> Void = { _ in }, _ read: (Statement) -> Void
  ) throws(StoreError) {
    try search(sql, bind) {
      read($0)
      return true
    }
  }

  /// Calls `read` with the rows of a query while it returns true.
  func search(
    _ sql: StaticString, _ bind: (Statement) -> Void, _ read: (Statement) -> Bool
  ) throws(StoreError) {
    let statement = try prepared(sql)
    defer { statement.reset() }
    bind(statement)
    while true {
      let result = statement.step()
      if result == CS_DONE { return }
      guard result == CS_ROW else { throw error(result) }
      if !read(statement) { return }
    }
  }

  /// What `read` makes of the first row of a query; nil when there is none.
  package func first<R>(
    _ sql: StaticString, _ bind: (Statement) -> Void = { _ in }, _ read: (Statement) -> R
  ) throws(StoreError) -> R? {
    let statement = try prepared(sql)
    defer { statement.reset() }
    bind(statement)
    let result = statement.step()
    if result == CS_DONE { return nil }
    guard result == CS_ROW else { throw error(result) }
    return read(statement)
  }

  /// What `read` makes of each row of a query.
  package func all<R>(
    _ sql: StaticString, _ bind: (Statement) -> Void = { _ in }, _ read: (Statement) -> R
  ) throws(StoreError) -> [R] {
    var rows: [R] = []
    try each(sql, bind) { rows.append(read($0)) }
    return rows
  }

  /// The integer that a query without parameters gives; 0 when it gives none.
  package func integer(_ sql: StaticString) throws(StoreError) -> Int64 {
    try first(sql) { $0.integer() } ?? 0
  }

  /// Runs one or several statements of literals and numbers; never of anything from outside.
  func execute(_ script: ByteString) throws(StoreError) {
    guard let raw else { throw error(Int32(CS_OK)) }
    let result = script.withCString { cs_execute(raw, $0) }
    if result != CS_OK { throw error(result) }
  }

  /// Whether SQLite could open the file for reading only.
  var isReadOnly: Bool { raw.map { cs_is_database_read_only($0) != 0 } ?? false }

  /// Rows changed since the opening: tells whether a job has written.
  package var totalChangeCount: Int64 { raw.map { cs_total_change_count($0) } ?? 0 }

  /// Writes a compact copy of the database, mode 0600, to a path where no file is.
  ///
  /// Not within a transaction. Throws `.duplicate` when there is a file. The copy is in rollback
  /// mode and opens anywhere.
  package func backup(to copy: ByteString) throws(StoreError) {
    try Database.makeFile(copy)
    do throws(StoreError) {
      try run("VACUUM INTO ?1") { $0.bind(text: copy) }
    } catch {
      copy.withCString { cs_remove_file($0) }
      throw error
    }
  }

  /// Makes an empty file of mode 0600; throws `.duplicate` when there is one.
  static func makeFile(_ path: ByteString) throws(StoreError) {
    guard try prepareFile(path) else {
      throw StoreError(
        .duplicate, message: path, sentence: "a file with the backup's name exists already")
    }
  }

  /// Bytes that SQLite has written in the calling thread since that began.
  static var writtenByteCount: Int64 { cs_written_bytes() }

  /// SQLite's version, such as `3.46.1`.
  package static var libraryVersion: ByteString { ByteString(cString: cs_version()) ?? .empty }

  /// The statement of a literal, prepared at its first use.
  private func prepared(_ sql: StaticString) throws(StoreError) -> Statement {
    // A literal has one address for the life of the program.
    let key = UInt(bitPattern: sql.utf8Start)
    if let known = statements[key] { return known }
    guard let raw else { throw error(Int32(CS_OK)) }
    var created: OpaquePointer?
    let result = cs_prepare(raw, sql.utf8Start, sql.utf8CodeUnitCount, &created)
    guard result == CS_OK, let created else { throw error(result) }
    let statement = Statement(owning: created)
    statements[key] = statement
    return statement
  }

  /// Gives back what reading everything took: its statements, of which few are run again, and
  /// the pages.
  package func releaseCaches() {
    statements.removeAll()
    if let raw { cs_release_memory(raw) }
  }

  func release() {
    statements.removeAll()
    if let raw { cs_close(raw) }
    raw = nil
  }

  /// A statement that is no literal: made of names of our own schema, never of anything else.
  func statement(_ sql: ByteString) throws(StoreError) -> Statement {
    guard let raw else { throw error(Int32(CS_OK)) }
    var created: OpaquePointer?
    let result = sql.withBytes { cs_prepare(raw, $0.baseAddress, $0.count, &created) }
    guard result == CS_OK, let created else { throw error(result) }
    return Statement(owning: created)
  }

  private static func isNonZero(_ path: ByteString) -> Bool {
    path.withCString { cs_first_byte($0) } > 0
  }

  /// What a result that is no success means.
  func error(_ result: Int32) -> StoreError {
    if let mediumFailure, result & 0xFF == CS_READONLY { return mediumFailure }
    guard let raw else {
      return StoreError(Database.kind(of: result), message: "the database is closed")
    }
    let message = ByteString(cString: cs_message(raw)) ?? .empty
    return StoreError(Database.kind(of: result), message: message)
  }

  private static func kind(of result: Int32) -> StoreError.Kind {
    switch result {
    case Int32(CS_CONSTRAINT_UNIQUE), Int32(CS_CONSTRAINT_PRIMARYKEY): return .duplicate
    default: break
    }
    switch result & 0xFF {  // The low byte of an extended code is the primary one.
    case Int32(CS_FULL): return .full
    case Int32(CS_READONLY), Int32(CS_PERM), Int32(CS_CANTOPEN): return .readOnly
    case Int32(CS_IOERR): return .ioError
    case Int32(CS_CORRUPT), Int32(CS_NOTADB): return .corrupt
    case Int32(CS_BUSY), Int32(CS_LOCKED): return .busy
    case Int32(CS_CONSTRAINT): return .constraint
    default: return .other
    }
  }
}
