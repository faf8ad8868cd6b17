// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// What an audit row says beside who, when and from where.
struct AuditNote {
  /// Longest target in bytes.
  private static let targetByteCount = 160

  let action: ByteString
  /// Such as `channel 7 main`.
  let target: ByteString
  /// Who acts, where nobody has logged in yet.
  let user: UserRecord?

  /// Makes a note; what looks like a key, and line breaks, are taken out of the target.
  init(_ action: StaticString, _ target: ByteString = .empty, as user: UserRecord? = nil) {
    self.action = ByteString(action)
    self.target = AdminText.prefix(
      AdminText.redacted(target, hiding: []), AuditNote.targetByteCount)
    self.user = user
  }

  /// The row: a blank one with what this says.
  func filling(_ blank: AuditRecord) -> AuditRecord {
    var row = blank
    row.action = action
    row.target = target
    if let user {
      row.userID = user.id
      row.username = user.username
    }
    return row
  }
}

// Audit: who did what to which object, from where; never a secret.
extension AdminRequest {
  /// Notes what changes no setting, in the log and in a row; changes note it by themselves.
  ///
  /// `target`: such as `channel 7`.
  /// `user`: who acts, for calls without a login.
  func audit(
    _ action: StaticString, _ target: ByteString = .empty, as user: UserRecord? = nil,
    level: LogLevel = .info
  ) {
    let note = AuditNote(action, target, as: user)
    gateway.batch.append(note.filling(blankAuditRow()), now: gateway.loop.now)
    writeAuditLine(note, level: level)
  }

  /// Notes what was tried in vain, as anybody may without end: very many become one row.
  func auditAttempt(_ action: StaticString, as user: UserRecord? = nil) {
    let note = AuditNote(action, as: user)
    var row = note.filling(blankAuditRow())
    row.isAttempt = true
    gateway.batch.append(row, now: gateway.loop.now)
    writeAuditLine(note, level: .warn)
  }

  /// Notes a failed login; the account need not exist.
  func auditFailedLogin(_ username: ByteString) {
    let account = gateway.accounts.user(named: username)
    let user = UserRecord(
      id: account?.id ?? 0,
      username: AdminText.prefix(
        AdminText.redacted(username, hiding: []), AdminText.quotedByteCount),
      passwordHash: .empty)
    auditAttempt("login_failed", as: user)
  }

  /// An audit row of this request, without what was done.
  func blankAuditRow() -> AuditRecord {
    AuditRecord(
      id: gateway.batch.makeAuditID(), userID: caller?.id ?? 0,
      username: caller?.record.username ?? .empty, action: .empty, target: .empty,
      address: address, requestID: reply.requestID)
  }

  /// Writes an audit line to the log.
  func writeAuditLine(_ note: AuditNote, level: LogLevel = .info) {
    gateway.log.write(level) { line in
      line.append("audit action=")
      line.append(note.action)
      line.append(" user=")
      line.append(
        AdminText.quoted(note.user?.username ?? caller?.record.username ?? .empty))
      line.append(" address=")
      if let address { line.append(address.text) } else { line.append("unknown") }
      if !note.target.isEmpty {
        line.append(" target=")
        line.append(AdminText.quoted(note.target))
      }
      line.append(" request=")
      RequestID.append(reply.requestID, to: line)
    }
  }
}
