// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store
import Testing

@testable import TinyGateway

/// Who may make which call: every row of the table with every kind of caller.
struct AdminPermissionTests {
  private static func user(_ role: UserRole, mustChange: Bool = false) -> UserRecord {
    UserRecord(
      id: 7, username: "ann", passwordHash: "", role: role, mustChangePassword: mustChange)
  }

  private static func token(readOnly: Bool) -> Credential {
    .managementToken(
      ManagementTokenRecord(
        id: 1, userID: 7, name: "", keyHash: "", keyHint: "", isReadOnly: readOnly,
        expiresAt: nil, createdAt: 0))
  }

  private static let login = Credential.login(
    LoginToken.Claims(userID: 7, jti: "", epoch: 0, issuedAt: 0, expiresAt: 0))
  private static let session = Credential.session(
    SessionRecord(idHash: "", userID: 7, epoch: 0, createdAt: 0, seenAt: 0))

  /// The rows that need an account.
  private var guarded: [Endpoint] { EndpointTable.all.filter { $0.access != .anyone } }

  private func code(
    _ endpoint: Endpoint, _ user: UserRecord, _ credential: Credential
  ) -> ByteString? {
    endpoint.refusal(to: user, with: credential).map { ByteString($0.code) }
  }

  @Test func admitsAdministratorsAnywhere() {
    for endpoint in guarded {
      for role in [UserRole.admin, .root] {
        for credential in [Self.login, Self.session] {
          let mustRefuse = endpoint.access == .root && role != .root
          let code = code(endpoint, Self.user(role), credential)
          #expect(code == (mustRefuse ? "forbidden" : nil), "\(endpoint.path)")
        }
      }
    }
  }

  @Test func keepsUsersOutOfWhatIsForAdministrators() {
    for endpoint in guarded {
      for credential in [Self.login, Self.session, Self.token(readOnly: false)] {
        let code = code(endpoint, Self.user(.user), credential)
        #expect((code == "forbidden") == (endpoint.access != .user), "\(endpoint.path)")
      }
    }
  }

  @Test func letsAFirstPasswordDoNothingElse() {
    for endpoint in guarded {
      for credential in [Self.login, Self.session] {
        let code = code(endpoint, Self.user(.root, mustChange: true), credential)
        #expect(
          code == (endpoint.servesFirstPassword ? nil : "password_change_required"),
          "\(endpoint.path)")
      }
    }
  }

  @Test func letsAReadOnlyTokenReadOnly() {
    for endpoint in guarded {
      let code = code(endpoint, Self.user(.root), Self.token(readOnly: true))
      let isBackup = ByteString(endpoint.path) == "/api/v1/backup"
      #expect((code == nil) == (endpoint.method == .get && !isBackup), "\(endpoint.path)")
    }
  }

  /// Whatever leads to further access needs a person.
  @Test func letsNoTokenMakeALogin() {
    for endpoint in guarded {
      let path = ByteString(endpoint.path)
      let isAboutLogins =
        path.starts(with: "/api/v1/auth/") || path.text.hasSuffix("/password")
        || path == "/api/v1/backup" || path == "/api/v1/restore"
      let code = code(endpoint, Self.user(.root), Self.token(readOnly: false))
      #expect(
        (code == "login_needed") == (isAboutLogins && endpoint.method != .get), "\(endpoint.path)")
    }
  }

  /// The words *Anyone*, *User* and *Administrator* below the headings of API.md.
  @Test func isWhatTheDocumentPromises() throws {
    let here = ByteString(utf8: #filePath)
    let root = File.directory(of: File.directory(of: File.directory(of: here)))
    let text = try File.read(root + "/docs/API.md", limit: 1 << 20)
    var promised: [ByteString: ByteString] = [:]
    var call: ByteString?
    for line in text.list(separatedBy: 0x0A) {
      if line.starts(with: "### ") { call = ByteString(Array(line.bytes.dropFirst(4))) }
      guard line.starts(with: "*"), let heading = call else { continue }
      let word = line.bytes.dropFirst().prefix { $0 != UInt8(ascii: "*") }
      promised[heading] = ByteString(Array(word.filter { $0 != UInt8(ascii: ".") }))
      call = nil
    }
    for endpoint in EndpointTable.all {
      let call = ByteString(endpoint.method.token) + " " + ByteString(endpoint.path)
      let expected: ByteString =
        switch endpoint.access {
        case .anyone: "Anyone"
        case .user: "User"
        case .admin: "Administrator"
        case .root: "Root"
        }
      #expect(promised[call] == expected, "\(call.text)")
    }
  }
}
