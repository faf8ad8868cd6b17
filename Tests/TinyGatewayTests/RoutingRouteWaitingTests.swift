// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Routes where channels are busy, rest, or are down altogether.
struct RoutingRouteWaitingTests: RouteTesting {
  // Busy channels.

  @Test func isBusyWhenNothingElseIsLeft() throws {
    let stage = stage(record(1, limit: 1), record(2, limit: 2), record(3))
    try occupy(stage, 1)
    var route = route()
    #expect(stage.fail(&route)?.channel.id == 2)
    #expect(stage.fail(&route)?.channel.id == 3)
    #expect(stage.find(&route) == .busy)
    #expect(route.take(at: stage.instant, stage.context) == nil)
  }

  @Test func goesOnWhenTheBusyChannelIsFree() throws {
    let stage = stage(record(1, limit: 1))
    let ticket = try #require(try stage.channel(1).health.begin(at: stage.instant))
    var route = route()
    for _ in 0..<3 { #expect(stage.find(&route) == .busy) }
    try stage.channel(1).health.end(ticket, .undecided, at: stage.instant)
    #expect(stage.take(&route)?.channel.id == 1)
  }

  /// A later group that is free serves at once.
  @Test func waitsOnlyWhenNoGroupIsFree() throws {
    let stage = stage(
      record(1, "a", limit: 1), record(2, "b"), record(9, ""),
      groups: [.group(1, "a", fallbacks: "9"), .group(2, "b")])
    try occupy(stage, 1)
    var route = route("a", "b")
    #expect(stage.fail(&route)?.channel.id == 2)
    #expect(stage.find(&route) == .busy, "the first group before its fallback channels")
    route.ignoresBusy = true
    #expect(stage.failAll(&route) == ["9"])
  }

  /// While it waits for a fallback channel, the group's own may be well again.
  @Test func looksAtTheWholeWayEachTime() throws {
    let stage = stage(
      record(1), record(9, "", limit: 1), groups: [.group(1, "default", fallbacks: "9")])
    try stage.breakDown(1)
    try occupy(stage, 9)
    var route = route()
    #expect(stage.find(&route) == .busy)
    try stage.channel(1).health.recover()
    #expect(stage.fail(&route)?.channel.id == 1)
    #expect(stage.find(&route) == .busy)
  }

  /// Until told otherwise a request waits for what its groups have before a fallback is used.
  @Test func waitsForItsGroupsBeforeItGoesOn() throws {
    let stage = stage(
      record(1, "a", limit: 1), record(2, "b", limit: 1), record(9, ""),
      groups: [.group(1, "a", fallbacks: "9"), .group(2, "b")])
    for id: Int64 in 1...2 { try occupy(stage, id) }
    var route = route("a", "b")
    #expect(stage.find(&route) == .busy)
    #expect(stage.find(&route) == .busy)
    route.ignoresBusy = true
    #expect(stage.failAll(&route) == ["9"])
    #expect(stage.find(&route) == .none)
  }

  @Test func comesBackToTheBusyGroupThatIsFreeAgain() throws {
    let stage = stage(
      record(1, "a", limit: 1), record(2, "b", limit: 1),
      groups: [.group(1, "a"), .group(2, "b")])
    let ticket = try #require(try stage.channel(1).health.begin(at: stage.instant))
    try occupy(stage, 2)
    var route = route("a", "b")
    #expect(stage.find(&route) == .busy)
    try stage.channel(1).health.end(ticket, .undecided, at: stage.instant)
    #expect(stage.fail(&route)?.channel.id == 1)
  }

  @Test func waitsForABusyFallbackChannel() throws {
    let stage = stage(
      record(1), record(8, "", limit: 1), record(9, "", limit: 1),
      groups: [.group(1, "default", fallbacks: "8,9")])
    for id: Int64 in 8...9 { try occupy(stage, id) }
    stage.fallbacks = try ModelFallbacks(#"{"fallbacks":{"m":["x"]}}"#)
    try stage.channels.put(record(3, models: "x"))
    var route = route()
    #expect(stage.fail(&route)?.channel.id == 1)
    #expect(stage.find(&route) == .busy)
    route.ignoresBusy = true
    #expect(stage.failAllModels(&route) == ["x3"])
  }

  @Test func prefersAFreeFallbackChannelToABusyOne() throws {
    let stage = stage(
      record(1), record(8, "", limit: 1), record(9, ""),
      groups: [.group(1, "default", fallbacks: "8,9")])
    try occupy(stage, 8)
    var route = route()
    #expect(stage.fail(&route)?.channel.id == 1)
    #expect(stage.fail(&route)?.channel.id == 9)
    #expect(stage.find(&route) == .busy)
  }

  @Test func isNotBusyWithWhatItHasTried() throws {
    let stage = stage(record(1, limit: 1))
    var route = route()
    #expect(stage.fail(&route)?.channel.id == 1)
    try occupy(stage, 1)
    #expect(stage.find(&route) == .none)
  }

  // Rests.

  @Test func knowsWhenTheFirstRestIsOver() throws {
    let stage = stage(record(1), record(2), record(3, "vip"))
    let route = route()
    func pause(_ limit: Int64 = .max) -> Int64? {
      route.restPause(at: stage.instant, stage.context, upTo: limit)
    }
    #expect(pause() == nil)
    try stage.visit(1, .rateLimited(restMilliseconds: 3000))
    try stage.visit(2, .channelFailed(isUnreachable: false, restMilliseconds: 2000))
    try stage.visit(3, .rateLimited(restMilliseconds: 10))
    // A millisecond more, so that it is really over.
    #expect(pause() == 2001)
    #expect(pause(2001) == 2001)
    #expect(pause(2000) == nil)
    #expect(pause(0) == nil)
    stage.now = 1999
    #expect(pause() == 2)
    stage.now = 2000
    #expect(pause() == 1001)
    stage.now = 3000
    #expect(pause() == nil)
  }

  @Test func waitsForNoRestThatIsNone() throws {
    let stage = stage(record(1, keys: "a\nb"), record(2), record(3))
    try stage.visit(1, .rateLimited(restMilliseconds: 3000))
    try stage.breakDown(2)
    try stage.visit(3, .keyRejected(reason: "r"))
    let route = route()
    #expect(
      route.restPause(at: stage.instant, stage.context, upTo: .max) == nil, "another key is free")
  }

  // Starting over.

  @Test func mayTryAgainAfterAPause() {
    let stage = stage(record(1), record(2))
    stage.attemptLimit = 5
    var route = route()
    #expect(stage.failAll(&route) == ["1", "2"])
    route.forgive()
    #expect(stage.failAll(&route) == ["1", "2"])
    route.forgive()
    #expect(stage.failAll(&route) == ["1"], "five attempts in all")
    route.forgive()
    #expect(stage.failAll(&route).isEmpty)
  }

  @Test func forgivesKeysToo() {
    let stage = stage(record(1, keys: "a\nb"))
    var route = route()
    let said = AttemptOutcome.answered
    #expect(stage.failAll(&route, ofKey: true, said) == ["1a", "1b"])
    route.forgive()
    #expect(stage.failAll(&route, ofKey: true, said) == ["1a", "1b"])
  }

  @Test func allowsAChannelAgainThatWasWoken() throws {
    let stage = stage(record(1), record(2))
    stage.attemptLimit = 2
    var route = route()
    #expect(stage.fail(&route, .asleep)?.channel.id == 1)
    route.allowAgain(try stage.channel(1))
    #expect(stage.failAll(&route) == ["1", "2"], "the attempt that woke it does not count")
    route.allowAgain(try stage.channel(1))
    #expect(stage.failAll(&route) == ["1"])
  }

  // The last resort.

  @Test func triesWhatIsDownWhenNothingElseIs() throws {
    let stage = stage(record(1), record(2))
    for id: Int64 in 1...2 { try stage.breakDown(id) }
    var route = route()
    #expect(stage.find(&route) == .none)
    #expect(!route.isLastResort)
    route.restartAsLastResort()
    #expect(route.isLastResort)
    #expect(stage.failAll(&route) == ["1", "2"])
  }

  /// One early probe of each channel at a time.
  @Test func triesWhatIsDownWithOneRequestAtATime() throws {
    let stage = stage(record(1))
    try stage.breakDown(1)
    var first = route()
    first.restartAsLastResort()
    let probe = try #require(stage.take(&first))
    var second = route()
    second.restartAsLastResort()
    #expect(stage.find(&second) == .none)
    probe.channel.health.end(probe.ticket, .answered, at: stage.instant)
    #expect(stage.find(&second) == .none, "it was told that nothing is left")
    second.restartAsLastResort()
    #expect(stage.take(&second)?.channel.id == 1)
  }

  @Test func honoursRestsAndRejectionsAlsoInTheLastResort() throws {
    let stage = stage(record(1), record(2), record(3, limit: 1))
    try stage.visit(1, .rateLimited(restMilliseconds: 3000))
    try stage.visit(2, .keyRejected(reason: "r"))
    try occupy(stage, 3)
    var route = route()
    route.ignoresBusy = true
    #expect(stage.find(&route) == .none)
    route.restartAsLastResort()
    #expect(stage.find(&route) == .none)
  }
}
