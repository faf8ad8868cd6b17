// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Who may do what to which account: the whole table.
struct AdminUserRulesTests {
  private static func account(
    _ id: Int64, _ role: UserRole, _ status: RecordStatus = .enabled
  ) -> UserRecord {
    UserRecord(id: id, username: "u", passwordHash: "", role: role, status: status)
  }

  /// The status that a change is refused with; nil when it is allowed.
  private func refusal(
    _ caller: UserRecord, _ old: UserRecord?, _ new: UserRecord?, setsPassword: Bool = false,
    otherRoots: Int = 1
  ) -> Int? {
    do throws(AdminError) {
      try UserRules.check(
        UserRules.Change(
          caller: caller, old: old, new: new, setsPassword: setsPassword,
          otherRootCount: otherRoots))
      return nil
    } catch {
      return error.status
    }
  }

  private static let roles: [UserRole] = [.user, .admin, .root]

  @Test(arguments: roles, roles)
  func createsAndDeletesByRole(_ callerRole: UserRole, _ role: UserRole) {
    let caller = Self.account(1, callerRole)
    let isAllowed = callerRole == .root || (callerRole == .admin && role == .user)
    let expected = isAllowed ? nil : 403
    #expect(refusal(caller, nil, Self.account(0, role)) == expected)
    #expect(refusal(caller, Self.account(2, role), nil) == expected)
    #expect(
      refusal(caller, Self.account(2, role), Self.account(2, role, .disabled)) == expected)
    #expect(
      refusal(caller, Self.account(2, role), Self.account(2, role), setsPassword: true)
        == expected)
  }

  @Test(arguments: roles, roles)
  func promotesAndDemotesByRootOnly(_ old: UserRole, _ new: UserRole) {
    let (before, after) = (Self.account(2, old), Self.account(2, new))
    #expect(refusal(Self.account(1, .root), before, after) == nil)
    let isPlain = old == .user && new == .user
    #expect(refusal(Self.account(1, .admin), before, after) == (isPlain ? nil : 403))
    #expect(refusal(Self.account(1, .user), before, after) == 403)
  }

  @Test func keepsOnesOwnRoleStatusPasswordAndExistence() {
    let root = Self.account(1, .root)
    for role in [UserRole.user, .admin] {
      #expect(refusal(root, root, Self.account(1, role)) == 403)
    }
    #expect(refusal(root, root, Self.account(1, .root, .disabled)) == 403)
    #expect(refusal(root, root, nil) == 403)
    #expect(refusal(root, root, root, setsPassword: true) == 403)
    #expect(refusal(root, root, root) == nil)
    let admin = Self.account(1, .admin)
    #expect(refusal(admin, admin, admin) == 403)
    #expect(refusal(admin, admin, nil) == 403)
  }

  @Test func keepsTheLastRootThatCanLogIn() {
    let (caller, last) = (Self.account(1, .root), Self.account(2, .root))
    for (new, otherRoots, expected): (UserRecord?, Int, Int?) in [
      (nil, 0, 409), (nil, 1, nil), (Self.account(2, .admin), 0, 409),
      (Self.account(2, .admin), 1, nil), (Self.account(2, .root, .disabled), 0, 409),
      (last, 0, nil),
    ] {
      #expect(refusal(caller, last, new, otherRoots: otherRoots) == expected)
    }
    let disabled = Self.account(3, .root, .disabled)
    #expect(refusal(caller, disabled, nil, otherRoots: 0) == nil)
    #expect(refusal(last, last, nil, otherRoots: 0) == 409)
  }

  @Test func countsTheOtherRootsThatCanLogIn() {
    let accounts = AccountDirectory()
    for record in [
      Self.account(1, .root), Self.account(2, .root, .disabled), Self.account(3, .root),
      Self.account(4, .admin),
    ] {
      var record = record
      record.username = ByteString(number: record.id)
      accounts.put(record)
    }
    #expect(UserRules.rootCount(besides: 1, accounts) == 1)
    #expect(UserRules.rootCount(besides: 4, accounts) == 2)
  }

  @Test func adminsNeverManageRoot() {
    let admin = Self.account(5, .admin)
    for role in [UserRole.admin, .root] {
      for new in Self.roles {
        #expect(refusal(admin, Self.account(1, role), Self.account(1, new)) == 403)
      }
    }
  }
}
