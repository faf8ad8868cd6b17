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

  /// Sums usage by day; the answer has at most so many groups.
  package func report(
    _ query: UsageQuery, groupCount: Int,
    completion: @escaping (Result<UsageSummary, StoreError>) -> Void
  ) {
    UsageSearch(query, groupCount: groupCount, in: self, completion: completion).goOn()
  }

  /// Audit rows newest first, those that wait here included, and how many there are.
  package func listAudit(
    _ filter: AuditFilter, _ page: Page,
    completion: @escaping (Result<Listing<AuditRecord>, StoreError>) -> Void
  ) {
    let recent = waiting.audit.rows.filter(filter.admits)
    storage.perform(
      { (database: Database) throws(StoreError) in
        // Rows that wait may belong anywhere among the newest that are stored.
        let start = max(0, page.offset - Int64(recent.count))
        let stored = try AuditTable.list(
          filter, limit: page.offset + page.size - start, offset: start, in: database)
        let all = (recent + stored).sorted { $0.id > $1.id }
        let total = try AuditTable.count(filter, in: database)
        return Listing(
          items: Array(all.dropFirst(Int(page.offset - start)).prefix(Int(page.size))),
          total: total + Int64(recent.count))
      }, completion: completion)
  }

  /// The oldest day to which something is yet to be added on flash; nil when nothing waits.
  var oldestWaitingDay: Int64? {
    let waiting = waiting.days.keys.map { $0.day }.min()
    let inFlight = inFlight?.days.keys.map { $0.day }.min()
    guard let waiting, let inFlight else { return waiting ?? inFlight }
    return min(waiting, inFlight)
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
