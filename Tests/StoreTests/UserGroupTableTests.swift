// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct UserGroupTableTests {
  private let staff = UserGroupRecord(name: "staff", channelGroups: "vip,default", createdAt: 7)

  private func expectSame(_ left: UserGroupRecord?, _ right: UserGroupRecord) {
    #expect(left?.id == right.id && left?.name == right.name)
    #expect(left?.channelGroups == right.channelGroups && left?.createdAt == right.createdAt)
  }

  @Test func isThereFromTheStart() throws {
    let all = try UserGroupTable.all(in: TemporaryFolder().open())
    #expect(all.map(\.name) == ["default"] && all.map(\.channelGroups) == ["default"])
  }

  @Test func givesBackWhatItTook() throws {
    let database = try TemporaryFolder().open()
    var expected = staff
    expected.id = try UserGroupTable.insert(staff, in: database)
    expectSame(try UserGroupTable.find(expected.id, in: database), expected)
    #expect(try Snapshot(from: database).userGroups.map(\.name) == ["default", "staff"])
    expected.name = "everybody"
    expected.channelGroups = .empty
    expected.createdAt = 8
    try UserGroupTable.update(expected, in: database)
    expectSame(try UserGroupTable.find(expected.id, in: database), expected)
  }

  @Test func refusesASecondOneOfTheName() throws {
    let database = try TemporaryFolder().open()
    _ = try UserGroupTable.insert(staff, in: database)
    let second = UserGroupRecord(id: 1, name: "staff")
    #expect(
      kind { () throws(StoreError) in try UserGroupTable.insert(second, in: database) }
        == .duplicate)
    #expect(
      kind { () throws(StoreError) in try UserGroupTable.update(second, in: database) }
        == .duplicate)
  }

  @Test func removesOnce() throws {
    let database = try TemporaryFolder().open()
    var record = staff
    record.id = try UserGroupTable.insert(staff, in: database)
    let gone = record
    try UserGroupTable.delete(gone.id, in: database)
    #expect(
      kind { () throws(StoreError) in try UserGroupTable.delete(gone.id, in: database) }
        == .notFound)
    #expect(
      kind { () throws(StoreError) in try UserGroupTable.update(gone, in: database) }
        == .notFound)
  }
}
