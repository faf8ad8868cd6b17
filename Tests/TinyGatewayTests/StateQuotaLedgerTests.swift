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

  /// Reserves units that are all asked for; nil when they do not fit.
  private func reserve(_ units: Int64, _ token: Token, _ user: User) -> QuotaLedger.Reservation? {
    let amount = Micro.ofUnits(units)
    return reserve(QuotaLedger.Demand(asked: amount, expected: amount), token, user).0
  }

  private func reserve(
    _ demand: QuotaLedger.Demand, _ token: Token, _ user: User
  ) -> (QuotaLedger.Reservation?, QuotaLedger.Shortage?) {
    do throws(QuotaLedger.Shortage) {
      return (try QuotaLedger.reserve(demand, token: token, user: user), nil)
    } catch {
      return (nil, error)
    }
  }

  /// Reserves once with so much quota left to token and user; nil means unlimited.
  private func check(
    _ amount: Int64, token tokenQuota: Int64?, user userQuota: Int64?, used: Int64 = 0,
    isGranted: Bool, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let token = try token(tokenQuota, used: used)
    let user = user(userQuota, used: used)
    let reservation = reserve(amount, token, user)
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

  @Test func refusesTheSmallestRequestOnceNothingIsLeft() throws {
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
      reserve(100, token, user))
    QuotaLedger.settle(reservation, charging: Micro.ofUnits(charge))
    #expect(token.reservedUnits == 0)
    #expect(user.reservedUnits == 0)
    #expect(token.usedQuota == used)
    #expect(user.usedQuota == used)
  }

  @Test func countsRequestsUnderWay() throws {
    let token = try token(250)
    let user = user(nil)
    let first = try #require(reserve(100, token, user))
    let second = try #require(reserve(100, token, user))
    #expect(reserve(100, token, user) == nil)
    #expect(token.availableUnits == 50)
    QuotaLedger.settle(first, charging: Micro.ofUnits(0))
    #expect(token.availableUnits == 150)
    let third = try #require(reserve(100, token, user))
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
      reserve(100, first, user))
    #expect(reserve(100, second, user) == nil)
    #expect(second.reservedUnits == 0)
    QuotaLedger.settle(reservation, charging: Micro.ofUnits(20))
    #expect(reserve(100, second, user) != nil)
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
      if let reservation = reserve(50, token, user) {
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
      reserve(100, token, user))
    QuotaLedger.settle(reservation, charging: Micro.ofUnits(130))
    #expect(token.availableUnits == -30)
    #expect(reserve(0, token, user) == nil)
  }

  private func demand(_ asked: Int64, assumed: Int64) -> QuotaLedger.Demand {
    QuotaLedger.Demand(
      asked: Micro.ofUnits(asked), expected: Micro.ofUnits(asked + assumed))
  }

  @Test func admitsWhatIsOnlyAssumedAlone() throws {
    let (token, user) = (try token(100), user(nil))
    let first = try #require(reserve(demand(10, assumed: 1000), token, user).0)
    #expect(token.availableUnits == -910 && user.reservedUnits == 1010)
    #expect(reserve(1, token, user) == nil)
    QuotaLedger.settle(first, charging: Micro.ofUnits(95))
    #expect(token.availableUnits == 5 && token.reservedUnits == 0)
    #expect(reserve(demand(10, assumed: 1000), token, user).0 == nil, "what is asked for")
    #expect(reserve(demand(5, assumed: 1000), token, user).0 != nil)
  }

  @Test func admitsWhatIsOnlyAssumedBesidesNothingElse() throws {
    let (token, user) = (try token(nil), user(100))
    let other = try self.token(nil)
    let first = try #require(reserve(10, other, user))
    let refused = reserve(demand(10, assumed: 1000), token, user).1
    #expect(
      refused
        == QuotaLedger.Shortage(
          owner: .user, left: Micro.ofUnits(90), needed: Micro.ofUnits(1010), isForNow: true))
    #expect(token.reservedUnits == 0 && user.reservedUnits == 10)
    QuotaLedger.settle(first, charging: 0)
    #expect(reserve(demand(10, assumed: 1000), token, user).0 != nil)
  }

  @Test func admitsTheAssumedPartBesidesOthersWhileItFits() throws {
    let (token, user) = (try token(2500), user(nil))
    #expect(reserve(demand(10, assumed: 1000), token, user).0 != nil)
    #expect(reserve(demand(10, assumed: 1000), token, user).0 != nil)
    #expect(reserve(demand(10, assumed: 1000), token, user).0 == nil)
  }

  @Test func tellsWhoseQuotaIsShortAndForHowLong() throws {
    let (poor, rich) = (try token(50, used: 45), user(nil))
    #expect(
      reserve(demand(10, assumed: 0), poor, rich).1
        == QuotaLedger.Shortage(
          owner: .token, left: Micro.ofUnits(5), needed: Micro.ofUnits(10), isForNow: false))
    let (token, owner) = (try token(nil), user(50))
    _ = try #require(reserve(45, token, owner))
    #expect(
      reserve(demand(10, assumed: 7), token, owner).1
        == QuotaLedger.Shortage(
          owner: .user, left: Micro.ofUnits(5), needed: Micro.ofUnits(10), isForNow: true))
  }

  @Test func raisesAReservationWhateverIsLeft() throws {
    let (token, user) = (try token(100), user(100))
    let first = try #require(reserve(10, token, user))
    let same = QuotaLedger.raised(first, to: Micro.ofUnits(5))
    #expect(token.reservedUnits == 10)
    let more = QuotaLedger.raised(same, to: Micro.ofUnits(500))
    #expect(token.reservedUnits == 500 && user.reservedUnits == 500)
    #expect(reserve(1, token, user) == nil)
    QuotaLedger.settle(more, charging: Micro.ofUnits(20))
    #expect(token.reservedUnits == 0 && user.reservedUnits == 0 && user.availableUnits == 80)
  }

  /// However many run at once, only one of those that use more than is left is admitted.
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func fallsBelowZeroByOneRequestAtMost(_ seed: UInt64) throws {
    let (token, user) = (try token(30_000), user(20_000))
    var dice = FixedDice(seed)
    var open: [(reservation: QuotaLedger.Reservation, most: Int64)] = []
    var largest: Int64 = 0
    for _ in 0..<5000 {
      let (asked, assumed) = (Int64(dice.next() % 50), Int64(dice.next() % 500))
      if let reservation = reserve(demand(asked, assumed: assumed), token, user).0 {
        open.append((reservation, asked + assumed))
        largest = max(largest, asked + assumed)
      }
      if open.count == 64 || dice.next() % 3 == 0, !open.isEmpty {
        let ended = open.remove(at: Int(dice.next() % UInt64(open.count)))
        let used = Int64(dice.next() % UInt64(ended.most + 1))
        QuotaLedger.settle(ended.reservation, charging: Micro.ofUnits(used))
      }
      #expect(user.usedQuota <= 20_000 + largest)
    }
    for ended in open {
      QuotaLedger.settle(ended.reservation, charging: Micro.ofUnits(ended.most))
    }
    #expect(user.usedQuota > 19_000 && user.usedQuota <= 20_000 + largest)
    #expect(user.reservedMicro == 0 && token.reservedMicro == 0)
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
