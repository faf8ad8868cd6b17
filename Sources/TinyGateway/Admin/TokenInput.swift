// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Turns the body of a token request into a record.
enum TokenInput {
  static let fields: [StaticString] = [
    "name", "expires_at", "quota", "quota_period", "allowed_ips", "models", "channel_group", "rpm",
    "tpm", "status",
  ]

  static let nameByteCounts = 1...128
  /// The end of the year 9999.
  static let times: ClosedRange<Int64> = 1...253_402_300_799
  private static let quotas: ClosedRange<Int64> = 0...Micro.largestQuota
  /// By the raw value of `QuotaPeriod`.
  static let periods: [StaticString] = ["none", "daily", "monthly"]
  private static let largestBlockCount = 100
  private static let largestModelCount = 1000
  /// Bytes of `models` and `allowed_ips` together in a user's token: each is kept in memory.
  static let userListByteCount = 4096

  /// Whom and which groups a token may have to do with.
  struct Context {
    /// Who changes the token.
    let caller: UserRecord
    let owner: UserRecord
    let channelGroups: ChannelGroupDirectory
    let userGroups: UserGroupDirectory
  }

  /// The record with the body's members put over it.
  ///
  /// Throws a 400 that names field and limit, and 403 for a channel group that is not the caller's.
  static func apply(
    _ body: AdminBody, to old: TokenRecord, in context: Context, isNew: Bool
  ) throws(AdminError) -> TokenRecord {
    var record = old
    if let name = try body.text("name", nameByteCounts) { record.name = name }
    if isNew, !body.has("name") { throw .field("name", "is missing") }
    if body.isNull("expires_at") {
      record.expiresAt = nil
    } else if let time = try body.number("expires_at", times) {
      record.expiresAt = time
    }
    if body.isNull("quota") {
      record.quota = nil
    } else if let quota = try body.number("quota", quotas) {
      record.quota = quota
    }
    if let isEnabled = try body.isEnabled("status") {
      record.status = isEnabled ? .enabled : .disabled
    }
    try applyLists(body, &record)
    if context.owner.role == .user { try checkLists(body, record) }
    try applyGroup(body, context, &record)
    try applyPeriod(body, &record)
    try applyRates(body, &record)
    return record
  }

  private static func applyLists(
    _ body: AdminBody, _ record: inout TokenRecord
  ) throws(AdminError) {
    let blocks = try body.list(
      "allowed_ips", limit: largestBlockCount,
      expected: "IP addresses or CIDR blocks such as 192.168.1.0/24"
    ) { AddressBlock($0) != nil }
    if let blocks {
      let canonical = blocks.map { AddressBlock($0)?.text ?? $0 }
      record.allowedIPs = AdminText.joined(canonical, by: UInt8(ascii: ","))
    }
    let models = try body.list(
      "models", limit: largestModelCount,
      expected: "model names of 1 to 128 characters of A-Z a-z 0-9 . _ : / @ + -",
      ModelName.isValid)
    if let models { record.models = AdminText.joined(models, by: UInt8(ascii: ",")) }
  }

  /// Throws when a user's token would get lists that are too long; what it has may stay.
  private static func checkLists(_ body: AdminBody, _ record: TokenRecord) throws(AdminError) {
    guard body.has("models") || body.has("allowed_ips"),
      record.models.count + record.allowedIPs.count > userListByteCount
    else { return }
    throw .field(
      body.has("models") ? "models" : "allowed_ips",
      "is too long: models and allowed_ips of a user's token must have at most "
        + ByteString(number: Int64(userListByteCount)) + " bytes together")
  }

  /// An administrator's token may name any group, others one that their user group lists.
  private static func applyGroup(
    _ body: AdminBody, _ context: Context, _ record: inout TokenRecord
  ) throws(AdminError) {
    if body.isNull("channel_group") {
      record.channelGroup = .empty
      return
    }
    guard let group = try body.text("channel_group", 0...64) else { return }
    record.channelGroup = group
    if group.isEmpty { return }
    let owner = context.owner
    let isAllowed =
      owner.role != .user
      || context.userGroups.channelGroups(of: owner.userGroup).contains(group)
    if context.caller.role == .user, !isAllowed {
      throw AdminError(403, "group_not_allowed", "You may not use this channel_group.")
    }
    try GroupInput.check([group], "channel_group", context.channelGroups)
    guard isAllowed else {
      throw .field(
        "channel_group", "must be one that the user group of the token's owner lists")
    }
  }

  private static func applyPeriod(
    _ body: AdminBody, _ record: inout TokenRecord
  ) throws(AdminError) {
    guard let index = try body.choice("quota_period", periods) else { return }
    record.quotaPeriod = QuotaPeriod(rawValue: index) ?? .none
  }

  /// `rpm` and `tpm`; null lifts a limit.
  private static func applyRates(
    _ body: AdminBody, _ record: inout TokenRecord
  ) throws(AdminError) {
    if body.isNull("rpm") {
      record.requestsPerMinute = 0
    } else if let limit = try body.number("rpm", 1...1_000_000) {
      record.requestsPerMinute = limit
    }
    if body.isNull("tpm") {
      record.tokensPerMinute = 0
    } else if let limit = try body.number("tpm", 1...1_000_000_000) {
      record.tokensPerMinute = limit
    }
  }
}
