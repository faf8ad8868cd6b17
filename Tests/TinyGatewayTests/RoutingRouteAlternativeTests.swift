// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Whether something could be tried after an attempt, so that it is given up early.
struct RoutingRouteAlternativeTests {
  private func record(
    _ id: Int64, _ groups: ByteString = "default", models: ByteString = "m",
    keys: ByteString = "", limit: Int64 = 0, location: ChannelLocation = .cloud,
    status: ChannelStatus = .enabled
  ) -> ChannelRecord {
    RoutingFixtures.record(
      id, models: models, groups: groups, keys: keys, limit: limit, location: location,
      status: status)
  }

  /// Whether each attempt of a request that fails everywhere has an alternative.
  private func check(
    _ expected: [Bool], _ records: ChannelRecord..., groups: [ChannelGroupRecord] = [],
    fallbacks: String = "{}", limit: Int = 4, callerGroups: [ByteString] = ["default"],
    prepare: (RoutingStage) throws -> Void = { _ in }, ofKey: Bool = false,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let stage = RoutingStage(groups: groups.isEmpty ? [.group(1, "default")] : groups)
    #expect(stage.channels.load(records).isEmpty)
    stage.fallbacks = try ModelFallbacks(ByteString(utf8: fallbacks))
    stage.attemptLimit = limit
    try prepare(stage)
    var route = Route("m", groups: callerGroups)
    var found: [Bool] = []
    while found.count < 20, let attempt = stage.fail(&route, ofKey: ofKey) {
      found.append(attempt.hasAlternative)
    }
    #expect(found == expected, sourceLocation: location)
  }

  @Test func hasTheOtherChannels() throws {
    try check([false], record(1))
    try check([true, false], record(1), record(2))
    try check([true, true, false], record(1), record(2), record(3))
  }

  @Test func hasNoneBehindTheLastAttempt() throws {
    try check([false], record(1), record(2), limit: 1)
    try check([true, false], record(1), record(2), record(3), limit: 2)
  }

  @Test func hasNoneThatCannotServe() throws {
    try check([false], record(1), record(2, status: .disabled), record(3, "vip"))
    try check([false], record(1), record(2), prepare: { try $0.breakDown(2) })
    try check(
      [false], record(1), record(2, limit: 1),
      prepare: { _ = try $0.channel(2).health.begin(at: $0.instant) })
  }

  @Test func hasTheCallersOtherGroups() throws {
    let groups: [ChannelGroupRecord] = [.group(1, "a"), .group(2, "b")]
    try check(
      [true, false], record(1, "a"), record(2, "b"), groups: groups, callerGroups: ["a", "b"])
    try check([false], record(1, "a"), record(2, "b"), groups: groups, callerGroups: ["a"])
    try check([false], record(1, "a,b"), groups: groups, callerGroups: ["a", "b"])
    try check(
      [false], record(1, "a"), record(2, "b"), groups: groups, limit: 1, callerGroups: ["a", "b"])
    try check(
      [false], record(1, "a"), record(2, "b"), groups: groups, callerGroups: ["a", "b"],
      prepare: { try $0.breakDown(2) })
  }

  @Test func hasFallbackChannelsThatCanServe() throws {
    let groups: [ChannelGroupRecord] = [.group(1, "default", retries: 0, fallbacks: "8,9")]
    try check([true, true, false], record(1), record(8, ""), record(9, ""), groups: groups)
    try check([true, false], record(1), record(9, ""), groups: groups)
    try check([false], record(1), groups: groups)
    try check([false], record(1), record(8, "", models: "x"), groups: groups)
    try check([false], record(1), record(8, "", status: .disabled), groups: groups)
    try check(
      [false], record(1), record(8, ""), groups: groups, prepare: { try $0.breakDown(8) })
    try check([false], record(8), groups: groups)
  }

  @Test func hasOtherModelsThatSomebodyServes() throws {
    let fallbacks = #"{"fallbacks":{"m":["x","y"]}}"#
    try check(
      [true, true, false], record(1), record(2, models: "x"), record(3, models: "y"),
      fallbacks: fallbacks)
    try check([true, false], record(1), record(2, models: "x"), fallbacks: fallbacks)
    try check([false], record(1), record(2, "vip", models: "x"), fallbacks: fallbacks)
    try check([false], record(1), fallbacks: fallbacks)
  }

  @Test func hasALocalModelForTheOutage() throws {
    let fallbacks = #"{"offline":{"*":"x"}}"#
    try check([true], record(1), record(2, models: "x", location: .local), fallbacks: fallbacks)
    try check([false], record(1), record(2, models: "x"), fallbacks: fallbacks)
  }

  /// It costs nothing to ask the same upstream with another key: no reason to hurry.
  @Test func doesNotCountOtherKeys() throws {
    try check([false, false], record(1, keys: "a\nb"), ofKey: true)
  }
}
