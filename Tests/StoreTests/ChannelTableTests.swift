// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct ChannelTableTests {
  private let full = ChannelRecord(
    name: "zwei", type: "deepseek", baseURL: "https://a.example", keys: ByteString([0, 1, 255]),
    models: "a\nb", modelMapping: "a:b", groups: "x,y", weight: 1000, priority: -5,
    status: .autoDisabled, statusReason: "the key is refused", connectTimeoutMilliseconds: 1,
    firstByteTimeoutMilliseconds: 2, idleTimeoutMilliseconds: 3, headers: "A: b",
    config: "{}", createdAt: 9, maxConcurrency: 8, location: .local,
    wakeMAC: "00:11:22:aa:bb:cc", wakeBroadcast: "192.168.1.255", wakeTimeoutMilliseconds: 5000,
    wakePolicy: .fallback)

  private func expectSame(_ left: ChannelRecord?, _ right: ChannelRecord) {
    #expect(left?.id == right.id && left?.name == right.name && left?.type == right.type)
    #expect(left?.baseURL == right.baseURL && left?.keys == right.keys)
    #expect(left?.models == right.models && left?.modelMapping == right.modelMapping)
    #expect(left?.groups == right.groups && left?.weight == right.weight)
    #expect(left?.priority == right.priority && left?.status == right.status)
    #expect(left?.statusReason == right.statusReason && left?.headers == right.headers)
    #expect(left?.connectTimeoutMilliseconds == right.connectTimeoutMilliseconds)
    #expect(left?.firstByteTimeoutMilliseconds == right.firstByteTimeoutMilliseconds)
    #expect(left?.idleTimeoutMilliseconds == right.idleTimeoutMilliseconds)
    #expect(left?.config == right.config && left?.createdAt == right.createdAt)
    #expect(left?.maxConcurrency == right.maxConcurrency && left?.location == right.location)
    #expect(left?.wakeMAC == right.wakeMAC && left?.wakeBroadcast == right.wakeBroadcast)
    #expect(left?.wakeTimeoutMilliseconds == right.wakeTimeoutMilliseconds)
    #expect(left?.wakePolicy == right.wakePolicy)
  }

  @Test func givesBackWhatItTook() throws {
    let database = try TemporaryFolder().open()
    for record in [ChannelRecord.sample, full] {
      var expected = record
      expected.id = try ChannelTable.insert(record, in: database)
      expectSame(try ChannelTable.find(expected.id, in: database), expected)
    }
    let listing = try ChannelTable.list(Page(), in: database)
    #expect(listing.items.map(\.id) == [1, 2] && listing.total == 2)
  }

  @Test func changesAllFields() throws {
    let database = try TemporaryFolder().open()
    var changed = full
    changed.id = try ChannelTable.insert(.sample, in: database)
    try ChannelTable.update(changed, in: database)
    expectSame(try ChannelTable.find(changed.id, in: database), changed)
  }

  @Test func takesItsHoursWithIt() throws {
    let database = try TemporaryFolder().open()
    let id = try ChannelTable.insert(.sample, in: database)
    try ChannelHourTable.add(ChannelBucket(period: 5), channelID: id, in: database)
    try ChannelTable.delete(id, in: database)
    #expect(try ChannelHourTable.all(fromHour: 0, in: database).isEmpty)
    #expect(
      kind { () throws(StoreError) in try ChannelTable.delete(id, in: database) } == .notFound)
    let gone = full
    #expect(
      kind { () throws(StoreError) in try ChannelTable.update(gone, in: database) } == .notFound)
  }
}
