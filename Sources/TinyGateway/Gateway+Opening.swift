// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// The database as it is opened at the start, and what memory takes from it.
struct OpenedDatabase {
  let database: Database
  let snapshot: Snapshot
  let hours: [Int64: BucketSeries]
  /// Signs JWTs.
  let loginSecret: ByteString
  /// What was done about a damaged one; nil when it was sound.
  let recovery: Recovery.Notice?

  /// Opens the database, or the newest backup in the place of a damaged one; on a medium that takes
  /// no writes, what is stored there.
  ///
  /// Throws one sentence that says what to change.
  init(_ configuration: Configuration, log: Log) throws(StartError) {
    let (recovery, path) = (Recovery(configuration, log: log), configuration.path("db.db"))
    var reason = recovery.emptiness()
    if reason == nil {
      do throws(StoreError) {
        self = try OpenedDatabase(configuration, log, recovery: nil)
        return
      } catch {
        if OpenedDatabase.isOfMedium(error, configuration) {
          self = try OpenedDatabase(standingInOn: error, configuration, log)
          return
        }
        guard error.kind == .corrupt else { throw StartError(path + ": " + error.sentence) }
        reason = error.message
      }
    }
    let notice = try recovery.run(because: reason ?? .empty)
    do throws(StoreError) {
      self = try OpenedDatabase(configuration, log, recovery: notice)
    } catch { throw StartError(path + ": " + error.sentence) }
  }

  /// Whether the file may be sound and only its medium refuses writes.
  ///
  /// With shared memory an I/O error may come of the settings, which are to be corrected then.
  private static func isOfMedium(_ error: StoreError, _ configuration: Configuration) -> Bool {
    switch error.kind {
    case .full, .readOnly: true
    case .ioError: configuration.storage.lockingMode == .exclusive
    default: false
    }
  }

  /// Opens for reading what is stored; throws the first failure where nothing usable is.
  private init(
    standingInOn failure: StoreError, _ configuration: Configuration, _ log: Log
  ) throws(StartError) {
    do throws(StoreError) {
      self = try OpenedDatabase(configuration, log, recovery: nil, mediumFailure: failure)
    } catch {
      let sentence = error.kind == .corrupt ? error.sentence : failure.sentence
      throw StartError(configuration.path("db.db") + ": " + sentence)
    }
  }

  private init(
    _ configuration: Configuration, _ log: Log, recovery: Recovery.Notice?,
    mediumFailure: StoreError? = nil
  ) throws(StoreError) {
    database = try Database(
      path: configuration.path("db.db"), settings: configuration.storage,
      mediumFailure: mediumFailure)
    BackupFiles.removeLeftovers(configuration)
    try RootAccount.ensure(in: database, configuration: configuration)
    loginSecret = try OpenedDatabase.secret(in: database)
    snapshot = try Snapshot(from: database)
    hours = try ChannelStatistics.savedHours(in: database)
    database.releaseCaches()
    self.recovery = recovery
    if database.wasUnclean { log.warn("the last stop was not clean; the database is sound") }
    OpenedDatabase.tell(of: database, log)
  }

  /// Says that an older version's database was brought up to date, and where the old one is.
  private static func tell(of database: Database, _ log: Log) {
    guard let version = database.migratedFrom, version > 0 else { return }
    let copy = Buffer()
    copy.append(database.path)
    copy.append(".before-")
    copy.append(decimal: version + 1)
    let isKept = File.exists(copy.byteString)
    log.write(.info) { line in
      line.append("the database was brought up to date from version ")
      line.append(decimal: version)
      line.append(isKept ? "; the old one is " : "; there was no room for a copy of the old one")
      if isKept { line.append(copy.byteString) }
    }
  }

  /// The JWT secret, made at first start.
  private static func secret(in database: Database) throws(StoreError) -> ByteString {
    if let known = try OptionTable.value(OptionTable.loginSecretName, in: database),
      known.count == 64
    {
      return known
    }
    let made = Digest.hex(Random.bytes(32))
    try database.transaction { () throws(StoreError) in
      try OptionTable.set(OptionTable.loginSecretName, to: made, in: database)
    }
    return made
  }
}

extension Gateway {
  /// The medium began or ceased to fail: said once, served on meanwhile.
  func storageChanged(_ failure: StoreError?) {
    guard let failure else {
      log.info("storage works again")
      return batch.flush(now: loop.now)
    }
    log.write(.error) { line in
      line.append("storage fails, requests are served on: ")
      line.append(failure.sentence)
      line.append(" (")
      line.append(failure.message)
      line.append(")")
    }
  }

  /// Whether settings and usage cannot be written at present.
  var isStorageFailing: Bool { storage.failure != nil || batch.failure != nil }
}
