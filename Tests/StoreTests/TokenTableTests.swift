// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct TokenTableTests {
  private func open() throws -> Database {
    let database = try TemporaryFolder().open()
    for name: ByteString in ["ann", "bob"] {
      var user = UserRecord.sample
      user.username = name
      _ = try UserTable.insert(user, in: database)
    }
    return database
  }

  private let full = TokenRecord(
    userID: 2, name: "ci", keyHash: ByteString([UInt8](repeating: 0, count: 32)), keyHint: "sk-9..",
    expiresAt: 4_000_000_000, quota: 0, quotaPeriod: .monthly, periodStart: 1_700_000_000,
    allowedIPs: "10.0.0.0/8", models: "gpt-4o,gpt-4o-mini", channelGroup: "cheap",
    requestsPerMinute: 60, tokensPerMinute: 100_000, status: .disabled, createdAt: 1)

  private func expectSame(_ left: TokenRecord?, _ right: TokenRecord) {
    #expect(left?.id == right.id && left?.userID == right.userID && left?.name == right.name)
    #expect(left?.keyHash == right.keyHash && left?.keyHint == right.keyHint)
    #expect(left?.expiresAt == right.expiresAt && left?.quota == right.quota)
    #expect(left?.usedMicro == right.usedMicro && left?.quotaPeriod == right.quotaPeriod)
    #expect(left?.periodStart == right.periodStart && left?.allowedIPs == right.allowedIPs)
    #expect(left?.models == right.models && left?.channelGroup == right.channelGroup)
    #expect(left?.requestsPerMinute == right.requestsPerMinute)
    #expect(left?.tokensPerMinute == right.tokensPerMinute && left?.status == right.status)
    #expect(left?.createdAt == right.createdAt && left?.accessedAt == right.accessedAt)
  }

  @Test func givesBackWhatItTook() throws {
    let database = try open()
    for record in [TokenRecord.sample(), full] {
      var expected = record
      expected.id = try TokenTable.insert(record, in: database)
      expectSame(try TokenTable.find(expected.id, in: database), expected)
    }
    #expect(try TokenTable.find(99, in: database) == nil)
  }

  @Test func changesAllButTheUsage() throws {
    let database = try open()
    let id = try TokenTable.insert(.sample(), in: database)
    var used = UsageDelta()
    used.add(40, at: 123)
    try UsageTable.add(used, to: .token, id, in: database)
    var changed = full
    changed.id = id
    try TokenTable.update(changed, in: database)
    changed.usedMicro = 40
    changed.accessedAt = 123
    changed.periodStart = 0
    expectSame(try TokenTable.find(id, in: database), changed)
  }

  @Test func refusesWhatDoesNotFit() throws {
    let database = try open()
    _ = try TokenTable.insert(.sample(), in: database)
    var short = TokenRecord.sample(2)
    short.keyHash = "short"
    let cases: [(TokenRecord, StoreError.Kind)] = [
      (.sample(), .duplicate), (.sample(3, userID: 99), .constraint), (short, .constraint),
    ]
    for (record, expected) in cases {
      #expect(
        kind { () throws(StoreError) in try TokenTable.insert(record, in: database) } == expected)
    }
    #expect(kind { () throws(StoreError) in try TokenTable.delete(99, in: database) } == .notFound)
    #expect(
      kind { () throws(StoreError) in try TokenTable.update(.sample(9), in: database) }
        == .notFound)
  }

  @Test func listsAllOrOneUsers() throws {
    let database = try open()
    for number in 0..<5 {
      _ = try TokenTable.insert(
        .sample(UInt8(number), userID: Int64(1 + number % 2)), in: database)
    }
    let all = try TokenTable.list(Page(size: 3), in: database)
    #expect(all.items.map(\.id) == [1, 2, 3] && all.total == 5)
    let own = try TokenTable.list(Page(size: 2), ofUser: 1, in: database)
    #expect(own.items.map(\.id) == [1, 3] && own.total == 3)
    let rest = try TokenTable.list(Page(number: 2, size: 2), ofUser: 1, in: database)
    #expect(rest.items.map(\.id) == [5])
  }
}
