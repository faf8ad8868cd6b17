// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

struct StateUserGroupTests {
  private let groups: UserGroupDirectory

  init() {
    groups = UserGroupDirectory()
    groups.put(UserGroupRecord(id: 1, name: "default"))
    groups.put(UserGroupRecord(id: 2, name: "staff", channelGroups: "vip,default"))
    groups.put(UserGroupRecord(id: 3, name: "blocked", channelGroups: ""))
  }

  @Test func listsChannelGroupsInOrder() {
    #expect(groups.channelGroups(of: "staff") == ["vip", "default"])
    #expect(groups.channelGroups(of: "default") == ["default"])
    #expect(groups.channelGroups(of: "blocked").isEmpty)
    #expect(groups.channelGroups(of: "nobody").isEmpty)
  }

  @Test func takesChangesOver() {
    groups.put(UserGroupRecord(id: 2, name: "team", channelGroups: "cheap"))
    #expect(groups.find("staff") == nil)
    #expect(groups.channelGroups(of: "team") == ["cheap"])
    groups.remove(2)
    #expect(groups.find("team") == nil && groups.all.map(\.id) == [1, 3])
  }

  private func check(
    _ role: UserRole, in userGroup: ByteString, token: ByteString = "",
    _ expected: [ByteString], _ location: SourceLocation = #_sourceLocation
  ) throws {
    let user = User(UserRecord(username: "u", passwordHash: "", role: role, userGroup: userGroup))
    let token = try Token(
      TokenRecord(
        userID: 1, name: "t", keyHash: ByteString([UInt8](repeating: 0, count: 32)), keyHint: "",
        channelGroup: token))
    #expect(
      CallerGroups.of(token: token, user: user, in: groups.find(user.record.userGroup)) == expected,
      sourceLocation: location)
  }

  @Test func servesAUserByTheGroupsOfTheUserGroup() throws {
    try check(.user, in: "staff", ["vip", "default"])
    try check(.user, in: "blocked", [])
    try check(.user, in: "nobody", [])
  }

  @Test func servesATokenByTheGroupThatItNames() throws {
    try check(.user, in: "staff", token: "default", ["default"])
    try check(.user, in: "staff", token: "vip", ["vip"])
  }

  @Test func keepsAUsersTokenToTheListOfToday() throws {
    try check(.user, in: "default", token: "vip", [])
    try check(.user, in: "nobody", token: "default", [])
  }

  @Test func letsAdministratorsNameAnyGroup() throws {
    for role in [UserRole.admin, .root] {
      try check(role, in: "default", token: "vip", ["vip"])
      try check(role, in: "staff", ["vip", "default"])
      try check(role, in: "nobody", ["default"])
      try check(role, in: "blocked", [])
    }
  }
}
