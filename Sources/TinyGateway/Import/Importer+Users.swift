// SPDX-License-Identifier: MIT
import Platform
import Store

/// Users.
extension Importer {
  /// No password verifies against it.
  private static let noPassword: ByteString = "!imported without a password"
  private static let deletedStatus: Int64 = 3

  func readUsers() throws(StoreError) {
    var names: Set<ByteString> = []
    var hasRoot = false
    try ForeignTable.users(in: source) { row in addUser(row, &names, &hasRoot) }
  }

  private func addUser(
    _ row: ForeignRow, _ names: inout Set<ByteString>, _ hasRoot: inout Bool
  ) {
    let name = row.text("username")
    guard let id = row.integer("id") else {
      return report.leave(.user, nil, name, "its id is no number")
    }
    guard row.integer("status") != Importer.deletedStatus, !row.has("deleted_at") else {
      return report.leave(.user, id, name, "it was deleted there")
    }
    guard UserInput.usernameByteCounts.contains(name.count), !AdminText.hasControls(name) else {
      return report.leave(
        .user, id, name, "a user name has 1 to 64 bytes and no control characters")
    }
    guard names.insert(name).inserted else {
      return report.leave(.user, id, name, "another one has the same name")
    }
    guard let role = role(of: row, id, name, &hasRoot) else { return }
    if role == .root { return mergeRoot(id, name) }
    if let known = target.accounts.first(where: { $0.name == name }) {
      return adopt(known, id, name, role)
    }
    add(row, id, name, role)
  }

  /// The role here, nil when the user is left out; there is one root, the first one found.
  private func role(
    of row: ForeignRow, _ id: Int64, _ name: ByteString, _ hasRoot: inout Bool
  ) -> UserRole? {
    switch UserRole(rawValue: row.integer("role") ?? 0) {
    case .user: return .user
    case .admin: return .admin
    case .root:
      if !hasRoot {
        hasRoot = true
        return .root
      }
      report.note(.user, id, name, "is an administrator here: there is one root only")
      return .admin
    case nil:
      report.leave(.user, id, name, "its role is that of a guest or is not known")
      return nil
    }
  }

  private func mergeRoot(_ id: Int64, _ name: ByteString) {
    guard let root = target.root else {
      return report.leave(.user, id, name, "there is no root account here to merge it with")
    }
    setOwner(id, to: root.id)
    report.keep(.user)
    report.note(
      .user, id, name,
      "is merged with the root account here, which keeps its name, its password and its quota")
  }

  /// An account of the name exists: it keeps everything, and gets the tokens.
  private func adopt(
    _ known: ImportTarget.Account, _ id: Int64, _ name: ByteString, _ role: UserRole
  ) {
    guard known.role == role else {
      return report.leave(
        .user, id, name, "there is an account of that name with other rights; so are its tokens")
    }
    setOwner(id, to: known.id)
    report.keep(.user)
    report.note(.user, id, name, "exists here already: the account stays as it is")
  }

  private func add(_ row: ForeignRow, _ id: Int64, _ name: ByteString, _ role: UserRole) {
    if row.integer("quota") == nil {
      report.note(.user, id, name, "has no readable quota: nothing is left of it here")
    }
    let (quota, used, isCut) = Importer.quota(
      remaining: row.integer("quota") ?? 0, used: row.integer("used_quota") ?? 0)
    if isCut { noteLargestQuota(.user, id, name) }
    setOwner(id, to: ImportPlan.userID(ofPlanned: plan.users.count))
    plan.users.append(
      UserRecord(
        username: name, passwordHash: Importer.noPassword, role: role,
        userGroup: group(of: row, id, name), quota: quota, usedMicro: Micro.ofUnits(used),
        status: row.integer("status") == 1 ? .enabled : .disabled,
        createdAt: time(row.integer("created_at"))))
    report.carry(.user)
  }

  private func group(of row: ForeignRow, _ id: Int64, _ name: ByteString) -> ByteString {
    let group = row.text("group").trimmed
    if group.isEmpty { return UserGroupDirectory.standard }
    guard GroupInput.isName(group) else {
      report.note(.user, id, name, "is in the group default, its own had no valid name")
      return UserGroupDirectory.standard
    }
    needUserGroup(group)
    return group
  }

  /// Role and user group of an owner.
  func account(of userID: Int64) -> (role: UserRole, group: ByteString) {
    if let index = ImportPlan.plannedIndex(userID) {
      return (plan.users[index].role, plan.users[index].userGroup)
    }
    let known = target.accounts.first { $0.id == userID }
    return (known?.role ?? .user, known?.group ?? UserGroupDirectory.standard)
  }
}
