// SPDX-License-Identifier: MIT
import CPlatform
import Platform
import Store

/// `tinygateway passwd [USER]`: sets a password without knowing the old one.
///
/// For who can write the data directory; the gateway must be stopped, since it owns the database.
enum PasswordCommand {
  /// Longest line that is read, in bytes.
  private static let lineByteCount = 1024

  /// Asks twice on a terminal, once on a pipe, and stores the hash.
  ///
  /// `username`: nil for `root`.
  ///
  /// - Returns: what went wrong, as a sentence; nil when the password is changed.
  static func run(configuration: Configuration, username: ByteString?) -> ByteString? {
    let username = username ?? RootAccount.username
    do throws(StoreError) {
      let database = try Database(
        path: configuration.path("db.db"), settings: configuration.storage)
      try RootAccount.ensure(in: database, configuration: configuration)
      guard var user = try UserTable.find(username: username, in: database) else {
        return "there is no account " + AdminText.quoted(username)
      }
      switch ask() {
      case .problem(let sentence): return ByteString(sentence)
      case .password(let password):
        user.passwordHash = Password.hash(
          password, rounds: try PasswordCost.rounds(configuration, in: database))
      }
      user.mustChangePassword = false
      user.sessionEpoch += 1
      let changed = user
      try database.transaction { () throws(StoreError) in
        try UserTable.update(changed, in: database)
        try audit(changed, in: database)
      }
      try database.close()
    } catch {
      return error.sentence
    }
    ProcessContext.write("The password of " + username + " is changed.\n", to: 1)
    return nil
  }

  private static func audit(_ user: UserRecord, in database: Database) throws(StoreError) {
    let blank = AuditRecord(
      id: LogID.next(after: try AuditTable.lastID(in: database), atSecond: UnixTime.seconds),
      userID: 0, username: .empty, action: .empty, target: .empty, address: nil, requestID: 0)
    let note = AuditNote("password_change", "command passwd", as: user)
    try AuditTable.insert(note.filling(blank), in: database)
  }

  private enum Answer {
    case password(ByteString)
    case problem(StaticString)
  }

  /// A valid new password, or what is wrong.
  private static func ask() -> Answer {
    let isTerminal = cp_set_terminal_echo(0) >= 0
    defer { if isTerminal { _ = cp_set_terminal_echo(1) } }
    let first = line(after: "New password: ", isTerminal)
    guard let first, Password.byteCounts.contains(first.count) else {
      return .problem("a password needs 8 to 128 bytes; nothing is changed")
    }
    let second = line(after: "The same again: ", isTerminal)
    // A pipe may give it once; a terminal must give it twice.
    if second == nil, !isTerminal { return .password(first) }
    guard second == first else {
      return .problem("the two passwords differ; nothing is changed")
    }
    return .password(first)
  }

  /// One line of standard input without its end; nil at the end of the input or when too long.
  private static func line(after prompt: ByteString, _ isTerminal: Bool) -> ByteString? {
    if isTerminal { ProcessContext.write(prompt, to: 2) }
    defer { if isTerminal { ProcessContext.write("\n", to: 2) } }
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while cp_read(0, &byte, 1) == 1 {
      if byte == 0x0A {
        if bytes.last == 0x0D { bytes.removeLast() }
        return ByteString(bytes)
      }
      guard bytes.count < lineByteCount else { return nil }
      bytes.append(byte)
    }
    return bytes.isEmpty ? nil : ByteString(bytes)
  }
}
