// SPDX-License-Identifier: MIT
import Platform

/// Whose usage a row counts; raw values are stored, never renumber.
enum UsageOwner: Int64, Sendable {
  case user = 1
  case token = 2
}

/// Queries of the table `usage`: what users and tokens have used.
///
/// Apart from `users` and `tokens`, because it changes with every flush: 200 owners fit on one
/// page here, 25 in the tables of settings, and each page touched is written to flash twice.
/// There is no row before the first use.
enum UsageTable {
  /// Adds to the used micro units, or sets it after a reset; an owner that is gone is no error.
  static func add(
    _ delta: UsageDelta, to owner: UsageOwner, _ id: Int64, in database: Database
  ) throws(StoreError) {
    // The comparison keeps a sum beyond 64 bits from becoming a floating-point number.
    try database.run(
      """
      INSERT INTO usage (owner, id, used_micro, period_start, accessed_at)
      SELECT ?1, ?2, ?3, ?4, ?5
      WHERE iif(?1 = 1, EXISTS (SELECT 1 FROM users WHERE id = ?2),
        EXISTS (SELECT 1 FROM tokens WHERE id = ?2))
      ON CONFLICT (owner, id) DO UPDATE SET
        used_micro = CASE
          WHEN ?6 THEN ?3
          WHEN used_micro > 9223372036854775807 - ?3 THEN 9223372036854775807
          ELSE used_micro + ?3 END,
        period_start = iif(?6, ?4, period_start),
        accessed_at = max(accessed_at, ?5)
      """
    ) {
      $0.bind(owner.rawValue).bind(id).bind(delta.micro).bind(delta.periodStart)
      $0.bind(delta.accessedAt).bind(delta.isReset)
    }
  }

  /// Forgets a token's usage.
  static func remove(token id: Int64, in database: Database) throws(StoreError) {
    try database.run("DELETE FROM usage WHERE owner = 2 AND id = ?1") { $0.bind(id) }
  }

  /// Forgets a user's usage and that of the user's tokens, which must still exist.
  static func remove(user id: Int64, in database: Database) throws(StoreError) {
    try database.run(
      """
      DELETE FROM usage WHERE (owner = 1 AND id = ?1)
        OR (owner = 2 AND id IN (SELECT id FROM tokens WHERE user_id = ?1))
      """
    ) { $0.bind(id) }
  }
}
