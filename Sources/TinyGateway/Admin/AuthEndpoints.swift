// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// Login, and one's own account.
enum AuthEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .post, path: "/api/v1/auth/login", access: .anyone,
      fields: ["username", "password"], run: .act(login)),
    Endpoint(method: .get, path: "/api/v1/users/self", access: .user, run: .read(showSelf)),
    Endpoint(
      method: .put, path: "/api/v1/users/self/password", access: .user,
      fields: ["old_password", "new_password"], servesFirstPassword: true,
      run: .act(changePassword)),
  ]

  /// Verifications that may wait behind the one under way.
  private static let queuedVerifications = 8
  private static let usernameByteCounts = 1...64
  /// What may be sent as an existing password: the default one is shorter than new ones may be.
  private static let passwordByteCounts = 1...128

  private static let wrongPassword = AdminError(
    401, "invalid_credentials", "User name or password is wrong.")

  // Login.

  @Sendable private static func login(_ request: AdminRequest) throws(AdminError) {
    let username = try request.body.requiredText("username", usernameByteCounts)
    let password = try secret("password", passwordByteCounts, request)
    try checkGuard(request, username)
    let known = request.gateway.accounts.user(named: username)
    let stored = known?.record.passwordHash
    let rounds = request.gateway.configuration.passwordRounds
    try derive(
      request,
      { () -> Bool in Password.verify(password, against: stored, spending: rounds) },
      { (isRight) throws(AdminError) in
        guard isRight, let known else { throw refuse(request, username) }
        try admit(request, known, usingFirst: password == Password.first)
      })
  }

  /// The password is right: gives a token unless the account may not be used, or not from here.
  private static func admit(
    _ request: AdminRequest, _ user: User, usingFirst isFirst: Bool
  ) throws(AdminError) {
    let record = user.record
    request.gateway.admin.loginGuard.succeeded(account: record.username)
    guard record.status == .enabled else {
      request.audit("login_disabled", as: record.username, level: .warn)
      throw AdminError(403, "account_disabled", "This account is disabled.")
    }
    if isFirst, record.mustChangePassword, !(request.address?.isPrivate ?? false) {
      request.audit("login_first_password_remote", as: record.username, level: .warn)
      throw AdminError(
        403, "first_password_is_local",
        "The first password works from loopback and private addresses only.")
    }
    request.audit("login", as: record.username)
    answerToken(request, record)
  }

  private static func answerToken(_ request: AdminRequest, _ record: UserRecord) {
    let token = LoginToken.make(
      for: record, at: UnixTime.seconds, secret: request.gateway.jwtSecret)
    request.reply.succeed { json in
      json.beginObject()
      json.member("token", token.text)
      json.member("expires_at", token.expiresAt)
      json.member("must_change_password", record.mustChangePassword)
      json.endObject()
    }
  }

  private static func refuse(_ request: AdminRequest, _ username: ByteString) -> AdminError {
    request.gateway.admin.loginGuard.failed(
      address: request.address, account: username, now: request.gateway.loop.now)
    request.audit("login_failed", as: username, level: .warn)
    return wrongPassword
  }

  private static func checkGuard(
    _ request: AdminRequest, _ username: ByteString
  ) throws(AdminError) {
    let delay = request.gateway.admin.loginGuard.delay(
      address: request.address, account: username, now: request.gateway.loop.now)
    guard let delay else { return }
    let seconds = (delay + 999) / 1000
    throw AdminError(
      429, "too_many_failures",
      "Too many wrong passwords: try again in " + ByteString(number: seconds) + " seconds.",
      retryAfter: seconds)
  }

  /// A password, which may hold any character.
  private static func secret(
    _ field: StaticString, _ length: ClosedRange<Int>, _ request: AdminRequest
  ) throws(AdminError) -> ByteString {
    guard let value = request.body.value(field) else { throw .field(field, "is missing") }
    guard let text = value.string, length.contains(text.count) else {
      throw .field(
        field,
        "must be a text of " + ByteString(number: Int64(length.lowerBound)) + " to "
          + ByteString(number: Int64(length.upperBound)) + " bytes")
    }
    return text
  }

  /// What `work` leaves for the loop.
  private final class Box<Value> {
    var value: Value?
  }

  /// Runs `work` on the password thread, one at a time, then `done` on the loop.
  ///
  /// Throws 429 when too many wait already.
  private static func derive<Value>(
    _ request: AdminRequest, _ work: @escaping () -> Value,
    _ done: @escaping (Value) throws(AdminError) -> Void
  ) throws(AdminError) {
    let worker = request.gateway.passwordWorker
    guard worker.pendingCount <= queuedVerifications else {
      throw AdminError(
        429, "too_many_logins", "Too many logins at once: try again in a moment.", retryAfter: 2)
    }
    let box = Box<Value>()
    let job = Job(
      work: { box.value = work() },
      completion: {
        guard let value = box.value else { return }
        do throws(AdminError) {
          try done(value)
        } catch {
          request.reply.fail(error)
        }
      })
    do throws(SystemError) {
      try worker.submit(job)
    } catch {
      request.gateway.log.error("the password thread cannot be started: \(error.text)")
      throw AdminError(503, "busy", "The system has no thread left: try again.", retryAfter: 5)
    }
  }

  // One's own account.

  @Sendable private static func showSelf(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    let user = try request.user()
    let record = user.record
    json.beginObject()
    json.member("id", record.id)
    json.member("username", record.username)
    json.member("role", name(of: record.role))
    json.member("group", record.userGroup)
    json.key("quota")
    if let quota = record.quota { json.integer(quota) } else { json.null() }
    json.member("used_quota", user.usedQuota)
    json.member("status", record.status == .enabled ? "enabled" as StaticString : "disabled")
    json.member("must_change_password", record.mustChangePassword)
    json.member("created_at", record.createdAt)
    json.endObject()
  }

  private static func name(of role: UserRole) -> StaticString {
    switch role {
    case .root: "root"
    case .admin: "admin"
    case .user: "user"
    }
  }

  // Change of password.

  @Sendable private static func changePassword(_ request: AdminRequest) throws(AdminError) {
    let user = try request.user()
    let old = try secret("old_password", passwordByteCounts, request)
    let new = try secret("new_password", Password.byteCounts, request)
    guard old != new else { throw .field("new_password", "must differ from the old one") }
    guard new != user.record.username else {
      throw .field("new_password", "must differ from the user name")
    }
    try checkGuard(request, user.record.username)
    let stored = user.record.passwordHash
    let rounds = request.gateway.configuration.passwordRounds
    try derive(
      request,
      { () -> ByteString? in
        guard Password.verify(old, against: stored) else { return nil }
        return Password.hash(new, rounds: rounds)
      },
      { (hash) throws(AdminError) in
        guard let hash else { throw refuseChange(request, user) }
        try store(hash, for: user, insteadOf: stored, request)
      })
  }

  private static func refuseChange(_ request: AdminRequest, _ user: User) -> AdminError {
    request.gateway.admin.loginGuard.failed(
      address: request.address, account: user.record.username, now: request.gateway.loop.now)
    request.audit("password_change_failed", level: .warn)
    return AdminError(403, "wrong_password", "old_password is wrong.")
  }

  /// Writes the new hash; raising the epoch ends every login made before.
  private static func store(
    _ hash: ByteString, for user: User, insteadOf old: ByteString, _ request: AdminRequest
  ) throws(AdminError) {
    try request.change(
      { () throws(AdminError) -> UserRecord in
        var record = user.record
        guard record.passwordHash == old else {
          throw AdminError(409, "conflict", "The password was changed meanwhile: log in again.")
        }
        record.passwordHash = hash
        record.mustChangePassword = false
        record.sessionEpoch += 1
        return record
      },
      write: { (record, database) throws(StoreError) in
        try UserTable.update(record, in: database)
      },
      committed: { (record, _: Void) throws(AdminError) in
        request.gateway.accounts.put(record)
        request.gateway.admin.loginGuard.succeeded(account: record.username)
        request.audit("password_change")
        answerToken(request, record)
      })
  }
}
