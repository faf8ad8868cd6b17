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
      fields: ["old_password", "new_password"], servesFirstPassword: true, needsPerson: true,
      run: .act(changePassword)),
  ]

  private static let usernameByteCounts = 1...64
  /// What may be sent as an existing password: the default one is shorter than new ones may be.
  private static let passwordByteCounts = 1...128

  private static let wrongPassword = AdminError(
    401, "invalid_credentials", "User name or password is wrong.")

  // Login.

  @Sendable private static func login(_ request: AdminRequest) throws(AdminError) {
    try verify(request) { (user) throws(AdminError) in
      request.audit("login", as: user.record)
      answerToken(request, user.record)
    }
  }

  /// Checks user name and password of the body, then lets `admitted` answer.
  ///
  /// An account that does not exist costs the time of the dearest one, so that neither time nor
  /// words tell which accounts there are.
  static func verify(
    _ request: AdminRequest, _ admitted: @escaping (User) throws(AdminError) -> Void
  ) throws(AdminError) {
    let username = try request.body.requiredText("username", usernameByteCounts)
    let password = try request.secret("password", passwordByteCounts)
    try request.checkGuard(account: username)
    let accounts = request.gateway.accounts
    let known = accounts.user(named: username)?.record
    let stored = known?.passwordHash
    let mayRehash = known.map { !$0.mustChangePassword } ?? false
    let dearest = accounts.dearestRounds
    try request.derive(
      { rounds -> Verdict in
        let isRight = Password.verify(password, against: stored, spending: max(rounds, dearest))
        guard isRight, mayRehash, let stored, Password.isForeign(stored, to: rounds) else {
          return Verdict(isRight: isRight)
        }
        return Verdict(isRight: true, fresh: Password.hash(password, rounds: rounds))
      },
      { (verdict) throws(AdminError) in
        // Again: guesses that waited together must not get more tries than one after the other.
        try request.checkGuard(account: username)
        guard verdict.isRight, let user = accounts.user(named: username),
          user.id == known?.id, user.record.sessionEpoch == known?.sessionEpoch
        else {
          request.countFailure(account: username)
          request.auditFailedLogin(username)
          throw wrongPassword
        }
        try admit(request, user, usingFirst: password == Password.first)
        if let fresh = verdict.fresh { keep(fresh, of: user, request.gateway) }
        try admitted(user)
      })
  }

  /// What the password thread found out.
  private struct Verdict {
    let isRight: Bool
    /// A hash of this device's cost in the place of one that another device made.
    var fresh: ByteString?
  }

  /// Keeps a hash whose cost suits this device; when that fails, the next login tries again.
  private static func keep(_ fresh: ByteString, of user: User, _ gateway: Gateway) {
    let (id, old) = (user.id, user.record.passwordHash)
    gateway.storage.perform(
      { (database) throws(StoreError) -> Bool in
        try UserTable.rehash(id, from: old, to: fresh, in: database)
      },
      completion: { result in
        guard case .success(true) = result, user.record.passwordHash == old,
          gateway.accounts.user(id) === user
        else { return }
        var record = user.record
        record.passwordHash = fresh
        gateway.accounts.put(record)
      })
  }

  /// The password is right: throws if the account may not be used, or not from here.
  private static func admit(
    _ request: AdminRequest, _ user: User, usingFirst isFirst: Bool
  ) throws(AdminError) {
    let record = user.record
    request.gateway.admin.loginGuard.succeeded(account: record.username)
    guard record.status == .enabled else {
      request.auditAttempt("login_disabled", as: record)
      throw AdminError(403, "account_disabled", "This account is disabled.")
    }
    if isFirst, record.mustChangePassword, !(request.address?.isPrivate ?? false) {
      request.auditAttempt("login_first_password_remote", as: record)
      throw AdminError(
        403, "first_password_is_local",
        "The first password works from loopback and private addresses only.")
    }
  }

  /// Answers with a fresh login.
  static func answerToken(_ request: AdminRequest, _ record: UserRecord) {
    let token = LoginToken.make(
      for: record.id, epoch: record.sessionEpoch, at: UnixTime.seconds,
      secret: request.gateway.jwtSecret)
    request.reply.succeed { json in
      json.beginObject()
      json.member("token", token.text)
      json.member("expires_at", token.expiresAt)
      json.member("must_change_password", record.mustChangePassword)
      json.endObject()
    }
  }

  // One's own account.

  @Sendable private static func showSelf(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    let options = request.gateway.options
    json.beginObject()
    let user = try request.user()
    UserEndpoints.writeMembers(user, options, &json)
    // Users may read neither the options nor the groups.
    Billing.writeCurrency(options, &json)
    let groups = request.gateway.userGroups.channelGroups(of: user.record.userGroup)
    ChannelEndpoints.write("channel_groups", groups, &json)
    json.endObject()
  }

  // Change of password.

  @Sendable private static func changePassword(_ request: AdminRequest) throws(AdminError) {
    let user = try request.user()
    let old = try request.secret("old_password", passwordByteCounts)
    let new = try request.secret("new_password", Password.byteCounts)
    guard old != new else { throw .field("new_password", "must differ from the old one") }
    guard new != user.record.username else {
      throw .field("new_password", "must differ from the user name")
    }
    try request.checkGuard(account: user.record.username)
    let (stored, epoch) = (user.record.passwordHash, user.record.sessionEpoch)
    try request.derive(
      { rounds -> ByteString? in
        guard Password.verify(old, against: stored) else { return nil }
        return Password.hash(new, rounds: rounds)
      },
      { (hash) throws(AdminError) in
        try request.checkGuard(account: user.record.username)
        guard let hash else { throw refuseChange(request, user) }
        try store(hash, for: user, at: epoch, request)
      })
  }

  private static func refuseChange(_ request: AdminRequest, _ user: User) -> AdminError {
    request.countFailure(account: user.record.username)
    request.auditAttempt("password_change_failed")
    return AdminError(403, "wrong_password", "old_password is wrong.")
  }

  /// Writes the new hash; raising the epoch ends every login made before.
  ///
  /// `epoch`: that of the account when its old password was checked.
  private static func store(
    _ hash: ByteString, for user: User, at epoch: Int64, _ request: AdminRequest
  ) throws(AdminError) {
    try request.change(
      { () throws(AdminError) -> UserRecord in
        var record = user.record
        guard record.sessionEpoch == epoch else {
          throw AdminError(409, "conflict", "The password was changed meanwhile: log in again.")
        }
        record.passwordHash = hash
        record.mustChangePassword = false
        record.sessionEpoch += 1
        return record
      },
      write: { (record, database) throws(StoreError) in
        try UserTable.update(record, in: database)
        try SessionTable.deleteAll(ofUser: record.id, in: database)
        try EndedLoginTable.deleteAll(ofUser: record.id, in: database)
      },
      audit: { _, _ in AuditNote("password_change") },
      committed: { (record, _: Void) throws(AdminError) in
        request.gateway.accounts.put(record)
        request.gateway.logins.endAll(ofUser: record.id)
        request.gateway.admin.loginGuard.succeeded(account: record.username)
        answerToken(request, record)
      })
  }
}
