// SPDX-License-Identifier: MIT
import CPlatform
import Platform
import Store

/// The files that backup and restore make in the data directory, and what goes into them.
enum BackupFiles {
  /// A backup until it has been written; it has no name while it is sent.
  static let backup: StaticString = "backup.tmp"
  /// What is to be restored, as it arrives.
  static let upload: StaticString = "restore.tmp"

  /// Allowed length of a passphrase in bytes.
  static let passphraseByteCounts = 12...128
  /// Rounds of PBKDF2 however slow the device is: whoever has the file may try for ever.
  private static let leastRounds: Int64 = 210_000
  /// What stays free on the disk, so that the gateway itself goes on: 1 MiB.
  static let reserveByteCount: Int64 = 1 << 20

  /// Removes what a killed program left; for who has opened the database.
  static func removeLeftovers(_ configuration: Configuration) {
    let database = configuration.path("db.db")
    for path in [
      configuration.path(backup), configuration.path(upload),
      database + ByteString(Restore.stageSuffix), database + ByteString(Restore.keepingSuffix),
    ] { remove(path) }
  }

  /// Removes a file on a worker, since that may take long; what stays goes at the next start.
  static func discard(_ path: ByteString, closing file: OpenFile? = nil, on worker: Worker) {
    let job = Job(
      work: {
        file?.close()
        remove(path)
      }, completion: {})
    do throws(SystemError) { try worker.submit(job) } catch {}
  }

  static func remove(_ path: ByteString) { _ = path.withCString { cp_remove($0) } }

  /// Writes a backup where the disk has room for it; storage thread.
  static func write(
    _ database: Database, to path: ByteString, withRecords: Bool, key: BackupKey?
  ) throws(StoreError) {
    let byteCount = try Backup.byteCount(of: database, withRecords: withRecords)
    try requireRoom(for: byteCount, near: path)
    try Backup.write(database, to: path, withRecords: withRecords, key: key)
  }

  /// Throws `.full` when the disk of a path has no room for so many bytes.
  static func requireRoom(for byteCount: Int64, near path: ByteString) throws(StoreError) {
    guard let free = OpenFile.freeByteCount(near: path) else { return }
    guard free - reserveByteCount < byteCount else { return }
    throw StoreError(
      .full, message: "no room",
      sentence: "the disk has no room for another " + ByteString(number: byteCount / 1024 + 1)
        + " KiB: free some space")
  }

  /// The key of `secrets` under a passphrase, with a fresh salt; not on the loop's thread.
  ///
  /// Nil when there are no random bytes.
  static func key(
    of secrets: ChannelSecrets, passphrase: ByteString, rounds: Int
  ) -> BackupKey? {
    let salt = Random.bytes(BackupKey.saltByteCount)
    let rounds = min(max(Int64(rounds), leastRounds), BackupKey.roundCounts.upperBound)
    let derived = Digest.pbkdf2(password: passphrase, salt: salt, rounds: Int(rounds))
    return secrets.sealedKey(under: derived).map {
      BackupKey(salt: salt, rounds: rounds, sealed: $0)
    }
  }

  /// The secrets that a backup carries; nil for a wrong passphrase.
  ///
  /// Not on the loop's thread.
  static func secrets(of key: BackupKey, passphrase: ByteString) -> ChannelSecrets? {
    let derived = Digest.pbkdf2(
      password: passphrase, salt: key.salt, rounds: Int(key.rounds))
    return ChannelSecrets(sealedKey: key.sealed, under: derived)
  }
}

/// What a restore has put into the database, for memory.
struct RestoredState {
  let snapshot: Snapshot
  let hours: [Int64: BucketSeries]
  /// Signs logins from now on.
  let loginSecret: ByteString

  /// Restores a checked file; storage thread, or before it starts.
  ///
  /// `secrets`: of this device, under which the keys of channels are encrypted anew.
  /// `other`: those of the device that made the backup; nil when they are not known: a channel
  /// whose keys are encrypted under them is locked then.
  /// `audit`: the row about this, written in the same transaction; its id is chosen here.
  /// `keepsOld`: whether what was there is kept in a file.
  @inline(never)
  static func restore(
    _ path: ByteString, to database: Database, secrets: ChannelSecrets, other: ChannelSecrets?,
    audit: AuditRecord, keepsOld: Bool = true
  ) throws(Restore.Failure) -> RestoredState {
    try Restore.apply(path, to: database, keepsOld: keepsOld) { (database) throws(StoreError) in
      for record in try ChannelTable.all(in: database) {
        guard let sealed = secrets.resealed(record, from: other ?? secrets) else {
          throw StoreError(.other, message: "no random bytes")
        }
        try ChannelTable.update(sealed, in: database)
      }
      let loginSecret = Digest.hex(Random.bytes(32))
      try OptionTable.set(OptionTable.loginSecretName, to: loginSecret, in: database)
      var row = audit
      let last = max(audit.id, try AuditTable.lastID(in: database))
      row.id = LogID.next(after: last, atSecond: UnixTime.seconds)
      try AuditTable.insert(row, in: database)
      return RestoredState(
        snapshot: try Snapshot(from: database),
        hours: try ChannelStatistics.savedHours(in: database), loginSecret: loginSecret)
    }
  }
}
