// SPDX-License-Identifier: MIT
import Platform

/// Bytes written, in all and on one local day.
package struct DailyBytes: Sendable {
  package private(set) var total: Int64 = 0
  /// Days since 1970; that of the last note.
  private var day: Int64 = 0
  /// The total when that day began.
  private var earlier: Int64 = 0

  package init() {}

  /// Takes a new total over, which only grows; what it grew by counts for `day`.
  package mutating func note(_ total: Int64, on day: Int64) {
    if day != self.day { (self.day, earlier) = (day, self.total) }
    self.total = total
  }

  /// What was written on a day: nothing, unless it is that of the last note.
  package func count(on day: Int64) -> Int64 { day == self.day ? total - earlier : 0 }
}

/// How much the database holds; read on the storage thread.
package enum StorageFigures {
  /// Bytes of `db.db` that the request log takes, roughly, as `log_limit_mb` counts them.
  package static func logByteCount(in database: Database) throws(StoreError) -> Int64 {
    let pageCount =
      try database.integer("PRAGMA page_count") - database.integer("PRAGMA freelist_count")
    let used = pageCount * (try database.integer("PRAGMA page_size"))
    return max(0, used - (try LogRing.otherByteCount(in: database)))
  }
}
