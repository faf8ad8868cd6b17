// SPDX-License-Identifier: MIT
import Platform

/// How a channel group chooses among its channels; raw values are stored, never renumber.
package enum BalancingStrategy: Int64, Sendable, CaseIterable {
  case weightedRoundRobin = 1
  case weightedRandom = 2
  case priority = 3
  case leastLatency = 4
  case leastBusy = 5
}

/// A named set of channels and how requests are spread over it.
///
/// Its members are the channels whose `groups` name it.
package struct ChannelGroupRecord: Sendable {
  package var id: Int64
  package var name: ByteString
  package var strategy: BalancingStrategy
  /// Further channels tried after a failure; nil for the gateway's setting.
  package var retries: Int64?
  /// Pause before each of them; nil for the gateway's setting.
  package var retryIntervalMilliseconds: Int64?
  /// Ids of channels that are tried last, in this order, with commas between them.
  package var fallbackChannels: ByteString
  /// Whether one conversation stays with one channel.
  package var isSticky: Bool
  /// Unix seconds.
  package var createdAt: Int64

  /// Makes a record; `id` is not for the caller to choose.
  package init(
    id: Int64 = 0, name: ByteString, strategy: BalancingStrategy = .weightedRoundRobin,
    retries: Int64? = nil, retryIntervalMilliseconds: Int64? = nil,
    fallbackChannels: ByteString = .empty, isSticky: Bool = false, createdAt: Int64 = 0
  ) {
    self.id = id
    self.name = name
    self.strategy = strategy
    self.retries = retries
    self.retryIntervalMilliseconds = retryIntervalMilliseconds
    self.fallbackChannels = fallbackChannels
    self.isSticky = isSticky
    self.createdAt = createdAt
  }

  /// Reads a row in the schema's order of columns, which only grows at its end.
  ///
  /// An unknown strategy counts as the first one.
  fileprivate init(_ row: Statement) {
    id = row.integer()
    name = row.bytes()
    strategy = BalancingStrategy(rawValue: row.integer()) ?? .weightedRoundRobin
    let retries = row.integer(in: StoredRange.settings)
    self.retries = retries < 0 ? nil : retries
    let interval = row.integer(in: StoredRange.settings)
    retryIntervalMilliseconds = interval < 0 ? nil : interval
    fallbackChannels = row.bytes()
    isSticky = row.boolean()
    createdAt = row.integer(in: StoredRange.times)
  }

  /// Binds what an insert and an update write.
  fileprivate func bind(to statement: Statement) {
    statement.bind(text: name).bind(strategy.rawValue).bind(retries ?? -1 as Int64)
    statement.bind(retryIntervalMilliseconds ?? -1 as Int64).bind(text: fallbackChannels)
    statement.bind(isSticky).bind(createdAt)
  }
}

/// Queries of the table `channel_groups`.
package enum ChannelGroupTable {
  /// Adds a group; the new id, or throws `.duplicate` when the name is taken.
  package static func insert(
    _ group: ChannelGroupRecord, in database: Database
  ) throws(StoreError) -> Int64 {
    try database.insert(
      """
      INSERT INTO channel_groups (name, strategy, retries, retry_interval_ms, fallback_channels,
        is_sticky, created_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
      """
    ) { group.bind(to: $0) }
  }

  /// Writes all fields, or throws `.notFound` or `.duplicate`.
  package static func update(
    _ group: ChannelGroupRecord, in database: Database
  ) throws(StoreError) {
    let changed = try database.run(
      """
      UPDATE channel_groups SET name = ?1, strategy = ?2, retries = ?3, retry_interval_ms = ?4,
        fallback_channels = ?5, is_sticky = ?6, created_at = ?7
      WHERE id = ?8
      """
    ) {
      group.bind(to: $0)
      $0.bind(group.id)
    }
    try database.requireChange(changed)
  }

  /// Removes a group, or throws `.notFound`; that nothing names it is the caller's matter.
  package static func delete(_ id: Int64, in database: Database) throws(StoreError) {
    try database.requireChange(
      try database.run("DELETE FROM channel_groups WHERE id = ?1") { $0.bind(id) })
  }

  /// The group with the id; nil when there is none.
  package static func find(
    _ id: Int64, in database: Database
  ) throws(StoreError) -> ChannelGroupRecord? {
    try database.first(
      "SELECT * FROM channel_groups WHERE id = ?1",
      { $0.bind(id) }, { ChannelGroupRecord($0) })
  }

  /// All groups by id.
  package static func all(in database: Database) throws(StoreError) -> [ChannelGroupRecord] {
    try database.all("SELECT * FROM channel_groups ORDER BY id") { ChannelGroupRecord($0) }
  }
}
