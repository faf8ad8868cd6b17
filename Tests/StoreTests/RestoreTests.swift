// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import Store

/// Backups of one database, restored to others; files from outside that must do no harm.
struct RestoreTests {
  private let folder = TemporaryFolder()
  private let other = TemporaryFolder()

  private static let key = BackupKey(
    salt: ByteString([UInt8](repeating: 7, count: 16)), rounds: 1000, sealed: "sealed")

  /// A database with a row or more in each kind of table.
  private func filled() throws -> Database {
    let database = try folder.open()
    try database.transaction { () throws(StoreError) in
      let root = UserRecord(username: "root", passwordHash: "h", role: .root)
      let id = try UserTable.insert(root, in: database)
      _ = try TokenTable.insert(.sample(1, userID: id), in: database)
      _ = try ChannelTable.insert(.sample, in: database)
      try OptionTable.set(OptionTable.loginSecretName, to: "signs logins", in: database)
      try OptionTable.set("kept", to: "value", in: database)
      try database.execute(
        """
        INSERT INTO usage VALUES (1, 1, 5000000, 0, 1);
        INSERT INTO models VALUES (1, 'm');
        INSERT INTO logs VALUES (65536, 1, 1, 1, 1, 2, 3, NULL, x'00');
        INSERT INTO audit VALUES (1, 1, 'root', 'login', '', NULL, 1, 1);
        INSERT INTO sessions VALUES (zeroblob(32), 1, 0, 1, 1);
        """)
    }
    return database
  }

  private func backup(
    _ database: Database, withRecords: Bool = true, key: BackupKey? = nil
  ) throws -> ByteString {
    let path = folder.path("backup")
    try Backup.write(database, to: path, withRecords: withRecords, key: key)
    return path
  }

  /// What is wrong with a file; nil when it can be restored.
  private func problem(_ path: ByteString, to database: Database? = nil) throws -> String? {
    let target = try database ?? other.open()
    do throws(Restore.Failure) {
      _ = try Restore.check(path)
      try Restore.apply(path, to: target) { _ in }
      return nil
    } catch {
      guard case .invalid(let sentence) = error else { throw error }
      return sentence.text
    }
  }

  /// A backup that was changed by somebody.
  private func altered(_ script: ByteString) throws -> ByteString {
    let path = try backup(try filled())
    let file = try Database(at: path, isFromOutside: false)
    try file.execute(script)
    return path
  }

  private func count(_ table: ByteString, in database: Database) throws -> Int64 {
    var count: Int64 = -1
    let query = try database.statement("SELECT count(*) FROM " + table)
    if query.step() == 100 { count = query.integer() }
    return count
  }

  // Backup.

  @Test func carriesEverythingButLogins() throws {
    let path = try backup(try filled())
    let bytes = folder.content("backup")
    #expect(bytes.range(of: Data("signs logins".utf8)) == nil)
    let target = try other.open()
    #expect(try problem(path, to: target) == nil)
    for table in ["users", "tokens", "channels", "usage", "models", "logs", "audit"] {
      #expect(try count(ByteString(utf8: table), in: target) == 1, "\(table)")
    }
    #expect(try count("sessions", in: target) == 0)
    #expect(try OptionTable.value("kept", in: target) == "value")
    #expect(try OptionTable.value(OptionTable.loginSecretName, in: target) == nil)
  }

  @Test func leavesRecordsOutWhenAsked() throws {
    let target = try other.open()
    #expect(try problem(try backup(try filled(), withRecords: false), to: target) == nil)
    #expect(try count("logs", in: target) == 0)
    #expect(try count("audit", in: target) == 0)
    #expect(try count("usage", in: target) == 1)
  }

  @Test func isPrivateAndNeverReplacesAFile() throws {
    let database = try filled()
    let path = try backup(database)
    let attributes = try FileManager.default.attributesOfItem(atPath: path.text)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    let found = kind { () throws(StoreError) in
      try Backup.write(database, to: path, withRecords: true, key: nil)
    }
    #expect(found == .duplicate)
    #expect(try problem(path) == nil)
  }

  @Test func carriesTheSealedKey() throws {
    let database = try filled()
    #expect(try Restore.check(try backup(database, key: Self.key)) == Self.key)
    Database.removeFile(folder.path("backup"))
    #expect(try Restore.check(try backup(database)) == nil)
  }

  @Test func ignoresASealedKeyThatAsksForTooMuch() throws {
    let path = try backup(
      try filled(), key: BackupKey(salt: Self.key.salt, rounds: 1 << 40, sealed: "s"))
    #expect(try Restore.check(path) == nil)
  }

  // Restore.

  @Test func givesNoIDTwice() throws {
    let target = try other.open()
    try target.execute("UPDATE sqlite_sequence SET seq = 90 WHERE name = 'user_groups'")
    #expect(try problem(try altered("UPDATE sqlite_sequence SET seq = 50"), to: target) == nil)
    func last(_ name: ByteString) throws -> Int64? {
      try target.first(
        "SELECT seq FROM sqlite_sequence WHERE name = ?1", { $0.bind(text: name) },
        { $0.integer() })
    }
    #expect(try last("tokens") == 50)
    #expect(try last("user_groups") == 90)
  }

  @Test func endsLogins() throws {
    let target = try other.open()
    _ = try UserTable.insert(
      UserRecord(username: "old", passwordHash: "h", sessionEpoch: 41), in: target)
    #expect(try problem(try backup(try filled()), to: target) == nil)
    let user = try #require(try UserTable.find(username: "root", in: target))
    #expect(user.sessionEpoch == 42)
    #expect(try UserTable.find(username: "old", in: target) == nil)
  }

  @Test func keepsWhatWasThere() throws {
    let target = try other.open()
    _ = try UserTable.insert(
      UserRecord(username: "old", passwordHash: "h", role: .root), in: target)
    let path = try backup(try filled())
    #expect(try problem(path, to: target) == nil)
    #expect(try problem(path, to: target) == nil)  // Replaces what the first one kept.
    let kept = try Database(path: other.path("db.db.before-restore"), settings: StoreSettings())
    #expect(try UserTable.find(username: "root", in: kept) != nil)
    #expect(!other.has("db.db.before-restore.new"))
  }

  @Test func undoesEverythingWhenTheEndFails() throws {
    let target = try other.open()
    _ = try UserTable.insert(UserRecord(username: "old", passwordHash: "h"), in: target)
    let path = try backup(try filled())
    #expect(throws: Restore.Failure.self) {
      try Restore.apply(path, to: target) { (_) throws(StoreError) in
        throw StoreError(.full, message: "at the end")
      }
    }
    #expect(try UserTable.find(username: "old", in: target) != nil)
    #expect(try UserTable.find(username: "root", in: target) == nil)
    #expect(try count("tokens", in: target) == 0)
  }

  @Test func bringsAnOlderVersionUpToDate() throws {
    let path = folder.path("backup")
    do {
      let old = try Database(newCopy: path, pageByteCount: 4096)
      try old.transaction { () throws(StoreError) in
        try Migrations.build(on: old, version: 1)
        try old.execute(
          """
          INSERT INTO users VALUES (1, 'root', 'h', 100, 'default', NULL, 1, 0, 5, 0);
          INSERT INTO usage VALUES (1, 1, 7, 0, 1)
          """)
      }
    }
    let target = try other.open()
    #expect(try problem(path, to: target) == nil)
    #expect(try UserTable.find(1, in: target)?.usedMicro == 7_000_000)
    #expect(try count("channel_groups", in: target) == 1)
    #expect(!other.has("db.db.restore-stage"))
  }

  // Files that must do no harm.

  @Test func refusesWhatIsNoBackup() throws {
    for content in [Data(), Data("SQLite format 3\0".utf8), Data(repeating: 65, count: 9000)] {
      folder.write(content, to: "foreign")
      #expect(try problem(folder.path("foreign")) != nil)
    }
    #expect(try problem(folder.path("missing")) != nil)
    #expect(try problem(try altered("PRAGMA application_id=1")) != nil)
  }

  @Test func refusesANewerVersion() throws {
    let problem = try problem(try altered("PRAGMA user_version=999"))
    #expect(problem?.contains("newer version") == true)
  }

  @Test func refusesATruncatedFile() throws {
    let path = try backup(try filled())
    let whole = folder.content("backup")
    for share in [0.1, 0.5, 0.9] {
      folder.write(Data(whole.prefix(Int(Double(whole.count) * share))), to: "backup")
      #expect(try problem(path) != nil, "\(share)")
    }
  }

  @Test func survivesBytesChangedAnywhere() throws {
    let path = try backup(try filled())
    let whole = folder.content("backup")
    let target = try other.open()
    for offset in stride(from: 0, to: whole.count, by: 499) {
      var broken = whole
      broken[offset] ^= 0xFF
      folder.write(broken, to: "backup")
      _ = try problem(path, to: target)  // Refused or not, but never more than that.
    }
    #expect(try target.first("PRAGMA integrity_check") { $0.bytes() } == "ok")
  }

  @Test func refusesABackupWithoutRoot() throws {
    let problem = try problem(try altered("UPDATE users SET role = 10"))
    #expect(problem?.contains("root") == true)
  }

  @Test func refusesImpossibleNumbers() throws {
    let problem = try problem(
      try altered("UPDATE usage SET used_micro = -9223372036854775807"))
    #expect(problem?.contains("usage.used_micro") == true)
  }

  @Test func refusesATokenWithoutItsOwner() throws {
    let path = try altered("PRAGMA foreign_keys=OFF; UPDATE tokens SET user_id = 77")
    #expect(try problem(path)?.contains("contradicts") == true)
  }

  @Test func refusesValuesOfAnotherType() throws {
    let path = try altered(
      """
      CREATE TABLE models2 (id INTEGER PRIMARY KEY, name);
      INSERT INTO models2 VALUES (1, x'00'), (2, 3.5);
      DROP TABLE models; ALTER TABLE models2 RENAME TO models
      """)
    #expect(try problem(path)?.contains("models") == true)
  }

  @Test func readsNoViewInPlaceOfATable() throws {
    let path = try altered(
      "DROP TABLE models; CREATE VIEW models AS SELECT 1 AS id, 'x' AS name")
    #expect(try problem(path)?.contains("no table models") == true)
  }

  @Test func runsNoTriggerAndTakesNothingElse() throws {
    let target = try other.open()
    let path = try altered(
      """
      CREATE TABLE extra (a); INSERT INTO extra VALUES (1);
      CREATE TRIGGER t AFTER INSERT ON users BEGIN DELETE FROM tokens; END
      """)
    #expect(try problem(path, to: target) == nil)
    #expect(try count("tokens", in: target) == 1)
    let names = try target.integer(
      "SELECT count(*) FROM sqlite_master WHERE name IN ('extra', 't', 'backup_key')")
    #expect(names == 0)
  }

  @Test func refusesASchemaThatIsTooDeep() throws {
    let depth = 40
    let text = "CREATE VIEW v AS SELECT " + String(repeating: "-~", count: depth) + "1"
    #expect(try problem(try altered(ByteString(utf8: text))) != nil)
  }
}
