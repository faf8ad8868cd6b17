// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Bodies of group requests: what is taken over, and what is refused with which words.
struct AdminGroupInputTests {
  private let channels: ChannelDirectory
  private let groups = ChannelGroupDirectory()

  init() {
    channels = ChannelDirectory(defaults: RelayFixtures.timeouts)
    _ = channels.load([RelayFixtures.record(3), RelayFixtures.record(7)])
    groups.put(ChannelGroupRecord(id: 1, name: "default"))
    groups.put(ChannelGroupRecord(id: 2, name: "vip"))
  }

  private func body(_ text: String, _ fields: [StaticString]) throws(AdminError) -> AdminBody {
    try AdminBody(RelayFixtures.buffer(text), knowing: fields)
  }

  private func channelGroup(
    _ text: String, over old: ChannelGroupRecord = ChannelGroupRecord(name: "")
  ) throws(AdminError) -> ChannelGroupRecord {
    try GroupInput.apply(try body(text, GroupInput.channelGroupFields), to: old, channels)
  }

  private func userGroup(
    _ text: String, over old: UserGroupRecord = UserGroupRecord(name: "")
  ) throws(AdminError) -> UserGroupRecord {
    try GroupInput.apply(try body(text, GroupInput.userGroupFields), to: old, groups)
  }

  /// Expects a refusal whose sentence holds the words.
  private func refuses<Record>(
    _ words: String, code: StaticString = "invalid_field",
    _ location: SourceLocation = #_sourceLocation, _ apply: () throws(AdminError) -> Record
  ) {
    do throws(AdminError) {
      _ = try apply()
      Issue.record("accepted: \(words)", sourceLocation: location)
    } catch {
      #expect(error.code.text == code.text, sourceLocation: location)
      #expect(
        error.message.text.contains(words), "\(error.message.text)", sourceLocation: location)
    }
  }

  // Channel groups.

  @Test func takesAWholeChannelGroup() throws {
    let record = try channelGroup(
      """
      {"name":"所有 人","strategy":"least_latency","retries":10,"retry_interval_ms":60000,
      "fallback_channels":[7,3],"sticky":true}
      """)
    #expect(record.name == "所有 人" && record.strategy == .leastLatency)
    #expect(record.retries == 10 && record.retryIntervalMilliseconds == 60_000)
    #expect(record.fallbackChannels == "7,3" && record.isSticky)
  }

  @Test func readsEachStrategyByItsName() throws {
    for (index, strategy) in BalancingStrategy.allCases.enumerated() {
      let name = GroupInput.strategies[index].text
      #expect(try channelGroup(#"{"name":"a","strategy":"\#(name)"}"#).strategy == strategy)
    }
  }

  @Test func leavesToTheGatewayWhatIsNull() throws {
    let old = ChannelGroupRecord(
      id: 2, name: "vip", strategy: .priority, retries: 1, retryIntervalMilliseconds: 2,
      fallbackChannels: "3", isSticky: true)
    let record = try channelGroup(#"{"retries":null,"retry_interval_ms":null}"#, over: old)
    #expect(record.retries == nil && record.retryIntervalMilliseconds == nil)
    #expect(record.name == "vip" && record.strategy == .priority && record.isSticky)
    #expect(record.fallbackChannels == "3")
    #expect(try channelGroup(#"{"fallback_channels":[]}"#, over: old).fallbackChannels == "")
  }

  @Test(arguments: [
    ("{}", "name is missing"), (#"{"name":""}"#, "name"), (#"{"name":" a"}"#, "name"),
    (#"{"name":"a,b"}"#, "name must have no commas"), (#"{"name":"a\nb"}"#, "name"),
    (#"{"name":null}"#, "name"), (#"{"name":"a","strategy":"random"}"#, "strategy must be one of"),
    (#"{"name":"a","strategy":1}"#, "strategy"), (#"{"name":"a","retries":11}"#, "from 0 to 10"),
    (#"{"name":"a","retries":-1}"#, "retries"), (#"{"name":"a","retries":1.5}"#, "retries"),
    (#"{"name":"a","retry_interval_ms":60001}"#, "retry_interval_ms"),
    (#"{"name":"a","sticky":1}"#, "sticky must be true or false"),
    (#"{"name":"a","sticky":null}"#, "sticky"),
    (#"{"name":"a","fallback_channels":[8]}"#, "names channel 8, which does not exist"),
    (#"{"name":"a","fallback_channels":[3,3]}"#, "each once"),
    (#"{"name":"a","fallback_channels":["3"]}"#, "fallback_channels"),
    (#"{"name":"a","fallback_channels":[0]}"#, "fallback_channels"),
    (#"{"name":"a","fallback_channels":3}"#, "fallback_channels"),
  ])
  func refusesAWrongChannelGroup(_ text: String, _ words: String) {
    refuses(words) { () throws(AdminError) in try channelGroup(text) }
  }

  @Test func boundsLists() {
    let ids = (1...33).map(String.init).joined(separator: ",")
    refuses("at most 32 ids") { () throws(AdminError) in
      try channelGroup(#"{"name":"a","fallback_channels":[\#(ids)]}"#)
    }
  }

  // User groups.

  @Test func takesAWholeUserGroup() throws {
    let record = try userGroup(#"{"name":"staff","channel_groups":["vip","default"]}"#)
    #expect(record.name == "staff" && record.channelGroups == "vip,default")
    #expect(try userGroup(#"{"name":"staff"}"#).channelGroups == "default")
    #expect(try userGroup(#"{"channel_groups":[]}"#, over: record).channelGroups == "")
    #expect(try userGroup(#"{"name":"team"}"#, over: record).channelGroups == "vip,default")
  }

  @Test func refusesAWrongUserGroup() {
    refuses("name is missing") { () throws(AdminError) in try userGroup("{}") }
    refuses(#""gold", which does not exist: create it with POST /api/v1/channel-groups"#) {
      () throws(AdminError) in try userGroup(#"{"name":"a","channel_groups":["vip","gold"]}"#)
    }
    refuses("channel_groups") { () throws(AdminError) in
      try userGroup(#"{"name":"a","channel_groups":["vip","vip"]}"#)
    }
    refuses("channel_groups") { () throws(AdminError) in
      try userGroup(#"{"name":"a","channel_groups":"vip"}"#)
    }
  }

  @Test func takesAnExactRatio() throws {
    #expect(try userGroup(#"{"name":"a"}"#).ratio == .one)
    let record = try userGroup(#"{"name":"a","ratio":"0.7"}"#)
    #expect(record.ratio.millionths == 700_000)
    #expect(try userGroup(#"{"name":"b"}"#, over: record).ratio.millionths == 700_000)
    #expect(try userGroup(#"{"name":"a","ratio":"0"}"#).ratio.millionths == 0)
    #expect(try userGroup(#"{"name":"a","ratio":"1000"}"#).ratio.millionths == 1_000_000_000)
  }

  @Test(arguments: ["0.5000001", "-1", "1000.000001", "1e1", "", " 1", "1."])
  func refusesAWrongRatio(_ ratio: String) {
    refuses("ratio must be a decimal in quotes, such as \"0.5\", from 0 to 1000") {
      () throws(AdminError) in try userGroup("{\"name\":\"a\",\"ratio\":\"\(ratio)\"}")
    }
    refuses("ratio must be a decimal in quotes") { () throws(AdminError) in
      try userGroup(#"{"name":"a","ratio":0.5}"#)
    }
  }

  // Use.

  @Test func namesWhoUsesAGroup() throws {
    var use = GroupUse()
    try use.check("vip")
    use.add("channel", 3, "A \"b\"")
    refuses(
      #"The group "vip" is used by channel 3 "A \"b\"": give them another group first."#,
      code: "conflict"
    ) { () throws(AdminError) in try use.check("vip") }
    for id in 4...9 { use.add("token", Int64(id), "t") }
    refuses(#"channel 3 "A \"b\"", token 4 "t", token 5 "t" and 4 more:"#, code: "conflict") {
      () throws(AdminError) in try use.check("vip")
    }
  }

  @Test func keepsTheDefaultGroup() {
    refuses("neither renamed nor deleted", code: "conflict") { () throws(AdminError) in
      try GroupUse().check("default")
    }
  }
}
