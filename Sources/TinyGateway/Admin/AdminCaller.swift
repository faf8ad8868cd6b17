// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// With what a management request proves who calls.
enum Credential {
  case login(LoginToken.Claims)
  case session(SessionRecord)
  case managementToken(ManagementTokenRecord)
}

/// Who makes a management call.
///
/// Role and rights are read from memory with each request, whatever was presented.
struct AdminCaller {
  /// The cookie of the web pages.
  static let cookieName: StaticString = "tg_session"
  /// What management tokens begin with.
  static let tokenPrefix: StaticString = "tgm-"

  let user: User
  let credential: Credential

  /// Who sent a request; an `Authorization` header wins over the cookie.
  ///
  /// Throws 401 without a valid credential, for an account that is gone or disabled, and for a
  /// login from before the last change of password; 403 for a cookie that comes with a change
  /// from another site.
  static func of(_ head: RequestHead, _ gateway: Gateway) throws(AdminError) -> AdminCaller {
    guard head.count(of: .authorization) > 0 else { return try session(head, gateway) }
    guard head.count(of: .authorization) == 1, let value = head.value(of: .authorization),
      value.count > 7, ByteString(Array(value.bytes[..<7])).lowercased == "bearer "
    else { throw .loginRequired }
    let text = ByteString(Array(value.bytes[7...])).trimmed
    return text.starts(with: tokenPrefix)
      ? try managementToken(text, gateway) : try login(text, gateway)
  }

  private static func login(
    _ text: ByteString, _ gateway: Gateway
  ) throws(AdminError) -> AdminCaller {
    let claims: LoginToken.Claims
    do throws(LoginToken.Failure) {
      claims = try LoginToken.verify(text, at: UnixTime.seconds, secret: gateway.jwtSecret)
    } catch {
      switch error {
      case .expired: throw expired
      case .early:
        throw AdminError(
          401, "invalid_login",
          "The login is from the future: the clock was set back; log in again.")
      case .invalid: throw invalid
      }
    }
    guard !gateway.logins.isEnded(claims.jti) else { throw ended }
    return AdminCaller(
      user: try account(claims.userID, epoch: claims.epoch, gateway), credential: .login(claims))
  }

  private static func managementToken(
    _ text: ByteString, _ gateway: Gateway
  ) throws(AdminError) -> AdminCaller {
    guard let token = gateway.logins.token(Digest.sha256(text)) else { throw invalid }
    // A clock that is not set yet must not expire anything.
    if let expiry = token.expiresAt, UnixTime.isPlausible, UnixTime.seconds >= expiry {
      throw AdminError(401, "token_expired", "This management token has expired.")
    }
    return AdminCaller(
      user: try account(token.userID, epoch: nil, gateway), credential: .managementToken(token))
  }

  private static func session(
    _ head: RequestHead, _ gateway: Gateway
  ) throws(AdminError) -> AdminCaller {
    let value: ByteString
    switch CookieField.find(cookieName, in: head) {
    case .missing: throw .loginRequired
    case .unclear:
      throw AdminError(
        401, "invalid_login", "The session cookie is there twice, or broken: delete the cookies.")
    case .found(let found): value = found
    }
    let now = UnixTime.seconds
    guard let session = gateway.logins.session(Digest.sha256(value)) else { throw ended }
    guard
      gateway.configuration.sessionLifetime.admits(
        session, at: now, isPlausible: UnixTime.isPlausible)
    else { throw expired }
    let user = try account(session.userID, epoch: session.epoch, gateway)
    if head.method != .get, head.method != .head {
      guard RequestOrigin.of(head, trusting: gateway.configuration.trustedProxies) == .own
      else { throw .crossSite }
    }
    if gateway.logins.see(session.idHash, at: now) {
      let idHash = session.idHash
      gateway.storage.perform(
        { (database) throws(StoreError) in
          try SessionTable.see(idHash, at: now, in: database)
        }, completion: { _ in })
    }
    return AdminCaller(user: user, credential: .session(session))
  }

  /// The account behind a credential.
  ///
  /// `epoch`: must be the account's own; nil for what outlives a change of password.
  private static func account(
    _ id: Int64, epoch: Int64?, _ gateway: Gateway
  ) throws(AdminError) -> User {
    guard let user = gateway.accounts.user(id),
      (epoch ?? user.record.sessionEpoch) == user.record.sessionEpoch
    else { throw ended }
    guard user.record.status == .enabled else {
      throw AdminError(401, "account_disabled", "This account is disabled.")
    }
    return user
  }

  private static let invalid = AdminError(
    401, "invalid_login", "This is not a valid login: log in again.")
  private static let expired = AdminError(
    401, "session_expired", "The login has expired: log in again.")
  private static let ended = AdminError(
    401, "session_ended", "This login was ended: log in again.")
}
