// SPDX-License-Identifier: MIT
import Platform

/// Everything that requests need, read once at the start; the loop keeps it current itself.
package struct Snapshot: Sendable {
  package let users: [UserRecord]
  package let tokens: [TokenRecord]
  package let channels: [ChannelRecord]
  package let channelGroups: [ChannelGroupRecord]
  package let userGroups: [UserGroupRecord]
  package let prices: [PriceRecord]
  package let options: [OptionRecord]
  package let models: [ModelRecord]
  package let managementTokens: [ManagementTokenRecord]
  package let sessions: [SessionRecord]
  package let endedLogins: [EndedLoginRecord]
  /// Id of the newest log row, 0 when there is none: log ids go on from here.
  package let lastLogID: Int64
  /// The same of audit rows.
  package let lastAuditID: Int64

  /// Reads all of it; on the caller's thread, before the storage thread starts.
  package init(from database: Database) throws(StoreError) {
    users = try UserTable.all(in: database)
    tokens = try TokenTable.all(in: database)
    channels = try ChannelTable.all(in: database)
    channelGroups = try ChannelGroupTable.all(in: database)
    userGroups = try UserGroupTable.all(in: database)
    prices = try PriceTable.all(in: database)
    options = try OptionTable.all(in: database)
    models = try ModelTable.all(in: database)
    managementTokens = try ManagementTokenTable.all(in: database)
    sessions = try SessionTable.all(in: database)
    endedLogins = try EndedLoginTable.all(in: database)
    lastAuditID = try AuditTable.lastID(in: database)
    lastLogID = try LogTable.lastID(in: database)
  }
}
