// SPDX-License-Identifier: MIT
import Platform

/// A user group with its price, as an import finds or makes it.
package struct ImportedUserGroup: Sendable {
  package var name: ByteString
  /// Names of channel groups in the order in which they are tried, with commas between them.
  package var channelGroups: ByteString
  package var ratio: Ratio

  package init(name: ByteString, channelGroups: ByteString, ratio: Ratio = .one) {
    self.name = name
    self.channelGroups = channelGroups
    self.ratio = ratio
  }
}

/// What a model costs, as an import makes it; nil where nothing is known.
package struct ImportedPrice: Sendable {
  package let model: ByteString
  package let prompt: Ratio
  package let completion: Ratio?
  package let cached: Ratio?

  package init(model: ByteString, prompt: Ratio, completion: Ratio?, cached: Ratio?) {
    self.model = model
    self.prompt = prompt
    self.completion = completion
    self.cached = cached
  }
}

/// A redemption code, as an import makes it.
package struct ImportedRedemption: Sendable {
  package let name: ByteString
  /// SHA-256 of the code: 32 bytes.
  package let codeHash: ByteString
  package let codeHint: ByteString
  package let quota: Int64
  /// Unix seconds; nil for never.
  package let expiresAt: Int64?
  /// 1 unused, 2 disabled, 3 used.
  package let status: Int64
  /// Unix seconds; nil for a code that was not used.
  package let usedAt: Int64?
  package let createdAt: Int64

  package init(
    name: ByteString, codeHash: ByteString, codeHint: ByteString, quota: Int64,
    expiresAt: Int64?, status: Int64, usedAt: Int64?, createdAt: Int64
  ) {
    self.name = name
    self.codeHash = codeHash
    self.codeHint = codeHint
    self.quota = quota
    self.expiresAt = expiresAt
    self.status = status
    self.usedAt = usedAt
    self.createdAt = createdAt
  }
}

/// Queries that only an import needs, all on the gateway's own database.
package enum ImportTable {
  /// All user groups with their ratios.
  package static func userGroups(in database: Database) throws(StoreError) -> [ImportedUserGroup] {
    try database.all("SELECT name, channel_groups, ratio FROM user_groups ORDER BY id") {
      ImportedUserGroup(
        name: $0.bytes(), channelGroups: $0.bytes(), ratio: Ratio(millionths: $0.integer()))
    }
  }

  /// Adds a user group, or gives the one of that name its channel groups and its ratio.
  package static func put(
    _ group: ImportedUserGroup, at now: Int64, in database: Database
  ) throws(StoreError) {
    try database.run(
      """
      INSERT INTO user_groups (name, channel_groups, ratio, created_at) VALUES (?1, ?2, ?3, ?4)
      ON CONFLICT (name) DO UPDATE SET channel_groups = ?2, ratio = ?3
      """
    ) {
      $0.bind(text: group.name).bind(text: group.channelGroups).bind(group.ratio.millionths)
      $0.bind(now)
    }
  }

  /// The models that have prices.
  package static func pricedModels(in database: Database) throws(StoreError) -> [ByteString] {
    try database.all("SELECT model FROM prices") { $0.bytes() }
  }

  /// Adds a price.
  package static func insert(
    _ price: ImportedPrice, at now: Int64, in database: Database
  ) throws(StoreError) {
    try database.run(
      """
      INSERT INTO prices (model, prompt, completion, cached, created_at)
      VALUES (?1, ?2, ?3, ?4, ?5)
      """
    ) {
      $0.bind(text: price.model).bind(price.prompt.millionths)
      $0.bind(price.completion?.millionths).bind(price.cached?.millionths).bind(now)
    }
  }

  /// The hashes of all redemption codes.
  package static func redemptionHashes(in database: Database) throws(StoreError) -> [ByteString] {
    try database.all("SELECT code_hash FROM redemptions") { $0.bytes() }
  }

  /// Adds a redemption code; `user`: who used it.
  package static func insert(
    _ code: ImportedRedemption, usedBy user: Int64?, in database: Database
  ) throws(StoreError) {
    try database.run(
      """
      INSERT INTO redemptions (name, code_hash, code_hint, quota, expires_at, status, used_by,
        used_at, created_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
      """
    ) {
      $0.bind(text: code.name).bind(blob: code.codeHash).bind(text: code.codeHint)
      $0.bind(code.quota).bind(code.expiresAt).bind(code.status).bind(user).bind(code.usedAt)
      $0.bind(code.createdAt)
    }
  }

  /// Sets what a new user has used, in millionths.
  package static func setUsage(
    _ micro: Int64, ofUser id: Int64, in database: Database
  ) throws(StoreError) {
    try setUsage(micro, .user, id, accessedAt: 0, in: database)
  }

  /// Sets what a new token has used, in millionths, and when it was last used.
  package static func setUsage(
    _ micro: Int64, ofToken id: Int64, accessedAt: Int64, in database: Database
  ) throws(StoreError) {
    try setUsage(micro, .token, id, accessedAt: accessedAt, in: database)
  }

  private static func setUsage(
    _ micro: Int64, _ owner: UsageOwner, _ id: Int64, accessedAt: Int64, in database: Database
  ) throws(StoreError) {
    guard micro > 0 || accessedAt > 0 else { return }
    try database.run(
      """
      INSERT INTO usage (owner, id, used_micro, period_start, accessed_at)
      VALUES (?1, ?2, ?3, 0, ?4)
      """
    ) { $0.bind(owner.rawValue).bind(id).bind(micro).bind(accessedAt) }
  }
}
