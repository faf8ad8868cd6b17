// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Requests of administrators that name their channel.
struct RoutingRoutePinnedTests: RouteTesting {
  @Test func staysOnThePinnedChannelWhateverItsState() throws {
    let stage = stage(
      record(1), record(2, "vip"), record(9, ""),
      groups: [.group(1, "default", fallbacks: "9")])
    try stage.breakDown(2)
    try stage.channels.put(
      RoutingFixtures.record(2, groups: "vip", weight: 0, status: .disabled))
    var route = Route("m", groups: ["default"], pinned: 2)
    #expect(route.pinnedChannel == 2)
    let attempt = try #require(stage.take(&route))
    #expect(attempt.channel.id == 2)
    #expect(!attempt.hasAlternative)
    #expect(stage.find(&route) == .ready, "while its own probe is under way")
    attempt.channel.health.end(attempt.ticket, .undecided, at: stage.instant)
    route.failed(attempt, isFaultOfKey: false)
    #expect(stage.find(&route) == .none)
    #expect(route.pinnedChannel == 2)
  }

  @Test func waitsForAPinnedChannelThatIsBusy() throws {
    let stage = stage(record(1), record(2, limit: 1))
    try occupy(stage, 2)
    var route = Route("m", groups: ["default"], pinned: 2)
    #expect(stage.find(&route) == .busy)
    route.ignoresBusy = true
    #expect(stage.find(&route) == .none)
  }

  @Test func countsTheProbeOfAPinnedChannel() throws {
    let stage = stage(record(2, limit: 1))
    try stage.breakDown(2)
    var first = Route("m", groups: ["default"], pinned: 2)
    #expect(stage.take(&first)?.channel.id == 2)
    var second = Route("m", groups: ["default"], pinned: 2)
    #expect(stage.find(&second) == .busy)
  }

  @Test func neverLeavesThePinnedChannel() throws {
    let stage = stage(record(1), record(2), record(9, ""), record(4, models: "x"))
    stage.groups.put(.group(1, "default", fallbacks: "9"))
    stage.fallbacks = try ModelFallbacks(#"{"fallbacks":{"m":["x"]},"offline":{"*":"x"}}"#)
    let restarts: [(inout Route) -> Void] = [
      { $0.forgive() }, { $0.restartAsLastResort() }, { $0.ignoresBusy = true },
    ]
    for restart in restarts {
      var route = Route("m", groups: ["default"], pinned: 2)
      let gone = AttemptOutcome.channelFailed(isUnreachable: true)
      #expect(stage.failAllModels(&route, gone) == ["m2"])
      restart(&route)
      for place in stage.failAllModels(&route, gone) { #expect(place == "m2") }
      route.skipModel()
      #expect(stage.find(&route) == .none)
      restart(&route)
      for place in stage.failAllModels(&route, gone) { #expect(place == "m2") }
    }
  }

  @Test func triesTheKeysOfThePinnedChannel() {
    let stage = stage(record(1, keys: "a\nb"))
    var route = Route("m", groups: [], pinned: 1)
    #expect(
      stage.failAll(&route, ofKey: true, .rateLimited(restMilliseconds: nil)) == ["1a", "1b"])
    #expect(stage.find(&route) == .none)
  }

  @Test func waitsForThePinnedChannelsRestOnly() throws {
    let stage = stage(record(1), record(2, "vip"))
    try stage.visit(1, .rateLimited(restMilliseconds: 10))
    var route = Route("m", groups: ["default"], pinned: 2)
    #expect(route.restPause(at: stage.instant, stage.context, upTo: .max) == nil)
    try stage.visit(2, .rateLimited(restMilliseconds: 500))
    #expect(stage.find(&route) == .none)
    #expect(route.restPause(at: stage.instant, stage.context, upTo: .max) == 501)
    stage.now = 501
    route.forgive()
    #expect(stage.take(&route)?.channel.id == 2)
  }

  @Test func findsNothingForAPinnedChannelThatDoesNotServe() {
    let stage = stage(record(1), record(2, models: "x"))
    for id: Int64 in [2, 99] {
      var route = Route("m", groups: ["default"], pinned: id)
      #expect(stage.find(&route) == .none)
      #expect(stage.find(&route) == .none)
    }
  }
}
