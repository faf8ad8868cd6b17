// SPDX-License-Identifier: MIT
import Platform
import Store

/// Everything that an import will write; making it writes nothing.
struct ImportPlan {
  struct Redemption {
    let record: ImportedRedemption
    /// As a token's.
    let userID: Int64?
  }

  var channelGroups: [ByteString] = []
  /// New ones, and known ones that change.
  var userGroups: [ImportedUserGroup] = []
  /// `usedMicro` is what they have used.
  var users: [UserRecord] = []
  /// `userID` is an account's, or stands for a user of this plan (`userID(ofPlanned:)`).
  var tokens: [TokenRecord] = []
  /// With plain keys.
  var channels: [ChannelRecord] = []
  var prices: [ImportedPrice] = []
  var redemptions: [Redemption] = []
  /// The run-time settings as JSON; nil when none is taken over.
  var settings: ByteString?

  /// Writes all of it; for a transaction.
  func write(
    to database: Database, secrets: ChannelSecrets, at now: Int64
  ) throws(StoreError) {
    for name in channelGroups {
      _ = try ChannelGroupTable.insert(
        ChannelGroupRecord(name: name, createdAt: now), in: database)
    }
    for group in userGroups { try ImportTable.put(group, at: now, in: database) }
    var ids: [Int64] = []
    for user in users {
      let id = try UserTable.insert(user, in: database)
      try ImportTable.setUsage(user.usedMicro, ofUser: id, in: database)
      ids.append(id)
    }
    for token in tokens {
      var record = token
      record.userID = ImportPlan.id(of: token.userID, ids)
      let id = try TokenTable.insert(record, in: database)
      try ImportTable.setUsage(
        record.usedMicro, ofToken: id, accessedAt: record.accessedAt, in: database)
    }
    for channel in channels {
      guard let sealed = secrets.sealed(channel) else {
        throw StoreError(.other, message: "no random bytes to encrypt channel keys")
      }
      _ = try ChannelTable.insert(sealed, in: database)
    }
    for price in prices { try ImportTable.insert(price, at: now, in: database) }
    for code in redemptions {
      let user = code.userID.map { ImportPlan.id(of: $0, ids) }
      try ImportTable.insert(code.record, usedBy: user, in: database)
    }
    if let settings {
      try OptionTable.set(OptionInput.optionName, to: settings, in: database)
    }
  }

  /// What stands for the id of a user that has none before it is written: a negative number.
  static func userID(ofPlanned index: Int) -> Int64 { -1 - Int64(index) }

  /// The index of the planned user that a number stands for; nil for an account's id.
  static func plannedIndex(_ userID: Int64) -> Int? { userID < 0 ? Int(-1 - userID) : nil }

  private static func id(of userID: Int64, _ ids: [Int64]) -> Int64 {
    plannedIndex(userID).map { ids[$0] } ?? userID
  }
}
