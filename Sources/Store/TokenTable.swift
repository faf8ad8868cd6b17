// SPDX-License-Identifier: MIT
import Platform

/// When a token's used quota starts again from 0; raw values are stored, never renumber.
package enum QuotaPeriod: Int64, Sendable {
  case none = 0
  case daily = 1
  case monthly = 2
}

/// One key that clients present; only its hash is kept.
package struct TokenRecord: Sendable {
  package var id: Int64
  package var userID: Int64
  package var name: ByteString
  /// SHA-256 of the key: 32 bytes.
  package var keyHash: ByteString
  /// First and last characters of the key, for people.
  package var keyHint: ByteString
  /// Unix seconds; nil for never.
  package var expiresAt: Int64?
  /// Units per period; nil for no limit.
  package var quota: Int64?
  /// Millionths of a unit used in this period; only `WriteBatch` changes it.
  package var usedMicro: Int64
  package var quotaPeriod: QuotaPeriod
  /// Unix seconds at which the period began; only `WriteBatch` changes it.
  package var periodStart: Int64
  /// Address blocks, separated as the caller likes; empty for any.
  package var allowedIPs: ByteString
  /// Model names; empty for any.
  package var models: ByteString
  /// Name of a channel group; empty for the user group's own.
  package var channelGroup: ByteString
  /// 0 for no limit.
  package var requestsPerMinute: Int64
  /// 0 for no limit.
  package var tokensPerMinute: Int64
  package var status: RecordStatus
  /// Unix seconds.
  package var createdAt: Int64
  /// Unix seconds of the last charged request; only `WriteBatch` changes it.
  package var accessedAt: Int64

  /// Makes a record; `id`, `usedMicro` and `accessedAt` are not for the caller to choose.
  package init(
    id: Int64 = 0, userID: Int64, name: ByteString, keyHash: ByteString, keyHint: ByteString,
    expiresAt: Int64? = nil, quota: Int64? = nil, usedMicro: Int64 = 0,
    quotaPeriod: QuotaPeriod = .none, periodStart: Int64 = 0, allowedIPs: ByteString = .empty,
    models: ByteString = .empty, channelGroup: ByteString = .empty, requestsPerMinute: Int64 = 0,
    tokensPerMinute: Int64 = 0, status: RecordStatus = .enabled, createdAt: Int64 = 0,
    accessedAt: Int64 = 0
  ) {
    self.id = id
    self.userID = userID
    self.name = name
    self.keyHash = keyHash
    self.keyHint = keyHint
    self.expiresAt = expiresAt
    self.quota = quota
    self.usedMicro = usedMicro
    self.quotaPeriod = quotaPeriod
    self.periodStart = periodStart
    self.allowedIPs = allowedIPs
    self.models = models
    self.channelGroup = channelGroup
    self.requestsPerMinute = requestsPerMinute
    self.tokensPerMinute = tokensPerMinute
    self.status = status
    self.createdAt = createdAt
    self.accessedAt = accessedAt
  }

  /// Reads usage, then the schema's columns in their order, which only grows at its end.
  fileprivate init(_ row: Statement) {
    usedMicro = row.integer(in: StoredRange.counts)
    periodStart = row.integer(in: StoredRange.times)
    accessedAt = row.integer(in: StoredRange.times)
    id = row.integer()
    userID = row.integer()
    name = row.bytes()
    keyHash = row.bytes()
    keyHint = row.bytes()
    expiresAt = row.optionalInteger(in: StoredRange.times)
    quota = row.optionalInteger(in: StoredRange.quotas)
    quotaPeriod = QuotaPeriod(rawValue: row.integer()) ?? .none
    allowedIPs = row.bytes()
    models = row.bytes()
    channelGroup = row.bytes()
    requestsPerMinute = row.integer(in: StoredRange.counts)
    tokensPerMinute = row.integer(in: StoredRange.counts)
    status = RecordStatus(stored: row.integer())
    createdAt = row.integer(in: StoredRange.times)
  }

  /// Binds what an insert and an update write.
  fileprivate func bind(to statement: Statement) {
    statement.bind(userID).bind(text: name).bind(blob: keyHash).bind(text: keyHint)
    statement.bind(expiresAt).bind(quota).bind(quotaPeriod.rawValue).bind(text: allowedIPs)
    statement.bind(text: models).bind(text: channelGroup).bind(requestsPerMinute)
    statement.bind(tokensPerMinute).bind(status.rawValue).bind(createdAt)
  }
}

/// Queries of the table `tokens`.
package enum TokenTable {
  /// Adds a token; the new id.
  ///
  /// Throws `.duplicate` when the hash exists, `.constraint` when the user does not.
  package static func insert(
    _ token: TokenRecord, in database: Database
  ) throws(StoreError) -> Int64 {
    let id = try database.insert(
      """
      INSERT INTO tokens (user_id, name, key_hash, key_hint, expires_at, quota, quota_period,
        allowed_ips, models, channel_group, rpm, tpm, status, created_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
      """
    ) { token.bind(to: $0) }
    if token.periodStart != 0 {
      var start = UsageDelta()
      start.reset(periodStart: token.periodStart)
      try UsageTable.add(start, to: .token, id, in: database)
    }
    return id
  }

  /// Writes all fields but `usedMicro`, `periodStart` and `accessedAt`.
  ///
  /// Throws `.notFound`, or `.duplicate` when another token has the hash.
  package static func update(
    _ token: TokenRecord, in database: Database
  ) throws(StoreError) {
    let changed = try database.run(
      """
      UPDATE tokens SET user_id = ?1, name = ?2, key_hash = ?3, key_hint = ?4, expires_at = ?5,
        quota = ?6, quota_period = ?7, allowed_ips = ?8, models = ?9, channel_group = ?10,
        rpm = ?11, tpm = ?12, status = ?13, created_at = ?14
      WHERE id = ?15
      """
    ) {
      token.bind(to: $0)
      $0.bind(token.id)
    }
    try database.requireChange(changed)
  }

  /// Removes a token, or throws `.notFound`.
  package static func delete(_ id: Int64, in database: Database) throws(StoreError) {
    try UsageTable.remove(token: id, in: database)
    try database.requireChange(
      try database.run("DELETE FROM tokens WHERE id = ?1") { $0.bind(id) })
  }

  /// The token with the id; nil when there is none.
  package static func find(
    _ id: Int64, in database: Database
  ) throws(StoreError) -> TokenRecord? {
    try database.first(
      """
      SELECT ifnull(used_micro, 0), ifnull(period_start, 0), ifnull(accessed_at, 0), tokens.*
      FROM tokens LEFT JOIN usage ON usage.owner = 2 AND usage.id = tokens.id
      WHERE tokens.id = ?1
      """, { $0.bind(id) }, { TokenRecord($0) })
  }

  /// One page of tokens by id: all, or one user's.
  package static func list(
    _ page: Page, ofUser userID: Int64? = nil, in database: Database
  ) throws(StoreError) -> Listing<TokenRecord> {
    guard let userID else {
      return Listing(
        items: try rows(limit: page.size, offset: page.offset, in: database),
        total: try database.integer("SELECT count(*) FROM tokens"))
    }
    let items = try database.all(
      """
      SELECT ifnull(used_micro, 0), ifnull(period_start, 0), ifnull(accessed_at, 0), tokens.*
      FROM tokens LEFT JOIN usage ON usage.owner = 2 AND usage.id = tokens.id
      WHERE user_id = ?1 ORDER BY tokens.id LIMIT ?2 OFFSET ?3
      """, { $0.bind(userID).bind(page.size).bind(page.offset) }, { TokenRecord($0) })
    let total = try database.first(
      "SELECT count(*) FROM tokens WHERE user_id = ?1", { $0.bind(userID) }, { $0.integer() })
    return Listing(items: items, total: total ?? 0)
  }

  /// All tokens by id.
  package static func all(in database: Database) throws(StoreError) -> [TokenRecord] {
    try rows(limit: -1, offset: 0, in: database)
  }

  private static func rows(
    limit: Int64, offset: Int64, in database: Database
  ) throws(StoreError) -> [TokenRecord] {
    try database.all(
      """
      SELECT ifnull(used_micro, 0), ifnull(period_start, 0), ifnull(accessed_at, 0), tokens.*
      FROM tokens LEFT JOIN usage ON usage.owner = 2 AND usage.id = tokens.id
      ORDER BY tokens.id LIMIT ?1 OFFSET ?2
      """, { $0.bind(limit).bind(offset) }, { TokenRecord($0) })
  }
}
