// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Accounts: list, show, create, change, top up, delete.
enum UserEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .get, path: "/api/v1/users", access: .admin,
      parameters: ["username", "group", "role", "status"], isList: true, run: .read(list)),
    Endpoint(
      method: .post, path: "/api/v1/users", access: .admin, fields: UserInput.fields,
      run: .act(save)),
    Endpoint(method: .get, path: "/api/v1/users/{id}", access: .admin, run: .read(show)),
    Endpoint(
      method: .put, path: "/api/v1/users/{id}", access: .admin, fields: UserInput.fields,
      run: .act(save)),
    Endpoint(method: .delete, path: "/api/v1/users/{id}", access: .admin, run: .act(delete)),
    Endpoint(
      method: .post, path: "/api/v1/users/{id}/top-up", access: .admin, fields: ["quota"],
      run: .act(topUp)),
  ]

  private static func user(_ request: AdminRequest) throws(AdminError) -> User {
    guard let user = request.gateway.accounts.user(request.id) else { throw .notFound }
    return user
  }

  // Reading.

  @Sendable private static func list(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    let accounts = request.gateway.accounts
    let name = try request.searchText("username")
    let group = request.parameter("group")
    let role = try request.choice("role", UserInput.roleNames).map(UserInput.role)
    let status = try request.choice("status", UserInput.statusNames).map {
      $0 == 0 ? RecordStatus.enabled : .disabled
    }
    var ids: [Int64] = []
    for user in accounts.users.values {
      let record = user.record
      if let role, record.role != role { continue }
      if let status, record.status != status { continue }
      if let group, record.userGroup != group { continue }
      if let name, !AdminText.contains(record.username, name) { continue }
      ids.append(record.id)
    }
    ids.sort()
    json.beginObject()
    try request.writePage(of: ids, &json) { id, json in
      if let user = accounts.user(id) { write(user, request.gateway.options, &json) }
    }
    json.endObject()
  }

  @Sendable private static func show(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    write(try user(request), request.gateway.options, &json)
  }

  /// Writes an account.
  private static func write(_ user: User, _ options: Options, _ json: inout JSONWriter) {
    json.beginObject()
    writeMembers(user, options, &json)
    json.endObject()
  }

  /// Writes what an account's object holds; never its password's hash.
  static func writeMembers(_ user: User, _ options: Options, _ json: inout JSONWriter) {
    let record = user.record
    json.member("id", record.id)
    json.member("username", record.username)
    json.member("role", UserInput.name(of: record.role))
    json.member("group", record.userGroup)
    json.member("quota", record.quota)
    json.member("used_quota", user.usedQuota)
    json.member("used_cost", Billing.cost(user.usedMicro, options))
    json.member("status", UserInput.statusNames[record.status == .enabled ? 0 : 1])
    json.member("must_change_password", record.mustChangePassword)
    json.member("created_at", record.createdAt)
  }

  // Changing.

  /// Creates a user, or changes the one in the path.
  @Sendable private static func save(_ request: AdminRequest) throws(AdminError) {
    let action: StaticString = request.id == 0 ? "user_create" : "user_change"
    guard request.id == 0 || request.body.has("password") else {
      return try store(request, action) { () throws(AdminError) in
        try saved(request, hash: nil)
      }
    }
    let password = try request.secret("password", Password.byteCounts)
    _ = try saved(request, hash: .empty)  // What will be refused need not be hashed first.
    try request.derive(
      { rounds -> ByteString? in Password.hash(password, rounds: rounds) },
      { (hash) throws(AdminError) in
        try store(request, action) { () throws(AdminError) in
          try saved(request, hash: hash)
        }
      })
  }

  /// The record as the request wants it, if the caller may do that.
  private static func saved(
    _ request: AdminRequest, hash: ByteString?
  ) throws(AdminError) -> UserRecord {
    let gateway = request.gateway
    let old = request.id == 0 ? nil : try user(request).record
    let record = try UserInput.apply(
      request.body, hash: hash, to: old ?? newRecord(gateway), gateway.userGroups)
    try check(request, old, record, setsPassword: hash != nil)
    if old == nil { try checkCount(gateway) }
    try checkName(record, gateway)
    return record
  }

  /// An account without a name, as the options want new ones.
  static func newRecord(_ gateway: Gateway) -> UserRecord {
    UserRecord(
      username: .empty, passwordHash: .empty, userGroup: gateway.options.newUserGroup,
      quota: gateway.options.newUserQuota, createdAt: UnixTime.seconds)
  }

  /// Throws when there may be no further account.
  static func checkCount(_ gateway: Gateway) throws(AdminError) {
    let count = gateway.accounts.users.count
    guard count < UserInput.largestUserCount else {
      throw AdminError(
        409, "conflict",
        "There are " + ByteString(number: Int64(count)) + " accounts already: delete one first.")
    }
  }

  /// Throws when another account has the name.
  static func checkName(_ record: UserRecord, _ gateway: Gateway) throws(AdminError) {
    guard let owner = gateway.accounts.user(named: record.username), owner.id != record.id
    else { return }
    throw AdminError(
      409, "duplicate",
      "The user name " + AdminText.quoted(record.username) + " is taken: choose another one.")
  }

  @Sendable private static func topUp(_ request: AdminRequest) throws(AdminError) {
    let known = try user(request).record
    try check(request, known, known)
    guard let amount = try request.body.number("quota", 1...Micro.largestQuota) else {
      throw .field("quota", "is missing")
    }
    try store(request, "user_top_up", "+" + ByteString(number: amount)) {
      () throws(AdminError) in
      let old = try user(request).record
      try check(request, old, old)
      return try UserInput.adding(amount, to: old)
    }
  }

  @Sendable private static func delete(_ request: AdminRequest) throws(AdminError) {
    try request.change(
      { () throws(AdminError) -> UserRecord in
        let old = try user(request).record
        try check(request, old, nil)
        return old
      },
      write: { (record, database) throws(StoreError) in
        try UserTable.delete(record.id, in: database)
      },
      audit: { record, _ in AuditNote("user_delete", target(record)) },
      committed: { (record, _: Void) throws(AdminError) in
        request.gateway.accounts.removeUser(record.id)
        request.gateway.logins.remove(user: record.id)
        request.reply.succeed { $0.null() }
      })
  }

  /// Throws when the caller may not do that; with a management token, only for the role `user`.
  private static func check(
    _ request: AdminRequest, _ old: UserRecord?, _ new: UserRecord?, setsPassword: Bool = false
  ) throws(AdminError) {
    if case .managementToken = request.credential,
      (old?.role ?? .user) != .user || (new?.role ?? .user) != .user
    {
      throw .personRequired
    }
    try UserRules.check(
      UserRules.Change(
        caller: try request.user().record, old: old, new: new, setsPassword: setsPassword,
        otherRootCount: UserRules.rootCount(besides: request.id, request.gateway.accounts)))
  }

  /// A record to write.
  private struct Saving {
    var record: UserRecord
    /// It has a new epoch, so what was logged in before is of no use any more.
    let endsLogins: Bool
  }

  /// Writes the record that `check` gives, and answers with the user.
  private static func store(
    _ request: AdminRequest, _ action: StaticString, _ detail: ByteString = .empty,
    _ check: @escaping () throws(AdminError) -> UserRecord
  ) throws(AdminError) {
    let gateway = request.gateway
    try request.change(
      { () throws(AdminError) -> Saving in
        let record = try check()
        let known = gateway.accounts.user(record.id)?.record
        return Saving(
          record: record,
          endsLogins: (known?.sessionEpoch ?? record.sessionEpoch) != record.sessionEpoch)
      },
      write: { (saving, database) throws(StoreError) -> Int64 in
        let record = saving.record
        if record.id == 0 { return try UserTable.insert(record, in: database) }
        try UserTable.update(record, in: database)
        if saving.endsLogins {
          try SessionTable.deleteAll(ofUser: record.id, in: database)
          try EndedLoginTable.deleteAll(ofUser: record.id, in: database)
        }
        return record.id
      },
      audit: { saving, id in
        var stored = saving.record
        stored.id = id
        return AuditNote(action, target(stored) + (detail.isEmpty ? .empty : " " + detail))
      },
      committed: { (saving, id) throws(AdminError) in
        var record = saving.record
        record.id = id
        gateway.accounts.put(record)
        if saving.endsLogins { gateway.logins.endAll(ofUser: id) }
        guard let user = gateway.accounts.user(id) else { throw .notFound }
        request.reply.succeed { json in write(user, gateway.options, &json) }
      })
  }

  private static func target(_ record: UserRecord) -> ByteString {
    "user " + ByteString(number: record.id) + " " + record.username
  }
}
