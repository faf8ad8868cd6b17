// SPDX-License-Identifier: MIT
import Platform

/// Queries of the table `audit`: a ring, by id and hence by time.
package enum AuditTable {
  /// Rows that are kept.
  package static let rowLimit: Int64 = 10_000
  /// How many of them may be failed logins, or guessing would push out who changed what.
  package static let failureLimit: Int64 = 2_000
  /// Rows and failed logins that are kept where they take memory.
  private static let memoryShare: Int64 = 10
  /// The action of a failed login.
  package static let failedLogin: ByteString = "login_failed"

  /// Adds a row; `trim` follows in the same transaction.
  package static func insert(_ row: AuditRecord, in database: Database) throws(StoreError) {
    try database.run(
      """
      INSERT INTO audit (id, user_id, username, action, target, address, request_id, times)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
      """
    ) { statement in
      statement.bind(row.id).bind(row.userID).bind(text: row.username).bind(text: row.action)
      statement.bind(text: row.target)
      if let address = row.address {
        _ = address.withBytes { start, count in
          statement.bind(blob: UnsafeRawBufferPointer(start: start, count: Int(count)))
        }
      } else {
        statement.bind(nil as Int64?)
      }
      statement.bind(row.requestID).bind(row.times)
    }
  }

  /// Removes the oldest rows beyond the limits.
  package static func trim(in database: Database) throws(StoreError) {
    let share = database.keepsHistoryInMemory ? memoryShare : 1
    try database.run(
      """
      DELETE FROM audit WHERE action = ?1 AND id <=
        (SELECT id FROM audit WHERE action = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
      """
    ) { $0.bind(text: failedLogin).bind(failureLimit / share) }
    try database.run(
      """
      DELETE FROM audit WHERE id <= (SELECT id FROM audit ORDER BY id DESC LIMIT 1 OFFSET ?1)
      """
    ) { $0.bind(rowLimit / share) }
  }

  /// At most `limit` of the wanted rows, newest first, after leaving out `offset` of them.
  static func list(
    _ filter: AuditFilter, limit: Int64, offset: Int64, in database: Database
  ) throws(StoreError) -> [AuditRecord] {
    try database.all(
      """
      SELECT id, user_id, username, action, target, address, request_id, times FROM audit
      WHERE id >= ?1 AND id < ?2 AND (?3 IS NULL OR user_id = ?3) AND (?4 = '' OR action = ?4)
      ORDER BY id DESC LIMIT ?5 OFFSET ?6
      """,
      {
        filter.bind(to: $0)
        $0.bind(limit).bind(offset)
      }, { AuditRecord($0) })
  }

  /// How many rows are wanted.
  static func count(_ filter: AuditFilter, in database: Database) throws(StoreError) -> Int64 {
    try database.first(
      """
      SELECT count(*) FROM audit
      WHERE id >= ?1 AND id < ?2 AND (?3 IS NULL OR user_id = ?3) AND (?4 = '' OR action = ?4)
      """, { filter.bind(to: $0) }, { $0.integer() }) ?? 0
  }

  /// The newest id; 0 when there is no row.
  package static func lastID(in database: Database) throws(StoreError) -> Int64 {
    try database.lastLogID("SELECT max(id) FROM audit WHERE id < ?1")
  }
}

extension AuditRecord {
  /// Reads a row of `AuditTable.list`.
  fileprivate init(_ row: Statement) {
    self.init(
      id: row.integer(), userID: row.integer(), username: row.bytes(), action: row.bytes(),
      target: row.bytes(), address: row.withBytes { IPAddress($0) }, requestID: row.integer())
    times = row.integer(in: StoredRange.counts)
  }
}

extension AuditFilter {
  /// Binds the first four parameters of the queries above.
  fileprivate func bind(to statement: Statement) {
    let range = idRange
    statement.bind(range.lowest).bind(range.end).bind(userID).bind(text: action ?? .empty)
  }
}
