// SPDX-License-Identifier: MIT
import Platform
import Store

/// One user group in memory: which channel groups its users may use, and what they pay of a price.
final class UserGroup {
  private(set) var record: UserGroupRecord
  /// Names of channel groups, in the order in which they are tried.
  private(set) var channelGroups: [ByteString]

  init(_ record: UserGroupRecord) {
    self.record = record
    channelGroups = record.channelGroups.list(separatedBy: UInt8(ascii: ","))
  }

  /// Takes changed settings over.
  func update(_ record: UserGroupRecord) {
    self.record = record
    channelGroups = record.channelGroups.list(separatedBy: UInt8(ascii: ","))
  }

  var id: Int64 { record.id }
  var name: ByteString { record.name }
}

/// All user groups; they are few, so that searching a list is enough.
final class UserGroupDirectory {
  /// The group that is always there.
  static let standard: ByteString = "default"

  /// All groups by id: new ids are above all others.
  private(set) var all: [UserGroup] = []

  func find(_ name: ByteString) -> UserGroup? { all.first { $0.name == name } }

  func find(_ id: Int64) -> UserGroup? { all.first { $0.id == id } }

  /// The channel groups of a user group in their order; none of an unknown one.
  func channelGroups(of userGroup: ByteString) -> [ByteString] {
    find(userGroup)?.channelGroups ?? []
  }

  /// Takes a record over: a new group, or the new settings of a known one.
  func put(_ record: UserGroupRecord) {
    if let known = find(record.id) { return known.update(record) }
    all.append(UserGroup(record))
  }

  func removeAll() { all = [] }

  func remove(_ id: Int64) { all.removeAll { $0.id == id } }
}

/// Which channel groups serve a caller.
enum CallerGroups {
  /// The token's own group, or those of its owner's user group in their order.
  ///
  /// Users may use only what their user group lists, also by a token from before a change of
  /// that list. Administrators may use any, and `default` when their user group does not exist.
  ///
  /// `group`: the user's; nil when it does not exist. `token`: nil where none is in use.
  static func of(token: Token?, user: User, in group: UserGroup?) -> [ByteString] {
    let listed = group?.channelGroups ?? []
    let isUser = user.record.role == .user
    if let token, let own = token.ownChannelGroups.first {
      return isUser && !listed.contains(own) ? [] : token.ownChannelGroups
    }
    return group == nil && !isUser ? standard : listed
  }

  private static let standard = [ChannelGroupDirectory.standard]
}
