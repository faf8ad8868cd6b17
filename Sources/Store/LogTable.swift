// SPDX-License-Identifier: MIT
import Platform

/// Queries of the table `logs`: requests by id, hence by time; no second index to write.
package enum LogTable {
  /// Rows that one statement adds while there are so many: it begins and ends once for them.
  private static let groupRowCount = 8

  /// Adds rows, within a transaction that ends with a failure of this.
  static func insert(_ rows: [LogRecord], in database: Database) throws(StoreError) {
    var packed = PackedWriter()
    var next = 0
    while rows.count - next >= groupRowCount {
      // With OR FAIL nothing is noted down for taking back a part of the rows.
      try database.run(
        """
        INSERT OR FAIL INTO logs (id, user_id, token_id, channel_id, model_id, prompt_tokens,
          completion_tokens, charge, detail)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?),
          (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?),
          (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?),
          (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
      ) { statement in
        for index in next..<next + groupRowCount { bind(rows[index], to: statement, &packed) }
      }
      next += groupRowCount
    }
    while next < rows.count {
      try database.run(
        """
        INSERT INTO logs (id, user_id, token_id, channel_id, model_id, prompt_tokens,
          completion_tokens, charge, detail)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
      ) { bind(rows[next], to: $0, &packed) }
      next += 1
    }
  }

  /// Binds the next nine parameters; `packed` is memory to work in.
  private static func bind(
    _ row: LogRecord, to statement: Statement, _ packed: inout PackedWriter
  ) {
    statement.bind(row.id).bind(row.userID).bind(row.tokenID).bind(row.channelID)
    statement.bind(row.modelID).bind(row.promptTokens).bind(row.completionTokens)
    statement.bind(row.charge == row.usualCharge ? nil : row.charge)
    packed.clear()
    LogDetail.pack(row, into: &packed)
    packed.bytes.withUnsafeBytes { _ = statement.bind(blob: $0) }
  }

  /// Looks at the next rows below an id, newest first: a slice of a search.
  static func search(
    _ filter: LogFilter, below end: Int64, _ want: LogSearch.Want, adding found: LogSearch.Slice,
    in database: Database
  ) throws(StoreError) -> LogSearch.Slice {
    var slice = found
    var last: Int64 = 0
    var isMet = false
    try database.search(
      """
      SELECT id, user_id, token_id, channel_id, model_id, prompt_tokens, completion_tokens,
        charge, detail
      FROM logs WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3
      """,
      {
        $0.bind(filter.idRange.lowest).bind(end).bind(LogSearch.sliceRowCount)
      },
      { statement in
        var row = LogRecord(ownerOf: statement)
        slice.scannedCount += 1
        last = row.id
        guard filter.admitsOwner(of: row) else { return true }
        row.readRest(statement)
        guard filter.admitsDetail(of: row) else { return true }
        isMet = !slice.take(row, want)
        return !isMet
      })
    slice.end = isMet || slice.scannedCount == LogSearch.sliceRowCount ? last : nil
    return slice
  }

  /// Removes that many of the oldest rows, or all when there are fewer.
  static func deleteOldest(_ count: Int64, in database: Database) throws(StoreError) {
    try database.run(
      """
      DELETE FROM logs WHERE id <= ifnull(
        (SELECT id FROM logs ORDER BY id LIMIT 1 OFFSET ?1), (SELECT max(id) FROM logs))
      """
    ) { $0.bind(max(count - 1, 0)) }
  }

  /// Removes at most `limit` rows with an id below `end`, the oldest first.
  ///
  /// Returns how many there were.
  @discardableResult
  static func delete(
    below end: Int64, limit: Int64, in database: Database
  ) throws(StoreError) -> Int64 {
    try database.run(
      "DELETE FROM logs WHERE id IN (SELECT id FROM logs WHERE id < ?1 ORDER BY id LIMIT ?2)"
    ) { $0.bind(end).bind(limit) }
  }

  /// The newest id; 0 when there is no row.
  static func lastID(in database: Database) throws(StoreError) -> Int64 {
    try database.lastLogID("SELECT max(id) FROM logs WHERE id < ?1")
  }
}

extension LogRecord {
  /// What is charged at the ratio 1, a unit for each token; NULL stands for it in the file.
  fileprivate var usualCharge: Int64 {
    let tokens = promptTokens.addingSaturated(completionTokens)
    return tokens.multipliedReportingOverflow(by: Ratio.one.millionths).overflow
      ? .max : tokens * Ratio.one.millionths
  }

  /// Reads the first five columns of a row of `LogTable.search`: whose it is.
  fileprivate init(ownerOf row: Statement) {
    self.init(requestID: 0, userID: 0, tokenID: 0, channelID: 0, modelID: 0)
    id = row.integer()
    userID = row.integer()
    tokenID = row.integer()
    channelID = row.integer()
    modelID = row.integer()
  }

  /// Reads the other columns.
  fileprivate mutating func readRest(_ row: Statement) {
    promptTokens = row.integer()
    completionTokens = row.integer()
    charge = row.optionalInteger() ?? usualCharge
    row.withBytes { LogDetail.unpack($0, into: &self) }
  }
}
