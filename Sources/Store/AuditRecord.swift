// SPDX-License-Identifier: MIT
import Platform

/// One thing that somebody did to the gateway, or tried to.
package struct AuditRecord: Sendable {
  /// Ordered by time, from `WriteBatch.makeAuditID`; see `LogID`.
  package var id: Int64
  /// 0 when no account is meant.
  package var userID: Int64
  /// As it was then, or as it was typed.
  package var username: ByteString
  package var action: ByteString
  /// Such as `channel 7 main`; never a secret.
  package var target: ByteString
  package var address: IPAddress?
  /// The id that the answer carried.
  package var requestID: Int64
  /// How often it happened before the row was written.
  package var times: Int64 = 1
  /// Whether it was tried in vain, as anybody may without end; not written.
  package var isAttempt = false

  /// Makes a record.
  package init(
    id: Int64, userID: Int64, username: ByteString, action: ByteString, target: ByteString,
    address: IPAddress?, requestID: Int64
  ) {
    self.id = id
    self.userID = userID
    self.username = username
    self.action = action
    self.target = target
    self.address = address
    self.requestID = requestID
  }

  /// Unix seconds.
  package var time: Int64 { LogID.second(of: id) }

  /// Whether the other one tells the same, but for when and in which request.
  fileprivate func repeats(_ other: AuditRecord) -> Bool {
    action == other.action && userID == other.userID && username == other.username
      && target == other.target && address == other.address
  }
}

/// Which audit rows are wanted; nil admits any.
package struct AuditFilter: Sendable {
  /// Unix seconds, inclusive.
  package var from: Int64?
  /// Unix seconds, exclusive.
  package var until: Int64?
  package var userID: Int64?
  package var action: ByteString?
  /// Only rows with a smaller id: the last one of the page before.
  package var before: Int64?

  /// Makes a filter that admits every row.
  package init() {}

  /// Ids that times and cursor admit: from the first, up to but without the second.
  var idRange: (lowest: Int64, end: Int64) {
    let end = until.map(LogID.first(ofSecond:)) ?? .max
    return (from.map(LogID.first(ofSecond:)) ?? 0, min(end, before ?? .max))
  }

  /// Whether a row is wanted, as the query of `AuditTable` decides it.
  func admits(_ row: AuditRecord) -> Bool {
    let range = idRange
    return row.id >= range.lowest && row.id < range.end && (userID ?? row.userID) == row.userID
      && (action ?? row.action) == row.action
  }
}

/// Audit rows that wait to be written, in bounded number.
///
/// What repeats becomes one row that counts. Beyond a limit, names and addresses are left out, so
/// that one row for each kind of event takes all others: soon for attempts in vain, which anybody
/// may make; for what was done, only after nothing could be written for long.
struct AuditGathering: Sendable {
  static let attemptLimit = 32
  /// Rows of what was done that are written early.
  static let earlyCount = 256
  static let limit = 4 * earlyCount

  private(set) var rows: [AuditRecord] = []
  private var attemptCount = 0

  /// Whether the rows should not wait any longer.
  var isFull: Bool { rows.count - attemptCount >= AuditGathering.earlyCount }

  /// Adds a row, or counts it.
  mutating func append(_ row: AuditRecord) {
    if count(row) { return }
    let hasRoom =
      row.isAttempt
      ? attemptCount < AuditGathering.attemptLimit
      : rows.count - attemptCount < AuditGathering.limit
    if hasRoom { return add(row) }
    var other = row
    other.userID = 0
    other.username = .empty
    other.target = "others"
    other.address = nil
    if !count(other) { add(other) }
  }

  private mutating func add(_ row: AuditRecord) {
    rows.append(row)
    if row.isAttempt { attemptCount += 1 }
  }

  /// Puts older rows, which could not be written, before these.
  mutating func prepend(_ older: AuditGathering) {
    let newer = rows
    (rows, attemptCount) = (older.rows, older.attemptCount)
    for row in newer { append(row) }
  }

  private mutating func count(_ row: AuditRecord) -> Bool {
    guard let index = rows.firstIndex(where: { row.repeats($0) }) else { return false }
    rows[index].times = rows[index].times.addingSaturated(row.times)
    return true
  }
}
