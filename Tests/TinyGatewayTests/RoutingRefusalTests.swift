// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// What a client is told when no channel is free for its request.
struct RoutingRefusalTests {
  private func refusal(
    _ records: ChannelRecord..., groups: [ByteString] = ["default"], fallbacks: ByteString = "",
    pinned: Int64? = nil, now: Int64 = 0, after happened: (RoutingStage) throws -> Void
  ) throws -> RelayError {
    let stage = RoutingStage(groups: [.group(1, "default", fallbacks: fallbacks)])
    #expect(stage.channels.load(records).isEmpty)
    try happened(stage)
    var route = Route("m", groups: groups, pinned: pinned)
    stage.now = now
    route.ignoresBusy = true
    while stage.fail(&route) != nil {}
    return Eligibility.refusal(route, at: stage.instant, stage.context)
  }

  private func check(
    _ error: RelayError, _ status: Int, _ type: String, _ code: String, _ message: String,
    retryAfter: Int64?, _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(error.status == status, sourceLocation: location)
    #expect(error.type.text == type, sourceLocation: location)
    #expect(error.code.text == code, sourceLocation: location)
    #expect(error.message.text == message, sourceLocation: location)
    #expect(error.retryAfter == retryAfter, sourceLocation: location)
  }

  private func checkUnavailable(
    _ error: RelayError, _ words: String, retryAfter: Int64,
    _ location: SourceLocation = #_sourceLocation
  ) {
    check(
      error, 503, "server_error", "no_channel_available", "The channels for the model m \(words)",
      retryAfter: retryAfter, location)
  }

  private func record(_ id: Int64, _ groups: ByteString = "default") -> ChannelRecord {
    RoutingFixtures.record(id, groups: groups, limit: 1)
  }

  @Test func passesOnThatEveryVendorAsksForARest() throws {
    let message = "Every channel for the model m rests, as its vendor's rate limit asks."
    for (rests, now, seconds): ([Int64], Int64, Int64) in [
      ([7000], 0, 7), ([7001], 0, 8), ([6999], 0, 7), ([1], 0, 1), ([90_000, 30_000], 0, 30),
      ([90_000, 30_000], 10_500, 20),
    ] {
      let error = try refusal(record(1), record(2), now: now) {
        try $0.visit(1, .rateLimited(restMilliseconds: rests[0]))
        try $0.visit(2, .rateLimited(restMilliseconds: rests.last))
      }
      check(error, 429, "rate_limit_error", "rate_limit_exceeded", message, retryAfter: seconds)
    }
  }

  @Test func saysThatChannelsAreLeftAlone() throws {
    let words = "are left alone for a moment after failures."
    checkUnavailable(
      try refusal(record(1)) { try $0.breakDown(1) }, words, retryAfter: 5)
    checkUnavailable(
      try refusal(record(1), now: 4500) { try $0.breakDown(1) }, words, retryAfter: 1)
    let error = try refusal(record(1), record(2)) {
      try $0.breakDown(1)
      try $0.visit(2, .rateLimited(restMilliseconds: 2000))
    }
    checkUnavailable(error, words, retryAfter: 2)
    let limited = try refusal(record(1)) {
      try $0.visit(1, .rateLimited(restMilliseconds: nil), times: 5)
    }
    checkUnavailable(limited, words, retryAfter: 5)
  }

  /// Not knowing when is a second.
  @Test func saysThatAProbeIsUnderWay() throws {
    let error = try refusal(record(1)) {
      try $0.breakDown(1)
      _ = try $0.channel(1).health.begin(at: $0.instant, early: true)
    }
    checkUnavailable(error, "are left alone for a moment after failures.", retryAfter: 1)
  }

  @Test func saysThatKeysAreRejected() throws {
    let error = try refusal(record(1)) { try $0.visit(1, .keyRejected(reason: "secret words")) }
    checkUnavailable(error, "are off: the vendor rejects their keys.", retryAfter: 5)
  }

  @Test func saysThatChannelsAreBusy() throws {
    let error = try refusal(record(1), record(2)) {
      for id: Int64 in 1...2 { _ = try $0.channel(id).health.begin(at: $0.instant) }
    }
    checkUnavailable(error, "are busy.", retryAfter: 1)
  }

  @Test func saysThatMachinesAreBeingWoken() throws {
    let error = try refusal(record(1)) { try $0.channel(1).health.isWaking = true }
    checkUnavailable(error, "are being woken.", retryAfter: 1)
  }

  @Test func namesTheFirstChannelsReason() throws {
    let error = try refusal(record(1), record(2)) {
      _ = try $0.channel(1).health.begin(at: $0.instant)
      try $0.visit(2, .keyRejected(reason: "r"))
    }
    checkUnavailable(error, "are busy.", retryAfter: 5)
  }

  @Test func speaksOfTheCallersChannelsOnly() throws {
    let error = try refusal(record(1), record(2, "vip")) {
      try $0.breakDown(1)
      try $0.visit(2, .rateLimited(restMilliseconds: 500))
    }
    checkUnavailable(error, "are left alone for a moment after failures.", retryAfter: 5)
  }

  @Test func speaksOfThePinnedChannelOnly() throws {
    let error = try refusal(record(1), record(2, "vip"), pinned: 2) {
      try $0.breakDown(1)
      try $0.visit(2, .rateLimited(restMilliseconds: 3000))
    }
    check(
      error, 429, "rate_limit_error", "rate_limit_exceeded",
      "Every channel for the model m rests, as its vendor's rate limit asks.", retryAfter: 3)
  }

  @Test func speaksOfFallbackChannelsWhereThereAreNoOthers() throws {
    let error = try refusal(record(9, ""), fallbacks: "9") { try $0.breakDown(9) }
    checkUnavailable(error, "are left alone for a moment after failures.", retryAfter: 5)
  }

  @Test func saysSoWhereNothingIsKnown() throws {
    let error = try refusal(record(1, "vip")) { _ in }
    check(
      error, 503, "upstream_error", "no_channel", "No channel could serve this request.",
      retryAfter: nil)
  }
}
