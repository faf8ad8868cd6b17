// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Which channel is tried next, and why there may be none.
struct RoutingChannelSelectorTests {
  // The order of attempts.

  private func channels(_ weights: [Int64], priorities: [Int64] = []) throws -> [Channel] {
    try weights.enumerated().map { index, weight in
      try RelayFixtures.channel(
        RelayFixtures.record(
          Int64(index), weight: weight,
          priority: index < priorities.count ? priorities[index] : 0))
    }
  }

  private func choices(_ count: Int, of channels: [Channel]) -> [Int64] {
    (0..<count).compactMap { _ in ChannelSelector.next(channels, excluding: [])?.id }
  }

  @Test func sendsExactlyTenOfAnyHundredToTheSmallerOfNinetyAndTen() throws {
    let choices = choices(1000, of: try channels([90, 10]))
    try #require(choices.count == 1000)
    for start in 0...900 {
      #expect(choices[start..<(start + 100)].count { $0 == 1 } == 10, "from \(start)")
    }
  }

  @Test func spreadsTheSmallerShareEvenly() throws {
    let choices = choices(1000, of: try channels([90, 10]))
    let places = choices.indices.filter { choices[$0] == 1 }
    for (earlier, later) in zip(places, places.dropFirst()) { #expect(later - earlier == 10) }
  }

  @Test(
    arguments: [
      [1], [1, 1], [1, 1, 1], [3, 2], [5, 1, 1], [7, 3, 2], [1000, 1], [50, 30, 20], [10, 10, 80],
    ] as [[Int64]])
  func givesEachItsShareInEveryPeriod(_ weights: [Int64]) throws {
    let period = Int(weights.reduce(0, +))
    let choices = choices(3 * period, of: try channels(weights))
    try #require(choices.count == 3 * period)
    for start in stride(from: 0, through: 2 * period, by: max(1, period / 50)) {
      for (index, weight) in weights.enumerated() {
        let count = choices[start..<(start + period)].count { $0 == Int64(index) }
        #expect(count == Int(weight), "channel \(index) from \(start)")
      }
    }
  }

  @Test(arguments: [[9, 1], [3, 2], [7, 5], [1, 99], [1000, 999]] as [[Int64]])
  func staysWithinOneRequestOfTheExactShare(_ weights: [Int64]) throws {
    let sum = Double(weights[0] + weights[1])
    let choices = choices(2 * Int(sum), of: try channels(weights))
    var count = 0
    for (index, choice) in choices.enumerated() {
      if choice == 0 { count += 1 }
      let exact = Double(index + 1) * Double(weights[0]) / sum
      #expect(abs(Double(count) - exact) < 1, "after \(index + 1)")
    }
  }

  @Test func takesLowerPrioritiesOnlyWhenHigherOnesAreTried() throws {
    let channels = try channels([1, 1, 1, 1], priorities: [0, 10, 10, -5])
    for _ in 0..<10 {
      var tried: [Int64] = []
      while let next = ChannelSelector.next(channels, excluding: tried) { tried.append(next.id) }
      #expect(Set(tried[..<2]) == [1, 2])
      #expect(tried[2...] == [0, 3])
    }
  }

  @Test func neverTakesATriedChannel() throws {
    for weights: [Int64] in [[1], [1, 1], [90, 10], [5, 4, 3, 2]] {
      let channels = try channels(weights)
      var tried: [Int64] = []
      while let next = ChannelSelector.next(channels, excluding: tried) {
        try #require(!tried.contains(next.id))
        tried.append(next.id)
      }
      #expect(tried.count == weights.count)
    }
  }

  @Test func hasNothingToTakeFromNothing() {
    #expect(ChannelSelector.next([], excluding: []) == nil)
  }

  @Test func keepsTheSharesWhileOneChannelFails() throws {
    let channels = try channels([2, 1, 1])
    var first: [Int64: Int] = [:]
    for _ in 0..<400 {
      let next = try #require(ChannelSelector.next(channels, excluding: []))
      first[next.id, default: 0] += 1
      if next.id == 0 { _ = ChannelSelector.next(channels, excluding: [0]) }
    }
    #expect(first[0] == 200)
    #expect(abs((first[1] ?? 0) - (first[2] ?? 0)) <= 2)
    for channel in channels { #expect(abs(channel.currentWeight) <= 4) }
  }

  // Who may serve a model.

  private static let records = [
    RelayFixtures.record(1, models: "gpt-4o,shared"),
    RelayFixtures.record(2, models: "shared", groups: "vip,default"),
    RelayFixtures.record(3, models: "shared,only-vip", groups: "vip"),
    RelayFixtures.record(4, models: "shared,off", status: .disabled),
    RelayFixtures.record(5, models: "shared,auto-off", status: .autoDisabled),
    RelayFixtures.record(6, models: "shared,weightless", weight: 0),
    RelayFixtures.record(7, models: "off,half-off", status: .disabled),
    RelayFixtures.record(8, models: "half-off"),
  ]

  private func directory(_ records: [ChannelRecord] = records) -> ChannelDirectory {
    let directory = ChannelDirectory(defaults: RelayFixtures.timeouts)
    #expect(directory.load(records).isEmpty)
    return directory
  }

  private func check(
    _ model: ByteString, group: ByteString = "default", pinned: Int64? = nil,
    in directory: ChannelDirectory? = nil, _ ids: [Int64],
    _ absence: ChannelSelector.Absence? = nil, _ location: SourceLocation = #_sourceLocation
  ) {
    let directory = directory ?? self.directory()
    for _ in 0..<2 {  // The second answer may come from what the first one left.
      let found = ChannelSelector.eligible(
        for: model, group: group, pinned: pinned, in: directory)
      #expect(found.channels.map(\.id) == ids, sourceLocation: location)
      #expect(found.absence == absence, sourceLocation: location)
    }
  }

  @Test func findsEnabledChannelsOfTheGroup() {
    check("gpt-4o", [1])
    check("shared", [1, 2])
    check("shared", group: "vip", [2, 3])
    check("half-off", [8])
  }

  @Test func saysWhyThereIsNoChannel() {
    check("gpt-9", [], .unknownModel)
    check("GPT-4o", [], .unknownModel)
    check("", [], .unknownModel)
    check("only-vip", [], .notInGroup)
    check("gpt-4o", group: "nobody", [], .notInGroup)
    check("off", [], .allDisabled)
    check("auto-off", [], .allDisabled)
    check("weightless", [], .allDisabled)
    check("gpt-9", in: ChannelDirectory(defaults: RelayFixtures.timeouts), [], .unknownModel)
  }

  @Test func pinsAChannelWhateverItsGroupAndStatus() {
    check("shared", pinned: 1, [1])
    check("shared", pinned: 3, [3])
    check("shared", pinned: 4, [4])
    check("gpt-4o", pinned: 2, [], .unknownModel)
    check("gpt-4o", pinned: 99, [], .unknownModel)
    check("gpt-9", pinned: 1, [], .unknownModel)
  }

  @Test func letsAChannelWithoutAListServeAnyModel() {
    let any = RelayFixtures.record(9, models: "")
    check("gpt-9", in: directory([any]), [9])
    check("gpt-4o", in: directory(Self.records + [any]), [1, 9])
    check("gpt-9", in: directory(Self.records + [any]), [9])
    check("gpt-9", group: "vip", in: directory(Self.records + [any]), [], .notInGroup)
    check("off", in: directory(Self.records + [any]), [9])
    var off = any
    off.status = .disabled
    check("gpt-9", in: directory([off]), [], .allDisabled)
  }

  @Test func followsChangesOfChannels() throws {
    let directory = directory()
    check("shared", in: directory, [1, 2])
    try directory.put(RelayFixtures.record(1, models: "gpt-4o,shared", status: .disabled))
    check("shared", in: directory, [2])
    try directory.put(RelayFixtures.record(4, models: "shared,off"))
    check("shared", in: directory, [2, 4])
    directory.remove(2)
    check("shared", in: directory, [4])
    directory.remove(4)
    check("shared", in: directory, [], .allDisabled)
  }
}
