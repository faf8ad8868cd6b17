// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Tokens, the keys of clients: list, show, create, change, delete.
///
/// Users see their own only; to them, another's token does not exist.
enum TokenEndpoints {
  static let all: [Endpoint] = [
    Endpoint(method: .get, path: "/api/v1/tokens", access: .user, isList: true, run: .read(list)),
    Endpoint(
      method: .post, path: "/api/v1/tokens", access: .user, fields: TokenInput.fields,
      run: .act(create)),
    Endpoint(method: .get, path: "/api/v1/tokens/{id}", access: .user, run: .read(show)),
    Endpoint(
      method: .put, path: "/api/v1/tokens/{id}", access: .user, fields: TokenInput.fields,
      run: .act(update)),
    Endpoint(method: .delete, path: "/api/v1/tokens/{id}", access: .user, run: .act(delete)),
  ]

  private static let keyCharacterCount = 48
  private static let hintCharacterCount = 4

  /// The token in the path, if the caller may see it.
  private static func token(_ request: AdminRequest) throws(AdminError) -> Token {
    let user = try request.user()
    guard let token = request.gateway.accounts.token(request.id), isVisible(token, to: user) else {
      throw .notFound
    }
    return token
  }

  private static func isVisible(_ token: Token, to user: User) -> Bool {
    user.record.role != .user || token.record.userID == user.id
  }

  @Sendable private static func list(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    let user = try request.user()
    let visible = request.gateway.accounts.tokens.values
      .filter { isVisible($0, to: user) }
      .sorted { $0.id < $1.id }
    json.beginObject()
    try request.writePage(of: visible, &json) { token, json in write(token, &json) }
    json.endObject()
  }

  @Sendable private static func show(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    write(try token(request), &json)
  }

  @Sendable private static func create(_ request: AdminRequest) throws(AdminError) {
    let user = try request.user()
    let secret = Random.base62(keyCharacterCount)
    let key = "sk-" + secret
    try request.change(
      { () throws(AdminError) -> TokenRecord in
        let blank = TokenRecord(
          userID: user.id, name: .empty, keyHash: Digest.sha256(key).bytes, keyHint: hint(secret),
          createdAt: UnixTime.seconds)
        return try TokenInput.apply(
          request.body, to: blank, in: context(request, user, owner: user), isNew: true)
      },
      write: { (record, database) throws(StoreError) -> Int64 in
        try TokenTable.insert(record, in: database)
      },
      committed: { (record, id) throws(AdminError) in
        var record = record
        record.id = id
        try adopt(record, request, "token_create", key: key)
      })
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
      committed: { (record, _: Void) throws(AdminError) in
        try adopt(record, request, "token_change", key: nil)
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
      committed: { (id, _: Void) throws(AdminError) in
        request.gateway.accounts.removeToken(id)
        request.audit("token_delete", "token " + ByteString(number: id))
        request.reply.succeed { $0.null() }
      })
  }

  /// Takes a stored record over and answers with it; the key is shown this once only.
  private static func adopt(
    _ record: TokenRecord, _ request: AdminRequest, _ action: StaticString, key: ByteString?
  ) throws(AdminError) {
    let accounts = request.gateway.accounts
    do throws(FieldError) {
      try accounts.put(record)
    } catch {
      throw AdminError(error)
    }
    request.audit(action, "token " + ByteString(number: record.id) + " " + record.name)
    guard let token = accounts.token(record.id) else { throw .notFound }
    request.reply.succeed { json in write(token, key: key, &json) }
  }

  /// `sk-abcd…wxyz`, what is shown of a key later.
  private static func hint(_ secret: ByteString) -> ByteString {
    let first = ByteString(Array(secret.bytes.prefix(hintCharacterCount)))
    let last = ByteString(Array(secret.bytes.suffix(hintCharacterCount)))
    return "sk-" + first + "…" + last
  }

  private static func write(
    _ token: Token, key: ByteString? = nil, _ json: inout JSONWriter
  ) {
    let record = token.record
    let comma = UInt8(ascii: ",")
    json.beginObject()
    json.member("id", record.id)
    json.member("user_id", record.userID)
    json.member("name", record.name)
    if let key { json.member("key", key) }
    json.member("key_hint", record.keyHint)
    json.key("expires_at")
    if let time = record.expiresAt { json.integer(time) } else { json.null() }
    json.key("quota")
    if let quota = record.quota { json.integer(quota) } else { json.null() }
    json.member("used_quota", token.usedQuota)
    json.member("quota_period", "none" as StaticString)
    ChannelEndpoints.write("allowed_ips", record.allowedIPs.list(separatedBy: comma), &json)
    ChannelEndpoints.write("models", record.models.list(separatedBy: comma), &json)
    json.key("channel_group")
    if record.channelGroup.isEmpty { json.null() } else { json.string(record.channelGroup) }
    json.key("rpm")
    json.null()
    json.key("tpm")
    json.null()
    json.member("status", record.status == .enabled ? "enabled" as StaticString : "disabled")
    json.member("created_at", record.createdAt)
    json.endObject()
  }
}
