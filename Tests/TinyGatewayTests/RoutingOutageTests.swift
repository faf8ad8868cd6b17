// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Whether the internet is gone, as far as channels tell.
struct RoutingOutageTests {
  private let gone = AttemptOutcome.channelFailed(isUnreachable: true)
  private let answered = AttemptOutcome.answered

  /// Channels 1 and 2 serve the model, 3 and 4 another one; all in the cloud but the listed.
  private func stage(local: Set<Int64> = []) -> RoutingStage {
    let stage = RoutingStage()
    for id: Int64 in 1...4 {
      let record = RoutingFixtures.record(
        id, models: id < 3 ? "m" : "other", location: local.contains(id) ? .local : .cloud)
      #expect(stage.channels.load([record]).isEmpty)
    }
    return stage
  }

  /// Lets one thing after the other happen, a second apart; whether the model is offline then.
  private func isOffline(
    _ events: [(Int64, AttemptOutcome)], local: Set<Int64> = [],
    groups: [ByteString] = ["default"]
  ) throws -> Bool {
    let stage = stage(local: local)
    for (id, outcome) in events {
      stage.now += 1000
      try stage.visit(id, outcome)
    }
    return Outage.isOffline("m", groups, stage.channels)
  }

  @Test func isOnlineUntilEveryChannelIsUnreachable() throws {
    #expect(try !isOffline([]))
    #expect(try !isOffline([(1, gone)]))
    #expect(try !isOffline([(2, gone)]))
    #expect(try isOffline([(1, gone), (2, gone)]))
    #expect(try isOffline([(1, gone), (2, gone), (1, gone)]))
    #expect(try isOffline([(1, answered), (2, answered), (1, gone), (2, gone)]))
  }

  @Test func isOnlineAgainWhenAChannelAnswers() throws {
    #expect(try !isOffline([(1, gone), (2, gone), (1, answered)]))
    #expect(try !isOffline([(1, gone), (2, gone), (2, answered), (1, gone)]))
    #expect(try isOffline([(1, gone), (2, gone), (2, answered), (1, gone), (2, gone)]))
  }

  /// The failure of a vendor is no outage while another one is in use.
  @Test func believesOtherCloudServices() throws {
    #expect(try !isOffline([(1, gone), (2, gone), (3, answered)]))
    #expect(try !isOffline([(1, gone), (2, gone), (3, .keyRejected(reason: "r"))]))
    #expect(try isOffline([(1, gone), (2, gone), (4, .channelFailed(isUnreachable: false))]))
    #expect(try isOffline([(3, answered), (4, answered), (1, gone), (2, gone)]))
    #expect(try isOffline([(1, gone), (3, answered), (2, gone)]), "before the last went")
    #expect(try isOffline([(1, gone), (2, gone), (3, gone), (4, gone)]))
    #expect(try isOffline([(1, gone), (2, gone), (3, .undecided)]))
  }

  @Test func doesNotBelieveLocalOnes() throws {
    #expect(try isOffline([(1, gone), (2, gone), (3, answered)], local: [3]))
    #expect(try !isOffline([(1, gone), (2, gone), (3, answered), (4, answered)], local: [3]))
  }

  /// A machine in the house that cannot be reached is no sign of an outage.
  @Test func isNeverOfflineForAModelWithALocalChannel() throws {
    #expect(try !isOffline([(1, gone), (2, gone)], local: [2]))
    #expect(try !isOffline([(1, gone), (2, gone)], local: [1, 2]))
  }

  @Test func isNotOfflineForAModelThatNobodyServes() throws {
    #expect(try !isOffline([(1, gone), (2, gone)], groups: []))
    #expect(try !isOffline([(1, gone), (2, gone)], groups: ["nobody"]))
    let stage = stage()
    try stage.visit(1, gone)
    try stage.visit(2, gone)
    #expect(!Outage.isOffline("unknown", ["default"], stage.channels))
  }

  @Test func looksAtAllGroupsOfTheCaller() throws {
    let stage = RoutingStage(
      RoutingFixtures.record(1, groups: "a"), RoutingFixtures.record(2, groups: "b"))
    try stage.visit(1, gone)
    #expect(Outage.isOffline("m", ["a"], stage.channels))
    #expect(!Outage.isOffline("m", ["a", "b"], stage.channels))
    try stage.visit(2, gone)
    #expect(Outage.isOffline("m", ["a", "b"], stage.channels))
  }

  /// Disabled ones say nothing.
  @Test func looksAtEnabledChannels() throws {
    let stage = RoutingStage(
      RoutingFixtures.record(1), RoutingFixtures.record(2, status: .disabled))
    try stage.visit(1, gone)
    #expect(Outage.isOffline("m", ["default"], stage.channels))
  }

  @Test func isOnlineAgainAfterATestOrAPerson() throws {
    let stage = stage()
    try stage.visit(1, gone)
    try stage.visit(2, gone)
    #expect(Outage.isOffline("m", ["default"], stage.channels))
    try stage.channel(1).health.recover()
    #expect(!Outage.isOffline("m", ["default"], stage.channels))
  }
}
