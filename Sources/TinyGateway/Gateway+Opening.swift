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

  /// Opens the database, or the newest backup in the place of a damaged one.
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
        guard error.kind == .corrupt else { throw StartError(path + ": " + error.sentence) }
        reason = error.message
      }
    }
    let notice = try recovery.run(because: reason ?? .empty)
    do throws(StoreError) {
      self = try OpenedDatabase(configuration, log, recovery: notice)
    } catch { throw StartError(path + ": " + error.sentence) }
  }

  private init(
    _ configuration: Configuration, _ log: Log, recovery: Recovery.Notice?
  ) throws(StoreError) {
    database = try Database(path: configuration.path("db.db"), settings: configuration.storage)
    BackupFiles.removeLeftovers(configuration)
    try RootAccount.ensure(in: database, configuration: configuration)
    loginSecret = try OpenedDatabase.secret(in: database)
    snapshot = try Snapshot(from: database)
    hours = try ChannelStatistics.savedHours(in: database)
    self.recovery = recovery
    if database.wasUnclean { log.warn("the last stop was not clean; the database is sound") }
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
