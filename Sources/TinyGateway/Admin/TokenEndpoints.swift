// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Tokens, the keys of clients: list, show, create, change, delete.
///
/// Users see their own only, administrators those of users too, root all; what somebody does not
/// see does not exist for them.
enum TokenEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .get, path: "/api/v1/tokens", access: .user,
      parameters: ["user_id", "name", "status"], isList: true, run: .read(list)),
    Endpoint(
      method: .post, path: "/api/v1/tokens", access: .user,
      fields: TokenInput.fields + ["user_id"], run: .act(create)),
    Endpoint(method: .get, path: "/api/v1/tokens/{id}", access: .user, run: .read(show)),
    Endpoint(
      method: .put, path: "/api/v1/tokens/{id}", access: .user, fields: TokenInput.fields,
      run: .act(update)),
    Endpoint(method: .delete, path: "/api/v1/tokens/{id}", access: .user, run: .act(delete)),
  ]

  private static let keyCharacterCount = 48

  /// Tokens that one user may have, all of which are kept in memory; administrators may have any
  /// number.
  static let userTokenLimit = 100

  /// The token in the path, if the caller may see it.
  static func token(_ request: AdminRequest) throws(AdminError) -> Token {
    let accounts = request.gateway.accounts
    guard let token = accounts.token(request.id),
      isManaged(accounts.user(token.record.userID), by: try request.user())
    else { throw .notFound }
    return token
  }

  /// Whether the caller sees and changes the tokens of an owner; those of nobody are root's.
  static func isManaged(_ owner: User?, by caller: User) -> Bool {
    if caller.record.role == .root || owner === caller { return true }
    return caller.record.role == .admin && owner?.record.role == .user
  }

  @Sendable private static func list(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    let user = try request.user()
    let accounts = request.gateway.accounts
    let filter = try TokenFilter(request)
    let visible = accounts.tokens.values
      .filter { filter.admits($0.record) && isManaged(accounts.user($0.record.userID), by: user) }
      .sorted { $0.id < $1.id }
    let gateway = request.gateway
    json.beginObject()
    try request.writePage(of: visible, &json) { token, json in write(token, gateway, &json) }
    json.endObject()
  }

  @Sendable private static func show(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    write(try token(request), request.gateway, &json)
  }

  @Sendable private static func create(_ request: AdminRequest) throws(AdminError) {
    let user = try request.user()
    let secret = Random.base62(keyCharacterCount)
    let key = "sk-" + secret
    try request.change(
      { () throws(AdminError) -> TokenRecord in
        let owner = try owner(request, user)
        let blank = TokenRecord(
          userID: owner.id, name: .empty, keyHash: Digest.sha256(key).bytes,
          keyHint: AdminText.keyHint("sk-", secret), createdAt: UnixTime.seconds)
        return try TokenInput.apply(
          request.body, to: blank, in: context(request, user, owner: owner), isNew: true)
      },
      write: { (record, database) throws(StoreError) -> Int64 in
        try TokenTable.insert(record, in: database)
      },
      audit: { record, id in AuditNote("token_create", target(id, record.name)) },
      committed: { (record, id) throws(AdminError) in
        var record = record
        record.id = id
        try adopt(record, request, key: key)
      })
  }

  /// Whose token is made: the caller's, or that of the account that the body names.
  private static func owner(_ request: AdminRequest, _ caller: User) throws(AdminError) -> User {
    let accounts = request.gateway.accounts
    var owner = caller
    if let id = try request.body.number("user_id", 1...Int64.max), id != caller.id {
      guard let named = accounts.user(id), isManaged(named, by: caller) else {
        throw .field("user_id", "must be your own id or that of an account that you manage")
      }
      owner = named
    }
    if owner.record.role == .user {
      var count = 0
      for token in accounts.tokens.values where token.record.userID == owner.id { count += 1 }
      guard count < userTokenLimit else {
        throw AdminError(
          409, "too_many_tokens",
          "This user has " + ByteString(number: Int64(userTokenLimit))
            + " tokens, the most there may be: delete one first.")
      }
    }
    return owner
  }

  @Sendable private static func update(_ request: AdminRequest) throws(AdminError) {
    let user = try request.user()
    try request.change(
      { () throws(AdminError) -> TokenRecord in
        let old = try token(request).record
        let owner = request.gateway.accounts.user(old.userID) ?? user
        return try TokenInput.apply(
          request.body, to: old, in: context(request, user, owner: owner), isNew: false)
      },
      write: { (record, database) throws(StoreError) in
        try TokenTable.update(record, in: database)
      },
      audit: { record, _ in AuditNote("token_change", target(record.id, record.name)) },
      committed: { (record, _: Void) throws(AdminError) in
        try adopt(record, request, key: nil)
      })
  }

  private static func context(
    _ request: AdminRequest, _ caller: User, owner: User
  ) -> TokenInput.Context {
    TokenInput.Context(
      caller: caller.record, owner: owner.record, channelGroups: request.gateway.channelGroups,
      userGroups: request.gateway.userGroups)
  }

  @Sendable private static func delete(_ request: AdminRequest) throws(AdminError) {
    try request.change(
      { () throws(AdminError) -> Int64 in try token(request).id },
      write: { (id, database) throws(StoreError) in try TokenTable.delete(id, in: database) },
      audit: { id, _ in AuditNote("token_delete", "token " + ByteString(number: id)) },
      committed: { (id, _: Void) throws(AdminError) in
        request.gateway.accounts.removeToken(id)
        request.reply.succeed { $0.null() }
      })
  }

  /// Takes a stored record over and answers with it; the key is shown this once only.
  private static func adopt(
    _ record: TokenRecord, _ request: AdminRequest, key: ByteString?
  ) throws(AdminError) {
    let accounts = request.gateway.accounts
    do throws(FieldError) {
      try accounts.put(record)
    } catch {
      throw AdminError(error)
    }
    guard let token = accounts.token(record.id) else { throw .notFound }
    request.reply.succeed { json in write(token, request.gateway, key: key, &json) }
  }

  private static func target(_ id: Int64, _ name: ByteString) -> ByteString {
    "token " + ByteString(number: id) + " " + name
  }

  private static func write(
    _ token: Token, _ gateway: Gateway, key: ByteString? = nil, _ json: inout JSONWriter
  ) {
    let record = token.record
    let comma = UInt8(ascii: ",")
    json.beginObject()
    json.member("id", record.id)
    json.member("user_id", record.userID)
    json.member("name", record.name)
    if let key { json.member("key", key) }
    json.member("key_hint", record.keyHint)
    json.member("expires_at", record.expiresAt)
    json.member("quota", record.quota)
    json.member("used_quota", gateway.usedQuota(of: token))
    json.member("used_cost", Billing.cost(gateway.usedMicro(of: token), gateway.options))
    json.member("quota_period", TokenInput.periods[Int(record.quotaPeriod.rawValue)])
    json.member("quota_resets_at", gateway.quotaResetsAt(token))
    ChannelEndpoints.write("allowed_ips", record.allowedIPs.list(separatedBy: comma), &json)
    ChannelEndpoints.write("models", record.models.list(separatedBy: comma), &json)
    json.key("channel_group")
    if record.channelGroup.isEmpty { json.null() } else { json.string(record.channelGroup) }
    json.member("rpm", limit(record.requestsPerMinute))
    json.member("tpm", limit(record.tokensPerMinute))
    json.member("status", record.status == .enabled ? "enabled" as StaticString : "disabled")
    json.member("created_at", record.createdAt)
    json.member("accessed_at", limit(token.accessedAt))
    json.endObject()
  }

  /// 0 in a record stands for nothing.
  private static func limit(_ number: Int64) -> Int64? { number == 0 ? nil : number }

}

/// Which tokens a list shall hold.
private struct TokenFilter {
  private let userID: Int64?
  /// A part of the name; ASCII letters of either case.
  private let name: ByteString?
  private let status: RecordStatus?

  /// Reads the query.
  init(_ request: AdminRequest) throws(AdminError) {
    userID = try LogQuery.id("user_id", request)
    name = try request.searchText("name")
    status = try request.choice("status", UserInput.statusNames).map {
      $0 == 0 ? .enabled : .disabled
    }
  }

  func admits(_ record: TokenRecord) -> Bool {
    if let userID, record.userID != userID { return false }
    if let status, record.status != status { return false }
    return name.map { AdminText.contains(record.name, $0) } ?? true
  }
}
