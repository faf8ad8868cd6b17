// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Channel groups: list, show, create, change, delete.
enum ChannelGroupEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .get, path: "/api/v1/channel-groups", access: .admin, isList: true, run: .read(list)),
    Endpoint(
      method: .post, path: "/api/v1/channel-groups", access: .admin,
      fields: GroupInput.channelGroupFields, run: .act(save)),
    Endpoint(method: .get, path: "/api/v1/channel-groups/{id}", access: .admin, run: .read(show)),
    Endpoint(
      method: .put, path: "/api/v1/channel-groups/{id}", access: .admin,
      fields: GroupInput.channelGroupFields, run: .act(save)),
    Endpoint(
      method: .delete, path: "/api/v1/channel-groups/{id}", access: .admin, run: .act(delete)),
  ]

  @Sendable private static func list(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    let channels = request.gateway.channels.all
    json.beginObject()
    try request.writePage(of: request.gateway.channelGroups.all, &json) { group, json in
      write(group, channels, &json)
    }
    json.endObject()
  }

  @Sendable private static func show(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    guard let group = request.gateway.channelGroups.find(request.id) else { throw .notFound }
    write(group, request.gateway.channels.all, &json)
  }

  /// Creates a group, or changes the one in the path.
  @Sendable private static func save(_ request: AdminRequest) throws(AdminError) {
    let gateway = request.gateway
    let groups = gateway.channelGroups
    try request.change(
      { () throws(AdminError) -> ChannelGroupRecord in
        if request.id == 0 {
          try checkCount(groups.all.count)
          return try GroupInput.apply(
            request.body, to: ChannelGroupRecord(name: .empty, createdAt: UnixTime.seconds),
            gateway.channels)
        }
        guard let old = groups.find(request.id) else { throw .notFound }
        let record = try GroupInput.apply(request.body, to: old.record, gateway.channels)
        if record.name != old.name { try checkUse(of: old.name, gateway) }
        return record
      },
      write: { (record, database) throws(StoreError) -> Int64 in
        if record.id == 0 { return try ChannelGroupTable.insert(record, in: database) }
        try ChannelGroupTable.update(record, in: database)
        return record.id
      },
      audit: { record, id in
        AuditNote(
          record.id == 0 ? "channel_group_create" : "channel_group_change",
          "channel group " + ByteString(number: id) + " " + record.name)
      },
      committed: { (record, id) throws(AdminError) in
        var record = record
        record.id = id
        groups.put(record)
        guard let group = groups.find(id) else { throw .notFound }
        request.reply.succeed { json in write(group, gateway.channels.all, &json) }
      })
  }

  @Sendable private static func delete(_ request: AdminRequest) throws(AdminError) {
    let groups = request.gateway.channelGroups
    try request.change(
      { () throws(AdminError) -> Int64 in
        guard let group = groups.find(request.id) else { throw .notFound }
        try checkUse(of: group.name, request.gateway)
        return group.id
      },
      write: { (id, database) throws(StoreError) in
        try ChannelGroupTable.delete(id, in: database)
      },
      audit: { id, _ in AuditNote("channel_group_delete", "channel group " + ByteString(number: id))
      },
      committed: { (id, _: Void) throws(AdminError) in
        groups.remove(id)
        request.reply.succeed { $0.null() }
      })
  }

  /// Throws when there may be no further group.
  static func checkCount(_ count: Int) throws(AdminError) {
    guard count < GroupInput.largestGroupCount else {
      throw AdminError(
        409, "conflict",
        "There are " + ByteString(number: Int64(count)) + " groups already: delete one first.")
    }
  }

  /// Throws when somebody names the group, or when it is the one that must stay.
  private static func checkUse(of name: ByteString, _ gateway: Gateway) throws(AdminError) {
    var use = GroupUse()
    for channel in gateway.channels.all where channel.groups.contains(name) {
      use.add("channel", channel.id, channel.record.name)
    }
    for group in gateway.userGroups.all where group.channelGroups.contains(name) {
      use.add("user group", group.id, group.name)
    }
    for token in gateway.accounts.tokens.values where token.record.channelGroup == name {
      use.add("token", token.id, token.record.name)
    }
    try use.check(name)
  }

  /// Writes a group with its members: the channels, in the order of ids, that name it.
  private static func write(
    _ group: ChannelGroup, _ channels: [Channel], _ json: inout JSONWriter
  ) {
    let record = group.record
    json.beginObject()
    json.member("id", record.id)
    json.member("name", record.name)
    json.member("strategy", GroupInput.strategies[Int(record.strategy.rawValue) - 1])
    json.member("retries", record.retries)
    json.member("retry_interval_ms", record.retryIntervalMilliseconds)
    json.key("fallback_channels")
    json.beginArray()
    for id in group.fallbackIDs { json.integer(id) }
    json.endArray()
    json.member("sticky", record.isSticky)
    json.key("members")
    json.beginArray()
    for channel in channels where channel.groups.contains(group.name) {
      json.beginObject()
      json.member("channel_id", channel.id)
      json.member("name", channel.record.name)
      json.member("weight", channel.record.weight)
      json.member("priority", channel.record.priority)
      json.member("status", ChannelEndpoints.name(of: channel.shownStatus))
      json.endObject()
    }
    json.endArray()
    json.member("created_at", record.createdAt)
    json.endObject()
  }
}
