// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Whose turn it is: smooth weighted round robin, and what all strategies share.
struct RoutingRotationTests {
  private let now = RoutingFixtures.at(0)

  private func rotation(_ weights: [Int64], priorities: [Int64] = []) throws -> Rotation {
    Rotation(try RoutingFixtures.channels(weights, priorities: priorities), seed: 1)
  }

  /// Places in the rotation, one for each request.
  private func choices(_ count: Int, of rotation: Rotation) -> [Int] {
    (0..<count).compactMap { _ in
      rotation.next(.weightedRoundRobin, at: now) { _ in true }.map { Int($0.channel.id - 1) }
    }
  }

  /// One request's attempts until no channel is left.
  private func attempts(
    of rotation: Rotation, _ strategy: BalancingStrategy = .weightedRoundRobin,
    hash: UInt64? = nil
  ) -> [Int64] {
    var tried: [Int64] = []
    while let next = rotation.next(
      strategy, at: now, stickyHash: hash, where: { !tried.contains($0.id) })
    {
      tried.append(next.channel.id)
    }
    return tried
  }

  // Shares.

  @Test func sendsExactlyTenOfAnyHundredToTheSmallerOfNinetyAndTen() throws {
    let choices = choices(1000, of: try rotation([90, 10]))
    try #require(choices.count == 1000)
    #expect(choices.count { $0 == 1 } == 100)
    for start in 0...900 {
      #expect(choices[start..<(start + 100)].count { $0 == 1 } == 10, "from \(start)")
    }
  }

  @Test func spreadsTheSmallerShareEvenly() throws {
    let choices = choices(1000, of: try rotation([90, 10]))
    let places = choices.indices.filter { choices[$0] == 1 }
    for (earlier, later) in zip(places, places.dropFirst()) { #expect(later - earlier == 10) }
  }

  @Test(
    arguments: [
      [1], [7], [1, 1], [1, 1, 1], [3, 2], [5, 1, 1], [7, 3, 2], [1000, 1], [1, 1000],
      [50, 30, 20], [10, 10, 80], [1000, 1000], [1000, 999, 1], [13, 11, 7, 5, 3, 2],
      [1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [100, 1, 1, 1, 1, 1, 1, 1], [2, 90, 6, 2, 90, 30, 5],
    ] as [[Int64]])
  func givesEachItsShareInEveryPeriod(_ weights: [Int64]) throws {
    let channels = try RoutingFixtures.channels(weights)
    let period = Int(weights.reduce(0, +))
    let choices = choices(3 * period, of: Rotation(channels)).map { Int64($0 + 1) }
    try #require(choices.count == 3 * period)
    #expect(RoutingFixtures.error(of: choices, channels) == 0)
  }

  @Test func givesRandomWeightsTheirShares() throws {
    var dice = FixedDice(20)
    for _ in 0..<100 {
      let weights = (0..<Int.random(in: 1...8, using: &dice)).map { _ in
        Int64.random(in: 1...60, using: &dice)
      }
      let channels = try RoutingFixtures.channels(weights)
      let period = Int(weights.reduce(0, +))
      let choices = choices(2 * period, of: Rotation(channels)).map { Int64($0 + 1) }
      #expect(RoutingFixtures.error(of: choices, channels) == 0, "\(weights)")
    }
  }

  @Test(arguments: [[9, 1], [3, 2], [7, 5], [1, 99], [1000, 999]] as [[Int64]])
  func staysWithinOneRequestOfTheExactShare(_ weights: [Int64]) throws {
    let sum = Double(weights[0] + weights[1])
    let choices = choices(2 * Int(sum), of: try rotation(weights))
    var count = 0
    for (index, choice) in choices.enumerated() {
      if choice == 0 { count += 1 }
      let exact = Double(index + 1) * Double(weights[0]) / sum
      #expect(abs(Double(count) - exact) < 1, "after \(index + 1)")
    }
  }

  // Priorities and what is left.

  @Test(arguments: BalancingStrategy.allCases)
  func takesLowerPrioritiesOnlyWhenHigherOnesAreTried(_ strategy: BalancingStrategy) throws {
    let rotation = try rotation([1, 1, 1, 1], priorities: [0, 10, 10, -5])
    for round: UInt64 in 0..<20 {
      for hash in [nil, round] {
        let tried = attempts(of: rotation, strategy, hash: hash)
        try #require(tried.count == 4)
        #expect(Set(tried[..<2]) == [2, 3])
        #expect(tried[2...] == [1, 4])
      }
    }
  }

  @Test(arguments: BalancingStrategy.allCases)
  func neverTakesATriedChannel(_ strategy: BalancingStrategy) throws {
    for weights: [Int64] in [[1], [1, 1], [90, 10], [5, 4, 3, 2]] {
      for hash: UInt64? in [nil, 1, 2] {
        let tried = attempts(of: try rotation(weights), strategy, hash: hash)
        #expect(tried.sorted() == (1...weights.count).map { Int64($0) })
      }
    }
  }

  @Test(arguments: BalancingStrategy.allCases)
  func hasNothingToTakeFromNothing(_ strategy: BalancingStrategy) throws {
    for hash: UInt64? in [nil, 7] {
      #expect(
        Rotation([]).next(strategy, at: now, stickyHash: hash, where: { _ in true }) == nil)
      let full = try rotation([1, 2, 3])
      #expect(full.next(strategy, at: now, stickyHash: hash, where: { _ in false }) == nil)
    }
  }

  @Test(arguments: BalancingStrategy.allCases)
  func tellsHowManyOthersCouldServe(_ strategy: BalancingStrategy) throws {
    let rotation = try rotation([3, 2, 1, 1], priorities: [5, 5, 0, 0])
    for usable: [Int64] in [[1], [1, 2], [2, 3], [1, 2, 3, 4], [3, 4], [4]] {
      for hash: UInt64? in [nil, 7] {
        let next = rotation.next(
          strategy, at: now, stickyHash: hash, where: { usable.contains($0.id) })
        #expect(next?.alternatives == usable.count - 1, "\(usable)")
      }
    }
  }

  @Test func sharesWithinAPriorityOnly() throws {
    let rotation = try rotation([100, 3, 1], priorities: [1, 2, 2])
    let choices = choices(40, of: rotation)
    #expect(choices.count { $0 == 0 } == 0)
    #expect(choices.count { $0 == 1 } == 30)
    #expect(choices.count { $0 == 2 } == 10)
  }

  // A rotation in place of another.

  @Test func goesOnWhereTheOneBeforeStopped() throws {
    let channels = try RoutingFixtures.channels([5, 3, 2])
    let whole = choices(100, of: Rotation(channels))
    for step in 1...7 {
      var rotation = Rotation(channels)
      var choices: [Int] = []
      while choices.count < 100 {
        choices += self.choices(step, of: rotation)
        rotation = Rotation(channels, replacing: rotation)
      }
      #expect(choices[..<100] == whole[..<100], "replaced after each \(step)")
    }
  }

  @Test func leavesTheOneBeforeAlone() throws {
    let channels = try RoutingFixtures.channels([5, 3, 2])
    let rotation = Rotation(channels)
    let reference = Rotation(channels)
    for _ in 0..<50 {
      _ = choices(3, of: Rotation(channels, replacing: rotation))
      #expect(choices(1, of: rotation) == choices(1, of: reference))
    }
  }

  /// The owner changes a weight: from then on the new shares hold.
  @Test func takesNewWeightsUp() throws {
    var rotation = try rotation([90, 10])
    for weights: [Int64] in [[50, 50], [1, 3], [1000, 1], [7, 5], [90, 10]] {
      _ = choices(37, of: rotation)
      rotation = Rotation(try RoutingFixtures.channels(weights), replacing: rotation)
      let period = Int(weights.reduce(0, +))
      let choices = choices(3 * period, of: rotation)
      for start in 0...(2 * period) {
        let count = choices[start..<(start + period)].count { $0 == 0 }
        #expect(abs(count - Int(weights[0])) <= 1, "\(weights) from \(start)")
      }
    }
  }
}
