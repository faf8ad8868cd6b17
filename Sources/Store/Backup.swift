// SPDX-License-Identifier: MIT
import Platform

/// A device's key for channel secrets, sealed under a passphrase, as a backup carries it.
package struct BackupKey: Equatable, Sendable {
  package static let saltByteCount = 16
  /// What a file from outside may ask for: minutes on a small board, no more.
  package static let roundCounts: ClosedRange<Int64> = 1...5_000_000
  private static let sealedByteLimit = 256

  /// Of PBKDF2 with HMAC-SHA-256.
  package let salt: ByteString
  package let rounds: Int64
  /// Encrypted with AES-256-GCM under what the passphrase derives to.
  package let sealed: ByteString

  /// Makes a key's sealed form.
  package init(salt: ByteString, rounds: Int64, sealed: ByteString) {
    self.salt = salt
    self.rounds = rounds
    self.sealed = sealed
  }

  /// Its table, which only backups have; no migration knows it.
  static let table = CopiedTable(name: "backup_key", columns: ["salt", "rounds", "sealed"])

  func write(to copy: Database) throws(StoreError) {
    try copy.execute(
      "CREATE TABLE backup_key (salt BLOB, rounds INTEGER, sealed BLOB) STRICT")
    try copy.run("INSERT INTO backup_key (salt, rounds, sealed) VALUES (?1, ?2, ?3)") {
      $0.bind(blob: salt).bind(rounds).bind(blob: sealed)
    }
  }

  /// The key that a file carries; nil for none, or one that is no key.
  static func read(from source: Database) throws(StoreError) -> BackupKey? {
    guard try table.isPresent(in: source) else { return nil }
    let found = try source.first("SELECT salt, rounds, sealed FROM backup_key") { row in
      BackupKey(salt: row.bytes(), rounds: row.integer(), sealed: row.bytes())
    }
    guard let found, found.salt.count == saltByteCount, roundCounts.contains(found.rounds),
      found.sealed.count <= sealedByteLimit
    else { return nil }
    return found
  }
}

/// Writes the whole database into one file, without what must not leave the device.
package enum Backup {
  /// Bytes that a backup takes, roughly and rather too many.
  package static func byteCount(
    of database: Database, withRecords: Bool
  ) throws(StoreError) -> Int64 {
    let pages =
      try database.integer("PRAGMA page_count") - database.integer("PRAGMA freelist_count")
    let used = pages * (try database.integer("PRAGMA page_size"))
    return withRecords ? used : min(used, try LogRing.otherByteCount(in: database))
  }

  /// Writes a file of mode 0600 to a path where none is; removed again when that fails.
  ///
  /// Not in it: logins, and the secret that signs them. Keys of channels are in it as they are
  /// stored, encrypted. Not within a transaction: what is read belongs together because nobody
  /// else writes meanwhile.
  ///
  /// `withRecords`: whether logs, statistics and audit are copied.
  /// `key`: what opens the keys of channels on another device.
  package static func write(
    _ database: Database, to path: ByteString, withRecords: Bool, key: BackupKey?
  ) throws(StoreError) {
    let copy = try Database(
      newCopy: path, pageByteCount: try database.integer("PRAGMA page_size"))
    do throws(StoreError) {
      try copy.transaction { () throws(StoreError) in
        try fill(copy, from: database, withRecords: withRecords)
        if let key { try key.write(to: copy) }
      }
      try copy.close()
    } catch {
      Database.removeFile(path)
      throw error
    }
  }

  private static func fill(
    _ copy: Database, from database: Database, withRecords: Bool
  ) throws(StoreError) {
    try Migrations.build(on: copy, version: Int64(Migrations.all.count))
    for table in try CopiedTable.all(in: copy) {
      if table.isLogin || (table.isRecord && !withRecords) { continue }
      do throws(CopiedTable.Failure) {
        try table.copy(from: database, to: copy)
      } catch {
        switch error {
        case .source(let error), .target(let error): throw error
        }
      }
    }
    // With secure_delete its bytes are gone, not only its row.
    try OptionTable.remove(OptionTable.loginSecretName, in: copy)
    try OptionTable.remove(OptionTable.passwordRoundsName, in: copy)
  }
}
