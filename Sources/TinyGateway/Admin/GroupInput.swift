// SPDX-License-Identifier: MIT
import Platform
import Store

/// Turns the bodies of channel group and user group requests into records.
enum GroupInput {
  static let channelGroupFields: [StaticString] = [
    "name", "strategy", "retries", "retry_interval_ms", "fallback_channels", "sticky",
  ]
  static let userGroupFields: [StaticString] = ["name", "channel_groups", "ratio"]
  /// The strategies by their stored numbers, from 1.
  static let strategies: [StaticString] = [
    "weighted_round_robin", "weighted_random", "priority", "least_latency", "least_busy",
  ]
  /// What an entry of a list of groups must be.
  static let expectedNames: StaticString =
    "group names of 1 to 64 bytes without commas, control characters and outer spaces"

  /// Groups of each kind; they are searched one by one.
  static let largestGroupCount = 256
  /// Groups that a channel or a user group may list.
  static let largestListCount = 100
  private static let largestFallbackCount = 32
  private static let largestRatio: Int64 = 1000
  static let nameByteCounts = 1...64
  private static let retryCounts: ClosedRange<Int64> = 0...10
  private static let intervals: ClosedRange<Int64> = 0...60_000

  /// The record with the body's members put over it; `channels`: those that may be fallbacks.
  ///
  /// Throws a 400 that names field and limit.
  static func apply(
    _ body: AdminBody, to old: ChannelGroupRecord, _ channels: ChannelDirectory
  ) throws(AdminError) -> ChannelGroupRecord {
    var record = old
    record.name = try name(body, old: old.name)
    if let index = try body.choice("strategy", strategies),
      let strategy = BalancingStrategy(rawValue: index + 1)
    {
      record.strategy = strategy
    }
    if body.isNull("retries") {
      record.retries = nil
    } else if let retries = try body.number("retries", retryCounts) {
      record.retries = retries
    }
    if body.isNull("retry_interval_ms") {
      record.retryIntervalMilliseconds = nil
    } else if let interval = try body.number("retry_interval_ms", intervals) {
      record.retryIntervalMilliseconds = interval
    }
    if let ids = try body.ids("fallback_channels", limit: largestFallbackCount) {
      for id in ids where channels.find(id) == nil {
        throw .field(
          "fallback_channels", "names channel " + ByteString(number: id) + ", which does not exist")
      }
      record.fallbackChannels = ChannelGroup.text(ids)
    }
    if let isSticky = try body.boolean("sticky") { record.isSticky = isSticky }
    return record
  }

  /// The record with the body's members put over it; `groups`: those that may be listed.
  ///
  /// Throws a 400 that names field and limit.
  static func apply(
    _ body: AdminBody, to old: UserGroupRecord, _ groups: ChannelGroupDirectory
  ) throws(AdminError) -> UserGroupRecord {
    var record = old
    record.name = try name(body, old: old.name)
    let names = try body.list(
      "channel_groups", limit: largestListCount, expected: expectedNames, isName)
    if let names {
      try check(names, "channel_groups", groups)
      record.channelGroups = AdminText.joined(names, by: UInt8(ascii: ","))
    }
    record.ratio = try body.ratio("ratio", upTo: largestRatio) ?? record.ratio
    return record
  }

  /// Whether a group may have the name.
  static func isName(_ name: ByteString) -> Bool {
    nameByteCounts.contains(name.count) && name.trimmed == name && !AdminText.hasControls(name)
      && !name.bytes.contains(UInt8(ascii: ","))
  }

  /// Throws a 400 for the first name that is not a channel group's.
  static func check(
    _ names: [ByteString], _ field: StaticString, _ groups: ChannelGroupDirectory
  ) throws(AdminError) {
    for name in names where groups.find(name) == nil {
      throw .field(
        field,
        "names the channel group " + AdminText.quoted(name)
          + ", which does not exist: create it with POST /api/v1/channel-groups")
    }
  }

  /// The name that a body gives, or the old one; an empty old one is that of a new group.
  private static func name(
    _ body: AdminBody, old: ByteString
  ) throws(AdminError) -> ByteString {
    guard let name = try body.text("name", nameByteCounts) else {
      if old.isEmpty { throw .field("name", "is missing") }
      return old
    }
    guard isName(name) else {
      throw .field("name", "must have no commas and no outer spaces")
    }
    return name
  }
}

/// Who uses a group, for the sentence that refuses to take its name away.
struct GroupUse {
  private static let shownCount = 3

  private let text = Buffer()
  private var count = 0

  /// Notes a setting that names the group.
  mutating func add(_ setting: StaticString) {
    count += 1
    guard count <= GroupUse.shownCount else { return }
    if count > 1 { text.append(", ") }
    text.append(setting)
  }

  /// Notes one more; the first ones are named.
  mutating func add(_ kind: StaticString, _ id: Int64, _ name: ByteString) {
    count += 1
    guard count <= GroupUse.shownCount else { return }
    if count > 1 { text.append(", ") }
    text.append(kind)
    text.append(" ")
    text.append(decimal: id)
    text.append(" ")
    text.append(AdminText.quoted(name))
  }

  /// Throws a 409 when the group is `default` or somebody uses it.
  func check(_ group: ByteString) throws(AdminError) {
    if group == ChannelGroupDirectory.standard {
      throw AdminError(
        409, "conflict",
        "The group default is always there: it can be neither renamed nor deleted.")
    }
    guard count > 0 else { return }
    if count > GroupUse.shownCount {
      text.append(" and ")
      text.append(decimal: Int64(count - GroupUse.shownCount))
      text.append(" more")
    }
    throw AdminError(
      409, "conflict",
      "The group " + AdminText.quoted(group) + " is used by " + text.byteString
        + ": give them another group first.")
  }
}
