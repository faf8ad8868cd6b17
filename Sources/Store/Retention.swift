// SPDX-License-Identifier: MIT
import Platform

/// How long what is recorded is kept.
package struct Retention: Equatable, Sendable {
  /// Days after which log rows go; 0 keeps them until the log is full.
  package var logDays: Int64 = 0
  /// Days of usage that are kept, today included; 0 keeps them until there are too many.
  package var usageDays: Int64 = 0

  /// Makes a retention that keeps everything.
  package init(logDays: Int64 = 0, usageDays: Int64 = 0) {
    self.logDays = logDays
    self.usageDays = usageDays
  }

  /// The end of the log ids that have expired; 0 for none.
  ///
  /// `seconds`: the time in Unix seconds; nil while the clock is not plausible: nothing expires.
  func expiredLogs(at seconds: Int64?) -> Int64 {
    guard let seconds, logDays > 0 else { return 0 }
    let (age, overflowed) = logDays.multipliedReportingOverflow(by: 86_400)
    return overflowed ? 0 : LogID.first(ofSecond: seconds - min(age, seconds))
  }
}

/// Lets usage by day go, a few rows with a flush and only on the first flushes of a day.
struct UsagePruning {
  /// Rows removed in one step.
  static let stepRowCount: Int64 = 1000

  private let rowLimit: Int64
  /// The day of whose beginning everything old is gone.
  private var prunedDay: Int64 = 0

  /// Prunes above so many rows.
  init(rowLimit: Int64 = UsageDayTable.rowLimit) { self.rowLimit = rowLimit }

  /// One step, when today's pruning is not complete.
  ///
  /// `usageDays`: 0 prunes by the number of rows only.
  mutating func step(
    today: Int64, usageDays: Int64, in database: Database
  ) throws(StoreError) {
    guard today > prunedDay else { return }
    var room = UsagePruning.stepRowCount
    if usageDays > 0 {
      room -= try UsageDayTable.delete(
        before: today - usageDays + 1, limit: room, in: database)
    }
    guard room > 0 else { return }
    let excess = try database.integer("SELECT count(*) FROM usage_days") - rowLimit
    if excess > 0 {
      let removed = try UsageDayTable.delete(
        before: today, limit: min(excess, room), in: database)
      if removed == room { return }
    }
    prunedDay = today
  }
}
