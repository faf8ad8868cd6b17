// SPDX-License-Identifier: MIT
import CSQLite
import Platform

/// Files besides `db.db`, and rows on their way between two of them.
extension Database {
  /// Makes an empty database of mode 0600 where no file is, to be filled in one transaction.
  ///
  /// Nothing is synced, and nothing can be undone once it has failed: it is a copy.
  convenience init(newCopy path: ByteString, pageByteCount: Int64) throws(StoreError) {
    try Database.makeFile(path)
    do throws(StoreError) {
      try self.init(at: path, isFromOutside: false)
      try pragma("page_size", pageByteCount)
      try execute(
        """
        PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;
        PRAGMA cache_size=-512; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON
        """)
    } catch {
      Database.removeFile(path)
      throw error
    }
  }

  /// Beside a database of which a page was found damaged while it was in use.
  static let checkSuffix: ByteString = "-check"

  /// Has the next opening look through the whole file, however cleanly this one ends.
  func markForCheck() {
    do throws(StoreError) { try Database.makeFile(path + Database.checkSuffix) } catch {}
  }

  static func exists(_ path: ByteString) -> Bool { path.withCString { cs_file_exists($0) } != 0 }

  /// Removes a file; one that is missing is no error.
  static func removeFile(_ path: ByteString) { path.withCString { cs_remove_file($0) } }

  /// Gives a file another name, in the place of one that has it.
  static func renameFile(_ path: ByteString, to other: ByteString) throws(StoreError) {
    let result = path.withCString { path in other.withCString { cs_rename_file(path, $0) } }
    if result < 0 { throw StoreError(.ioError, message: "rename") }
  }

  /// Inserts every row that a query gives in another database.
  ///
  /// `query` and `insert` have as many columns as parameters.
  func insertRows(
    _ insert: ByteString, from query: ByteString, of source: Database
  ) throws(CopiedTable.Failure) {
    let rows = try source.prepare(query, failing: CopiedTable.Failure.source)
    let target = try prepare(insert, failing: CopiedTable.Failure.target)
    while true {
      let result = rows.step()
      if result == CS_DONE { return }
      guard result == CS_ROW else { throw .source(source.error(result)) }
      target.bind(rowOf: rows)
      let written = target.step()
      guard written == CS_DONE else { throw .target(error(written)) }
      target.reset()
    }
  }

  private func prepare(
    _ sql: ByteString, failing: (StoreError) -> CopiedTable.Failure
  ) throws(CopiedTable.Failure) -> Statement {
    do throws(StoreError) { return try statement(sql) } catch { throw failing(error) }
  }

  /// Whether a query that is no literal gives a row.
  func hasRow(_ sql: ByteString, _ bind: (Statement) -> Void) throws(StoreError) -> Bool {
    let query = try statement(sql)
    bind(query)
    let result = query.step()
    guard result == CS_ROW || result == CS_DONE else { throw error(result) }
    return result == CS_ROW
  }
}
