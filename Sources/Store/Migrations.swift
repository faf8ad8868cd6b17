// SPDX-License-Identifier: MIT
import Platform

/// One numbered step of the schema.
struct Migration: Sendable {
  let name: StaticString
  let script: StaticString
}

/// The schema as a list of steps that is only ever appended to.
///
/// The number of steps applied is the file's `user_version`; `application_id` says that the file
/// is ours.
enum Migrations {
  /// "TGW1" in ASCII.
  static let applicationID: Int64 = 0x5447_5731

  /// Throws when the file belongs to another program or to a newer version of this one.
  static func refuseForeign(_ database: Database) throws(StoreError) {
    let version = try database.integer("PRAGMA user_version")
    let owner = try database.integer("PRAGMA application_id")
    let objectCount = try database.integer("SELECT count(*) FROM sqlite_master")
    let isEmpty = owner == 0 && version == 0 && objectCount == 0
    guard isEmpty || owner == applicationID else {
      throw StoreError(
        .other, message: "application_id is not ours",
        sentence: "the database belongs to another program: choose another data directory")
    }
    if version > Int64(all.count) {
      throw StoreError(.newerVersion, message: "user_version is too high")
    }
  }

  /// Applies the missing steps in one transaction, after a copy of a database that has some.
  static func run(
    on database: Database, steps: [Migration] = Migrations.all
  ) throws(StoreError) {
    let version = try database.integer("PRAGMA user_version")
    guard version >= 0, version < Int64(steps.count) else { return }
    if version > 0, database.mediumFailure == nil {
      try keepCopy(of: database, version: version)
    }
    try database.transaction { () throws(StoreError) in
      for step in steps[Int(version)...] { try apply(step, to: database) }
      try stamp(database, version: Int64(steps.count))
    }
    database.migratedFrom = version
  }

  /// Makes the tables of a version in an empty database, without the rows that steps put there.
  ///
  /// Within a transaction.
  static func build(on database: Database, version: Int64) throws(StoreError) {
    for step in all.prefix(Int(version)) { try apply(step, to: database) }
    for table in try CopiedTable.all(in: database) { try table.deleteRows(in: database) }
    try stamp(database, version: version)
  }

  /// Brings a database that `build` made up to date, within a transaction.
  static func complete(_ database: Database, from version: Int64) throws(StoreError) {
    for step in all.dropFirst(Int(version)) { try apply(step, to: database) }
    try stamp(database, version: Int64(all.count))
  }

  private static func stamp(_ database: Database, version: Int64) throws(StoreError) {
    try database.pragma("application_id", applicationID)
    try database.pragma("user_version", version)
  }

  private static func apply(_ step: Migration, to database: Database) throws(StoreError) {
    do throws(StoreError) {
      try database.execute(ByteString(step.script))
    } catch {
      throw StoreError(
        error.kind, message: ByteString(step.name) + ": " + error.message,
        sentence: error.sentence)
    }
  }

  /// Keeps `db.db.before-N`; goes on without it where the disk has no room, because the
  /// transaction alone already protects the data from a failure half-way.
  private static func keepCopy(of database: Database, version: Int64) throws(StoreError) {
    let path = Buffer()
    path.append(database.path)
    path.append(".before-")
    path.append(decimal: version + 1)
    do throws(StoreError) {
      try database.backup(to: path.byteString)
    } catch {
      if error.kind != .full && error.kind != .duplicate { throw error }
    }
  }

  /// Append here; never change or reorder a step that was released.
  static let all: [Migration] = [
    Migration(name: "first schema", script: firstSchema),
    Migration(name: "channel groups", script: channelGroups),
    Migration(name: "accounts", script: accounts),
  ]

  /// The tables of the first release.
  ///
  /// Times are Unix seconds, amounts are quota units, 0 and '' mean "none" unless NULL may. A log
  /// row's quota is NULL when it is the sum of its tokens, as at the default prices.
  ///
  /// `AUTOINCREMENT`: an id must not come back, or a new token would inherit old log rows.
  private static let firstSchema: StaticString = """
    CREATE TABLE users (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      username TEXT NOT NULL UNIQUE,
      password_hash TEXT NOT NULL,
      role INTEGER NOT NULL,
      user_group TEXT NOT NULL DEFAULT 'default',
      quota INTEGER,
      status INTEGER NOT NULL,
      must_change_password INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      session_epoch INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE tokens (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      key_hash BLOB NOT NULL UNIQUE CHECK (length(key_hash) = 32),
      key_hint TEXT NOT NULL,
      expires_at INTEGER,
      quota INTEGER,
      quota_period INTEGER NOT NULL,
      allowed_ips TEXT NOT NULL,
      models TEXT NOT NULL,
      channel_group TEXT NOT NULL,
      rpm INTEGER NOT NULL,
      tpm INTEGER NOT NULL,
      status INTEGER NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX tokens_by_user ON tokens (user_id);
    CREATE TABLE usage (
      owner INTEGER NOT NULL,
      id INTEGER NOT NULL,
      used_quota INTEGER NOT NULL,
      period_start INTEGER NOT NULL,
      accessed_at INTEGER NOT NULL,
      PRIMARY KEY (owner, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE channels (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      type TEXT NOT NULL,
      base_url TEXT NOT NULL,
      keys BLOB NOT NULL,
      models TEXT NOT NULL,
      model_mapping TEXT NOT NULL,
      groups TEXT NOT NULL,
      weight INTEGER NOT NULL,
      priority INTEGER NOT NULL,
      status INTEGER NOT NULL,
      status_reason TEXT NOT NULL,
      connect_timeout_ms INTEGER NOT NULL,
      first_byte_timeout_ms INTEGER NOT NULL,
      idle_timeout_ms INTEGER NOT NULL,
      headers TEXT NOT NULL,
      config TEXT NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE options (
      name TEXT NOT NULL PRIMARY KEY,
      value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE models (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE logs (
      id INTEGER PRIMARY KEY,
      user_id INTEGER NOT NULL,
      token_id INTEGER NOT NULL,
      channel_id INTEGER NOT NULL,
      model_id INTEGER NOT NULL,
      prompt_tokens INTEGER NOT NULL,
      completion_tokens INTEGER NOT NULL,
      quota INTEGER,
      detail BLOB NOT NULL
    ) STRICT;
    CREATE TABLE channel_hours (
      hour INTEGER NOT NULL,
      channel_id INTEGER NOT NULL,
      requests INTEGER NOT NULL,
      successes INTEGER NOT NULL,
      prompt_tokens INTEGER NOT NULL,
      completion_tokens INTEGER NOT NULL,
      latency_sum INTEGER NOT NULL,
      first_byte_sum INTEGER NOT NULL,
      detail BLOB NOT NULL,
      PRIMARY KEY (hour, channel_id)
    ) STRICT, WITHOUT ROWID;
    """
}
