// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// The strategies beside weighted round robin, and conversations that stay on one channel.
struct RoutingRotationStrategyTests {
  private func at(_ milliseconds: Int64) -> Instant { RoutingFixtures.at(milliseconds) }

  private func next(
    _ rotation: Rotation, _ strategy: BalancingStrategy, _ now: Int64 = 0, hash: UInt64? = nil,
    without tried: [Int64] = []
  ) -> Int64 {
    rotation.next(strategy, at: at(now), stickyHash: hash) { !tried.contains($0.id) }?.channel.id
      ?? 0
  }

  // Weighted random.

  @Test(
    arguments: [[1, 1], [90, 10], [5, 3, 2], [1000, 1], [1, 1, 1, 1, 1, 1, 1]] as [[Int64]])
  func drawsByWeight(_ weights: [Int64]) throws {
    let rotation = Rotation(try RoutingFixtures.channels(weights), seed: 42)
    let draws = 30_000
    var counts = [Double](repeating: 0, count: weights.count)
    for _ in 0..<draws { counts[Int(next(rotation, .weightedRandom)) - 1] += 1 }
    let total = Double(weights.reduce(0, +))
    for (index, weight) in weights.enumerated() {
      let exact = Double(draws) * Double(weight) / total
      // Four standard deviations of a binomial distribution.
      let bound = 4 * (exact * (1 - Double(weight) / total)).squareRoot()
      #expect(abs(counts[index] - exact) <= bound, "\(weights): \(counts)")
    }
  }

  @Test func drawsAnewEachTime() throws {
    let channels = try RoutingFixtures.channels([1, 1])
    func draws(_ seed: UInt64) -> [Int64] {
      let rotation = Rotation(channels, seed: seed)
      return (0..<64).map { _ in next(rotation, .weightedRandom) }
    }
    #expect(draws(2) == draws(2))
    #expect(draws(2) != draws(4))
    let pairs = zip(draws(2), draws(2).dropFirst()).map { $0 == $1 }
    #expect(pairs.contains(true) && pairs.contains(false), "neither in turn nor always the same")
  }

  @Test func drawsAmongWhatIsLeftByWeight() throws {
    let rotation = Rotation(try RoutingFixtures.channels([60, 30, 10]), seed: 9)
    var counts: [Int64: Int] = [:]
    for _ in 0..<10_000 { counts[next(rotation, .weightedRandom, without: [1]), default: 0] += 1 }
    #expect(counts[1] == nil)
    #expect((7200...7800).contains(counts[2] ?? 0))
  }

  // Strict priority.

  @Test func staysWithTheFirst() throws {
    for (weights, priorities, order): ([Int64], [Int64], [Int64]) in [
      ([1, 1, 1], [], [1, 2, 3]), ([1, 3, 2], [], [2, 3, 1]), ([5, 7, 7], [], [2, 3, 1]),
      ([1000, 1, 1], [0, 1, 2], [3, 2, 1]), ([1, 9, 1, 9], [5, 0, 5, 0], [1, 3, 2, 4]),
    ] {
      let rotation = Rotation(try RoutingFixtures.channels(weights, priorities: priorities))
      for _ in 0..<5 {
        for count in order.indices {
          let tried = Array(order[..<count])
          #expect(next(rotation, .priority, without: tried) == order[count], "\(weights)")
        }
      }
    }
  }

  // Least latency.

  private func measure(_ channel: Channel, _ microseconds: Int64, _ now: Int64 = 0) {
    guard let ticket = channel.health.begin(at: at(now)) else { return }
    channel.health.noteFirstByte(microseconds, at: at(now))
    channel.health.end(ticket, .answered, at: at(now))
  }

  @Test func takesTheQuickest() throws {
    let channels = try RoutingFixtures.channels([1, 1, 1])
    for (channel, latency) in zip(channels, [300, 100, 200] as [Int64]) {
      measure(channel, latency)
    }
    let rotation = Rotation(channels)
    for _ in 0..<3 { #expect(next(rotation, .leastLatency, 1) == 2) }
    #expect(next(rotation, .leastLatency, 1, without: [2]) == 3)
    #expect(next(rotation, .leastLatency, 1, without: [2, 3]) == 1)
    for _ in 0..<20 { measure(channels[1], 1000) }
    #expect(next(rotation, .leastLatency, 1) == 3, "it has become slow")
  }

  @Test func prefersTheLowerIdOfEquallyQuick() throws {
    let channels = try RoutingFixtures.channels([1, 5, 9])
    for channel in channels { measure(channel, 100) }
    #expect(next(Rotation(channels), .leastLatency, 1) == 1)
  }

  @Test func measuresEachOnceAtFirst() throws {
    let channels = try RoutingFixtures.channels([1, 1, 1])
    let rotation = Rotation(channels)
    for (id, latency) in [(1, 300), (2, 100), (3, 200)] as [(Int64, Int64)] {
      #expect(next(rotation, .leastLatency) == id)
      measure(channels[Int(id) - 1], latency)
    }
    #expect(next(rotation, .leastLatency) == 2)
  }

  /// One request measures a channel; the others do not wait for it.
  @Test func sendsExactlyOneToWhatIsNotMeasured() throws {
    let channels = try RoutingFixtures.channels([1, 1])
    measure(channels[1], 500)
    let rotation = Rotation(channels)
    #expect(next(rotation, .leastLatency) == 1)
    let ticket = try #require(channels[0].health.begin(at: at(0)))
    for _ in 0..<20 { #expect(next(rotation, .leastLatency) == 2) }
    channels[0].health.noteFirstByte(100, at: at(5))
    channels[0].health.end(ticket, .answered, at: at(5))
    for _ in 0..<20 { #expect(next(rotation, .leastLatency, 5) == 1) }
  }

  @Test func measuresAgainAfterAMinute() throws {
    let channels = try RoutingFixtures.channels([1, 1])
    measure(channels[0], 100, 0)
    measure(channels[1], 900, 0)
    let rotation = Rotation(channels)
    measure(channels[0], 100, 30_000)
    #expect(next(rotation, .leastLatency, 59_999) == 1)
    #expect(next(rotation, .leastLatency, 60_000) == 2)
    let ticket = try #require(channels[1].health.begin(at: at(60_000)))
    #expect(next(rotation, .leastLatency, 60_001) == 1)
    channels[1].health.noteFirstByte(50, at: at(60_002))
    channels[1].health.end(ticket, .answered, at: at(60_002))
    #expect(next(rotation, .leastLatency, 60_003) == 2)
  }

  /// Then there is nothing better than any of them.
  @Test func takesOneOfThoseBeingMeasured() throws {
    let channels = try RoutingFixtures.channels([1, 1])
    let tickets = channels.compactMap { $0.health.begin(at: at(0)) }
    #expect(tickets.count == 2)
    #expect(next(Rotation(channels), .leastLatency) == 1)
  }

  // Least busy.

  /// Opens requests; they are never ended.
  private func occupy(_ channel: Channel, _ count: Int64) throws {
    for _ in 0..<count { _ = try #require(channel.health.begin(at: at(0))) }
  }

  @Test(
    arguments: [
      ([1, 1], [1, 0], 2), ([1, 1], [0, 1], 1), ([3, 1], [2, 1], 1), ([3, 1], [4, 1], 2),
      ([10, 1], [9, 1], 1), ([1, 10], [1, 9], 2), ([1000, 1], [999, 1], 1), ([2, 4], [3, 5], 2),
      ([1, 1, 1], [5, 4, 6], 2), ([1, 2, 3], [1, 2, 2], 3),
    ] as [([Int64], [Int64], Int64)])
  func takesTheLeastBusyForItsWeight(_ weights: [Int64], _ open: [Int64], _ expected: Int64) throws
  {
    let channels = try RoutingFixtures.channels(weights)
    for (channel, count) in zip(channels, open) { try occupy(channel, count) }
    let rotation = Rotation(channels)
    for _ in 0..<5 { #expect(next(rotation, .leastBusy) == expected) }
    #expect(next(rotation, .leastBusy, without: [expected]) != expected)
  }

  @Test func sharesByWeightAmongTheEquallyBusy() throws {
    for open: [Int64] in [[0, 0, 5], [3, 1, 5]] {
      let channels = try RoutingFixtures.channels([3, 1, 1])
      for (channel, count) in zip(channels, open) { try occupy(channel, count) }
      let rotation = Rotation(channels)
      let choices = (0..<40).map { _ in next(rotation, .leastBusy) }
      #expect(choices.count { $0 == 1 } == 30)
      #expect(choices.count { $0 == 2 } == 10)
    }
  }

  /// Requests that stay open fill channels in proportion to their weights.
  @Test func fillsChannelsByWeight() throws {
    for weights: [Int64] in [[1, 1], [3, 1], [5, 3, 2], [100, 1]] {
      let channels = try RoutingFixtures.channels(weights)
      let rotation = Rotation(channels)
      let total = weights.reduce(0, +)
      for count in 1...(3 * total) {
        let id = next(rotation, .leastBusy)
        try occupy(channels[Int(id) - 1], 1)
        for channel in channels {
          let exact = Double(count) * Double(channel.record.weight) / Double(total)
          #expect(abs(Double(channel.health.openRequests) - exact) <= 1.5, "\(weights) \(count)")
        }
      }
      #expect(channels.map(\.health.openRequests) == weights.map { 3 * $0 })
    }
  }

  // Conversations.

  private static let hashes: [UInt64] = {
    var dice = FixedDice(11)
    return (0..<20_000).map { _ in dice.next() }
  }()

  @Test(arguments: BalancingStrategy.allCases)
  func keepsAConversationOnItsChannel(_ strategy: BalancingStrategy) throws {
    let channels = try RoutingFixtures.channels([3, 2, 1])
    let rotation = Rotation(channels)
    for hash in Self.hashes.prefix(200) {
      let first = next(rotation, strategy, hash: hash)
      for _ in 0..<5 { #expect(next(rotation, strategy, hash: hash) == first) }
      #expect(next(Rotation(channels, replacing: rotation), strategy, hash: hash) == first)
      #expect(next(Rotation(channels.reversed()), strategy, hash: hash) == first)
    }
  }

  /// When a channel goes only its own conversations move, and when it is back they come back.
  @Test func movesOnlyTheConversationsOfAChannelThatGoes() throws {
    let rotation = Rotation(try RoutingFixtures.channels([3, 2, 1, 10]))
    for hash in Self.hashes.prefix(2000) {
      let first = next(rotation, .weightedRoundRobin, hash: hash)
      for gone: Int64 in 1...4 {
        let other = next(rotation, .weightedRoundRobin, hash: hash, without: [gone])
        #expect(gone == first ? other != first : other == first)
      }
      #expect(next(rotation, .weightedRoundRobin, hash: hash) == first)
    }
  }

  @Test(arguments: [[1, 1], [90, 10], [5, 3, 2], [1, 1, 1, 1, 1], [1000, 1]] as [[Int64]])
  func spreadsConversationsByWeight(_ weights: [Int64]) throws {
    let rotation = Rotation(try RoutingFixtures.channels(weights))
    var counts = [Double](repeating: 0, count: weights.count)
    // A thousand draws for each of many would take long.
    let hashes = Self.hashes.prefix(weights.contains(1000) ? 2000 : 20_000)
    for hash in hashes {
      counts[Int(next(rotation, .weightedRoundRobin, hash: hash)) - 1] += 1
    }
    let total = Double(weights.reduce(0, +))
    for (index, weight) in weights.enumerated() {
      let exact = Double(hashes.count) * Double(weight) / total
      let bound = 4 * (exact * (1 - Double(weight) / total)).squareRoot()
      #expect(abs(counts[index] - exact) <= bound, "\(weights): \(counts)")
    }
  }

  /// Small numbers, such as counted ones, spread as well.
  @Test func spreadsHashesThatAreAlike() throws {
    let rotation = Rotation(try RoutingFixtures.channels([1, 1]))
    for shift: UInt64 in [0, 32, 50] {
      let ones = (0..<1000).count { next(rotation, .priority, hash: UInt64($0) << shift) == 1 }
      #expect((400...600).contains(ones), "\(shift): \(ones)")
    }
  }
}
