// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Why a channel is not chosen, and what callers are told when none is.
struct RoutingEligibilityTests {
  private func record(
    _ id: Int64, _ models: ByteString = "m", groups: ByteString = "default", weight: Int64 = 1,
    keys: ByteString = "", limit: Int64 = 0, location: ChannelLocation = .cloud,
    status: ChannelStatus = .enabled, reason: ByteString = ""
  ) -> ChannelRecord {
    RoutingFixtures.record(
      id, models: models, groups: groups, weight: weight, keys: keys, limit: limit,
      location: location, status: status, reason: reason)
  }

  private func at(_ milliseconds: Int64) -> Instant { RoutingFixtures.at(milliseconds) }

  // One channel.

  /// Checks the reason, its name and when it may change, after something happened.
  private func check(
    _ record: ChannelRecord, _ expected: Ineligibility?, _ code: String = "",
    until: Instant? = nil, groups: [ByteString] = ["default"], now: Int64 = 0,
    after happened: (RoutingStage) throws -> Void = { _ in },
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let stage = RoutingStage(record)
    try happened(stage)
    let channel = try stage.channel(record.id)
    let reason = Eligibility.reason(channel, "m", groups: groups, at: at(now))
    #expect(reason == expected, sourceLocation: location)
    #expect(reason?.code.text ?? "" == code, sourceLocation: location)
    #expect(reason?.until == until, sourceLocation: location)
  }

  @Test func takesAChannelThatIsWell() throws {
    try check(record(1), nil)
    try check(record(1, ""), nil)
    try check(record(1, "a,m"), nil)
    try check(record(1, groups: "vip,default"), nil)
    try check(record(1, groups: "vip"), nil, groups: ["other", "vip"])
  }

  @Test func namesWhatSettingsPrevent() throws {
    try check(record(1, "x"), .modelNotListed, "model_not_listed")
    try check(record(1, groups: "vip"), .notInGroup, "not_in_group")
    try check(record(1, groups: ""), .notInGroup, "not_in_group")
    try check(record(1), .notInGroup, "not_in_group", groups: [])
    try check(record(1, status: .disabled), .disabled, "disabled")
    try check(
      record(1, status: .autoDisabled, reason: "why"), .autoDisabled("why"), "auto_disabled")
    try check(record(1, weight: 0), .weightZero, "weight_zero")
  }

  /// What cannot pass by itself comes first.
  @Test func namesTheFirstReason() throws {
    let down: (RoutingStage) throws -> Void = { try $0.breakDown(1) }
    let all = record(1, "x", groups: "vip", weight: 0, status: .disabled)
    try check(all, .modelNotListed, "model_not_listed", after: down)
    let three = record(1, groups: "vip", weight: 0, status: .disabled)
    try check(three, .notInGroup, "not_in_group", after: down)
    try check(record(1, weight: 0, status: .disabled), .disabled, "disabled", after: down)
    try check(record(1, weight: 0), .weightZero, "weight_zero", after: down)
  }

  @Test func namesAnOpenBreaker() throws {
    try check(
      record(1), .circuitOpen(until: at(5000)), "circuit_open", until: at(5000), now: 4999
    ) { try $0.breakDown(1) }
    try check(record(1), nil, now: 5000) { try $0.breakDown(1) }
    try check(record(1), .circuitOpen(until: nil), "circuit_open", now: 5000) {
      try $0.breakDown(1)
      _ = try $0.channel(1).health.begin(at: at(5000))
    }
  }

  @Test func namesARest() throws {
    try check(record(1), .resting(until: at(700)), "resting", until: at(700)) {
      try $0.visit(1, .rateLimited(restMilliseconds: 700))
    }
    try check(record(1), .resting(until: at(700)), "resting", until: at(700)) {
      try $0.visit(1, .channelFailed(isUnreachable: false, restMilliseconds: 700))
    }
    try check(record(1, keys: "a\nb"), nil) {
      try $0.visit(1, .rateLimited(restMilliseconds: 700))
    }
  }

  @Test func namesKeysThatAreAside() throws {
    try check(
      record(1), .keysAside("no balance", until: at(5000)), "keys_aside", until: at(5000)
    ) { try $0.visit(1, .keyRejected(reason: "no balance")) }
    try check(record(1), .keysAside("", until: at(5000)), "keys_aside", until: at(5000)) {
      try $0.visit(1, .rateLimited(restMilliseconds: nil), times: 5)
    }
    try check(record(1, keys: "a\nb"), nil) { try $0.visit(1, .keyRejected(reason: "r")) }
  }

  @Test func namesABusyChannel() throws {
    let occupied: (RoutingStage) throws -> Void = {
      for _ in 0..<2 { _ = try $0.channel(1).health.begin(at: $0.instant) }
    }
    try check(record(1, limit: 2), .busy, "busy", after: occupied)
    try check(record(1, limit: 3), nil, after: occupied)
    try check(record(1, limit: 0), nil, after: occupied)
  }

  @Test func namesAMachineThatIsBeingWoken() throws {
    try check(record(1), .waking, "waking") { try $0.channel(1).health.isWaking = true }
  }

  // No channel at all.

  private static let records: [ChannelRecord] = [
    RelayFixtures.record(1, models: "gpt-4o,shared"),
    RelayFixtures.record(2, models: "shared", groups: "vip,default"),
    RelayFixtures.record(3, models: "shared,only-vip", groups: "vip"),
    RelayFixtures.record(4, models: "shared,off", status: .disabled),
    RelayFixtures.record(5, models: "shared,auto-off", status: .autoDisabled),
    RelayFixtures.record(6, models: "shared,weightless", weight: 0),
    RelayFixtures.record(7, models: "off,half-off", status: .disabled),
    RelayFixtures.record(8, models: "half-off"),
    RelayFixtures.record(9, models: "spare", groups: "", weight: 0),
  ]

  private enum Absence: String {
    case unknown = " is served by no channel here."
    case otherGroups = " is served only by channels of other groups than this API key's."
    case disabled = " is served only by channels that are disabled."
    case weightless = " is served only by channels whose weight is 0."
  }

  /// Checks the 404, or that there is none.
  private func check(
    _ model: ByteString, _ absence: Absence?, groups: [ByteString] = ["default"],
    pinned: Int64? = nil, fallbacks: String = "{}", channels: ByteString = "",
    and others: [ChannelRecord] = [], _ location: SourceLocation = #_sourceLocation
  ) throws {
    let stage = RoutingStage(groups: [
      .group(1, "default", fallbacks: channels), .group(2, "vip"),
    ])
    #expect(stage.channels.load(Self.records + others).isEmpty)
    stage.fallbacks = try ModelFallbacks(ByteString(utf8: fallbacks))
    let route = Route(model, groups: groups, pinned: pinned)
    let error = Eligibility.absence(of: route, stage.context)
    guard let absence else {
      return #expect(error == nil, "\(error?.message.text ?? "")", sourceLocation: location)
    }
    #expect(error?.status == 404, sourceLocation: location)
    #expect(error?.type.text == "invalid_request_error", sourceLocation: location)
    #expect(error?.code == "model_not_found", sourceLocation: location)
    #expect(error?.param?.text == "model", sourceLocation: location)
    #expect(
      error?.message.text == "The model \(model.text)\(absence.rawValue)",
      sourceLocation: location)
  }

  @Test func saysNothingWhereAChannelServes() throws {
    for model: ByteString in ["gpt-4o", "shared", "half-off"] { try check(model, nil) }
    try check("only-vip", nil, groups: ["vip"])
    try check("only-vip", nil, groups: ["default", "vip"])
  }

  @Test func saysWhyThereIsNoChannel() throws {
    for model: ByteString in ["gpt-9", "GPT-4o", ""] { try check(model, .unknown) }
    try check("only-vip", .otherGroups)
    try check("gpt-4o", .otherGroups, groups: ["nobody"])
    try check("gpt-4o", .otherGroups, groups: [])
    try check("spare", .otherGroups)
    try check("off", .disabled)
    try check("auto-off", .disabled)
    try check("weightless", .weightless)
  }

  /// What may pass is no reason for a 404.
  @Test func saysNothingWhereChannelsAreDown() throws {
    let stage = RoutingStage(record(1))
    try stage.breakDown(1)
    let route = Route("m", groups: ["default"])
    #expect(Eligibility.absence(of: route, stage.context) == nil)
  }

  @Test func saysNothingWhereAFallbackServes() throws {
    let any = RelayFixtures.record(10, models: "")
    try check("gpt-9", nil, and: [any])
    try check("gpt-9", .otherGroups, groups: ["vip"], and: [any])
    try check("spare", nil, channels: "9")
    try check("off", .disabled, channels: "4,7,9,99")
    try check("gpt-9", nil, fallbacks: #"{"fallbacks":{"gpt-9":["none","shared"]}}"#)
    try check("gpt-9", nil, fallbacks: #"{"fallbacks":{"gpt-9":["spare"]}}"#, channels: "9")
  }

  @Test func saysWhereNoFallbackServesEither() throws {
    try check("gpt-9", .unknown, fallbacks: #"{"fallbacks":{"gpt-9":["none","off","only-vip"]}}"#)
    try check("only-vip", .otherGroups, fallbacks: #"{"fallbacks":{"only-vip":["spare"]}}"#)
    try check("off", .disabled, fallbacks: #"{"fallbacks":{"on":["shared"]}}"#)
  }

  /// Only for models that are served while the internet is there.
  @Test func letsAnOfflineModelStandForNoUnknownOne() throws {
    let local = RoutingFixtures.record(10, models: "small", location: .local)
    try check("gpt-9", .unknown, fallbacks: #"{"offline":{"*":"small"}}"#, and: [local])
    try check("shared", nil, fallbacks: #"{"offline":{"*":"small"}}"#, and: [local])
  }

  @Test func findsAPinnedChannelWhateverItsGroupAndStatus() throws {
    for id: Int64 in 1...6 { try check("shared", nil, pinned: id) }
    try check("spare", nil, groups: [], pinned: 9)
    try check("gpt-4o", .unknown, pinned: 2)
    try check("gpt-4o", .unknown, pinned: 99)
    try check("gpt-9", .unknown, pinned: 1)
    let fallbacks = #"{"fallbacks":{"gpt-4o":["shared"]},"offline":{"*":"shared"}}"#
    try check("gpt-4o", .unknown, pinned: 2, fallbacks: fallbacks)
  }
}
