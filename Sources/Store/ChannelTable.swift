// SPDX-License-Identifier: MIT
import Platform

/// Whether a channel takes requests; raw values are stored, never renumber.
package enum ChannelStatus: Int64, Sendable {
  case enabled = 1
  /// By a person: stays so.
  case disabled = 2
  /// By the gateway: may come back by itself.
  case autoDisabled = 3
}

/// Whether a channel's upstream is reached without the internet; raw values are stored, never
/// renumber.
package enum ChannelLocation: Int64, Sendable {
  /// As its address says: private and loopback addresses are local.
  case automatic = 0
  case local = 1
  case cloud = 2
}

/// What happens to a request while its channel's machine is being woken; raw values are stored,
/// never renumber.
package enum WakePolicy: Int64, Sendable {
  /// It waits.
  case hold = 0
  /// Another channel takes it.
  case fallback = 1
}

/// One upstream account.
///
/// How texts with several entries are separated is the caller's matter.
package struct ChannelRecord: Sendable {
  package var id: Int64
  package var name: ByteString
  /// A vendor's slug, such as `openai`.
  package var type: ByteString
  /// Empty for the vendor's own.
  package var baseURL: ByteString
  /// The keys as they are stored: encrypted, or one per line.
  package var keys: ByteString
  package var models: ByteString
  package var modelMapping: ByteString
  package var groups: ByteString
  package var weight: Int64
  package var priority: Int64
  package var status: ChannelStatus
  package var statusReason: ByteString
  /// 0 for the gateway's default, as with the two below.
  package var connectTimeoutMilliseconds: Int64
  package var firstByteTimeoutMilliseconds: Int64
  package var idleTimeoutMilliseconds: Int64
  package var headers: ByteString
  /// What only this type has, as JSON.
  package var config: ByteString
  /// Unix seconds.
  package var createdAt: Int64
  /// Requests that it may have at once; 0 for no limit.
  package var maxConcurrency: Int64
  package var location: ChannelLocation
  /// Hardware address of the machine to wake, such as `00:11:22:33:44:55`; empty for none.
  package var wakeMAC: ByteString
  /// IPv4 address to which the wake-up packet goes; empty for 255.255.255.255.
  package var wakeBroadcast: ByteString
  /// How long the machine may take to answer; 0 for the default.
  package var wakeTimeoutMilliseconds: Int64
  package var wakePolicy: WakePolicy

  /// Makes a record; `id` is not for the caller to choose.
  package init(
    id: Int64 = 0, name: ByteString, type: ByteString, baseURL: ByteString = .empty,
    keys: ByteString = .empty, models: ByteString = .empty, modelMapping: ByteString = .empty,
    groups: ByteString = "default", weight: Int64 = 1, priority: Int64 = 0,
    status: ChannelStatus = .enabled, statusReason: ByteString = .empty,
    connectTimeoutMilliseconds: Int64 = 0, firstByteTimeoutMilliseconds: Int64 = 0,
    idleTimeoutMilliseconds: Int64 = 0, headers: ByteString = .empty,
    config: ByteString = .empty, createdAt: Int64 = 0, maxConcurrency: Int64 = 0,
    location: ChannelLocation = .automatic, wakeMAC: ByteString = .empty,
    wakeBroadcast: ByteString = .empty, wakeTimeoutMilliseconds: Int64 = 0,
    wakePolicy: WakePolicy = .hold
  ) {
    self.id = id
    self.name = name
    self.type = type
    self.baseURL = baseURL
    self.keys = keys
    self.models = models
    self.modelMapping = modelMapping
    self.groups = groups
    self.weight = weight
    self.priority = priority
    self.status = status
    self.statusReason = statusReason
    self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
    self.firstByteTimeoutMilliseconds = firstByteTimeoutMilliseconds
    self.idleTimeoutMilliseconds = idleTimeoutMilliseconds
    self.headers = headers
    self.config = config
    self.createdAt = createdAt
    self.maxConcurrency = maxConcurrency
    self.location = location
    self.wakeMAC = wakeMAC
    self.wakeBroadcast = wakeBroadcast
    self.wakeTimeoutMilliseconds = wakeTimeoutMilliseconds
    self.wakePolicy = wakePolicy
  }

  /// Reads a row in the schema's order of columns, which only grows at its end.
  ///
  /// An unknown status counts as disabled.
  fileprivate init(_ row: Statement) {
    id = row.integer()
    name = row.bytes()
    type = row.bytes()
    baseURL = row.bytes()
    keys = row.bytes()
    models = row.bytes()
    modelMapping = row.bytes()
    groups = row.bytes()
    weight = row.integer(in: StoredRange.settings)
    priority = row.integer()
    status = ChannelStatus(rawValue: row.integer()) ?? .disabled
    statusReason = row.bytes()
    connectTimeoutMilliseconds = row.integer(in: StoredRange.settings)
    firstByteTimeoutMilliseconds = row.integer(in: StoredRange.settings)
    idleTimeoutMilliseconds = row.integer(in: StoredRange.settings)
    headers = row.bytes()
    config = row.bytes()
    createdAt = row.integer(in: StoredRange.times)
    maxConcurrency = row.integer(in: StoredRange.settings)
    location = ChannelLocation(rawValue: row.integer()) ?? .automatic
    wakeMAC = row.bytes()
    wakeBroadcast = row.bytes()
    wakeTimeoutMilliseconds = row.integer(in: StoredRange.settings)
    wakePolicy = WakePolicy(rawValue: row.integer()) ?? .hold
  }

  /// Binds what an insert and an update write.
  fileprivate func bind(to statement: Statement) {
    statement.bind(text: name).bind(text: type).bind(text: baseURL).bind(blob: keys)
    statement.bind(text: models).bind(text: modelMapping).bind(text: groups).bind(weight)
    statement.bind(priority).bind(status.rawValue).bind(text: statusReason)
    statement.bind(connectTimeoutMilliseconds).bind(firstByteTimeoutMilliseconds)
    statement.bind(idleTimeoutMilliseconds).bind(text: headers).bind(text: config)
    statement.bind(createdAt).bind(maxConcurrency).bind(location.rawValue).bind(text: wakeMAC)
    statement.bind(text: wakeBroadcast).bind(wakeTimeoutMilliseconds).bind(wakePolicy.rawValue)
  }
}

/// Queries of the table `channels`.
package enum ChannelTable {
  /// Adds a channel; the new id.
  package static func insert(
    _ channel: ChannelRecord, in database: Database
  ) throws(StoreError) -> Int64 {
    try database.insert(
      """
      INSERT INTO channels (name, type, base_url, keys, models, model_mapping, groups, weight,
        priority, status, status_reason, connect_timeout_ms, first_byte_timeout_ms,
        idle_timeout_ms, headers, config, created_at, max_concurrency, location, wake_mac,
        wake_broadcast, wake_timeout_ms, wake_policy)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
        ?19, ?20, ?21, ?22, ?23)
      """
    ) { channel.bind(to: $0) }
  }

  /// Writes all fields, or throws `.notFound`.
  package static func update(
    _ channel: ChannelRecord, in database: Database
  ) throws(StoreError) {
    let changed = try database.run(
      """
      UPDATE channels SET name = ?1, type = ?2, base_url = ?3, keys = ?4, models = ?5,
        model_mapping = ?6, groups = ?7, weight = ?8, priority = ?9, status = ?10,
        status_reason = ?11, connect_timeout_ms = ?12, first_byte_timeout_ms = ?13,
        idle_timeout_ms = ?14, headers = ?15, config = ?16, created_at = ?17,
        max_concurrency = ?18, location = ?19, wake_mac = ?20, wake_broadcast = ?21,
        wake_timeout_ms = ?22, wake_policy = ?23
      WHERE id = ?24
      """
    ) {
      channel.bind(to: $0)
      $0.bind(channel.id)
    }
    try database.requireChange(changed)
  }

  /// Removes a channel and its hours, or throws `.notFound`.
  package static func delete(_ id: Int64, in database: Database) throws(StoreError) {
    try database.requireChange(
      try database.run("DELETE FROM channels WHERE id = ?1") { $0.bind(id) })
    try database.run("DELETE FROM channel_hours WHERE channel_id = ?1") { $0.bind(id) }
  }

  /// The channel with the id; nil when there is none.
  package static func find(
    _ id: Int64, in database: Database
  ) throws(StoreError) -> ChannelRecord? {
    try database.first(
      "SELECT * FROM channels WHERE id = ?1",
      { $0.bind(id) }, { ChannelRecord($0) })
  }

  /// One page of channels by id.
  package static func list(
    _ page: Page, in database: Database
  ) throws(StoreError) -> Listing<ChannelRecord> {
    Listing(
      items: try rows(limit: page.size, offset: page.offset, in: database),
      total: try database.integer("SELECT count(*) FROM channels"))
  }

  /// All channels by id.
  package static func all(in database: Database) throws(StoreError) -> [ChannelRecord] {
    try rows(limit: -1, offset: 0, in: database)
  }

  private static func rows(
    limit: Int64, offset: Int64, in database: Database
  ) throws(StoreError) -> [ChannelRecord] {
    try database.all(
      "SELECT * FROM channels ORDER BY id LIMIT ?1 OFFSET ?2",
      { $0.bind(limit).bind(offset) }, { ChannelRecord($0) })
  }
}
