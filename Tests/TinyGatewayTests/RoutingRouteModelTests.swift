// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Other models in place of the one asked for: fallbacks, and a local one without internet.
struct RoutingRouteModelTests {
  private func record(
    _ id: Int64, _ models: ByteString, groups: ByteString = "default", keys: ByteString = "",
    location: ChannelLocation = .cloud
  ) -> ChannelRecord {
    RoutingFixtures.record(id, models: models, groups: groups, keys: keys, location: location)
  }

  private func stage(
    _ fallbacks: String, _ records: ChannelRecord...,
    group: ChannelGroupRecord = .group(1, "default")
  ) throws -> RoutingStage {
    let stage = RoutingStage(groups: [group])
    #expect(stage.channels.load(records).isEmpty)
    stage.fallbacks = try ModelFallbacks(ByteString(utf8: fallbacks))
    return stage
  }

  private func route(_ groups: ByteString...) -> Route {
    Route("m", groups: groups.isEmpty ? ["default"] : groups)
  }

  private let gone = AttemptOutcome.channelFailed(isUnreachable: true)

  // Fallbacks.

  @Test func triesOtherModelsInTheirOrder() throws {
    let stage = try stage(
      #"{"fallbacks":{"m":["x","y","none","z"]}}"#, record(1, "m"), record(2, "y,x"),
      record(3, "z"))
    var route = route()
    #expect(stage.failAllModels(&route) == ["m1", "x2", "y2", "z3"])
    #expect(route.requested == "m")
    #expect(stage.find(&route) == .none)
  }

  @Test func triesAllChannelsOfAModelBeforeTheNext() throws {
    let stage = try stage(
      #"{"fallbacks":{"m":["x"]}}"#, record(1, "m,x"), record(2, "m"), record(9, "m,x", groups: ""),
      group: .group(1, "default", fallbacks: "9"))
    var route = route()
    #expect(stage.failAllModels(&route) == ["m1", "m2", "m9", "x1", "x9"])
  }

  @Test func countsAttemptsOfEachModel() throws {
    let stage = try stage(
      #"{"fallbacks":{"m":["x"]}}"#, record(1, "m,x"), record(2, "m,x"), record(3, "m,x"))
    stage.attemptLimit = 2
    var route = route()
    #expect(stage.failAllModels(&route) == ["m1", "m2", "x1", "x2"])
  }

  @Test func servesAFallbackWhereNobodyHasTheModel() throws {
    let stage = try stage(#"{"fallbacks":{"m":["x"]}}"#, record(1, "x"))
    var route = route()
    #expect(stage.take(&route)?.channel.id == 1)
    #expect(route.model == "x")
  }

  /// A fallback's own fallbacks are not followed.
  @Test func followsOneTableOnly() throws {
    let stage = try stage(
      #"{"fallbacks":{"m":["x"],"x":["y"]}}"#, record(1, "m"), record(2, "x"), record(3, "y"))
    var route = route()
    #expect(stage.failAllModels(&route) == ["m1", "x2"])
  }

  /// Whether the first group or another serves it.
  @Test func takesThePolicyOfTheGroupThatServesEachModel() throws {
    let stage = try stage(
      #"{"fallbacks":{"m":["x"]}}"#, record(1, "m", groups: "a"), record(2, "m", groups: "a"),
      record(3, "x", groups: "b"), record(4, "x", groups: "b"),
      group: .group(1, "a", retries: 0))
    stage.groups.put(.group(2, "b", retries: 1))
    var route = route("a", "b")
    #expect(stage.failAllModels(&route) == ["m1", "x3", "x4"])
  }

  // A prompt that is too long.

  @Test func skipsAModelWhosePromptIsTooLong() throws {
    let stage = try stage(
      #"{"fallbacks":{"m":["x","y"]}}"#, record(1, "m"), record(2, "m"), record(3, "x"),
      record(4, "y,x"), record(9, "m,x", groups: ""),
      group: .group(1, "default", fallbacks: "9"))
    var route = route()
    #expect(stage.fail(&route, .answered)?.channel.id == 1)
    route.skipModel()
    #expect(stage.failAllModels(&route) == ["x3", "x4", "x9", "y4"])
  }

  @Test func skipsOneModelAfterTheOther() throws {
    let stage = try stage(
      #"{"fallbacks":{"m":["x","y"]}}"#, record(1, "m,x,y"), record(2, "m,x,y"))
    var route = route()
    var places: [String] = []
    while let attempt = stage.fail(&route, .answered) {
      places.append("\(route.model.text)\(attempt.channel.id)")
      route.skipModel()
    }
    #expect(places == ["m1", "x1", "y1"])
    route.skipModel()
    #expect(stage.find(&route) == .none)
  }

  @Test func endsWhereNoOtherModelIs() throws {
    let stage = try stage("{}", record(1, "m"), record(2, "m"))
    var route = route()
    _ = stage.fail(&route)
    route.skipModel()
    #expect(stage.find(&route) == .none)
  }

  @Test func skipsAModelOnAFallbackChannel() throws {
    let stage = try stage(
      #"{"fallbacks":{"m":["x"]}}"#, record(1, "m"), record(8, "m", groups: ""),
      record(9, "m", groups: ""), record(3, "x"),
      group: .group(1, "default", fallbacks: "8,9"))
    var route = route()
    _ = stage.fail(&route)
    #expect(stage.fail(&route)?.channel.id == 8)
    route.skipModel()
    #expect(stage.failAllModels(&route) == ["x3"])
  }

  // Without internet.

  private static let offline = #"{"offline":{"m":"small"},"fallbacks":{"m":["x"]}}"#

  @Test func servesALocalModelWhenNothingCanBeReached() throws {
    let stage = try stage(
      Self.offline, record(1, "m"), record(2, "m"), record(3, "small", location: .local),
      record(4, "small"), record(5, "x"))
    var route = route()
    #expect(stage.failAllModels(&route, gone) == ["m1", "m2", "small3", "x5"])
    #expect(!route.isOffline, "with the last fallback")
  }

  @Test func tellsThatItIsOffline() throws {
    let stage = try stage(Self.offline, record(1, "m"), record(3, "small", location: .local))
    var route = route()
    #expect(!route.isOffline)
    #expect(stage.fail(&route, gone) != nil)
    #expect(stage.take(&route)?.channel.id == 3)
    #expect(route.isOffline)
    #expect(route.model == "small" && route.requested == "m")
  }

  /// Also for a request that comes while all breakers are open.
  @Test func servesALocalModelAtOnceLater() throws {
    let stage = try stage(Self.offline, record(1, "m"), record(3, "small", location: .local))
    try stage.visit(1, gone, times: 5)
    var route = route()
    #expect(stage.failAllModels(&route) == ["small3"])
  }

  @Test func staysOnlineWhileAnythingElseIsWrong() throws {
    for outcome: AttemptOutcome in [
      .channelFailed(isUnreachable: false), .rateLimited(restMilliseconds: nil),
      .keyRejected(reason: "r"), .answered,
    ] {
      let stage = try stage(
        Self.offline, record(1, "m"), record(2, "m"), record(3, "small", location: .local))
      try stage.visit(1, gone)
      stage.now = 1
      var route = route()
      #expect(stage.fail(&route, gone) != nil)
      #expect(stage.fail(&route, outcome) != nil)
      #expect(stage.take(&route) == nil, "\(outcome)")
    }
  }

  @Test func prefersTheModelsOwnEntryToTheOneForAny() throws {
    for (table, model): (String, String) in [
      (#"{"offline":{"*":"any"}}"#, "any3"), (#"{"offline":{"*":"any","m":"own"}}"#, "own4"),
      (#"{"offline":{"*":"m"}}"#, ""), (#"{"offline":{"other":"any"}}"#, ""),
    ] {
      let stage = try stage(
        table, record(1, "m"), record(3, "any", location: .local),
        record(4, "own", location: .local))
      var route = route()
      #expect(stage.failAllModels(&route, gone) == ["m1"] + (model.isEmpty ? [] : [model]))
    }
  }

  @Test func usesLocalChannelsOfTheCallersGroupsOnly() throws {
    let stage = try stage(
      Self.offline, record(1, "m"), record(2, "small", groups: "vip", location: .local),
      record(3, "small"))
    var route = route()
    #expect(stage.failAllModels(&route, gone) == ["m1"])
  }

  // Both together with retries.

  @Test func startsOverWithTheModelAskedFor() throws {
    let stage = try stage(#"{"fallbacks":{"m":["x"]}}"#, record(1, "m"), record(2, "x"))
    var route = route()
    #expect(stage.failAllModels(&route) == ["m1", "x2"])
    route.forgive()
    #expect(stage.failAllModels(&route) == ["m1", "x2"])
    #expect(route.requested == "m")
  }
}
