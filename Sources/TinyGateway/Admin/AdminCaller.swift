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
    return try admitted(.login(claims), gateway)
  }

  private static func managementToken(
    _ text: ByteString, _ gateway: Gateway
  ) throws(AdminError) -> AdminCaller {
    guard let token = gateway.logins.token(Digest.sha256(text)) else { throw invalid }
    return try admitted(.managementToken(token), gateway)
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
    guard let session = gateway.logins.session(Digest.sha256(value)) else { throw ended }
    let caller = try admitted(.session(session), gateway)
    if head.method != .get, head.method != .head {
      guard RequestOrigin.of(head, trusting: gateway.configuration.trustedProxies) == .own
      else { throw .crossSite }
    }
    let now = UnixTime.seconds
    if gateway.logins.see(session.idHash, at: now) {
      let idHash = session.idHash
      gateway.storage.perform(
        { (database) throws(StoreError) in
          try SessionTable.see(idHash, at: now, in: database)
        }, completion: { _ in })
    }
    return caller
  }

  private static func admitted(
    _ credential: Credential, _ gateway: Gateway
  ) throws(AdminError) -> AdminCaller {
    AdminCaller(user: try account(of: credential, gateway), credential: credential)
  }

  /// The account that a verified credential stands for now.
  ///
  /// Throws 401 when the credential was ended or has expired, and as for any account.
  static func account(
    of credential: Credential, _ gateway: Gateway
  ) throws(AdminError) -> User {
    switch credential {
    case .login(let claims):
      guard !gateway.logins.isEnded(claims.jti) else { throw ended }
      guard UnixTime.seconds < claims.expiresAt + LoginToken.leewaySeconds else { throw expired }
      return try account(claims.userID, epoch: claims.epoch, gateway)
    case .session(let session):
      guard let session = gateway.logins.session(withHash: session.idHash) else { throw ended }
      guard
        gateway.configuration.sessionLifetime.admits(
          session, at: UnixTime.seconds, isPlausible: UnixTime.isPlausible)
      else { throw expired }
      return try account(session.userID, epoch: session.epoch, gateway)
    case .managementToken(let token):
      guard gateway.logins.holds(token) else { throw invalid }
      // A clock that is not set yet must not expire anything.
      if let expiry = token.expiresAt, UnixTime.isPlausible, UnixTime.seconds >= expiry {
        throw AdminError(401, "token_expired", "This management token has expired.")
      }
      return try account(token.userID, epoch: nil, gateway)
    }
  }

  /// The account behind a credential.
  ///
  /// `epoch`: must be the account's own; nil for what outlives a change of password.
  private static func account(
    _ id: Int64, epoch: Int64?, _ gateway: Gateway
  ) throws(AdminError) -> User {
    guard let user = gateway.accounts.user(id) else { throw ended }
    guard user.record.status == .enabled else {
      throw AdminError(401, "account_disabled", "This account is disabled.")
    }
    guard (epoch ?? user.record.sessionEpoch) == user.record.sessionEpoch else { throw ended }
    return user
  }

  private static let invalid = AdminError(
    401, "invalid_login", "This is not a valid login: log in again.")
  private static let expired = AdminError(
    401, "session_expired", "The login has expired: log in again.")
  static let ended = AdminError(
    401, "session_ended", "This login was ended: log in again.")
}
