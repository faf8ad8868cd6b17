// SPDX-License-Identifier: MIT
import Platform

/// Whether a redemption code can be used; raw values are stored, never renumber.
package enum RedemptionStatus: Int64, Sendable {
  case unused = 1
  case disabled = 2
  case used = 3
  /// Shown, never stored: an unused code whose time is over.
  case expired = 4
}

/// One code that adds to a user's quota, once; only its hash is kept.
package struct RedemptionRecord: Sendable {
  package var id: Int64
  package var name: ByteString
  /// SHA-256 of the code: 32 bytes.
  package var codeHash: ByteString
  /// First and last characters of the code, for people.
  package var codeHint: ByteString
  /// Units that the code adds.
  package var quota: Int64
  /// Unix seconds; nil for never.
  package var expiresAt: Int64?
  package var status: RedemptionStatus
  /// The user's id; nil for a code that was not used.
  package var usedBy: Int64?
  /// Unix seconds.
  package var usedAt: Int64?
  /// Unix seconds.
  package var createdAt: Int64

  /// Makes the record of a code; `id` is not for the caller to choose.
  package init(
    id: Int64 = 0, name: ByteString, codeHash: ByteString, codeHint: ByteString, quota: Int64,
    expiresAt: Int64? = nil, status: RedemptionStatus = .unused, usedBy: Int64? = nil,
    usedAt: Int64? = nil, createdAt: Int64 = 0
  ) {
    self.id = id
    self.name = name
    self.codeHash = codeHash
    self.codeHint = codeHint
    self.quota = quota
    self.expiresAt = expiresAt
    self.status = status
    self.usedBy = usedBy
    self.usedAt = usedAt
    self.createdAt = createdAt
  }

  /// Reads a row in the schema's order of columns, which only grows at its end.
  ///
  /// An unknown status counts as disabled.
  fileprivate init(_ row: Statement) {
    id = row.integer()
    name = row.bytes()
    codeHash = row.bytes()
    codeHint = row.bytes()
    quota = row.integer(in: StoredRange.quotas)
    expiresAt = row.optionalInteger(in: StoredRange.times)
    status = RedemptionStatus(rawValue: row.integer()) ?? .disabled
    usedBy = row.optionalInteger()
    usedAt = row.optionalInteger(in: StoredRange.times)
    createdAt = row.integer(in: StoredRange.times)
  }

  /// What the code is good for at a time in Unix seconds; at 0 nothing has expired.
  package func status(at now: Int64) -> RedemptionStatus {
    if status == .unused, let expiresAt, expiresAt <= now { return .expired }
    return status
  }
}

/// Which codes a list shows.
package struct RedemptionFilter: Sendable {
  /// As shown; nil for any.
  package var status: RedemptionStatus?
  /// Part of the name, whatever the case of ASCII letters; empty for any.
  package var name: ByteString
  /// Unix seconds; 0 while the clock is not known to be right.
  package var now: Int64

  package init(status: RedemptionStatus? = nil, name: ByteString = .empty, now: Int64) {
    self.status = status
    self.name = name
    self.now = now
  }

  fileprivate func bind(to statement: Statement) {
    statement.bind(status?.rawValue ?? 0).bind(now).bind(text: name)
  }
}

/// What changes of a code that was not used; nil stays.
package struct RedemptionEdit: Sendable {
  package var name: ByteString?
  /// `unused` or `disabled`.
  package var status: RedemptionStatus?
  package var changesExpiry = false
  /// Unix seconds; nil for never.
  package var expiresAt: Int64?

  package init() {}
}

/// What became of a code that somebody presented.
package enum RedemptionOutcome: Equatable, Sendable {
  /// These units were added to the user's quota; the code is used.
  case added(Int64, code: Int64)
  /// There is no such code.
  case unknown
  /// The code is used, disabled or expired.
  case refused(RedemptionStatus)
  /// The user is gone, has no limit, or would have too much; the code stays unused.
  case quotaRefused
}

/// Queries of the table `redemptions`.
package enum RedemptionTable {
  /// Adds a code; its id, or throws `.duplicate` when the code exists.
  package static func insert(
    _ code: RedemptionRecord, in database: Database
  ) throws(StoreError) -> Int64 {
    try database.insert(
      """
      INSERT INTO redemptions (name, code_hash, code_hint, quota, expires_at, status, used_by,
        used_at, created_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
      """
    ) {
      $0.bind(text: code.name).bind(blob: code.codeHash).bind(text: code.codeHint)
      $0.bind(code.quota).bind(code.expiresAt).bind(code.status.rawValue).bind(code.usedBy)
      $0.bind(code.usedAt).bind(code.createdAt)
    }
  }

  /// Codes of every kind.
  package static func count(in database: Database) throws(StoreError) -> Int64 {
    try database.integer("SELECT count(*) FROM redemptions")
  }

  /// Changes a code; the code as it is then.
  ///
  /// Throws `.notFound`, or `.constraint` when it was used.
  package static func update(
    _ id: Int64, _ edit: RedemptionEdit, in database: Database
  ) throws(StoreError) -> RedemptionRecord {
    let changed = try database.run(
      """
      UPDATE redemptions SET name = iif(?1 = '', name, ?1), status = ifnull(?2, status),
        expires_at = iif(?3, ?4, expires_at)
      WHERE id = ?5 AND status <> 3
      """
    ) {
      $0.bind(text: edit.name ?? .empty).bind(edit.status?.rawValue).bind(edit.changesExpiry)
      $0.bind(edit.expiresAt).bind(id)
    }
    guard let code = try find(id, in: database) else {
      throw StoreError(.notFound, message: "no such code")
    }
    if changed == 0 {
      throw StoreError(
        .constraint, message: "the code was used",
        sentence: "a code that was used does not change any more")
    }
    return code
  }

  /// Removes a code, or throws `.notFound`.
  package static func delete(_ id: Int64, in database: Database) throws(StoreError) {
    try database.requireChange(
      try database.run("DELETE FROM redemptions WHERE id = ?1") { $0.bind(id) })
  }

  /// The code with the id; nil when there is none.
  package static func find(
    _ id: Int64, in database: Database
  ) throws(StoreError) -> RedemptionRecord? {
    try database.first(
      "SELECT * FROM redemptions WHERE id = ?1", { $0.bind(id) }, { RedemptionRecord($0) })
  }

  /// Uses a code for a user: marks it and adds to the user's quota, both or neither.
  ///
  /// To be called in a transaction.
  ///
  /// `now`: Unix seconds; 0 while the clock is not known to be right: nothing expires then.
  /// `limit`: units that the user may have in all.
  package static func redeem(
    codeHash: ByteString, by user: Int64, at now: Int64, upTo limit: Int64, in database: Database
  ) throws(StoreError) -> RedemptionOutcome {
    let found = try database.first(
      "SELECT * FROM redemptions WHERE code_hash = ?1", { $0.bind(blob: codeHash) },
      { RedemptionRecord($0) })
    guard let code = found else { return .unknown }
    let status = code.status(at: now)
    guard status == .unused else { return .refused(status) }
    guard try UserTable.addQuota(code.quota, to: user, upTo: limit, in: database) else {
      return .quotaRefused
    }
    // A failure from here on takes the quota back with the transaction.
    try database.requireChange(
      try database.run(
        "UPDATE redemptions SET status = 3, used_by = ?1, used_at = ?2 WHERE id = ?3 AND status = 1"
      ) { $0.bind(user).bind(now).bind(code.id) })
    return .added(code.quota, code: code.id)
  }

  /// One page of codes by id.
  package static func list(
    _ filter: RedemptionFilter, _ page: Page, in database: Database
  ) throws(StoreError) -> Listing<RedemptionRecord> {
    let items = try database.all(
      """
      SELECT * FROM redemptions
      WHERE (?1 = 0 OR iif(status = 1 AND expires_at <= ?2, 4, status) = ?1)
        AND instr(lower(name), lower(?3)) > 0
      ORDER BY id LIMIT ?4 OFFSET ?5
      """,
      {
        filter.bind(to: $0)
        $0.bind(page.size).bind(page.offset)
      }, { RedemptionRecord($0) })
    let total = try database.first(
      """
      SELECT count(*) FROM redemptions
      WHERE (?1 = 0 OR iif(status = 1 AND expires_at <= ?2, 4, status) = ?1)
        AND instr(lower(name), lower(?3)) > 0
      """, { filter.bind(to: $0) }, { $0.integer() })
    return Listing(items: items, total: total ?? 0)
  }
}
