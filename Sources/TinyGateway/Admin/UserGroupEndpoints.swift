// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// User groups: list, show, create, change, delete.
enum UserGroupEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .get, path: "/api/v1/user-groups", access: .admin, isList: true, run: .read(list)),
    Endpoint(
      method: .post, path: "/api/v1/user-groups", access: .admin,
      fields: GroupInput.userGroupFields, run: .act(save)),
    Endpoint(method: .get, path: "/api/v1/user-groups/{id}", access: .admin, run: .read(show)),
    Endpoint(
      method: .put, path: "/api/v1/user-groups/{id}", access: .admin,
      fields: GroupInput.userGroupFields, run: .act(save)),
    Endpoint(
      method: .delete, path: "/api/v1/user-groups/{id}", access: .admin, run: .act(delete)),
  ]

  @Sendable private static func list(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    json.beginObject()
    try request.writePage(of: request.gateway.userGroups.all, &json) { group, json in
      write(group, &json)
    }
    json.endObject()
  }

  @Sendable private static func show(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    guard let group = request.gateway.userGroups.find(request.id) else { throw .notFound }
    write(group, &json)
  }

  /// Creates a group, or changes the one in the path.
  @Sendable private static func save(_ request: AdminRequest) throws(AdminError) {
    let gateway = request.gateway
    let groups = gateway.userGroups
    try request.change(
      { () throws(AdminError) -> UserGroupRecord in
        if request.id == 0 {
          try ChannelGroupEndpoints.checkCount(groups.all.count)
          return try GroupInput.apply(
            request.body, to: UserGroupRecord(name: .empty, createdAt: UnixTime.seconds),
            gateway.channelGroups)
        }
        guard let old = groups.find(request.id) else { throw .notFound }
        let record = try GroupInput.apply(request.body, to: old.record, gateway.channelGroups)
        if record.name != old.name { try checkUse(of: old.name, gateway) }
        return record
      },
      write: { (record, database) throws(StoreError) -> Int64 in
        if record.id == 0 { return try UserGroupTable.insert(record, in: database) }
        try UserGroupTable.update(record, in: database)
        return record.id
      },
      audit: { record, id in
        AuditNote(
          record.id == 0 ? "user_group_create" : "user_group_change",
          "user group " + ByteString(number: id) + " " + record.name)
      },
      committed: { (record, id) throws(AdminError) in
        var record = record
        record.id = id
        groups.put(record)
        guard let group = groups.find(id) else { throw .notFound }
        request.reply.succeed { json in write(group, &json) }
      })
  }

  @Sendable private static func delete(_ request: AdminRequest) throws(AdminError) {
    let groups = request.gateway.userGroups
    try request.change(
      { () throws(AdminError) -> Int64 in
        guard let group = groups.find(request.id) else { throw .notFound }
        try checkUse(of: group.name, request.gateway)
        return group.id
      },
      write: { (id, database) throws(StoreError) in try UserGroupTable.delete(id, in: database) },
      audit: { id, _ in AuditNote("user_group_delete", "user group " + ByteString(number: id)) },
      committed: { (id, _: Void) throws(AdminError) in
        groups.remove(id)
        request.reply.succeed { $0.null() }
      })
  }

  /// Throws when the group has users, or when it is the one that must stay.
  private static func checkUse(of name: ByteString, _ gateway: Gateway) throws(AdminError) {
    var use = GroupUse()
    for user in gateway.accounts.users.values where user.record.userGroup == name {
      use.add("user", user.id, user.record.username)
    }
    if gateway.options.newUserGroup == name { use.add("the option new_user_group") }
    try use.check(name)
  }

  private static func write(_ group: UserGroup, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("id", group.id)
    json.member("name", group.name)
    json.member("ratio", group.record.ratio.text)
    ChannelEndpoints.write("channel_groups", group.channelGroups, &json)
    json.member("created_at", group.record.createdAt)
    json.endObject()
  }
}
