// SPDX-License-Identifier: MIT
import Platform

/// What a user may do; raw values are stored, never renumber.
package enum UserRole: Int64, Sendable {
  case user = 1
  case admin = 10
  case root = 100
}

/// One person or system that owns tokens or manages the gateway.
package struct UserRecord: Sendable {
  package var id: Int64
  package var username: ByteString
  /// Algorithm, parameters, salt and hash in one text; never a password.
  package var passwordHash: ByteString
  package var role: UserRole
  package var userGroup: ByteString
  /// Units in all; nil for no limit.
  package var quota: Int64?
  /// Millionths of a unit used; only `WriteBatch` changes it.
  package var usedMicro: Int64
  package var status: RecordStatus
  package var mustChangePassword: Bool
  /// Unix seconds.
  package var createdAt: Int64
  /// Raised to end every session and JWT made before.
  package var sessionEpoch: Int64

  /// Makes a record; `id` and `usedMicro` are not for the caller to choose.
  package init(
    id: Int64 = 0, username: ByteString, passwordHash: ByteString, role: UserRole = .user,
    userGroup: ByteString = "default", quota: Int64? = nil, usedMicro: Int64 = 0,
    status: RecordStatus = .enabled, mustChangePassword: Bool = false, createdAt: Int64 = 0,
    sessionEpoch: Int64 = 0
  ) {
    self.id = id
    self.username = username
    self.passwordHash = passwordHash
    self.role = role
    self.userGroup = userGroup
    self.quota = quota
    self.usedMicro = usedMicro
    self.status = status
    self.mustChangePassword = mustChangePassword
    self.createdAt = createdAt
    self.sessionEpoch = sessionEpoch
  }

  /// Reads usage, then the schema's columns in their order, which only grows at its end.
  ///
  /// An unknown role counts as the least one.
  fileprivate init(_ row: Statement) {
    usedMicro = row.integer(in: StoredRange.counts)
    id = row.integer()
    username = row.bytes()
    passwordHash = row.bytes()
    role = UserRole(rawValue: row.integer()) ?? .user
    userGroup = row.bytes()
    quota = row.optionalInteger(in: StoredRange.quotas)
    status = RecordStatus(stored: row.integer())
    mustChangePassword = row.boolean()
    createdAt = row.integer(in: StoredRange.times)
    sessionEpoch = row.integer(in: StoredRange.epochs)
  }

  /// Binds what an insert and an update write.
  fileprivate func bind(to statement: Statement) {
    statement.bind(text: username).bind(text: passwordHash).bind(role.rawValue)
    statement.bind(text: userGroup).bind(quota).bind(status.rawValue).bind(mustChangePassword)
    statement.bind(createdAt).bind(sessionEpoch)
  }
}

/// Queries of the table `users`.
package enum UserTable {
  /// Adds a user; the new id, or throws `.duplicate` when the name is taken.
  package static func insert(
    _ user: UserRecord, in database: Database
  ) throws(StoreError) -> Int64 {
    try database.insert(
      """
      INSERT INTO users (username, password_hash, role, user_group, quota, status,
        must_change_password, created_at, session_epoch)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
      """
    ) { user.bind(to: $0) }
  }

  /// Writes all fields but `usedMicro`, or throws `.notFound` or `.duplicate`.
  package static func update(
    _ user: UserRecord, in database: Database
  ) throws(StoreError) {
    let changed = try database.run(
      """
      UPDATE users SET username = ?1, password_hash = ?2, role = ?3, user_group = ?4, quota = ?5,
        status = ?6, must_change_password = ?7, created_at = ?8, session_epoch = ?9
      WHERE id = ?10
      """
    ) {
      user.bind(to: $0)
      $0.bind(user.id)
    }
    try database.requireChange(changed)
  }

  /// Replaces a password's hash unless it was changed meanwhile; whether it was replaced.
  package static func rehash(
    _ id: Int64, from old: ByteString, to new: ByteString, in database: Database
  ) throws(StoreError) -> Bool {
    let changed = try database.run(
      "UPDATE users SET password_hash = ?1 WHERE id = ?2 AND password_hash = ?3"
    ) { $0.bind(text: new).bind(id).bind(text: old) }
    return changed > 0
  }

  /// Adds units to a limited quota; false when the user is gone, has no limit, or would have more
  /// than `limit`.
  static func addQuota(
    _ amount: Int64, to id: Int64, upTo limit: Int64, in database: Database
  ) throws(StoreError) -> Bool {
    try database.run("UPDATE users SET quota = quota + ?1 WHERE id = ?2 AND quota <= ?3 - ?1") {
      $0.bind(amount).bind(id).bind(limit)
    } == 1
  }

  /// Removes a user and the user's tokens, or throws `.notFound`.
  package static func delete(_ id: Int64, in database: Database) throws(StoreError) {
    try UsageTable.remove(user: id, in: database)
    try database.requireChange(try database.run("DELETE FROM users WHERE id = ?1") { $0.bind(id) })
  }

  /// The user with the id; nil when there is none.
  package static func find(
    _ id: Int64, in database: Database
  ) throws(StoreError) -> UserRecord? {
    try database.first(
      """
      SELECT ifnull(used_micro, 0), users.*
      FROM users LEFT JOIN usage ON usage.owner = 1 AND usage.id = users.id
      WHERE users.id = ?1
      """, { $0.bind(id) }, { UserRecord($0) })
  }

  /// The user with the name, compared as bytes; nil when there is none.
  package static func find(
    username: ByteString, in database: Database
  ) throws(StoreError) -> UserRecord? {
    try database.first(
      """
      SELECT ifnull(used_micro, 0), users.*
      FROM users LEFT JOIN usage ON usage.owner = 1 AND usage.id = users.id
      WHERE username = ?1
      """, { $0.bind(text: username) }, { UserRecord($0) })
  }

  /// One page of users by id.
  package static func list(
    _ page: Page, in database: Database
  ) throws(StoreError) -> Listing<UserRecord> {
    Listing(
      items: try rows(limit: page.size, offset: page.offset, in: database),
      total: try database.integer("SELECT count(*) FROM users"))
  }

  /// All users by id.
  package static func all(in database: Database) throws(StoreError) -> [UserRecord] {
    try rows(limit: -1, offset: 0, in: database)
  }

  private static func rows(
    limit: Int64, offset: Int64, in database: Database
  ) throws(StoreError) -> [UserRecord] {
    try database.all(
      """
      SELECT ifnull(used_micro, 0), users.*
      FROM users LEFT JOIN usage ON usage.owner = 1 AND usage.id = users.id
      ORDER BY users.id LIMIT ?1 OFFSET ?2
      """, { $0.bind(limit).bind(offset) }, { UserRecord($0) })
  }
}
