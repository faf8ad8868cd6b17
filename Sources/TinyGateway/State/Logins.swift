// SPDX-License-Identifier: MIT
import Platform
import Store

/// How long a session of the web pages lasts.
struct SessionLifetime: Equatable {
  /// Seconds after the last use.
  var idleSeconds: Int64
  /// Seconds after the login.
  var totalSeconds: Int64
  /// How far in the future a session may lie, in seconds.
  private static let leewaySeconds: Int64 = 60

  /// Whether a session still holds at a time in Unix seconds.
  ///
  /// `isPlausible`: a clock that is not set yet must not end anything.
  func admits(_ session: SessionRecord, at now: Int64, isPlausible: Bool) -> Bool {
    guard isPlausible else { return true }
    return now < session.createdAt + totalSeconds && now < session.seenAt + idleSeconds
      && session.createdAt <= now + SessionLifetime.leewaySeconds
  }
}

/// Management tokens, sessions and ended logins in memory, found by what is presented.
final class LoginDirectory {
  static let tokensPerUser = 100
  static let sessionsPerUser = 20
  /// Ended logins that are remembered for one account; ending one more ends them all.
  static let endedPerUser = 64
  /// The last use of a session is written once in so many seconds.
  static let seenSeconds: Int64 = 86_400

  /// A session, and its last use that is on the medium.
  private struct Session {
    var record: SessionRecord
    var writtenSeenAt: Int64
  }

  private var tokens: [SHA256Digest: ManagementTokenRecord] = [:]
  private var sessions: [SHA256Digest: Session] = [:]
  private var endedLogins: [ByteString: EndedLoginRecord] = [:]

  /// Takes over what was stored.
  func load(_ snapshot: Snapshot) {
    for token in snapshot.managementTokens { put(token) }
    for session in snapshot.sessions { put(session) }
    for login in snapshot.endedLogins { endedLogins[login.jti] = login }
  }

  /// Forgets everything, before `load` takes what a restore has stored.
  func removeAll() { (tokens, sessions, endedLogins) = ([:], [:], [:]) }

  /// Forgets what belongs to an account that was deleted.
  func remove(user userID: Int64) {
    tokens = tokens.filter { $0.value.userID != userID }
    endAll(ofUser: userID)
  }

  // Management tokens.

  /// The management token with that SHA-256; nil when there is none.
  func token(_ hash: SHA256Digest) -> ManagementTokenRecord? {
    guard let token = tokens[hash], Digest.constantTimeEquals(token.keyHash, hash.bytes) else {
      return nil
    }
    return token
  }

  /// Whether a management token is still there.
  func holds(_ token: ManagementTokenRecord) -> Bool {
    LoginDirectory.digest(token.keyHash).flatMap { tokens[$0] }?.id == token.id
  }

  /// A user's management tokens by id.
  func tokens(ofUser userID: Int64) -> [ManagementTokenRecord] {
    tokens.values.filter { $0.userID == userID }.sorted { $0.id < $1.id }
  }

  func put(_ token: ManagementTokenRecord) {
    guard let hash = token.keyHash.withBytes({ SHA256Digest($0) }) else { return }
    tokens[hash] = token
  }

  func removeToken(_ id: Int64) {
    for (hash, token) in tokens where token.id == id { tokens[hash] = nil }
  }

  // Sessions.

  /// The session whose cookie has that SHA-256; nil when there is none.
  func session(_ hash: SHA256Digest) -> SessionRecord? {
    guard let session = sessions[hash]?.record,
      Digest.constantTimeEquals(session.idHash, hash.bytes)
    else { return nil }
    return session
  }

  /// The session with that hash; nil when there is none.
  func session(withHash idHash: ByteString) -> SessionRecord? {
    LoginDirectory.digest(idHash).flatMap { session($0) }
  }

  func put(_ session: SessionRecord) {
    guard let hash = LoginDirectory.digest(session.idHash) else { return }
    sessions[hash] = Session(record: session, writtenSeenAt: session.seenAt)
  }

  /// Notes a use at a time in Unix seconds.
  ///
  /// - Returns: whether it should be written, which is rare: flash wears out.
  func see(_ idHash: ByteString, at now: Int64) -> Bool {
    guard let hash = LoginDirectory.digest(idHash), var session = sessions[hash] else {
      return false
    }
    session.record.seenAt = max(session.record.seenAt, now)
    let isDue = now >= session.writtenSeenAt + LoginDirectory.seenSeconds
    if isDue { session.writtenSeenAt = now }
    sessions[hash] = session
    return isDue
  }

  func removeSession(_ idHash: ByteString) {
    if let hash = LoginDirectory.digest(idHash) { sessions[hash] = nil }
  }

  /// The sessions that make room for a further one of a user: those that no longer hold, and the
  /// oldest ones beyond the limit.
  ///
  /// `holds`: whether a session may still be used.
  func leaving(
    forUser userID: Int64, _ holds: (SessionRecord) -> Bool
  ) -> [ByteString] {
    var leaving: [ByteString] = []
    var own: [SessionRecord] = []
    for session in sessions.values {
      if !holds(session.record) {
        leaving.append(session.record.idHash)
      } else if session.record.userID == userID {
        own.append(session.record)
      }
    }
    own.sort { $0.seenAt < $1.seenAt }
    let excess = own.count - (LoginDirectory.sessionsPerUser - 1)
    return leaving + own.prefix(max(0, excess)).map { $0.idHash }
  }

  private static func digest(_ hash: ByteString) -> SHA256Digest? {
    hash.withBytes { SHA256Digest($0) }
  }

  // Ended logins.

  /// Whether the login by JWT with that id was ended.
  func isEnded(_ jti: ByteString) -> Bool { endedLogins[jti] != nil }

  /// How many ended logins of a user are remembered.
  func endedCount(ofUser userID: Int64) -> Int {
    endedLogins.values.count { $0.userID == userID }
  }

  /// Remembers an ended login, and forgets those that have expired by themselves.
  func end(_ login: EndedLoginRecord, at now: Int64) {
    endedLogins[login.jti] = login
    endedLogins = endedLogins.filter { $0.value.expiresAt > now }
  }

  /// Forgets a user's sessions and ended logins, when all were ended by the account's epoch.
  func endAll(ofUser userID: Int64) {
    endedLogins = endedLogins.filter { $0.value.userID != userID }
    sessions = sessions.filter { $0.value.record.userID != userID }
  }
}
