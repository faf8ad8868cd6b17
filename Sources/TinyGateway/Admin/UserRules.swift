// SPDX-License-Identifier: MIT
import Store

/// Who may do what to which account.
///
/// - Only root creates, changes, promotes to and deletes administrators and other roots;
///   administrators do so with plain users.
/// - The last root that can log in stays as it is.
/// - Nobody changes the role or the status of the own account, gives it a password without the old
///   one, or deletes it.
enum UserRules {
  /// One change of one account.
  struct Change {
    let caller: UserRecord
    /// nil for a new account.
    let old: UserRecord?
    /// nil for an account that is deleted.
    let new: UserRecord?
    /// Whether the change gives the account another password.
    var setsPassword = false
    /// Enabled accounts with the role root besides this one.
    let otherRootCount: Int
  }

  private static let needsRoot = AdminError(
    403, "forbidden",
    "Only root may create, change and delete the accounts of administrators and of root.")
  private static let lastRoot = AdminError(
    409, "conflict",
    "This is the last enabled account of root: make another one before you change this one.")
  private static let ownAccount = AdminError(
    403, "forbidden",
    "Nobody may delete the own account or change its role or status: ask another root.")
  private static let ownPassword = AdminError(
    403, "forbidden", "Change your own password with PUT /api/v1/users/self/password.")

  /// Throws unless the change is allowed.
  static func check(_ change: Change) throws(AdminError) {
    let (caller, old, new) = (change.caller, change.old, change.new)
    let concernsUser = (old?.role ?? .user) == .user && (new?.role ?? .user) == .user
    switch caller.role {
    case .root: break
    case .admin: guard concernsUser else { throw needsRoot }
    case .user: throw .forbidden
    }
    guard let old else { return }
    if isUsableRoot(old), change.otherRootCount == 0, !(new.map(isUsableRoot) ?? false) {
      throw lastRoot
    }
    guard old.id == caller.id else { return }
    guard let new, new.role == old.role, new.status == old.status else { throw ownAccount }
    if change.setsPassword { throw ownPassword }
  }

  private static func isUsableRoot(_ record: UserRecord) -> Bool {
    record.role == .root && record.status == .enabled
  }

  /// Enabled accounts with the role root, without the one with the id.
  static func rootCount(besides id: Int64, _ accounts: AccountDirectory) -> Int {
    var count = 0
    for user in accounts.users.values where user.id != id && isUsableRoot(user.record) {
      count += 1
    }
    return count
  }
}
