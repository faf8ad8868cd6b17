// SPDX-License-Identifier: MIT
import Platform

/// One sum over usage by day, in slices: each is a job of its own on the storage thread, so that
/// flushes and changes of settings come between.
///
/// Days to which nothing waits to be added are summed first; the others in the last slice, at once
/// with what waits then. So nothing counts twice when a flush comes between two slices.
final class UsageSearch {
  /// Rows that one job looks at.
  static let sliceRowCount: Int64 = 20_000

  /// What the jobs gather, one after the other; hence `@unchecked`.
  private final class Gathering: @unchecked Sendable {
    var report = UsageReport()
    /// The last row that was looked at.
    var last: UsageDayKey?
    var isAtEnd = false
  }

  private let query: UsageQuery
  private let groupCount: Int
  private let batch: WriteBatch
  /// The first day to which something waited to be added when the search began.
  private let firstOpenDay: Int64
  private let gathering = Gathering()
  private let completion: (Result<UsageSummary, StoreError>) -> Void

  /// Prepares a search whose answer has at most so many groups.
  init(
    _ query: UsageQuery, groupCount: Int, in batch: WriteBatch,
    completion: @escaping (Result<UsageSummary, StoreError>) -> Void
  ) {
    self.query = query
    self.groupCount = groupCount
    self.batch = batch
    self.completion = completion
    firstOpenDay = batch.oldestWaitingDay ?? .max
  }

  /// Sums the next rows of the days before the first open one, then the rest.
  func goOn() {
    guard !gathering.isAtEnd, query.firstDay < firstOpenDay else { return sumOpenDays() }
    let (query, gathering) = (query, gathering)
    let lastDay = min(query.lastDay, firstOpenDay - 1)
    batch.storage.perform(
      { (database: Database) throws(StoreError) in
        var count: Int64 = 0
        try UsageDayTable.each(
          query, after: gathering.last ?? query.start, throughDay: lastDay,
          limit: UsageSearch.sliceRowCount, in: database
        ) { key, sums in
          count += 1
          gathering.last = key
          if let sums { gathering.report.add(sums, of: key, in: query) }
        }
        gathering.isAtEnd = count < UsageSearch.sliceRowCount
      },
      completion: { [self] result in
        switch result {
        case .success: goOn()
        case .failure(let error): completion(.failure(error))
        }
      })
  }

  private func sumOpenDays() {
    let (query, gathering, groupCount) = (query, gathering, groupCount)
    var start = query.start
    start.day = max(start.day, firstOpenDay)
    // A flush under way is written before: the storage thread keeps the order.
    let waiting = batch.waiting.days.filter { query.admits($0.key) }
    batch.storage.perform(
      { (database: Database) throws(StoreError) in
        for (key, sums) in waiting { gathering.report.add(sums, of: key, in: query) }
        try UsageDayTable.each(
          query, after: start, throughDay: query.lastDay, limit: .max, in: database
        ) { key, sums in
          if let sums { gathering.report.add(sums, of: key, in: query) }
        }
        return gathering.report.summary(groupCount, isByDay: query.tellsDays)
      }, completion: completion)
  }
}

extension UsageQuery {
  /// A key before all rows of the first day.
  fileprivate var start: UsageDayKey {
    UsageDayKey(day: firstDay, userID: .min, tokenID: .min, modelID: .min)
  }
}
