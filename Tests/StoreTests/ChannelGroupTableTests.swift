// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct ChannelGroupTableTests {
  private let full = ChannelGroupRecord(
    name: "vip", strategy: .leastBusy, retries: 0, retryIntervalMilliseconds: 250,
    fallbackChannels: "9,2", isSticky: true, createdAt: 7)

  private func expectSame(_ left: ChannelGroupRecord?, _ right: ChannelGroupRecord) {
    #expect(left?.id == right.id && left?.name == right.name)
    #expect(left?.strategy == right.strategy && left?.retries == right.retries)
    #expect(left?.retryIntervalMilliseconds == right.retryIntervalMilliseconds)
    #expect(left?.fallbackChannels == right.fallbackChannels)
    #expect(left?.isSticky == right.isSticky && left?.createdAt == right.createdAt)
  }

  @Test func isThereFromTheStart() throws {
    let all = try ChannelGroupTable.all(in: TemporaryFolder().open())
    #expect(all.map(\.name) == ["default"])
    let group = try #require(all.first)
    #expect(group.strategy == .weightedRoundRobin && !group.isSticky)
    #expect(group.retries == nil && group.retryIntervalMilliseconds == nil)
    #expect(group.fallbackChannels.isEmpty && group.createdAt > 0)
  }

  @Test func givesBackWhatItTook() throws {
    let database = try TemporaryFolder().open()
    for record in [full, ChannelGroupRecord(name: "plain")] {
      var expected = record
      expected.id = try ChannelGroupTable.insert(record, in: database)
      expectSame(try ChannelGroupTable.find(expected.id, in: database), expected)
    }
    #expect(try ChannelGroupTable.all(in: database).map(\.name) == ["default", "vip", "plain"])
    #expect(try Snapshot(from: database).channelGroups.map(\.id) == [1, 2, 3])
  }

  @Test func keepsEachStrategy() throws {
    let database = try TemporaryFolder().open()
    for strategy in BalancingStrategy.allCases {
      let name = ByteString([UInt8(ascii: "a") + UInt8(strategy.rawValue)])
      let id = try ChannelGroupTable.insert(
        ChannelGroupRecord(name: name, strategy: strategy), in: database)
      #expect(try ChannelGroupTable.find(id, in: database)?.strategy == strategy)
    }
  }

  @Test func changesAllFields() throws {
    let database = try TemporaryFolder().open()
    var changed = full
    changed.id = 1
    try ChannelGroupTable.update(changed, in: database)
    expectSame(try ChannelGroupTable.find(1, in: database), changed)
  }

  @Test func refusesASecondOneOfTheName() throws {
    let database = try TemporaryFolder().open()
    var second = full
    second.id = try ChannelGroupTable.insert(full, in: database)
    second.name = "default"
    let renamed = second
    #expect(
      kind { () throws(StoreError) in try ChannelGroupTable.insert(renamed, in: database) }
        == .duplicate)
    #expect(
      kind { () throws(StoreError) in try ChannelGroupTable.update(renamed, in: database) }
        == .duplicate)
  }

  @Test func removesOnce() throws {
    let database = try TemporaryFolder().open()
    let id = try ChannelGroupTable.insert(full, in: database)
    try ChannelGroupTable.delete(id, in: database)
    #expect(try ChannelGroupTable.find(id, in: database) == nil)
    #expect(
      kind { () throws(StoreError) in try ChannelGroupTable.delete(id, in: database) }
        == .notFound)
    var gone = full
    gone.id = id
    let record = gone
    #expect(
      kind { () throws(StoreError) in try ChannelGroupTable.update(record, in: database) }
        == .notFound)
  }
}
