// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import MiniHTTP
@testable import TinyGateway

/// Channels, groups and moments for tests of routing.
enum RoutingFixtures {
  /// A moment, in milliseconds since the tests' own beginning.
  static func at(_ milliseconds: Int64) -> Instant {
    Instant(nanoseconds: 1_000_000_000_000 + milliseconds * 1_000_000)
  }

  /// A channel of a cloud service, unless the location says otherwise.
  static func record(
    _ id: Int64, models: ByteString = "m", groups: ByteString = "default", weight: Int64 = 1,
    priority: Int64 = 0, keys: ByteString = "", limit: Int64 = 0,
    location: ChannelLocation = .cloud, status: ChannelStatus = .enabled,
    reason: ByteString = ""
  ) -> ChannelRecord {
    var record = RelayFixtures.record(
      id, models: models, groups: groups, weight: weight, priority: priority, status: status)
    record.keys = keys
    record.maxConcurrency = limit
    record.location = location
    record.statusReason = reason
    return record
  }

  static func channels(_ weights: [Int64], priorities: [Int64] = []) throws -> [Channel] {
    try weights.enumerated().map { index, weight in
      try RelayFixtures.channel(
        record(
          Int64(index + 1), weight: weight,
          priority: index < priorities.count ? priorities[index] : 0))
    }
  }

  /// The largest distance from a channel's exact share over any window of one period.
  static func error(of choices: [Int64], _ channels: [Channel]) -> Int64 {
    let period = Int(channels.reduce(0) { $0 + $1.record.weight })
    guard choices.count >= period else { return 0 }
    var largest: Int64 = 0
    for channel in channels {
      var surplus = -channel.record.weight
      for (end, id) in choices.enumerated() {
        if id == channel.id { surplus += 1 }
        if end >= period, choices[end - period] == channel.id { surplus -= 1 }
        if end >= period - 1 { largest = max(largest, abs(surplus)) }
      }
    }
    return largest
  }
}

/// Numbers that look random and are the same in every run (splitmix64).
struct FixedDice: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
