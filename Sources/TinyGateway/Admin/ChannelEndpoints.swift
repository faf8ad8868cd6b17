// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store
import Vendors

/// Channels: list, show, create, change, delete.
enum ChannelEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .get, path: "/api/v1/channels", access: .admin, isList: true, run: .read(list)),
    Endpoint(
      method: .post, path: "/api/v1/channels", access: .admin, fields: ChannelInput.fields,
      run: .act(create)),
    Endpoint(
      method: .get, path: "/api/v1/channels/stats", access: .admin,
      parameters: ["window", "series", "sum"], isList: true, run: .read(ChannelFigures.list)),
    Endpoint(method: .get, path: "/api/v1/channels/{id}", access: .admin, run: .read(show)),
    Endpoint(
      method: .put, path: "/api/v1/channels/{id}", access: .admin, fields: ChannelInput.fields,
      run: .act(update)),
    Endpoint(method: .delete, path: "/api/v1/channels/{id}", access: .admin, run: .act(delete)),
    Endpoint(
      method: .get, path: "/api/v1/channel-types", access: .admin, isList: true,
      run: .read(ChannelTypeEndpoint.list)),
  ]

  @Sendable private static func list(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    json.beginObject()
    try request.writePage(of: request.gateway.channels.all, &json) { channel, json in
      write(channel, &json)
    }
    json.endObject()
  }

  @Sendable private static func show(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    guard let channel = request.gateway.channels.find(request.id) else { throw .notFound }
    write(channel, &json)
  }

  @Sendable private static func create(_ request: AdminRequest) throws(AdminError) {
    try request.change(
      { () throws(AdminError) -> Change in
        var blank = ChannelRecord(name: .empty, type: .empty)
        blank.createdAt = UnixTime.seconds
        return try change(
          try ChannelInput.apply(
            request.body, to: blank, isNew: true, known: request.gateway.channelGroups), request)
      },
      write: { (change, database) throws(StoreError) -> Int64 in
        try ChannelTable.insert(change.stored, in: database)
      },
      audit: { change, id in AuditNote("channel_create", target(id, change.record.name)) },
      committed: { (change, id) throws(AdminError) in
        var record = change.record
        record.id = id
        try adopt(record, request)
      })
  }

  @Sendable private static func update(_ request: AdminRequest) throws(AdminError) {
    let channels = request.gateway.channels
    try request.change(
      { () throws(AdminError) -> Change in
        guard let old = channels.find(request.id)?.record else { throw .notFound }
        return try change(
          try ChannelInput.apply(
            request.body, to: old, isNew: false, known: request.gateway.channelGroups), request)
      },
      write: { (change, database) throws(StoreError) in
        try ChannelTable.update(change.stored, in: database)
      },
      audit: { change, _ in
        AuditNote("channel_change", target(change.record.id, change.record.name))
      },
      committed: { (change, _: Void) throws(AdminError) in
        try adopt(change.record, request)
      })
  }

  @Sendable private static func delete(_ request: AdminRequest) throws(AdminError) {
    let channels = request.gateway.channels
    let groups = request.gateway.channelGroups
    let id = request.id
    try request.change(
      { () throws(AdminError) -> [ChannelGroupRecord] in
        guard channels.find(id) != nil else { throw .notFound }
        return groups.recordsWithout(fallback: id)
      },
      write: { (records, database) throws(StoreError) in
        try ChannelTable.delete(id, in: database)
        for record in records { try ChannelGroupTable.update(record, in: database) }
      },
      audit: { _, _ in AuditNote("channel_delete", "channel " + ByteString(number: id)) },
      committed: { (records, _: Void) throws(AdminError) in
        channels.remove(id)
        for record in records { groups.put(record) }
        request.reply.succeed { $0.null() }
      })
  }

  /// A channel as it is used, and as it is stored: with its secrets encrypted.
  private struct Change {
    let record: ChannelRecord
    let stored: ChannelRecord
  }

  private static func change(
    _ record: ChannelRecord, _ request: AdminRequest
  ) throws(AdminError) -> Change {
    do throws(FieldError) {
      try request.gateway.channels.check(record)
    } catch {
      throw AdminError(error)
    }
    guard let stored = request.gateway.secrets.sealed(record) else {
      throw AdminError(
        500, "internal_error", "The keys could not be encrypted; nothing was changed: try again.")
    }
    return Change(record: record, stored: stored)
  }

  private static func target(_ id: Int64, _ name: ByteString) -> ByteString {
    "channel " + ByteString(number: id) + " " + name
  }

  /// Takes a stored record over and answers with it.
  private static func adopt(
    _ record: ChannelRecord, _ request: AdminRequest
  ) throws(AdminError) {
    // Asked before the change: afterwards its keys may be others.
    let wasOff = request.gateway.channels.find(record.id).map(isOff) ?? true
    do throws(FieldError) {
      try request.gateway.channels.put(record)
    } catch {
      throw AdminError(error)
    }
    guard let channel = request.gateway.channels.find(record.id) else { throw .notFound }
    // Who enables a channel says that it is well; who sends the whole of an enabled one says
    // nothing, and a rest that its vendor asked for goes on.
    if wasOff, request.body.has("status"), record.status == .enabled { channel.health.recover() }
    request.reply.succeed { json in write(channel, &json) }
  }

  /// Whether enabling the channel would change anything.
  static func isOff(_ channel: Channel) -> Bool {
    channel.record.status != .enabled || channel.shownStatus == .autoDisabled
  }

  // Writing.

  /// Writes a channel: its keys and secret headers as hints only.
  private static func write(_ channel: Channel, _ json: inout JSONWriter) {
    let record = channel.record
    let comma = UInt8(ascii: ",")
    json.beginObject()
    json.member("id", record.id)
    json.member("name", record.name)
    json.member("type", record.type)
    write("key_hints", record.keys.list(separatedBy: 0x0A).map(AdminText.hint), &json)
    json.member("base_url", record.baseURL)
    write("models", record.models.list(separatedBy: comma), &json)
    json.key("model_mapping")
    json.beginObject()
    for line in record.modelMapping.list(separatedBy: 0x0A) {
      guard let (from, to) = line.split(at: 0x09) else { continue }
      json.key(from)
      json.string(to)
    }
    json.endObject()
    write("groups", record.groups.list(separatedBy: comma), &json)
    json.member("weight", record.weight)
    json.member("priority", record.priority)
    json.member("status", name(of: channel.shownStatus))
    json.member("status_reason", channel.shownReason)
    json.member("connect_timeout_ms", record.connectTimeoutMilliseconds)
    json.member("first_byte_timeout_ms", record.firstByteTimeoutMilliseconds)
    json.member("idle_timeout_ms", record.idleTimeoutMilliseconds)
    json.key("headers")
    json.beginObject()
    for (name, value) in ChannelInput.headers(of: record) {
      json.key(name)
      json.string(VendorField.isSecret(name) ? AdminText.hint(of: value) : value)
    }
    json.endObject()
    json.key("config")
    json.beginObject()
    for (name, value) in ChannelConfig.pairs(record.config) {
      json.key(name)
      json.string(VendorField.isSecret(name) ? AdminText.hint(of: value) : value)
    }
    json.endObject()
    json.member("created_at", record.createdAt)
    writeTraffic(record, &json)
    json.endObject()
  }

  private static func writeTraffic(_ record: ChannelRecord, _ json: inout JSONWriter) {
    json.member("max_concurrency", record.maxConcurrency)
    json.member("location", ChannelInput.locations[Int(record.location.rawValue)])
    json.member("wake_mac", record.wakeMAC)
    json.member("wake_broadcast", record.wakeBroadcast)
    json.member("wake_timeout_ms", record.wakeTimeoutMilliseconds)
    json.member("wake_policy", ChannelInput.wakePolicies[Int(record.wakePolicy.rawValue)])
  }

  /// Writes a member that is a list of texts.
  static func write(
    _ key: StaticString, _ texts: [ByteString], _ json: inout JSONWriter
  ) {
    json.key(key)
    json.beginArray()
    for text in texts { json.string(text) }
    json.endArray()
  }

  /// The status as it is shown.
  static func name(of status: ChannelStatus) -> StaticString {
    switch status {
    case .enabled: "enabled"
    case .disabled: "disabled"
    case .autoDisabled: "auto_disabled"
    }
  }
}
