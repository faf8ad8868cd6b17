// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

/// Management tokens, sessions and ended logins on the medium.
struct LoginTablesTests {
  private func open() throws -> Database {
    let database = try TemporaryFolder().open()
    for name: ByteString in ["ann", "bob"] {
      var user = UserRecord.sample
      user.username = name
      _ = try UserTable.insert(user, in: database)
    }
    return database
  }

  private func hash(_ byte: UInt8) -> ByteString { ByteString([UInt8](repeating: byte, count: 32)) }

  private func session(_ byte: UInt8, user: Int64 = 1) -> SessionRecord {
    SessionRecord(idHash: hash(byte), userID: user, epoch: 4, createdAt: 10, seenAt: 20)
  }

  @Test func givesBackManagementTokens() throws {
    let database = try open()
    let record = ManagementTokenRecord(
      userID: 2, name: "hr", keyHash: hash(1), keyHint: "tgm-…", isReadOnly: true,
      expiresAt: 99, createdAt: 5)
    let id = try ManagementTokenTable.insert(record, in: database)
    let found = try #require(try Snapshot(from: database).managementTokens.first)
    #expect(found.id == id && found.userID == 2 && found.name == "hr" && found.keyHash == hash(1))
    #expect(found.keyHint == "tgm-…" && found.isReadOnly && found.expiresAt == 99)
    #expect(found.createdAt == 5)
    try ManagementTokenTable.delete(id, in: database)
    #expect(try ManagementTokenTable.all(in: database).isEmpty)
    #expect(
      kind { () throws(StoreError) in try ManagementTokenTable.delete(id, in: database) }
        == .notFound)
  }

  @Test func givesBackSessions() throws {
    let database = try open()
    try SessionTable.insert(session(1), in: database)
    try SessionTable.insert(session(2, user: 2), in: database)
    try SessionTable.see(hash(1), at: 30, in: database)
    try SessionTable.see(hash(9), at: 30, in: database)
    let found = try #require(try SessionTable.all(in: database).first { $0.userID == 1 })
    #expect(found.idHash == hash(1) && found.epoch == 4 && found.createdAt == 10)
    #expect(found.seenAt == 30)
    try SessionTable.delete(hash(1), in: database)
    try SessionTable.delete(hash(1), in: database)
    #expect(try SessionTable.all(in: database).map(\.userID) == [2])
    try SessionTable.deleteAll(ofUser: 2, in: database)
    #expect(try SessionTable.all(in: database).isEmpty)
  }

  @Test func forgetsEndedLoginsThatHaveExpired() throws {
    let database = try open()
    func end(_ jti: ByteString, user: Int64 = 1, until: Int64, at now: Int64) throws {
      try EndedLoginTable.insert(
        EndedLoginRecord(jti: jti, userID: user, expiresAt: until), at: now, in: database)
    }
    try end("a", until: 100, at: 0)
    try end("a", until: 100, at: 0)
    try end("b", user: 2, until: 200, at: 99)
    #expect(try EndedLoginTable.all(in: database).count == 2)
    try end("c", until: 200, at: 100)
    #expect(Set(try EndedLoginTable.all(in: database).map(\.jti)) == ["b", "c"])
    try EndedLoginTable.deleteAll(ofUser: 1, in: database)
    #expect(try EndedLoginTable.all(in: database).map(\.jti) == ["b"])
  }

  @Test func dieWithTheirUser() throws {
    let database = try open()
    try SessionTable.insert(session(1), in: database)
    _ = try ManagementTokenTable.insert(
      ManagementTokenRecord(
        userID: 1, name: "x", keyHash: hash(1), keyHint: "", isReadOnly: false, expiresAt: nil,
        createdAt: 0), in: database)
    try EndedLoginTable.insert(
      EndedLoginRecord(jti: "a", userID: 1, expiresAt: 100), at: 0, in: database)
    try UserTable.delete(1, in: database)
    let snapshot = try Snapshot(from: database)
    #expect(snapshot.sessions.isEmpty && snapshot.managementTokens.isEmpty)
    #expect(snapshot.endedLogins.isEmpty)
    #expect(
      kind { () throws(StoreError) in try SessionTable.insert(session(2), in: database) }
        == .constraint)
  }
}
