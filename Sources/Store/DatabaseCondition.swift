// SPDX-License-Identifier: MIT
import Platform

/// What the doctor asks a database that no gateway has opened.
package struct DatabaseCondition: Sendable {
  /// Whether nothing was ever written to it: a gateway is at its first start.
  package let isEmpty: Bool
  package let journalMode: ByteString
  /// Whether the first account still has the password of the first start.
  package let hasFirstPassword: Bool
  package let channels: [ChannelRecord]

  /// Reads a file and changes nothing but to complete what a power cut has left.
  ///
  /// Throws `.busy` while a gateway has it.
  package init(ofFile path: ByteString) throws(StoreError) {
    let database = try Database(at: path, isFromOutside: false)
    // Before the first access: a write-ahead log without shared memory.
    try database.execute("PRAGMA locking_mode=EXCLUSIVE")
    isEmpty = try database.integer("PRAGMA schema_version") == 0
    guard !isEmpty else {
      (journalMode, hasFirstPassword, channels) = (.empty, false, [])
      return
    }
    try Migrations.refuseForeign(database)
    journalMode = try DatabaseCondition.journalMode(of: database)
    hasFirstPassword =
      try database.integer("SELECT count(*) FROM users WHERE role = 100 AND must_change_password")
      > 0
    channels = try ChannelTable.all(in: database)
  }

  /// As the file has it.
  package static func journalMode(of database: Database) throws(StoreError) -> ByteString {
    try database.first("PRAGMA main.journal_mode") { $0.bytes() } ?? .empty
  }
}
