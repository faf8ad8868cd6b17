// SPDX-License-Identifier: MIT
import Platform

/// One management token: what a script presents instead of a login.
package struct ManagementTokenRecord: Sendable {
  package var id: Int64
  package var userID: Int64
  package var name: ByteString
  /// SHA-256 of the token; the token itself is kept nowhere.
  package var keyHash: ByteString
  package var keyHint: ByteString
  package var isReadOnly: Bool
  /// Unix seconds; nil for never.
  package var expiresAt: Int64?
  /// Unix seconds.
  package var createdAt: Int64

  /// Makes a record; the id is not for the caller to choose.
  package init(
    id: Int64 = 0, userID: Int64, name: ByteString, keyHash: ByteString, keyHint: ByteString,
    isReadOnly: Bool, expiresAt: Int64?, createdAt: Int64
  ) {
    self.id = id
    self.userID = userID
    self.name = name
    self.keyHash = keyHash
    self.keyHint = keyHint
    self.isReadOnly = isReadOnly
    self.expiresAt = expiresAt
    self.createdAt = createdAt
  }

  /// Reads the schema's columns in their order.
  fileprivate init(_ row: Statement) {
    id = row.integer()
    userID = row.integer()
    name = row.bytes()
    keyHash = row.bytes()
    keyHint = row.bytes()
    isReadOnly = row.boolean()
    expiresAt = row.optionalInteger(in: StoredRange.times)
    createdAt = row.integer(in: StoredRange.times)
  }
}

/// Queries of the table `management_tokens`.
package enum ManagementTokenTable {
  /// Adds a token; the new id, or throws `.constraint` when the user does not exist.
  package static func insert(
    _ token: ManagementTokenRecord, in database: Database
  ) throws(StoreError) -> Int64 {
    try database.insert(
      """
      INSERT INTO management_tokens (user_id, name, key_hash, key_hint, is_read_only, expires_at,
        created_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
      """
    ) {
      $0.bind(token.userID).bind(text: token.name).bind(blob: token.keyHash)
      $0.bind(text: token.keyHint).bind(token.isReadOnly).bind(token.expiresAt)
      $0.bind(token.createdAt)
    }
  }

  /// Removes a token, or throws `.notFound`.
  package static func delete(_ id: Int64, in database: Database) throws(StoreError) {
    try database.requireChange(
      try database.run("DELETE FROM management_tokens WHERE id = ?1") { $0.bind(id) })
  }

  /// All tokens by id.
  package static func all(
    in database: Database
  ) throws(StoreError) -> [ManagementTokenRecord] {
    try database.all("SELECT * FROM management_tokens ORDER BY id") { ManagementTokenRecord($0) }
  }
}
