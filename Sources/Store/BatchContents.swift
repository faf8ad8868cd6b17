// SPDX-License-Identifier: MIT
import Platform

/// What is added to one user's or token's row.
struct UsageDelta: Sendable {
  /// Millionths of a quota unit; added to `used_micro`, or its new value after a reset.
  private(set) var micro: Int64 = 0
  private(set) var isReset = false
  /// Unix seconds; of a token's reset.
  private(set) var periodStart: Int64 = 0
  /// Unix seconds; 0 when nothing was charged.
  private(set) var accessedAt: Int64 = 0

  /// Adds millionths of a unit; they never lower the sum.
  mutating func add(_ charge: Int64, at seconds: Int64) {
    micro = micro.addingSaturated(max(0, charge))
    accessedAt = max(accessedAt, seconds)
  }

  /// Starts again from 0: what was gathered before counts no more.
  mutating func reset(periodStart seconds: Int64) {
    micro = 0
    isReset = true
    periodStart = seconds
  }

  /// Puts an older delta, which could not be written, before this one.
  mutating func prepend(_ older: UsageDelta) {
    accessedAt = max(accessedAt, older.accessedAt)
    if isReset { return }
    micro = micro.addingSaturated(older.micro)
    isReset = older.isReset
    periodStart = older.periodStart
  }
}

/// One channel's hour.
struct HourKey: Hashable, Sendable {
  let channelID: Int64
  let hour: Int64

  /// What tables ask for; the numbers are our own.
  func _rawHashValue(seed: Int) -> Int { TableHash.of(channelID, hour, seed: seed) }
}

/// What one flush writes, gathered in memory.
///
/// Bounded: rows, hours and days by limits, the rest by the number of users, tokens and model
/// names.
struct BatchContents: Sendable {
  /// Channel hours that wait at most; reached only when nothing could be written for long.
  static let hourLimit = 4096
  /// The same of usage by day, user, token and model; more are told apart by day and user only.
  static let dayLimit = 4096

  var rows: [LogRecord] = []
  var users: [RecordKey: UsageDelta] = [:]
  var tokens: [RecordKey: UsageDelta] = [:]
  var hours: [HourKey: ChannelBucket] = [:]
  var days: [UsageDayKey: UsageSums] = [:]
  var models: [ModelRecord] = []
  var audit = AuditGathering()

  var isEmpty: Bool {
    rows.isEmpty && users.isEmpty && tokens.isEmpty && hours.isEmpty && days.isEmpty
      && models.isEmpty && audit.rows.isEmpty
  }

  /// The newest local day of which there is usage; nil without any.
  var newestDay: Int64? { days.keys.map { $0.day }.max() }

  /// Counts one attempt into its channel's hour.
  mutating func count(_ attempt: ChannelAttempt, hour: Int64) {
    let key = HourKey(channelID: attempt.channelID, hour: hour)
    if let known = hours.index(forKey: key) { return hours.values[known].add(attempt) }
    guard hours.count < BatchContents.hourLimit else { return }
    hours[key, default: ChannelBucket(period: hour)].add(attempt)
  }

  /// Adds usage; nothing of it is ever lost, or the sums would no longer agree.
  mutating func add(_ sums: UsageSums, to key: UsageDayKey) {
    if let known = days.index(forKey: key) { return days.values[known].add(sums) }
    let hasRoom = days.count < BatchContents.dayLimit
    let key = hasRoom ? key : UsageDayKey(day: key.day, userID: key.userID)
    days[key, default: UsageSums()].add(sums)
  }

  /// Puts older contents, which could not be written, before these.
  ///
  /// Returns the number of rows that had no room and were dropped, the newest.
  mutating func prepend(_ older: BatchContents, rowLimit: Int) -> Int {
    for (id, delta) in older.users { users[id, default: UsageDelta()].prepend(delta) }
    for (id, delta) in older.tokens { tokens[id, default: UsageDelta()].prepend(delta) }
    for (key, hour) in older.hours {
      guard hours[key] != nil || hours.count < BatchContents.hourLimit else { continue }
      hours[key, default: ChannelBucket(period: key.hour)].merge(hour)
    }
    for (key, sums) in older.days { add(sums, to: key) }
    models = older.models + models
    audit.prepend(older.audit)
    let wanted = older.rows.count + rows.count
    rows = older.rows + rows.prefix(max(0, rowLimit - older.rows.count))
    return wanted - rows.count
  }
}
