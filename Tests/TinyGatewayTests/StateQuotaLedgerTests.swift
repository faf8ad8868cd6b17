// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// What is held back, charged and given back.
struct StateQuotaLedgerTests {
  private func token(_ quota: Int64?, used: Int64 = 0) throws -> Token {
    try Token(
      TokenRecord(
        userID: 1, name: "t", keyHash: Digest.sha256("key").bytes, keyHint: "", quota: quota,
        usedMicro: Micro.ofUnits(used)))
  }

  private func user(_ quota: Int64?, used: Int64 = 0) -> User {
    User(UserRecord(username: "u", passwordHash: "", quota: quota, usedMicro: Micro.ofUnits(used)))
  }

  /// Reserves once with so much quota left to token and user; nil means unlimited.
  private func check(
    _ amount: Int64, token tokenQuota: Int64?, user userQuota: Int64?, used: Int64 = 0,
    isGranted: Bool, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let token = try token(tokenQuota, used: used)
    let user = user(userQuota, used: used)
    let reservation = QuotaLedger.reserve(Micro.ofUnits(amount), token: token, user: user)
    #expect((reservation != nil) == isGranted, sourceLocation: location)
    let held = isGranted ? amount : 0
    #expect(token.reservedUnits == held, sourceLocation: location)
    #expect(user.reservedUnits == held, sourceLocation: location)
    #expect(token.usedQuota == used, sourceLocation: location)
    #expect(user.usedQuota == used, sourceLocation: location)
  }

  @Test func reservesWhatIsLeft() throws {
    try check(100, token: nil, user: nil, isGranted: true)
    try check(100, token: 100, user: nil, isGranted: true)
    try check(100, token: 99, user: nil, isGranted: false)
    try check(100, token: nil, user: 100, isGranted: true)
    try check(100, token: nil, user: 99, isGranted: false)
    try check(100, token: 100, user: 99, isGranted: false)
    try check(100, token: 99, user: 100, isGranted: false)
    try check(100, token: 150, user: 150, used: 50, isGranted: true)
    try check(100, token: 149, user: 150, used: 50, isGranted: false)
  }

  @Test func refusesEvenAFreeRequestOnceNothingIsLeft() throws {
    try check(0, token: 1, user: 1, isGranted: true)
    try check(0, token: 0, user: nil, isGranted: false)
    try check(0, token: nil, user: 0, isGranted: false)
    try check(0, token: 10, user: nil, used: 15, isGranted: false)
  }

  @Test(
    arguments: [
      (charge: 0, used: 0), (60, 60), (100, 100), (250, 250), (-5, 0),
      (2_000_000_000, 1_000_000_000), (.max, 1_000_000_000),
      (.min, 0),
    ] as [(charge: Int64, used: Int64)])
  func chargesWhatWasUsedInsteadOfTheReservation(charge: Int64, used: Int64) throws {
    let token = try token(1000)
    let user = user(1000)
    let reservation = try #require(
      QuotaLedger.reserve(Micro.ofUnits(100), token: token, user: user))
    QuotaLedger.settle(reservation, charging: Micro.ofUnits(charge))
    #expect(token.reservedUnits == 0)
    #expect(user.reservedUnits == 0)
    #expect(token.usedQuota == used)
    #expect(user.usedQuota == used)
  }

  @Test func countsRequestsUnderWay() throws {
    let token = try token(250)
    let user = user(nil)
    let first = try #require(QuotaLedger.reserve(Micro.ofUnits(100), token: token, user: user))
    let second = try #require(QuotaLedger.reserve(Micro.ofUnits(100), token: token, user: user))
    #expect(QuotaLedger.reserve(Micro.ofUnits(100), token: token, user: user) == nil)
    #expect(token.availableUnits == 50)
    QuotaLedger.settle(first, charging: Micro.ofUnits(0))
    #expect(token.availableUnits == 150)
    let third = try #require(QuotaLedger.reserve(Micro.ofUnits(100), token: token, user: user))
    QuotaLedger.settle(second, charging: Micro.ofUnits(30))
    QuotaLedger.settle(third, charging: Micro.ofUnits(70))
    #expect(token.availableUnits == 150)
    #expect(token.usedQuota == 100)
    #expect(user.usedQuota == 100)
    #expect(user.reservedUnits == 0)
  }

  @Test func sharesTheOwnersQuotaAmongTokens() throws {
    let user = user(150)
    let (first, second) = (try token(nil), try token(nil))
    let reservation = try #require(
      QuotaLedger.reserve(Micro.ofUnits(100), token: first, user: user))
    #expect(QuotaLedger.reserve(Micro.ofUnits(100), token: second, user: user) == nil)
    #expect(second.reservedUnits == 0)
    QuotaLedger.settle(reservation, charging: Micro.ofUnits(20))
    #expect(QuotaLedger.reserve(Micro.ofUnits(100), token: second, user: user) != nil)
  }

  /// Many at once that use no more than they reserved cannot go below zero.
  @Test func neverGoesBelowZeroByConcurrency() throws {
    let token = try token(10_000)
    let user = user(8_000)
    var open: [QuotaLedger.Reservation] = []
    var charged: Int64 = 0
    var granted = 0
    var random = Seeded()
    for _ in 0..<5000 {
      if let reservation = QuotaLedger.reserve(Micro.ofUnits(50), token: token, user: user) {
        open.append(reservation)
        granted += 1
      }
      #expect((user.availableUnits ?? -1) >= 0)
      if open.count > 20 || random.next() % 3 == 0, !open.isEmpty {
        let reservation = open.remove(at: Int(random.next() % UInt64(open.count)))
        let amount = Int64(random.next() % 51)
        QuotaLedger.settle(reservation, charging: Micro.ofUnits(amount))
        charged += amount
      }
    }
    for reservation in open { QuotaLedger.settle(reservation, charging: Micro.ofUnits(0)) }
    #expect(granted > 160)
    #expect(token.usedQuota == charged)
    #expect(user.usedQuota == charged)
    #expect(token.reservedUnits == 0)
    #expect(charged <= 8_000)
  }

  @Test func goesBelowZeroByTheLastRequestOnly() throws {
    let token = try token(100)
    let user = user(nil)
    let reservation = try #require(
      QuotaLedger.reserve(Micro.ofUnits(100), token: token, user: user))
    QuotaLedger.settle(reservation, charging: Micro.ofUnits(130))
    #expect(token.availableUnits == -30)
    #expect(QuotaLedger.reserve(Micro.ofUnits(0), token: token, user: user) == nil)
  }

  /// Numbers that are the same in every run.
  private struct Seeded {
    private var state: UInt64 = 42

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
  }
}
