// SPDX-License-Identifier: MIT
import Platform

/// One login of the web pages.
package struct SessionRecord: Sendable {
  /// SHA-256 of the cookie's value; the value itself is kept nowhere.
  package var idHash: ByteString
  package var userID: Int64
  /// The account's epoch at the login; another one ends the session.
  package var epoch: Int64
  /// Unix seconds.
  package var createdAt: Int64
  /// Unix seconds of the last use that was written.
  package var seenAt: Int64

  /// Makes a record.
  package init(
    idHash: ByteString, userID: Int64, epoch: Int64, createdAt: Int64, seenAt: Int64
  ) {
    self.idHash = idHash
    self.userID = userID
    self.epoch = epoch
    self.createdAt = createdAt
    self.seenAt = seenAt
  }

  /// Reads the schema's columns in their order.
  fileprivate init(_ row: Statement) {
    idHash = row.bytes()
    userID = row.integer()
    epoch = row.integer(in: StoredRange.epochs)
    createdAt = row.integer(in: StoredRange.times)
    seenAt = row.integer(in: StoredRange.times)
  }
}

/// Queries of the table `sessions`.
package enum SessionTable {
  /// Adds a session, or throws `.constraint` when the user does not exist.
  package static func insert(
    _ session: SessionRecord, in database: Database
  ) throws(StoreError) {
    try database.run(
      """
      INSERT INTO sessions (id_hash, user_id, epoch, created_at, seen_at)
      VALUES (?1, ?2, ?3, ?4, ?5)
      """
    ) {
      $0.bind(blob: session.idHash).bind(session.userID).bind(session.epoch)
      $0.bind(session.createdAt).bind(session.seenAt)
    }
  }

  /// Notes a use; a session that is gone stays gone.
  package static func see(
    _ idHash: ByteString, at seconds: Int64, in database: Database
  ) throws(StoreError) {
    try database.run("UPDATE sessions SET seen_at = ?2 WHERE id_hash = ?1") {
      $0.bind(blob: idHash).bind(seconds)
    }
  }

  /// Removes a session; one that is gone is no error.
  package static func delete(_ idHash: ByteString, in database: Database) throws(StoreError) {
    try database.run("DELETE FROM sessions WHERE id_hash = ?1") { $0.bind(blob: idHash) }
  }

  /// Removes all sessions of a user.
  package static func deleteAll(
    ofUser userID: Int64, in database: Database
  ) throws(StoreError) {
    try database.run("DELETE FROM sessions WHERE user_id = ?1") { $0.bind(userID) }
  }

  /// All sessions, the oldest first.
  package static func all(in database: Database) throws(StoreError) -> [SessionRecord] {
    try database.all("SELECT * FROM sessions ORDER BY created_at") { SessionRecord($0) }
  }
}

/// A login by JWT that was ended before its time.
package struct EndedLoginRecord: Sendable {
  /// The JWT's id.
  package var jti: ByteString
  package var userID: Int64
  /// Unix seconds after which the JWT is refused anyway.
  package var expiresAt: Int64

  /// Makes a record.
  package init(jti: ByteString, userID: Int64, expiresAt: Int64) {
    self.jti = jti
    self.userID = userID
    self.expiresAt = expiresAt
  }
}

/// Queries of the table `ended_logins`.
package enum EndedLoginTable {
  /// Adds one, and forgets those that have expired by themselves.
  package static func insert(
    _ login: EndedLoginRecord, at seconds: Int64, in database: Database
  ) throws(StoreError) {
    try database.run("DELETE FROM ended_logins WHERE expires_at <= ?1") { $0.bind(seconds) }
    try database.run(
      "INSERT OR IGNORE INTO ended_logins (jti, user_id, expires_at) VALUES (?1, ?2, ?3)"
    ) { $0.bind(blob: login.jti).bind(login.userID).bind(login.expiresAt) }
  }

  /// Removes all of a user, whose logins were ended otherwise.
  package static func deleteAll(
    ofUser userID: Int64, in database: Database
  ) throws(StoreError) {
    try database.run("DELETE FROM ended_logins WHERE user_id = ?1") { $0.bind(userID) }
  }

  /// All of them.
  package static func all(in database: Database) throws(StoreError) -> [EndedLoginRecord] {
    try database.all("SELECT jti, user_id, expires_at FROM ended_logins") {
      EndedLoginRecord(
        jti: $0.bytes(), userID: $0.integer(), expiresAt: $0.integer(in: StoredRange.times))
    }
  }
}
