// SPDX-License-Identifier: MIT
import Platform

/// Puts the contents of a backup in the place of those of the database.
///
/// The file is opened for reading only and may come from anybody: it is checked as a whole, then
/// its rows are copied into tables of ours, whose schema refuses what does not fit. One transaction
/// does it: a failure at any time leaves all as it was.
package enum Restore {
  /// Why a file was not restored; nothing was changed.
  package enum Failure: Error {
    /// The file cannot be used: a sentence that says why.
    case invalid(ByteString)
    /// The database or its disk failed.
    case storage(StoreError)
  }

  /// Where a backup of an older version is brought up to date.
  package static let stageSuffix: StaticString = ".restore-stage"
  /// What was there before the last restore.
  package static let keptSuffix: StaticString = ".before-restore"
  /// The same while it is written.
  package static let keepingSuffix: StaticString = ".before-restore.new"

  private static let rootRole = UserRole.root.rawValue
  /// No login, token or row of the log can be from after the year 2100.
  private static let largestLogID = LogID.first(ofSecond: 4_102_444_800)

  // Checking.

  /// Checks a file from outside: whole, ours, not newer, with an account to log in with.
  ///
  /// Reads all of it. The answer is the sealed key that it carries; nil for none.
  package static func check(_ path: ByteString) throws(Failure) -> BackupKey? {
    let source = try open(path)
    let verdict = try reading { () throws(StoreError) in
      try source.first("PRAGMA integrity_check(1)") { $0.bytes() } ?? .empty
    }
    guard verdict == "ok" else { throw .invalid(damaged) }
    let roots = try reading { () throws(StoreError) in
      try source.first(
        "SELECT count(*) FROM users WHERE role = ?1 AND status = 1", { $0.bind(rootRole) },
        { $0.integer() })
    }
    guard let roots, roots > 0 else {
      throw .invalid("the backup has no enabled root account: nobody could log in")
    }
    return try reading { () throws(StoreError) in try BackupKey.read(from: source) }
  }

  /// Opens a file and finds out whether it is a database of this program, of a known version.
  private static func open(_ path: ByteString) throws(Failure) -> Database {
    let source = try reading { () throws(StoreError) in
      try Database(at: path, isFromOutside: true)
    }
    let (owner, version) = try reading { () throws(StoreError) in
      try source.execute(
        """
        PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA cache_size=-512;
        PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF; PRAGMA query_only=ON
        """)
      return (
        try source.integer("PRAGMA application_id"), try source.integer("PRAGMA user_version")
      )
    }
    guard owner == Migrations.applicationID, version > 0 else { throw .invalid(damaged) }
    guard version <= Int64(Migrations.all.count) else {
      throw .invalid("the backup was made by a newer version: install that version first")
    }
    return source
  }

  // Restoring.

  /// Replaces everything in `database` by what a checked file holds.
  ///
  /// Not within a transaction. Keeps the old contents beside the database, as `….before-restore`,
  /// unless `keepsOld` is false.
  /// All logins end: accounts get a new session epoch, and the secret that signs logins is gone.
  ///
  /// `finish`: called within the transaction, after the copying: what it throws undoes all.
  package static func apply<R>(
    _ path: ByteString, to database: Database, keepsOld: Bool = true,
    finish: (Database) throws(StoreError) -> R
  ) throws(Failure) -> R {
    let stage = database.path + ByteString(stageSuffix)
    defer { Database.removeFile(stage) }
    let source = try current(try open(path), stage: stage)
    if keepsOld { try writing { () throws(StoreError) in try keepOld(database) } }
    var invalid: ByteString?
    do throws(StoreError) {
      return try database.transaction { () throws(StoreError) in
        do throws(Failure) {
          try replaceRows(of: database, from: source)
        } catch {
          switch error {
          case .storage(let error): throw error
          case .invalid(let sentence):
            invalid = sentence
            throw StoreError(.other, message: sentence)
          }
        }
        return try finish(database)
      }
    } catch {
      if let invalid { throw .invalid(invalid) }
      // Tokens without their owner show at the commit.
      throw blaming(error, contradiction)
    }
  }

  /// The source, or for one of an older version a copy of it in the schema of now.
  private static func current(
    _ source: Database, stage: ByteString
  ) throws(Failure) -> Database {
    let version = try reading { () throws(StoreError) in
      try source.integer("PRAGMA user_version")
    }
    guard version < Int64(Migrations.all.count) else { return source }
    Database.removeFile(stage)
    let staged = try writing { () throws(StoreError) in
      let staged = try Database(newCopy: stage, pageByteCount: 4096)
      try staged.run("BEGIN")
      try Migrations.build(on: staged, version: version)
      return staged
    }
    for table in try writing({ () throws(StoreError) in try CopiedTable.all(in: staged) }) {
      try copy(table, from: source, to: staged)
    }
    do throws(StoreError) {
      try Migrations.complete(staged, from: version)
      try staged.run("COMMIT")
    } catch { throw blaming(error, contradiction) }
    return staged
  }

  /// Keeps `….before-restore`, complete or not at all.
  private static func keepOld(_ database: Database) throws(StoreError) {
    let new = database.path + ByteString(keepingSuffix)
    let kept = database.path + ByteString(keptSuffix)
    Database.removeFile(new)
    try database.backup(to: new)
    try Database.renameFile(new, to: kept)
  }

  private static func replaceRows(
    of database: Database, from source: Database
  ) throws(Failure) {
    let (tables, epoch) = try writing { () throws(StoreError) in
      try database.execute("PRAGMA defer_foreign_keys=ON")
      let epoch = try database.integer("SELECT max(session_epoch) FROM users")
      let tables = try CopiedTable.all(in: database)
      for table in tables { try table.deleteRows(in: database) }
      return (tables, epoch)
    }
    for table in tables where !table.isLogin {
      // A log that fitted another device's disk may not fit this one's memory.
      if database.keepsHistoryInMemory, table.isHistory { continue }
      try copy(table, from: source, to: database)
    }
    for table in tables {
      let column = try writing { () throws(StoreError) in
        try table.implausibleColumn(in: database)
      }
      if let column {
        throw .invalid("the backup has an impossible number in " + table.name + "." + column)
      }
    }
    let lastLogID = try writing { () throws(StoreError) in try LogTable.lastID(in: database) }
    guard lastLogID <= largestLogID else {
      throw .invalid("the backup has a log row of an impossible time")
    }
    try writing { () throws(StoreError) in
      try OptionTable.remove(OptionTable.loginSecretName, in: database)
      // Measured on another device; this one measures again.
      try OptionTable.remove(OptionTable.passwordRoundsName, in: database)
      try database.run("UPDATE users SET session_epoch = max(session_epoch, ?1) + 1") {
        $0.bind(min(max(epoch, 0), CopiedTable.largestID))
      }
    }
  }

  /// Copies a table; what our schema refuses is the source's fault.
  private static func copy(
    _ table: CopiedTable, from source: Database, to target: Database
  ) throws(Failure) {
    let isPresent = try reading { () throws(StoreError) in try table.isPresent(in: source) }
    guard isPresent else { throw .invalid("the backup has no table " + table.name) }
    do throws(CopiedTable.Failure) {
      try table.copy(from: source, to: target)
    } catch {
      switch error {
      case .source: throw .invalid(damaged)
      case .target(let error):
        throw blaming(error, "the backup has rows in " + table.name + " that do not fit there")
      }
    }
  }

  // Whose fault it is.

  private static let damaged: ByteString =
    "the file is damaged or is no backup of TinyGateway"
  private static let contradiction: ByteString =
    "the backup contradicts itself: its tables do not fit together"

  private static func reading<R>(_ body: () throws(StoreError) -> R) throws(Failure) -> R {
    do throws(StoreError) { return try body() } catch { throw .invalid(damaged) }
  }

  private static func writing<R>(_ body: () throws(StoreError) -> R) throws(Failure) -> R {
    do throws(StoreError) { return try body() } catch { throw .storage(error) }
  }

  /// A failure of the side that is ours: of the disk, or of what was to be written.
  private static func blaming(_ error: StoreError, _ sentence: ByteString) -> Failure {
    switch error.kind {
    case .constraint, .duplicate: .invalid(sentence)
    case .full, .readOnly, .ioError, .corrupt, .busy, .newerVersion, .notFound, .other:
      .storage(error)
    }
  }
}
