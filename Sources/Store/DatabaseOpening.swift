// SPDX-License-Identifier: MIT
import Platform

/// The order of steps in which a database is opened; each says why it comes where it does.
extension Database {
  /// A clean file up to this size is checked as well: it costs a few milliseconds.
  private static let alwaysCheckedByteCount: Int64 = 256 * 1024

  /// Applies the settings, refuses what is not ours, migrates.
  func configure(_ settings: StoreSettings) throws(StoreError) {
    // Before the first access: only so does WAL do without shared memory
    // (https://www.sqlite.org/wal.html#noshm).
    switch mediumFailure == nil ? settings.lockingMode : .exclusive {
    case .exclusive: try execute("PRAGMA locking_mode=EXCLUSIVE")
    case .normal: try execute("PRAGMA locking_mode=NORMAL")
    }
    try pragma("page_size", Int64(settings.pageByteCount))
    try execute("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY")
    try firstRead(settings)
    if isReadOnly { throw StoreError(.readOnly, message: "opened for reading only") }
    try Migrations.refuseForeign(self)
    try quickCheckIfDue()

    try pragma("synchronous", settings.synchronous.number)
    try pragma("cache_size", -Int64(settings.cacheKilobytes))
    try pragma("wal_autocheckpoint", Int64(settings.walAutocheckpointPages))
    try pragma("journal_size_limit", settings.journalSizeLimit)
    try execute("PRAGMA foreign_keys=ON; PRAGMA secure_delete=OFF")
    let mustProbe = mediumFailure == nil ? try setJournalMode(settings.journalMode) : false
    do throws(StoreError) {
      try Migrations.run(on: self)
      try probe(reallyWriting: mustProbe)
      if settings.keepsHistoryInMemory { try moveHistoryToMemory() }
    } catch { throw explained(error, settings) }
  }

  /// The first access, where a foreign, damaged or locked file shows itself.
  private func firstRead(_ settings: StoreSettings) throws(StoreError) {
    do throws(StoreError) {
      _ = try integer("PRAGMA schema_version")
      _ = try integer("SELECT count(*) FROM sqlite_master")
    } catch { throw explained(error, settings) }
  }

  private func quickCheckIfDue() throws(StoreError) {
    let size = try integer("PRAGMA page_count") * integer("PRAGMA page_size")
    guard wasUnclean || size <= Database.alwaysCheckedByteCount else { return }
    let verdict = try first("PRAGMA quick_check(1)") { $0.bytes() } ?? .empty
    if verdict != ByteString("ok") { throw StoreError(.corrupt, message: verdict) }
    Database.removeFile(path + Database.checkSuffix)
  }

  /// Sets the journal mode; true when the file changes from or to WAL.
  ///
  /// The answer of `journal_mode=WAL` is not to be trusted: where shared memory is missing it is
  /// `wal`, and the next statement fails. The caller writes something to find out.
  private func setJournalMode(_ mode: StoreSettings.JournalMode) throws(StoreError) -> Bool {
    let before = try first("PRAGMA journal_mode") { $0.bytes() } ?? .empty
    let script = Buffer()
    script.append("PRAGMA journal_mode=")
    script.append(mode.name)
    try execute(script.byteString)
    let after = try first("PRAGMA journal_mode") { $0.bytes() } ?? .empty
    guard after == mode.name else {
      throw StoreError(
        .other, message: ByteString("journal_mode stays ") + after,
        sentence: "the database does not accept this journal_mode here: use persist")
    }
    return (before == "wal") != (after == "wal")
  }

  /// Puts empty temporary tables of the same names before those of the file: a name without its
  /// schema means the temporary table.
  ///
  /// What the file already holds stays there, out of sight.
  private func moveHistoryToMemory() throws(StoreError) {
    for table in try CopiedTable.all(in: self) where table.isHistory {
      let made = try first(
        "SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = ?1",
        { $0.bind(text: table.name) }, { $0.bytes() })
      guard let made, made.starts(with: "CREATE TABLE ") else { continue }
      let definition = ByteString(Array(made.bytes.dropFirst(13)))
      try execute("CREATE TEMP TABLE " + definition)
    }
    keepsHistoryInMemory = true
  }

  /// Takes the write lock, and writes a page when the journal mode is new to the file.
  private func probe(reallyWriting: Bool) throws(StoreError) {
    try run("BEGIN IMMEDIATE")
    guard reallyWriting else {
      try run("ROLLBACK")
      return
    }
    let version = try integer("PRAGMA user_version")
    try pragma("user_version", version)
    try run("COMMIT")
  }

  /// Adds what to change when the combination of settings is the likely cause.
  private func explained(_ error: StoreError, _ settings: StoreSettings) -> StoreError {
    guard error.kind == .ioError, settings.lockingMode == .normal else { return error }
    return StoreError(
      .ioError, message: error.message,
      sentence:
        "the disk failed, or its file system lacks shared memory: set locking_mode: exclusive")
  }

  /// Sets a pragma to a number; pragmas take no bound parameters.
  func pragma(_ name: StaticString, _ value: Int64) throws(StoreError) {
    let script = Buffer()
    script.append("PRAGMA ")
    script.append(name)
    script.append(UInt8(ascii: "="))
    script.append(decimal: value)
    try execute(script.byteString)
  }
}
