// SPDX-License-Identifier: MIT
import Platform

/// Queries of the table `logs`: requests by id, hence by time; no second index to write.
package enum LogTable {
  /// Adds a row.
  static func insert(_ row: LogRecord, in database: Database) throws(StoreError) {
    try database.run(
      """
      INSERT INTO logs (id, user_id, token_id, channel_id, model_id, prompt_tokens,
        completion_tokens, charge, detail)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
      """
    ) { statement in
      statement.bind(row.id).bind(row.userID).bind(row.tokenID).bind(row.channelID)
      statement.bind(row.modelID).bind(row.promptTokens).bind(row.completionTokens)
      statement.bind(row.charge == row.usualCharge ? nil : row.charge)
      LogDetail.pack(row).withUnsafeBytes { _ = statement.bind(blob: $0) }
    }
  }

  /// At most `limit` of the wanted rows, newest first, after leaving out `offset` of them.
  ///
  /// `filter.before` is faster than an offset where pages follow each other.
  package static func list(
    _ filter: LogFilter, limit: Int64, offset: Int64 = 0, in database: Database
  ) throws(StoreError) -> [LogRecord] {
    try database.all(
      """
      SELECT id, user_id, token_id, channel_id, model_id, prompt_tokens, completion_tokens,
        charge, detail
      FROM logs
      WHERE id >= ?1 AND id < ?2 AND (?3 IS NULL OR user_id = ?3)
        AND (?4 IS NULL OR token_id = ?4) AND (?5 IS NULL OR channel_id = ?5)
        AND (?6 IS NULL OR model_id = ?6)
      ORDER BY id DESC LIMIT ?7 OFFSET ?8
      """,
      {
        filter.bind(to: $0)
        $0.bind(max(limit, 0)).bind(max(offset, 0))
      }, { LogRecord($0) })
  }

  /// How many rows are wanted, counted up to `bound`: a long log is not read to its end.
  package static func count(
    _ filter: LogFilter, upTo bound: Int64 = 10_000, in database: Database
  ) throws(StoreError) -> Int64 {
    try database.first(
      """
      SELECT count(*) FROM (
        SELECT 1 FROM logs
        WHERE id >= ?1 AND id < ?2 AND (?3 IS NULL OR user_id = ?3)
          AND (?4 IS NULL OR token_id = ?4) AND (?5 IS NULL OR channel_id = ?5)
          AND (?6 IS NULL OR model_id = ?6)
        LIMIT ?7)
      """,
      {
        filter.bind(to: $0)
        $0.bind(max(bound, 0))
      }, { $0.integer() }) ?? 0
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

  /// The newest id; 0 when there is no row.
  static func lastID(in database: Database) throws(StoreError) -> Int64 {
    try database.integer("SELECT max(id) FROM logs")
  }
}

extension LogRecord {
  /// What is charged at the ratio 1, a unit for each token; NULL stands for it in the file.
  fileprivate var usualCharge: Int64 {
    let tokens = promptTokens.addingSaturated(completionTokens)
    return tokens.multipliedReportingOverflow(by: Ratio.one.millionths).overflow
      ? .max : tokens * Ratio.one.millionths
  }

  /// Reads a row of `LogTable.list`.
  fileprivate init(_ row: Statement) {
    self.init(requestID: 0, userID: 0, tokenID: 0, channelID: 0, modelID: 0)
    id = row.integer()
    userID = row.integer()
    tokenID = row.integer()
    channelID = row.integer()
    modelID = row.integer()
    promptTokens = row.integer()
    completionTokens = row.integer()
    charge = row.optionalInteger() ?? usualCharge
    row.withBytes { LogDetail.unpack($0, into: &self) }
  }
}

extension LogFilter {
  /// Binds the first six parameters of the queries above.
  fileprivate func bind(to statement: Statement) {
    let range = idRange
    statement.bind(range.lowest).bind(range.end).bind(userID).bind(tokenID).bind(channelID)
    statement.bind(modelID)
  }
}
