// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Channels, groups and model fallbacks for tests of routes.
final class RoutingStage {
  let channels = ChannelDirectory(defaults: RelayFixtures.timeouts)
  let groups = ChannelGroupDirectory()
  var fallbacks = ModelFallbacks()
  var attemptLimit = 4
  /// Milliseconds since the tests' own beginning.
  var now: Int64 = 0

  init(_ records: ChannelRecord..., groups: [ChannelGroupRecord] = []) {
    #expect(channels.load(records).isEmpty)
    for record in groups.isEmpty ? [ChannelGroupRecord(id: 1, name: "default")] : groups {
      self.groups.put(record)
    }
  }

  var context: RoutingContext {
    RoutingContext(
      channels: channels, groups: groups, fallbacks: fallbacks, attemptLimit: attemptLimit)
  }

  var instant: Instant { RoutingFixtures.at(now) }

  func channel(_ id: Int64) throws -> Channel { try #require(channels.find(id)) }

  /// What a route finds now.
  func find(_ route: inout Route) -> Route.Availability {
    route.availability(at: instant, context)
  }

  /// The next attempt of a route; nil when nothing is left or all is busy.
  func take(_ route: inout Route) -> Route.Attempt? {
    guard find(&route) == .ready else { return nil }
    return route.take(at: instant, context)
  }

  /// The next attempt, which fails.
  func fail(
    _ route: inout Route, ofKey: Bool = false,
    _ outcome: AttemptOutcome = .channelFailed(isUnreachable: false)
  ) -> Route.Attempt? {
    guard let attempt = take(&route) else { return nil }
    attempt.channel.health.end(attempt.ticket, outcome, at: instant)
    route.failed(attempt, isFaultOfKey: ofKey)
    return attempt
  }

  /// Fails until nothing is left: the ids of the channels, and their keys where they have any.
  func failAll(
    _ route: inout Route, ofKey: Bool = false,
    _ outcome: AttemptOutcome = .channelFailed(isUnreachable: false)
  ) -> [String] {
    var places: [String] = []
    while places.count < 100, let attempt = fail(&route, ofKey: ofKey, outcome) {
      places.append("\(attempt.channel.id)\(attempt.ticket.key.text)")
    }
    return places
  }

  /// As `failAll`, with the model that each attempt was for.
  func failAllModels(
    _ route: inout Route, _ outcome: AttemptOutcome = .channelFailed(isUnreachable: false)
  ) -> [String] {
    var places: [String] = []
    while places.count < 100, let attempt = fail(&route, outcome) {
      places.append("\(route.model.text)\(attempt.channel.id)")
    }
    return places
  }

  /// Attempts that end so, on a channel, past all routes.
  func visit(_ id: Int64, _ outcome: AttemptOutcome, times: Int = 1) throws {
    let health = try channel(id).health
    for _ in 0..<times {
      let ticket = try #require(health.begin(at: instant, early: true))
      health.end(ticket, outcome, at: instant)
    }
  }

  /// Opens the channel's breaker for five seconds.
  func breakDown(_ id: Int64) throws {
    try visit(id, .channelFailed(isUnreachable: false), times: 5)
  }
}

extension ChannelGroupRecord {
  /// A group for tests of routes.
  static func group(
    _ id: Int64, _ name: ByteString, strategy: BalancingStrategy = .priority,
    retries: Int64? = nil, fallbacks: ByteString = "", isSticky: Bool = false
  ) -> ChannelGroupRecord {
    ChannelGroupRecord(
      id: id, name: name, strategy: strategy, retries: retries, fallbackChannels: fallbacks,
      isSticky: isSticky)
  }
}
