// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// All channels, as they come and go.
struct StateChannelDirectoryTests {
  private func directory(_ records: ChannelRecord...) -> ChannelDirectory {
    let directory = ChannelDirectory(defaults: RelayFixtures.timeouts)
    #expect(directory.load(records).isEmpty)
    return directory
  }

  @Test func listsChannelsById() {
    let directory = directory(
      RelayFixtures.record(3), RelayFixtures.record(1), RelayFixtures.record(2))
    #expect(directory.all.map(\.id) == [1, 2, 3])
    #expect(directory.find(2)?.id == 2)
    #expect(directory.find(4) == nil)
  }

  @Test func leavesOutRecordsThatNoLongerFit() {
    let directory = ChannelDirectory(defaults: RelayFixtures.timeouts)
    var broken = RelayFixtures.record(2)
    broken.type = "a-vendor-of-the-future"
    let refused = directory.load([RelayFixtures.record(1), broken, RelayFixtures.record(3)])
    #expect(refused.map(\.0.id) == [2])
    #expect(refused.first?.1.field.text == "type")
    #expect(directory.all.map(\.id) == [1, 3])
    #expect(directory.serving("gpt-4o").map(\.id) == [1, 3])
  }

  @Test func checksWithoutTakingOver() throws {
    let directory = directory()
    try directory.check(RelayFixtures.record(1))
    var broken = RelayFixtures.record(2)
    broken.baseURL = "nonsense"
    #expect(throws: FieldError.self) { try directory.check(broken) }
    #expect(directory.all.isEmpty)
  }

  @Test func keepsFiguresAndHealthWhenSettingsChange() throws {
    let directory = directory(RelayFixtures.record(1))
    let statistics = try #require(directory.find(1)).statistics
    let health = try #require(directory.find(1)).health
    try directory.put(RelayFixtures.record(1, models: "other"))
    let channel = try #require(directory.find(1))
    #expect(channel.statistics === statistics)
    #expect(channel.health === health)
    #expect(channel.serves("other"))
    #expect(directory.serving("gpt-4o").isEmpty)
  }

  @Test func keepsAChannelWhoseChangeIsRefused() throws {
    let directory = directory(RelayFixtures.record(1))
    var broken = RelayFixtures.record(1)
    broken.type = "nonsense"
    #expect(throws: FieldError.self) { try directory.put(broken) }
    #expect(directory.find(1)?.record.type == "openai-compatible")
    #expect(directory.serving("gpt-4o").map(\.id) == [1])
  }

  @Test func findsWhoServesAModel() throws {
    let directory = directory(
      RelayFixtures.record(1, models: "a,b"), RelayFixtures.record(2, models: "b"),
      RelayFixtures.record(3, models: "b", status: .disabled),
      RelayFixtures.record(4, models: ""))
    #expect(directory.serving("a").map(\.id) == [1, 4])
    #expect(directory.serving("b").map(\.id) == [1, 2, 3, 4])
    #expect(directory.serving("c").map(\.id) == [4])
    #expect(directory.rotation(for: "b", group: "default")?.channels.map(\.id) == [1, 2, 4])
    #expect(directory.rotation(for: "c", group: "default")?.channels.map(\.id) == [4])
    #expect(directory.rotation(for: "b", group: "other") == nil)
    directory.remove(4)
    #expect(directory.serving("c").isEmpty)
    #expect(directory.rotation(for: "b", group: "default")?.channels.map(\.id) == [1, 2])
    directory.remove(99)
    #expect(directory.all.map(\.id) == [1, 2, 3])
  }

  @Test func listsModelsThatAGroupCanUse() {
    let directory = directory(
      RelayFixtures.record(1, models: "zeta,alpha"),
      RelayFixtures.record(2, models: "alpha,vip-only", groups: "vip"),
      RelayFixtures.record(3, models: "off", status: .disabled),
      RelayFixtures.record(4, models: "weightless", weight: 0),
      RelayFixtures.record(5, models: ""))
    #expect(directory.models(inGroups: ["default"]).map(\.text) == ["alpha", "zeta"])
    #expect(directory.models(inGroups: ["vip"]).map(\.text) == ["alpha", "vip-only"])
    #expect(directory.models(inGroups: ["nobody"]).isEmpty)
  }

  @Test func usesOtherTimeoutsFromNowOn() throws {
    var own = RelayFixtures.record(2)
    own.idleTimeoutMilliseconds = 7
    let directory = directory(RelayFixtures.record(1), own)
    let statistics = try #require(directory.find(1)).statistics
    _ = directory.rotation(for: "gpt-4o", group: "default")
    var timeouts = RelayFixtures.timeouts
    timeouts.idleMilliseconds = 99
    #expect(directory.replaceDefaults(timeouts).isEmpty)
    #expect(directory.find(1)?.timeouts.idleMilliseconds == 99)
    #expect(directory.find(1)?.statistics === statistics)
    #expect(directory.find(2)?.timeouts.idleMilliseconds == 7)
    let served = try #require(directory.rotation(for: "gpt-4o", group: "default"))
    #expect(served.channels.map(\.timeouts.idleMilliseconds) == [99, 7])
    try directory.put(RelayFixtures.record(3))
    #expect(directory.find(3)?.timeouts.idleMilliseconds == 99)
  }

  /// The policy reaches channels from before and from after, also by a reload of timeouts.
  @Test func handsTheBreakersPolicyToEveryChannel() throws {
    let directory = directory(RelayFixtures.record(1))
    var policy = CircuitBreaker.Policy()
    policy.failureLimit = 7
    directory.breakerPolicy = policy
    #expect(directory.load([RelayFixtures.record(2)]).isEmpty)
    try directory.put(RelayFixtures.record(3))
    for id: Int64 in 1...3 { #expect(directory.find(id)?.health.policy == policy) }
    _ = directory.replaceDefaults(RelayFixtures.timeouts)
    for id: Int64 in 1...3 { #expect(directory.find(id)?.health.policy == policy) }
  }
  // Waking.

  /// It is another machine that would have to wake: nobody waits for the one from before.
  @Test func forgetsThatAMachineWakesWhenAnotherIsMeant() throws {
    func check(_ isForgotten: Bool, _ change: (inout ChannelRecord) -> Void) throws {
      var record = RelayFixtures.record(1)
      record.wakeMAC = "00:11:22:aa:bb:cc"
      record.wakePolicy = .fallback
      let directory = directory(record)
      try #require(directory.find(1)).health.isWaking = true
      change(&record)
      try directory.put(record)
      #expect(directory.find(1)?.health.isWaking == !isForgotten, "\(record)")
    }
    try check(true) { $0.baseURL = "http://127.0.0.2:9/v1" }
    try check(true) { $0.type = "openai" }
    try check(true) { $0.wakeMAC = "00:11:22:aa:bb:cd" }
    try check(true) { $0.wakeMAC = "" }
    try check(true) { $0.wakeBroadcast = "10.0.0.255" }
    try check(true) { $0.wakePolicy = .hold }
    try check(true) { $0.wakeTimeoutMilliseconds = 5000 }
    try check(false) { _ in }
    try check(false) { $0.weight = 7 }
    try check(false) { $0.models = "other" }
  }

  // Memory.

  /// A channel holds keys: nothing may keep it when it is gone, or was given others.
  @Test func holdsNothingOfAChannelThatIsGone() throws {
    let directory = directory(RelayFixtures.record(1), RelayFixtures.record(2))
    _ = directory.rotation(for: "gpt-4o", group: "default")
    _ = directory.rotation(for: "gpt-4o", group: "default", localOnly: true)
    weak var first = directory.find(1)
    #expect(first != nil)
    try directory.put(RelayFixtures.record(1, weight: 5))
    #expect(first == nil, "replaced")
    first = directory.find(1)
    weak var second = directory.find(2)
    directory.remove(1)
    #expect(first == nil && second != nil, "removed")
    _ = directory.replaceDefaults(RelayFixtures.timeouts)
    #expect(second == nil, "given other timeouts")
    directory.remove(2)
    #expect(directory.rotation(for: "gpt-4o", group: "default") == nil)
    try directory.put(RelayFixtures.record(3))
    #expect(directory.rotation(for: "gpt-4o", group: "default")?.channels.map(\.id) == [3])
  }

  // Enabling.

  @Test func isOffUnlessRequestsMayGoThere() throws {
    for (status, rejections, isOff): (ChannelStatus, Int, Bool) in [
      (.enabled, 0, false), (.enabled, 1, false), (.enabled, 2, true), (.disabled, 0, true),
      (.autoDisabled, 0, true),
    ] {
      var record = RelayFixtures.record(1, status: status)
      record.keys = "a\nb"
      let channel = try RelayFixtures.channel(record)
      for _ in 0..<rejections {
        let ticket = try #require(channel.health.begin(at: RoutingFixtures.at(0)))
        channel.health.end(ticket, .keyRejected(reason: "no"), at: RoutingFixtures.at(0))
      }
      #expect(ChannelEndpoints.isOff(channel) == isOff, "\(status) \(rejections)")
    }
  }
}
