// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// What the tests of a channel's health have in common: failures in a row count, percentages do not.
protocol ChannelHealthTesting {}

extension ChannelHealthTesting {
  func at(_ milliseconds: Int64) -> Instant { RoutingFixtures.at(milliseconds) }

  func health(_ keys: ByteString...) -> ChannelHealth {
    let health = ChannelHealth()
    health.adopt(keys: keys)
    health.policy.errorPercent = 0
    health.policy.failureLimit = 3
    health.policy.cooldownMilliseconds = 1000
    health.policy.cooldownLimitMilliseconds = 4000
    return health
  }

  func readiness(
    _ health: ChannelHealth, _ now: Int64 = 0, limit: Int64 = 0, tried: [ByteString] = [],
    early: Bool = false
  ) -> ChannelHealth.Readiness {
    health.readiness(at: at(now), limit: limit, tried: tried, early: early)
  }

  /// One attempt that ends at once; the key it used.
  @discardableResult func attempt(
    _ health: ChannelHealth, _ outcome: AttemptOutcome, _ now: Int64 = 0,
    tried: [ByteString] = [], early: Bool = false, _ location: SourceLocation = #_sourceLocation
  ) -> String? {
    guard let ticket = health.begin(at: at(now), tried: tried, early: early) else { return nil }
    health.end(ticket, outcome, at: at(now))
    return ticket.key.text
  }

  var answered: AttemptOutcome { .answered }
  var failed: AttemptOutcome { .channelFailed(isUnreachable: false) }
  var rejected: AttemptOutcome { .keyRejected(reason: "no such key") }
}
