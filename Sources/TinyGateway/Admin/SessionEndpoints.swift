// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Logins of the web pages, and logging out.
enum SessionEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .post, path: "/api/v1/auth/session", access: .anyone,
      fields: ["username", "password"], run: .act(begin)),
    Endpoint(
      method: .get, path: "/api/v1/auth/session", access: .user, servesFirstPassword: true,
      run: .read(show)),
    Endpoint(
      method: .delete, path: "/api/v1/auth/session", access: .user, servesFirstPassword: true,
      needsPerson: true, run: .act(end)),
    Endpoint(
      method: .post, path: "/api/v1/auth/logout", access: .user, servesFirstPassword: true,
      needsPerson: true, run: .act(end)),
  ]

  /// 256 bits.
  private static let idByteCount = 32

  @Sendable private static func begin(_ request: AdminRequest) throws(AdminError) {
    try AuthEndpoints.verify(request) { (user) throws(AdminError) in
      try open(user, request)
    }
  }

  private static func open(_ user: User, _ request: AdminRequest) throws(AdminError) {
    let gateway = request.gateway
    let value = Digest.hex(Random.bytes(idByteCount))
    let epoch = user.record.sessionEpoch
    try request.change(
      { () throws(AdminError) -> Opening in
        let now = UnixTime.seconds
        guard let user = gateway.accounts.user(user.id), user.record.sessionEpoch == epoch,
          user.record.status == .enabled
        else {
          throw AdminError(409, "conflict", "The account was changed meanwhile: log in again.")
        }
        let session = SessionRecord(
          idHash: Digest.sha256(value).bytes, userID: user.id, epoch: user.record.sessionEpoch,
          createdAt: now, seenAt: now)
        return Opening(
          session: session, user: user.record,
          leaving: gateway.logins.leaving(forUser: user.id) { holds($0, gateway, at: now) })
      },
      write: { (opening, database) throws(StoreError) in
        for idHash in opening.leaving { try SessionTable.delete(idHash, in: database) }
        try SessionTable.insert(opening.session, in: database)
      },
      audit: { opening, _ in AuditNote("login", "session", as: opening.user) },
      committed: { (opening, _: Void) throws(AdminError) in
        for idHash in opening.leaving { gateway.logins.removeSession(idHash) }
        gateway.logins.put(opening.session)
        request.reply.cookie = cookie(
          value, seconds: gateway.configuration.sessionLifetime.totalSeconds,
          isSecure: request.isSecure)
        request.reply.succeed { json in write(opening.user, &json) }
      })
  }

  /// A new session, and those that go because of it.
  private struct Opening {
    let session: SessionRecord
    let user: UserRecord
    let leaving: [ByteString]
  }

  private static func holds(_ session: SessionRecord, _ gateway: Gateway, at now: Int64) -> Bool {
    guard let user = gateway.accounts.user(session.userID) else { return false }
    return user.record.sessionEpoch == session.epoch
      && gateway.configuration.sessionLifetime.admits(
        session, at: now, isPlausible: UnixTime.isPlausible)
  }

  /// The value of `Set-Cookie`; an empty value takes the cookie away.
  static func cookie(_ value: ByteString, seconds: Int64, isSecure: Bool) -> ByteString {
    let text = Buffer()
    text.append(AdminCaller.cookieName)
    text.append("=")
    text.append(value)
    text.append("; Max-Age=")
    text.append(decimal: value.isEmpty ? 0 : seconds)
    text.append("; Path=/; HttpOnly; SameSite=Strict")
    if isSecure { text.append("; Secure") }
    return text.byteString
  }

  @Sendable private static func show(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    write(try request.user().record, &json)
  }

  private static func write(_ user: UserRecord, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("username", user.username)
    json.member("role", UserInput.name(of: user.role))
    json.member("must_change_password", user.mustChangePassword)
    json.endObject()
  }

  // Logging out.

  /// What ends a login.
  private enum Ending {
    case session(ByteString)
    case login(EndedLoginRecord)
    /// All logins of the account, by its new epoch.
    case all(UserRecord)
  }

  /// Ends the login that the request presents, whichever it is.
  @Sendable private static func end(_ request: AdminRequest) throws(AdminError) {
    let logins = request.gateway.logins
    let now = UnixTime.seconds
    try request.change(
      { () throws(AdminError) -> Ending in try ending(request) },
      write: { (ending, database) throws(StoreError) in
        switch ending {
        case .session(let idHash): try SessionTable.delete(idHash, in: database)
        case .login(let login): try EndedLoginTable.insert(login, at: now, in: database)
        case .all(let user):
          try UserTable.update(user, in: database)
          try SessionTable.deleteAll(ofUser: user.id, in: database)
          try EndedLoginTable.deleteAll(ofUser: user.id, in: database)
        }
      },
      audit: { ending, _ in
        if case .all = ending { return AuditNote("logout", "all logins") }
        return AuditNote("logout")
      },
      committed: { (ending, _: Void) throws(AdminError) in
        switch ending {
        case .session(let idHash):
          logins.removeSession(idHash)
          request.reply.cookie = cookie(.empty, seconds: 0, isSecure: request.isSecure)
        case .login(let login): logins.end(login, at: now)
        case .all(let user):
          request.gateway.accounts.put(user)
          logins.endAll(ofUser: user.id)
        }
        request.reply.succeed { $0.null() }
      })
  }

  private static func ending(_ request: AdminRequest) throws(AdminError) -> Ending {
    let user = try request.user()
    switch request.credential {
    case .session(let session): return .session(session.idHash)
    case .login(let claims):
      if request.gateway.logins.endedCount(ofUser: user.id) < LoginDirectory.endedPerUser {
        return .login(
          EndedLoginRecord(
            jti: claims.jti, userID: user.id,
            expiresAt: claims.expiresAt + LoginToken.leewaySeconds))
      }
      var record = user.record
      record.sessionEpoch += 1
      return .all(record)
    case .managementToken, nil: throw .personRequired
    }
  }
}
