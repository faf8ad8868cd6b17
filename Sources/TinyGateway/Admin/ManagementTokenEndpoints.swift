// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Management tokens, which scripts present instead of a login: list, create, delete.
///
/// Everybody sees their own only, administrators too: a token acts as its owner.
enum ManagementTokenEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .get, path: "/api/v1/auth/tokens", access: .user, isList: true, run: .read(list)),
    Endpoint(
      method: .post, path: "/api/v1/auth/tokens", access: .user,
      fields: ["name", "expires_at", "read_only"], needsPerson: true, run: .act(create)),
    Endpoint(
      method: .delete, path: "/api/v1/auth/tokens/{id}", access: .user, needsPerson: true,
      run: .act(delete)),
  ]

  private static let prefix = ByteString(AdminCaller.tokenPrefix)
  private static let secretCharacterCount = 48

  @Sendable private static func list(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    let own = request.gateway.logins.tokens(ofUser: try request.user().id)
    json.beginObject()
    try request.writePage(of: own, &json) { token, json in write(token, &json) }
    json.endObject()
  }

  @Sendable private static func create(_ request: AdminRequest) throws(AdminError) {
    let user = try request.user()
    let logins = request.gateway.logins
    let secret = Random.base62(secretCharacterCount)
    try request.change(
      { () throws(AdminError) -> ManagementTokenRecord in
        guard logins.tokens(ofUser: user.id).count < LoginDirectory.tokensPerUser else {
          throw AdminError(
            409, "conflict",
            "There are " + ByteString(number: Int64(LoginDirectory.tokensPerUser))
              + " management tokens already: delete one first.")
        }
        return try record(request, user, secret)
      },
      write: { (record, database) throws(StoreError) -> Int64 in
        try ManagementTokenTable.insert(record, in: database)
      },
      audit: { record, id in AuditNote("management_token_create", target(id, record.name)) },
      committed: { (record, id) throws(AdminError) in
        var record = record
        record.id = id
        logins.put(record)
        request.reply.succeed { json in write(record, token: prefix + secret, &json) }
      })
  }

  private static func record(
    _ request: AdminRequest, _ user: User, _ secret: ByteString
  ) throws(AdminError) -> ManagementTokenRecord {
    var expiresAt: Int64?
    if request.body.has("expires_at"), !request.body.isNull("expires_at") {
      expiresAt = try request.body.number("expires_at", TokenInput.times)
    }
    return ManagementTokenRecord(
      userID: user.id, name: try request.body.requiredText("name", TokenInput.nameByteCounts),
      keyHash: Digest.sha256(prefix + secret).bytes, keyHint: AdminText.keyHint(prefix, secret),
      isReadOnly: try request.body.boolean("read_only") ?? false, expiresAt: expiresAt,
      createdAt: UnixTime.seconds)
  }

  @Sendable private static func delete(_ request: AdminRequest) throws(AdminError) {
    let user = try request.user()
    let logins = request.gateway.logins
    let id = request.id
    try request.change(
      { () throws(AdminError) -> ManagementTokenRecord in
        let own = logins.tokens(ofUser: user.id)
        guard let token = own.first(where: { $0.id == id }) else { throw .notFound }
        return token
      },
      write: { (_, database) throws(StoreError) in
        try ManagementTokenTable.delete(id, in: database)
      },
      audit: { token, _ in AuditNote("management_token_delete", target(id, token.name)) },
      committed: { (_, _: Void) throws(AdminError) in
        logins.removeToken(id)
        request.reply.succeed { $0.null() }
      })
  }

  private static func target(_ id: Int64, _ name: ByteString) -> ByteString {
    "management token " + ByteString(number: id) + " " + name
  }

  private static func write(
    _ record: ManagementTokenRecord, token: ByteString? = nil, _ json: inout JSONWriter
  ) {
    json.beginObject()
    json.member("id", record.id)
    json.member("name", record.name)
    if let token { json.member("token", token) }
    json.member("token_hint", record.keyHint)
    json.member("read_only", record.isReadOnly)
    json.member("expires_at", record.expiresAt)
    json.member("created_at", record.createdAt)
    json.endObject()
  }
}
