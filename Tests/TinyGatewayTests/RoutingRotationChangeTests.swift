// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Weighted round robin while channels come and go: shares stay exact within one request.
struct RoutingRotationChangeTests {
  private let now = RoutingFixtures.at(0)

  private func next(_ rotation: Rotation, _ usable: (Channel) -> Bool) -> Int64 {
    rotation.next(.weightedRoundRobin, at: now, where: usable)?.channel.id ?? 0
  }

  /// Fleets with weights of every size.
  private func fleet(_ dice: inout FixedDice, upTo count: Int) throws -> [Channel] {
    try RoutingFixtures.channels(
      (0..<Int.random(in: 2...count, using: &dice)).map { _ in
        [1, 1, 2, 3, 5, 10, 30, 90].randomElement(using: &dice) ?? 1
      })
  }

  private func some(_ channels: [Channel], _ dice: inout FixedDice) -> [Channel] {
    Array(
      channels.shuffled(using: &dice).prefix(Int.random(in: 1...channels.count, using: &dice)))
  }

  /// Between two changes anything from one request to several periods passes.
  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func keepsSharesWhileChannelsComeAndGo(_ seed: UInt64) throws {
    var dice = FixedDice(seed)
    let channels = try fleet(&dice, upTo: 8)
    var rotation = Rotation(channels)
    var count = 0
    while count < 4000 {
      let usable = some(channels, &dice)
      if Int.random(in: 0..<5, using: &dice) == 0 {
        rotation = Rotation(channels, replacing: rotation)
      }
      let period = Int(usable.reduce(0) { $0 + $1.record.weight })
      let length = [1, 1, 2, 5, period, 2 * period].randomElement(using: &dice) ?? 1
      let choices = (0..<length).map { _ in
        next(rotation) { one in usable.contains { $0 === one } }
      }
      count += length
      try #require(choices.allSatisfy { id in usable.contains { $0.id == id } })
      #expect(
        RoutingFixtures.error(of: choices, usable) <= 1,
        "\(usable.map(\.record.weight)) at \(count)")
    }
  }

  /// As with a limit of open requests: who has just served is out for a while, so that those who
  /// are left are owed more and more.
  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func keepsSharesAfterEveryoneWasBusy(_ seed: UInt64) throws {
    var dice = FixedDice(seed)
    let channels = try fleet(&dice, upTo: 20)
    let rotation = Rotation(channels)
    for _ in 0..<20 {
      let hold = Int.random(in: 1...(3 * channels.count), using: &dice)
      var busyUntil: [Int64: Int] = [:]
      for step in 0..<(3 * channels.count) {
        let id = next(rotation) { busyUntil[$0.id] ?? 0 <= step }
        busyUntil[id] = step + hold
      }
      let usable = some(channels, &dice)
      let period = Int(usable.reduce(0) { $0 + $1.record.weight })
      let choices = (0..<(2 * period)).map { _ in
        next(rotation) { one in usable.contains { $0 === one } }
      }
      #expect(RoutingFixtures.error(of: choices, usable) <= 1, "\(usable.map(\.record.weight))")
    }
  }

  /// Sixty-four equal channels that take one request each: the last was passed over by all.
  @Test func owesNobodyMoreThanOneTurn() throws {
    for count in [2, 8, 64] {
      let channels = try RoutingFixtures.channels([Int64](repeating: 1, count: count))
      let rotation = Rotation(channels)
      var busy: Set<Int64> = []
      var last: Int64 = 0
      for _ in 0..<count {
        last = next(rotation) { !busy.contains($0.id) }
        busy.insert(last)
      }
      #expect(busy.count == count)
      let choices = (0..<count).map { _ in next(rotation) { _ in true } }
      #expect(choices.count { $0 == last } <= 2, "its own turn and the one it is owed")
      #expect(RoutingFixtures.error(of: choices, channels) <= 1)
    }
  }

  /// However long a channel was away, it comes back to its share, not to what it missed.
  @Test func paysNothingForTheTimeAway() throws {
    for weights: [Int64] in [[1, 1], [90, 10], [10, 90], [5, 3, 2]] {
      let channels = try RoutingFixtures.channels(weights)
      let rotation = Rotation(channels)
      let period = Int(weights.reduce(0, +))
      for away: Int64 in 1...Int64(weights.count) {
        for length in [1, 3, 10 * period] {
          for _ in 0..<length { #expect(next(rotation) { $0.id != away } != away) }
          let choices = (0..<period).map { _ in next(rotation) { _ in true } }
          let share = Int(weights[Int(away) - 1])
          #expect(abs(choices.count { $0 == away } - share) <= 1, "\(weights) without \(away)")
        }
      }
    }
  }

  /// A channel of one percent that is there every other moment gets one percent of these.
  @Test func doesNotStarveALightChannelThatFlaps() throws {
    for (heavy, light): (Int64, Int64) in [(99, 1), (999, 1), (90, 10), (1000, 3)] {
      for gap in [1, 2, 3, 7] {
        let rotation = Rotation(try RoutingFixtures.channels([heavy, light]))
        let moments = Int(heavy + light) * (gap + 1) * 3
        var chances = 0
        var served = 0
        for moment in 0..<moments {
          let isThere = moment % (gap + 1) == 0
          chances += isThere ? 1 : 0
          if next(rotation, { $0.id == 1 || isThere }) == 2 { served += 1 }
        }
        let share = Double(chances) * Double(light) / Double(heavy + light)
        #expect(abs(Double(served) - share) <= 1.5, "\(light) of \(heavy), \(gap): \(served)")
      }
    }
  }

  /// The same with channels that come and go by chance.
  @Test func givesAFlappingChannelItsShareOfTheMomentsItWasThere() throws {
    var dice = FixedDice(3)
    let channels = try RoutingFixtures.channels([60, 30, 9, 1])
    let rotation = Rotation(channels)
    var exact = [Double](repeating: 0, count: 4)
    var served = [Double](repeating: 0, count: 4)
    for _ in 0..<20_000 {
      let usable = channels.filter { _ in Int.random(in: 0..<10, using: &dice) < 7 }
      guard !usable.isEmpty else { continue }
      let total = usable.reduce(0) { $0 + $1.record.weight }
      for channel in usable {
        exact[Int(channel.id) - 1] += Double(channel.record.weight) / Double(total)
      }
      served[Int(next(rotation) { one in usable.contains { $0 === one } }) - 1] += 1
    }
    for index in channels.indices {
      #expect(abs(served[index] - exact[index]) < 3, "\(index): \(served) of \(exact)")
    }
  }

  /// Retries go to the others by their weights, and change nobody's share of the first attempts
  /// and retries together.
  @Test func keepsTheSharesWhileOneChannelFails() throws {
    for weights: [Int64] in [[2, 1, 1], [1, 1, 1], [90, 5, 5], [5, 3, 2]] {
      let channels = try RoutingFixtures.channels(weights)
      let rotation = Rotation(channels)
      let period = Int(weights.reduce(0, +))
      var served: [Int64: Int] = [:]
      for _ in 0..<(40 * period) {
        let id = next(rotation) { _ in true }
        served[id, default: 0] += 1
        if id == 1 { served[next(rotation) { $0.id != 1 }, default: 0] += 1 }
      }
      #expect(served[1] == 40 * Int(weights[0]), "\(weights)")
      let others = weights[1] + weights[2]
      for channel in channels.dropFirst() {
        let weight = Double(channel.record.weight)
        let exact = 40 * weight + 40 * Double(weights[0]) * weight / Double(others)
        #expect(abs(Double(served[channel.id] ?? 0) - exact) <= 1, "\(weights)")
      }
    }
  }

  @Test func survivesTheLargestWeights() throws {
    let channels = try RoutingFixtures.channels([Int64](repeating: 1000, count: 300))
    let rotation = Rotation(channels)
    var dice = FixedDice(5)
    for _ in 0..<300 {
      let usable = Set(some(channels, &dice).map(\.id))
      for _ in 0..<3 { #expect(usable.contains(next(rotation) { usable.contains($0.id) })) }
    }
  }
}
