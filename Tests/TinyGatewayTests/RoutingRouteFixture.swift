// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// What tests of routes have in common: channels of model `m`, and routes to it.
protocol RouteTesting {}

extension RouteTesting {
  func record(
    _ id: Int64, _ groups: ByteString = "default", models: ByteString = "m",
    keys: ByteString = "", limit: Int64 = 0
  ) -> ChannelRecord {
    RoutingFixtures.record(id, models: models, groups: groups, keys: keys, limit: limit)
  }

  func stage(
    _ records: ChannelRecord..., groups: [ChannelGroupRecord] = [.group(1, "default")]
  ) -> RoutingStage {
    let stage = RoutingStage(groups: groups)
    #expect(stage.channels.load(records).isEmpty)
    return stage
  }

  func route(_ groups: ByteString...) -> Route {
    Route("m", groups: groups.isEmpty ? ["default"] : groups)
  }

  /// Opens so many requests on a channel, for good.
  func occupy(_ stage: RoutingStage, _ id: Int64, _ count: Int = 1) throws {
    for _ in 0..<count { _ = try #require(try stage.channel(id).health.begin(at: stage.instant)) }
  }
}
