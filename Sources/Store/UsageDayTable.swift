// SPDX-License-Identifier: MIT
import Platform

/// What usage is summed by; the day counts from 1970-01-01 in the gateway's time zone.
package struct UsageDayKey: Hashable, Sendable {
  package var day: Int64
  package var userID: Int64
  package var tokenID: Int64
  package var modelID: Int64

  /// Makes a key; 0 stands for what is unknown or not told apart.
  package init(day: Int64 = 0, userID: Int64 = 0, tokenID: Int64 = 0, modelID: Int64 = 0) {
    self.day = day
    self.userID = userID
    self.tokenID = tokenID
    self.modelID = modelID
  }

  /// What tables ask for; the numbers are our own.
  package func _rawHashValue(seed: Int) -> Int {
    TableHash.of(tokenID, modelID, seed: TableHash.of(day, userID, seed: seed))
  }
}

/// Sums over finished requests.
package struct UsageSums: Equatable, Sendable {
  package private(set) var requests: Int64 = 0
  package private(set) var failures: Int64 = 0
  package private(set) var promptTokens: Int64 = 0
  package private(set) var completionTokens: Int64 = 0
  package private(set) var cachedTokens: Int64 = 0
  /// Millionths of a quota unit.
  package private(set) var charge: Int64 = 0

  /// Makes sums over nothing.
  package init() {}

  /// Adds one request.
  mutating func add(_ row: LogRecord) {
    requests = requests.addingSaturated(1)
    if row.isFailure { failures = failures.addingSaturated(1) }
    promptTokens = promptTokens.addingSaturated(max(0, row.promptTokens))
    completionTokens = completionTokens.addingSaturated(max(0, row.completionTokens))
    cachedTokens = cachedTokens.addingSaturated(max(0, row.cachedTokens))
    charge = charge.addingSaturated(max(0, row.charge))
  }

  /// Adds what another sum holds; compiled once, since the checks for overflow are long.
  @inline(never)
  package mutating func add(_ other: UsageSums) {
    requests = requests.addingSaturated(other.requests)
    failures = failures.addingSaturated(other.failures)
    promptTokens = promptTokens.addingSaturated(other.promptTokens)
    completionTokens = completionTokens.addingSaturated(other.completionTokens)
    cachedTokens = cachedTokens.addingSaturated(other.cachedTokens)
    charge = charge.addingSaturated(other.charge)
  }

  /// Reads the columns behind the key.
  fileprivate init(_ row: Statement) {
    requests = row.integer(in: StoredRange.counts)
    failures = row.integer(in: StoredRange.counts)
    promptTokens = row.integer(in: StoredRange.counts)
    completionTokens = row.integer(in: StoredRange.counts)
    cachedTokens = row.integer(in: StoredRange.counts)
    charge = row.integer(in: StoredRange.counts)
  }

  fileprivate func bind(to statement: Statement) {
    statement.bind(requests).bind(failures).bind(promptTokens).bind(completionTokens)
    statement.bind(cachedTokens).bind(charge)
  }
}

/// Queries of the table `usage_days`: the newest day lies at the end, so that a flush touches few
/// pages.
enum UsageDayTable {
  /// Rows that are kept; above, the oldest days go.
  static let rowLimit: Int64 = 200_000
  /// The same where rows take memory: a quarter of a megabyte.
  static let memoryRowLimit: Int64 = 5_000

  /// Adds to what is stored under the key.
  static func add(
    _ sums: UsageSums, to key: UsageDayKey, in database: Database
  ) throws(StoreError) {
    var total = sums
    let stored = try database.first(
      """
      SELECT requests, failures, prompt_tokens, completion_tokens, cached_tokens, charge
      FROM usage_days WHERE day = ?1 AND user_id = ?2 AND token_id = ?3 AND model_id = ?4
      """, { key.bind(to: $0) }, { UsageSums($0) })
    if let stored { total.add(stored) }
    try database.run(
      """
      INSERT OR REPLACE INTO usage_days (day, user_id, token_id, model_id, requests, failures,
        prompt_tokens, completion_tokens, cached_tokens, charge)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
      """
    ) {
      key.bind(to: $0)
      total.bind(to: $0)
    }
  }

  /// Calls `body` with the rows behind a key, in the order of keys: at most `limit`.
  ///
  /// `throughDay`: the last day. `body`: gets the sums of rows that the query admits, nil for
  /// others, which are looked at all the same.
  static func each(
    _ query: UsageQuery, after key: UsageDayKey, throughDay day: Int64, limit: Int64,
    in database: Database, _ body: (UsageDayKey, UsageSums?) -> Void
  ) throws(StoreError) {
    try database.each(
      """
      SELECT day, user_id, token_id, model_id, requests, failures, prompt_tokens,
        completion_tokens, cached_tokens, charge
      FROM usage_days
      WHERE (day, user_id, token_id, model_id) > (?1, ?2, ?3, ?4) AND day <= ?5
      ORDER BY day, user_id, token_id, model_id LIMIT ?6
      """,
      {
        key.bind(to: $0)
        $0.bind(day).bind(limit)
      },
      { row in
        let key = UsageDayKey(
          day: row.integer(), userID: row.integer(), tokenID: row.integer(),
          modelID: row.integer())
        body(key, query.admits(key) ? UsageSums(row) : nil)
      })
  }

  /// Removes at most `limit` rows of days before a given one, the oldest first.
  ///
  /// Returns how many there were.
  static func delete(
    before day: Int64, limit: Int64, in database: Database
  ) throws(StoreError) -> Int64 {
    try database.run(
      """
      DELETE FROM usage_days WHERE (day, user_id, token_id, model_id) IN (
        SELECT day, user_id, token_id, model_id FROM usage_days WHERE day < ?1
        ORDER BY day, user_id, token_id, model_id LIMIT ?2)
      """
    ) { $0.bind(day).bind(limit) }
  }
}

extension UsageDayKey {
  fileprivate func bind(to statement: Statement) {
    statement.bind(day).bind(userID).bind(tokenID).bind(modelID)
  }
}
