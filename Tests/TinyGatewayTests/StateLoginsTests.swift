// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Sessions, management tokens and ended logins in memory.
struct StateLoginsTests {
  private static let day: Int64 = 86_400
  private let lifetime = SessionLifetime(idleSeconds: 7 * day, totalSeconds: 30 * day)

  private func session(
    _ name: ByteString, user: Int64 = 1, epoch: Int64 = 0, created: Int64 = 0, seen: Int64 = 0
  ) -> SessionRecord {
    SessionRecord(
      idHash: Digest.sha256(name).bytes, userID: user, epoch: epoch, createdAt: created,
      seenAt: seen)
  }

  private func holds(
    created: Int64, seen: Int64, at now: Int64, isPlausible: Bool = true
  ) -> Bool {
    lifetime.admits(
      session("a", created: created, seen: seen), at: now, isPlausible: isPlausible)
  }

  @Test func endsSessionsAfterAWeekOfSilence() {
    #expect(holds(created: 0, seen: 0, at: 7 * Self.day - 1))
    #expect(!holds(created: 0, seen: 0, at: 7 * Self.day))
    #expect(holds(created: 0, seen: Self.day, at: 8 * Self.day - 1))
  }

  @Test func endsSessionsAfterAMonthInUse() {
    #expect(holds(created: 0, seen: 29 * Self.day, at: 30 * Self.day - 1))
    #expect(!holds(created: 0, seen: 30 * Self.day - 1, at: 30 * Self.day))
  }

  @Test func refusesSessionsFromTheFutureAndNoneBeforeTheClockIsSet() {
    #expect(holds(created: 60, seen: 60, at: 0))
    #expect(!holds(created: 61, seen: 61, at: 0))
    #expect(holds(created: 61, seen: 61, at: 0, isPlausible: false))
    #expect(holds(created: 0, seen: 0, at: 90 * Self.day, isPlausible: false))
  }

  @Test func findsASessionByItsHashOnly() {
    let logins = LoginDirectory()
    logins.put(session("a"))
    #expect(logins.session(Digest.sha256("a")) != nil)
    #expect(logins.session(Digest.sha256("b")) == nil)
    logins.removeSession(Digest.sha256("a").bytes)
    #expect(logins.session(Digest.sha256("a")) == nil)
  }

  @Test func writesTheLastUseOnceADay() {
    let logins = LoginDirectory()
    let hash = Digest.sha256("a")
    logins.put(session("a"))
    #expect(!logins.see(hash.bytes, at: Self.day - 1))
    #expect(logins.session(hash)?.seenAt == Self.day - 1)
    #expect(logins.see(hash.bytes, at: Self.day))
    #expect(!logins.see(hash.bytes, at: Self.day + 1))
    #expect(logins.see(hash.bytes, at: 2 * Self.day))
    #expect(!logins.see(Digest.sha256("b").bytes, at: 9 * Self.day))
  }

  @Test func makesRoomForAFurtherSession() {
    let logins = LoginDirectory()
    for number in 0..<20 {
      logins.put(session(ByteString(utf8: "s\(number)"), seen: Int64(100 - number)))
      logins.put(session(ByteString(utf8: "t\(number)"), user: 2, seen: Int64(number)))
    }
    #expect(logins.leaving(forUser: 3) { _ in true }.isEmpty)
    #expect(logins.leaving(forUser: 1) { _ in true } == [Digest.sha256("s19").bytes])
    let gone = logins.leaving(forUser: 1) { $0.userID != 2 || $0.seenAt > 17 }
    #expect(gone.count == 18 + 1)
    #expect(gone.contains(Digest.sha256("t17").bytes))
  }

  @Test func endsAllOfOneUser() {
    let logins = LoginDirectory()
    logins.put(session("a", user: 1))
    logins.put(session("b", user: 2))
    logins.end(EndedLoginRecord(jti: "x", userID: 1, expiresAt: 100), at: 0)
    logins.end(EndedLoginRecord(jti: "y", userID: 2, expiresAt: 100), at: 0)
    logins.endAll(ofUser: 1)
    #expect(logins.session(Digest.sha256("a")) == nil && !logins.isEnded("x"))
    #expect(logins.session(Digest.sha256("b")) != nil && logins.isEnded("y"))
  }

  @Test func remembersEndedLoginsUntilTheyExpire() {
    let logins = LoginDirectory()
    logins.end(EndedLoginRecord(jti: "x", userID: 1, expiresAt: 100), at: 0)
    #expect(logins.isEnded("x") && logins.endedCount(ofUser: 1) == 1)
    logins.end(EndedLoginRecord(jti: "y", userID: 2, expiresAt: 200), at: 99)
    #expect(logins.isEnded("x"))
    logins.end(EndedLoginRecord(jti: "z", userID: 2, expiresAt: 200), at: 100)
    #expect(!logins.isEnded("x") && logins.isEnded("y") && logins.isEnded("z"))
    #expect(logins.endedCount(ofUser: 2) == 2)
  }

  @Test func findsManagementTokensByHashAndOwner() {
    let logins = LoginDirectory()
    for (id, user) in [(1, 1), (2, 2), (3, 1)] as [(Int64, Int64)] {
      logins.put(
        ManagementTokenRecord(
          id: id, userID: user, name: "n",
          keyHash: Digest.sha256(ByteString(utf8: "key\(id)")).bytes, keyHint: "",
          isReadOnly: false, expiresAt: nil, createdAt: 0))
    }
    #expect(logins.token(Digest.sha256("key2"))?.userID == 2)
    #expect(logins.token(Digest.sha256("key4")) == nil)
    #expect(logins.tokens(ofUser: 1).map(\.id) == [1, 3])
    logins.removeToken(1)
    #expect(logins.token(Digest.sha256("key1")) == nil)
  }
}
