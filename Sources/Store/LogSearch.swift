// SPDX-License-Identifier: MIT
import Platform

/// One search through the log, newest rows first, in slices.
///
/// A rare filter may look at every row: each slice is a job of its own on the storage thread, so
/// that flushes and changes of settings come between. Rows that wait in memory are included; what
/// arrives after the search began is not. Only the loop's thread calls it.
package final class LogSearch {
  /// Rows that one job looks at.
  package static let sliceRowCount: Int64 = 5000

  /// What a step wants.
  package struct Want: Sendable {
    /// Matching rows that are passed over.
    package var skipped: Int64
    /// Matching rows that are given then.
    package var kept: Int64
    /// Matching rows after which the step ends, at least the two above together.
    package var counted: Int64

    /// Makes a want.
    package init(skipped: Int64 = 0, kept: Int64, counted: Int64) {
      self.skipped = skipped
      self.kept = kept
      self.counted = counted
    }
  }

  /// What a step found.
  package struct Slice: Sendable {
    package internal(set) var rows: [LogRecord] = []
    /// Matching rows, those passed over or only counted included.
    package internal(set) var matchCount: Int64 = 0
    /// Rows looked at.
    var scannedCount: Int64 = 0
    /// Ids below are still to be looked at; nil when there are none.
    var end: Int64?

    /// Takes a matching row in; false when the step has what it wants.
    mutating func take(_ row: LogRecord, _ want: Want) -> Bool {
      matchCount += 1
      if matchCount > want.skipped, Int64(rows.count) < want.kept { rows.append(row) }
      return matchCount < want.counted
    }
  }

  private let filter: LogFilter
  private let storage: Storage
  /// Matching rows in memory, newest first, of which some were taken already.
  private var recent: [LogRecord]
  private var recentIndex = 0
  /// Ids below are still to be looked at in the file; nil when there are none.
  private var end: Int64?
  /// Rows looked at so far.
  package private(set) var scannedCount: Int64 = 0

  /// Searches in rows held in memory, oldest first, then in the file.
  init(_ filter: LogFilter, in held: [LogRecord], storage: Storage) {
    self.filter = filter
    self.storage = storage
    recent = held.reversed().filter(filter.admits)
    // A flush may write what is held between two slices: rows from there on are not looked for.
    end = min(filter.idRange.end, held.first?.id ?? .max)
  }

  /// Whether everything was looked at.
  package var isAtEnd: Bool { end == nil && recentIndex == recent.count }

  /// Looks at the next rows: until the want is met, or for one slice.
  ///
  /// Not to be called before the completion of the call before.
  package func step(
    _ want: Want, completion: @escaping (Result<Slice, StoreError>) -> Void
  ) {
    var slice = Slice()
    while recentIndex < recent.count {
      recentIndex += 1
      if !slice.take(recent[recentIndex - 1], want) { return completion(.success(slice)) }
    }
    recent = []
    recentIndex = 0
    guard let end else { return completion(.success(slice)) }
    let (filter, found) = (filter, slice)
    storage.perform(
      { (database: Database) throws(StoreError) in
        try LogTable.search(filter, below: end, want, adding: found, in: database)
      },
      completion: { [self] result in
        if case .success(let slice) = result {
          self.end = slice.end
          scannedCount += slice.scannedCount
        }
        completion(result)
      })
  }
}
