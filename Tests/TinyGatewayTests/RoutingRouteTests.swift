// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Which channels and keys one request tries, in which order, and when it stops.
struct RoutingRouteTests {
  private func stage(_ records: ChannelRecord..., groups: ChannelGroupRecord...) -> RoutingStage {
    let stage = RoutingStage(groups: groups)
    #expect(stage.channels.load(records).isEmpty)
    return stage
  }

  private func record(
    _ id: Int64, _ groups: ByteString = "default", models: ByteString = "m",
    keys: ByteString = "", limit: Int64 = 0, status: ChannelStatus = .enabled, weight: Int64 = 1
  ) -> ChannelRecord {
    RoutingFixtures.record(
      id, models: models, groups: groups, weight: weight, keys: keys, limit: limit, status: status)
  }

  private func route(_ groups: ByteString...) -> Route {
    Route("m", groups: groups.isEmpty ? ["default"] : groups)
  }

  // Channels.

  @Test func triesEachChannelOnce() {
    let stage = stage(record(1), record(2), record(3))
    var route = route()
    #expect(stage.failAll(&route) == ["1", "2", "3"])
    #expect(stage.find(&route) == .none)
    #expect(route.take(at: stage.instant, stage.context) == nil)
  }

  @Test func findsNothingWhereNothingIs() {
    let stage = stage(record(1, "vip"), record(2, models: "x"), record(3, status: .disabled))
    for groups: [ByteString] in [[], ["default"], ["nobody"], ["nobody", "default"]] {
      var route = Route("m", groups: groups)
      #expect(stage.failAll(&route).isEmpty)
      #expect(route.restPause(at: stage.instant, stage.context, upTo: .max) == nil)
    }
  }

  @Test func leavesOutWhatIsLeftAlone() throws {
    let stage = stage(record(1), record(2), record(3), record(4), record(5))
    try stage.breakDown(1)
    try stage.visit(2, .rateLimited(restMilliseconds: 9000))
    try stage.visit(3, .keyRejected(reason: "r"))
    try stage.channel(4).health.isWaking = true
    var route = route()
    #expect(stage.failAll(&route) == ["5"])
  }

  @Test func changesNothingByLookingOnly() {
    let stage = stage(
      record(1), record(2), groups: .group(1, "default", strategy: .weightedRoundRobin))
    var route = route()
    for _ in 0..<5 { #expect(stage.find(&route) == .ready) }
    #expect(stage.failAll(&route) == ["1", "2"])
  }

  @Test func followsTheGroupsStrategy() {
    for strategy in BalancingStrategy.allCases {
      let stage = stage(
        record(1, weight: 1), record(2, weight: 9), groups: .group(1, "default", strategy: strategy)
      )
      let firsts = (0..<20).compactMap { _ in
        var route = route()
        guard let attempt = stage.fail(&route, .answered) else { return nil as Int64? }
        attempt.channel.health.noteFirstByte(1, at: stage.instant)
        return attempt.channel.id
      }
      switch strategy {
      case .weightedRoundRobin, .leastBusy: #expect(firsts.count { $0 == 2 } == 18)
      case .priority: #expect(firsts.count { $0 == 2 } == 20)
      case .leastLatency: #expect(firsts.count { $0 == 2 } == 1)
      case .weightedRandom: #expect((10...20).contains(firsts.count { $0 == 2 }))
      }
    }
  }

  @Test func keepsAConversationWhereTheGroupWishesIt() {
    for isSticky in [true, false] {
      let stage = stage(
        record(1), record(2), record(3),
        groups: .group(1, "default", strategy: .weightedRoundRobin, isSticky: isSticky))
      let firsts = (0..<9).compactMap { _ in
        var route = route()
        route.stickyHash = 77
        return stage.take(&route)?.channel.id
      }
      #expect(Set(firsts).count == (isSticky ? 1 : 3))
    }
  }

  /// A group whose record is gone still serves, in the usual way.
  @Test func servesAGroupWithoutARecord() {
    let stage = stage(record(1, "lost"), record(2, "lost"))
    stage.attemptLimit = 2
    var first = route("lost")
    var second = route("lost")
    #expect(stage.take(&first)?.channel.id == 1)
    #expect(stage.take(&second)?.channel.id == 2)
  }

  // Keys.

  @Test func triesAnotherKeyOfTheSameChannel() {
    let stage = stage(record(1, keys: "a\nb\nc"))
    var route = route()
    #expect(stage.failAll(&route, ofKey: true, .keyRejected(reason: "r")) == ["1a", "1b", "1c"])
    #expect(stage.channels.find(1)?.health.rejection == "r")
  }

  @Test func leavesAChannelWithAllItsKeysWhenItsFaultIsItsOwn() {
    let stage = stage(record(1, keys: "a\nb"), record(2, keys: "c\nd"))
    var route = route()
    #expect(stage.failAll(&route) == ["1a", "2c"])
  }

  @Test func mixesFaultsOfKeysAndChannels() throws {
    let stage = stage(
      record(1, keys: "a\nb"), record(2, keys: "c"), groups: .group(1, "default"))
    var route = route()
    #expect(stage.fail(&route, ofKey: true, .rateLimited(restMilliseconds: nil))?.channel.id == 1)
    let second = try #require(stage.fail(&route))
    #expect(second.channel.id == 1 && second.ticket.key == "b")
    #expect(stage.failAll(&route) == ["2c"])
  }

  /// Another request may still use the key.
  @Test func excludesTriedKeysForThisRequestOnly() {
    let stage = stage(record(1, keys: "a\nb"))
    var first = route()
    var second = route()
    let answered = AttemptOutcome.answered
    #expect(stage.fail(&first, ofKey: true, answered)?.ticket.key == "a")
    #expect(stage.fail(&first, ofKey: true, answered)?.ticket.key == "b")
    #expect(stage.fail(&first, ofKey: true, answered) == nil)
    #expect(stage.failAll(&second, ofKey: true, answered) == ["1a", "1b"])
  }

  // The number of attempts.

  @Test func makesNoMoreAttemptsThanTheGroupAllows() {
    for (own, standard, expected): (Int64?, Int, Int) in [
      (nil, 4, 4), (nil, 1, 1), (0, 4, 1), (2, 4, 3), (9, 1, 6), (nil, 11, 6),
    ] {
      let stage = stage(
        record(1), record(2), record(3), record(4), record(5), record(6),
        groups: .group(1, "default", retries: own))
      stage.attemptLimit = standard
      var route = route()
      #expect(stage.failAll(&route).count == expected, "\(own ?? -1) of \(standard)")
      #expect(route.attemptLimit(stage.context) == own.map { Int($0) + 1 } ?? standard)
    }
  }

  @Test func countsKeysAsAttempts() {
    let stage = stage(record(1, keys: "a\nb\nc\nd\ne"))
    stage.attemptLimit = 3
    var route = route()
    let places = stage.failAll(&route, ofKey: true, .rateLimited(restMilliseconds: 9))
    #expect(places == ["1a", "1b", "1c"])
  }

  // Several groups.

  @Test func triesTheCallersGroupsInTheirOrder() {
    let stage = stage(
      record(1, "b"), record(2, "a"), record(3, "b"), record(4, "a"), record(5, "c"),
      groups: .group(1, "a"), .group(2, "b"), .group(3, "c"))
    stage.attemptLimit = 9
    var ab = route("a", "b")
    #expect(stage.failAll(&ab) == ["2", "4", "1", "3"])
    var ba = route("b", "a", "nobody")
    #expect(stage.failAll(&ba) == ["1", "3", "2", "4"])
  }

  @Test func triesAChannelOfSeveralGroupsOnce() {
    let stage = stage(
      record(1, "a,b"), record(2, "b"), groups: .group(1, "a"), .group(2, "b"))
    var route = route("a", "b")
    #expect(stage.failAll(&route) == ["1", "2"])
  }

  /// The first that serves the model decides, for all of them together.
  @Test func takesRetriesFromTheFirstGroupThatServes() {
    let stage = stage(
      record(1, "b"), record(2, "b"), record(3, "c"), record(4, "c"),
      groups: .group(1, "a", retries: 7), .group(2, "b", retries: 2), .group(3, "c", retries: 0))
    var route = route("a", "b", "c")
    #expect(stage.failAll(&route) == ["1", "2", "3"])
  }

  @Test func usesEachGroupsOwnStrategy() {
    let stage = stage(
      record(1, "a"), record(2, "a", weight: 5), record(3, "b"), record(4, "b", weight: 5),
      groups: .group(1, "a"), .group(2, "b", strategy: .leastLatency))
    var route = route("a", "b")
    #expect(stage.failAll(&route) == ["2", "1", "3", "4"])
  }

  // Explicit fallback channels.

  @Test func triesFallbackChannelsLastInTheirOrder() {
    let stage = stage(
      record(1), record(2), record(7, ""), record(8, "vip"), record(9, weight: 0),
      groups: .group(1, "default", fallbacks: "8,9,7"))
    var route = route()
    #expect(stage.failAll(&route) == ["1", "2", "8", "9", "7"])
  }

  @Test func triesFallbackChannelsBeyondTheLimit() {
    let stage = stage(
      record(1), record(2), record(8, ""), record(9, ""),
      groups: .group(1, "default", retries: 0, fallbacks: "8,9"))
    var route = route()
    #expect(stage.failAll(&route) == ["1", "8", "9"])
  }

  @Test func usesNoFallbackChannelThatCannotServe() throws {
    let stage = stage(
      record(1), record(4, status: .disabled), record(5, "", models: "x"), record(6, ""),
      record(7, ""), record(8, status: .autoDisabled),
      groups: .group(1, "default", fallbacks: "99,4,5,1,6,7,8"))
    try stage.breakDown(6)
    var route = route()
    #expect(stage.failAll(&route) == ["1", "7"])
  }

  /// The retries do not bound fallback channels, so each has one try.
  @Test func triesOneKeyOfAFallbackChannel() {
    let stage = stage(
      record(1, keys: "a"), record(9, "", keys: "x\ny"),
      groups: .group(1, "default", fallbacks: "9"))
    var route = route()
    #expect(stage.failAll(&route, ofKey: true, .rateLimited(restMilliseconds: 9)) == ["1a", "9x"])
  }

  @Test func takesFallbackChannelsFromTheFirstGroupThatServes() {
    let stage = stage(
      record(1, "b"), record(8, ""), record(9, ""),
      groups: .group(1, "a", fallbacks: "8"), .group(2, "b", fallbacks: "9"))
    var both = route("a", "b")
    #expect(stage.failAll(&both) == ["1", "9"])
    var alone = route("a")
    #expect(stage.failAll(&alone) == ["8"], "no channel of its own serves the model")
  }
}
