// SPDX-License-Identifier: MIT
import Platform

/// What is read back of what was recorded, with what still waits to be written.
extension WriteBatch {
  /// Rows that one job of `deleteLogs` removes.
  private static let deletedPerJob: Int64 = 5000

  /// Begins a search through the log.
  package func search(_ filter: LogFilter) -> LogSearch {
    LogSearch(filter, in: (inFlight?.rows ?? []) + waiting.rows, storage: storage)
  }

  /// Sums usage by day.
  package func report(
    _ query: UsageQuery, completion: @escaping (Result<UsageReport, StoreError>) -> Void
  ) {
    // A flush under way is written before the query runs: the storage thread keeps the order.
    let waiting = waiting.days.filter { query.admits($0.key) }
    storage.perform(
      { (database: Database) throws(StoreError) in
        var report = UsageReport()
        for (key, sums) in waiting { report.add(sums, of: key, in: query) }
        try UsageDayTable.each(query, in: database) { key, sums in
          report.add(sums, of: key, in: query)
        }
        return report
      }, completion: completion)
  }

  /// Removes all log rows from before a time, a slice at a time; usage and sums stay.
  ///
  /// `completion`: gets how many were removed, also of a deletion that failed midway.
  package func deleteLogs(
    before seconds: Int64, completion: @escaping (Int64, StoreError?) -> Void
  ) {
    let end = LogID.first(ofSecond: seconds)
    let waitingCount = waiting.rows.count
    waiting.rows.removeAll { $0.id < end }
    deleteLogs(below: end, after: Int64(waitingCount - waiting.rows.count), completion)
  }

  private func deleteLogs(
    below end: Int64, after removed: Int64, _ completion: @escaping (Int64, StoreError?) -> Void
  ) {
    storage.perform(
      { (database: Database) throws(StoreError) in
        try LogTable.delete(below: end, limit: WriteBatch.deletedPerJob, in: database)
      },
      completion: { [self] result in
        switch result {
        case .success(let count) where count == WriteBatch.deletedPerJob:
          deleteLogs(below: end, after: removed + count, completion)
        case .success(let count): completion(removed + count, nil)
        case .failure(let error): completion(removed, error)
        }
      })
  }
}
