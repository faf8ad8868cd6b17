// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Turns the body of a user request into a record.
enum UserInput {
  static let fields: [StaticString] = [
    "username", "password", "role", "group", "quota", "status", "must_change_password",
  ]
  /// What `roles` stand for, in the same order.
  static let roleNames: [StaticString] = ["user", "admin", "root"]
  static let statusNames: [StaticString] = ["enabled", "disabled"]
  private static let roles: [UserRole] = [.user, .admin, .root]

  static let usernameByteCounts = 1...64
  /// Accounts in all: each is kept in memory.
  static let largestUserCount = 10_000

  /// The record with the body's members put over it.
  ///
  /// `hash`: of the body's password, when it has one; logins from before it end.
  ///
  /// Throws a 400 that names field and limit.
  static func apply(
    _ body: AdminBody, hash: ByteString?, to old: UserRecord, _ groups: UserGroupDirectory
  ) throws(AdminError) -> UserRecord {
    var record = old
    if let name = try body.text("username", usernameByteCounts) { record.username = name }
    if record.username.isEmpty { throw .field("username", "is missing") }
    if let index = try body.choice("role", roleNames) { record.role = roles[Int(index)] }
    if let name = try group(body, "group", groups) { record.userGroup = name }
    if body.isNull("quota") {
      record.quota = nil
    } else if let quota = try body.number("quota", 0...Micro.largestQuota) {
      record.quota = quota
    }
    if let isEnabled = try body.isEnabled("status") {
      record.status = isEnabled ? .enabled : .disabled
      // Or what was logged in before would go on when the account is enabled again.
      if !isEnabled, old.status == .enabled { record.sessionEpoch += 1 }
    }
    if let hash {
      record.passwordHash = hash
      record.mustChangePassword = false
      record.sessionEpoch += 1
    }
    if let must = try body.boolean("must_change_password") { record.mustChangePassword = must }
    if body.value("password")?.string == record.username {
      throw .field("password", "must differ from the user name")
    }
    return record
  }

  /// The name of a user group that exists; nil when the member is missing.
  static func group(
    _ body: AdminBody, _ field: StaticString, _ groups: UserGroupDirectory
  ) throws(AdminError) -> ByteString? {
    guard let name = try body.text(field, GroupInput.nameByteCounts) else { return nil }
    guard groups.find(name) != nil else {
      throw .field(
        field,
        "names the user group " + AdminText.quoted(name)
          + ", which does not exist: create it with POST /api/v1/user-groups")
    }
    return name
  }

  /// The record with more units.
  ///
  /// Throws a 409 for a quota without limit, and for one that would become too large.
  static func adding(_ amount: Int64, to old: UserRecord) throws(AdminError) -> UserRecord {
    guard let quota = old.quota else { throw unlimited }
    guard quota <= Micro.largestQuota - amount else { throw tooMuch }
    var record = old
    record.quota = quota + amount
    return record
  }

  static let unlimited = AdminError(
    409, "conflict", "The quota of this account has no limit: there is nothing to add to.")
  static let tooMuch = AdminError(
    409, "conflict",
    "The quota would be above " + ByteString(number: Micro.largestQuota) + ": add less.")

  /// The role that a name stands for, counted from 0 in `roleNames`.
  static func role(_ index: Int64) -> UserRole { roles[Int(index)] }

  /// The name of a role.
  static func name(of role: UserRole) -> StaticString {
    switch role {
    case .root: "root"
    case .admin: "admin"
    case .user: "user"
    }
  }
}
