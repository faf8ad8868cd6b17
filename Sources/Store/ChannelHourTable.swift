// SPDX-License-Identifier: MIT
import Platform

/// What one channel did in one hour.
package struct ChannelHour: Sendable {
  package var channelID: Int64
  /// Unix seconds divided by 3600.
  package var hour: Int64
  package var requests: Int64 = 0
  package var successes: Int64 = 0
  package var promptTokens: Int64 = 0
  package var completionTokens: Int64 = 0
  /// Milliseconds over all successes.
  package var latencySum: Int64 = 0
  /// Milliseconds over all requests of which a first byte came.
  package var firstByteSum: Int64 = 0
  package var errors = ErrorCounts()
  /// Of the successes.
  package var latency = LatencyHistogram()
  /// Of the requests of which a first byte came.
  package var firstByte = LatencyHistogram()

  /// Makes an hour in which nothing happened.
  package init(channelID: Int64, hour: Int64) {
    self.channelID = channelID
    self.hour = hour
  }

  /// Counts one attempt.
  package mutating func count(_ attempt: ChannelAttempt) {
    requests = requests.addingSaturated(1)
    promptTokens = promptTokens.addingSaturated(max(0, attempt.promptTokens))
    completionTokens = completionTokens.addingSaturated(max(0, attempt.completionTokens))
    if attempt.isSuccess { successes = successes.addingSaturated(1) }
    if attempt.isSuccess, attempt.errorKind == 0 {
      latencySum = latencySum.addingSaturated(max(0, attempt.latencyMilliseconds))
      latency.add(milliseconds: attempt.latencyMilliseconds)
    }
    errors.add(attempt.errorKind)
    if let milliseconds = attempt.firstByteMilliseconds {
      firstByteSum = firstByteSum.addingSaturated(max(0, milliseconds))
      firstByte.add(milliseconds: milliseconds)
    }
  }

  /// Adds what another part of the same hour counted, or another hour for a total.
  package mutating func merge(_ other: ChannelHour) {
    requests = requests.addingSaturated(other.requests)
    successes = successes.addingSaturated(other.successes)
    promptTokens = promptTokens.addingSaturated(other.promptTokens)
    completionTokens = completionTokens.addingSaturated(other.completionTokens)
    latencySum = latencySum.addingSaturated(other.latencySum)
    firstByteSum = firstByteSum.addingSaturated(other.firstByteSum)
    errors.merge(other.errors)
    latency.merge(other.latency)
    firstByte.merge(other.firstByte)
  }

  /// Reads a row in the schema's order of columns.
  fileprivate init(_ row: Statement) {
    hour = row.integer(in: StoredRange.hours)
    channelID = row.integer()
    requests = row.integer(in: StoredRange.counts)
    successes = row.integer(in: StoredRange.counts)
    promptTokens = row.integer(in: StoredRange.counts)
    completionTokens = row.integer(in: StoredRange.counts)
    latencySum = row.integer(in: StoredRange.counts)
    firstByteSum = row.integer(in: StoredRange.counts)
    row.withBytes {
      var packed = PackedReader($0)
      errors = ErrorCounts(&packed)
      latency = LatencyHistogram(&packed)
      firstByte = LatencyHistogram(&packed)
    }
  }

  /// Errors and histograms as one blob.
  fileprivate var detail: [UInt8] {
    var packed = PackedWriter()
    errors.pack(into: &packed)
    latency.pack(into: &packed)
    firstByte.pack(into: &packed)
    return packed.bytes
  }
}

/// One try at one channel, for its statistics.
package struct ChannelAttempt: Sendable {
  package var channelID: Int64
  package var isSuccess: Bool
  /// Of a failure; 0 for none.
  package var errorKind: Int64
  package var latencyMilliseconds: Int64
  /// nil when no byte came.
  package var firstByteMilliseconds: Int64?
  package var promptTokens: Int64
  package var completionTokens: Int64

  /// Makes an attempt.
  package init(
    channelID: Int64, isSuccess: Bool, errorKind: Int64 = 0, latencyMilliseconds: Int64,
    firstByteMilliseconds: Int64? = nil, promptTokens: Int64 = 0, completionTokens: Int64 = 0
  ) {
    self.channelID = channelID
    self.isSuccess = isSuccess
    self.errorKind = errorKind
    self.latencyMilliseconds = latencyMilliseconds
    self.firstByteMilliseconds = firstByteMilliseconds
    self.promptTokens = promptTokens
    self.completionTokens = completionTokens
  }
}

/// Queries of the table `channel_hours`, ordered by hour so that one page holds what changes.
package enum ChannelHourTable {
  /// Hours that are kept: 30 days.
  package static let keptHourCount: Int64 = 30 * 24

  /// Adds to what is stored of the hour; the hour of a deleted channel is dropped.
  static func add(_ delta: ChannelHour, in database: Database) throws(StoreError) {
    var sum = delta
    let stored = try database.first(
      "SELECT * FROM channel_hours WHERE hour = ?1 AND channel_id = ?2",
      { $0.bind(delta.hour).bind(delta.channelID) }, { ChannelHour($0) })
    if let stored { sum.merge(stored) }
    try database.run(
      """
      INSERT OR REPLACE INTO channel_hours (hour, channel_id, requests, successes, prompt_tokens,
        completion_tokens, latency_sum, first_byte_sum, detail)
      SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE EXISTS (SELECT 1 FROM channels WHERE id = ?2)
      """
    ) { statement in
      statement.bind(sum.hour).bind(sum.channelID).bind(sum.requests).bind(sum.successes)
      statement.bind(sum.promptTokens).bind(sum.completionTokens).bind(sum.latencySum)
      statement.bind(sum.firstByteSum)
      sum.detail.withUnsafeBytes { _ = statement.bind(blob: $0) }
    }
  }

  /// Removes hours before a given one.
  static func delete(before hour: Int64, in database: Database) throws(StoreError) {
    try database.run("DELETE FROM channel_hours WHERE hour < ?1") { $0.bind(hour) }
  }

  /// Calls `body` with all channels' hours from a given one on, by hour and channel.
  package static func each(
    fromHour hour: Int64, in database: Database, _ body: (ChannelHour) -> Void
  ) throws(StoreError) {
    try database.each(
      "SELECT * FROM channel_hours WHERE hour >= ?1 ORDER BY hour, channel_id",
      { $0.bind(hour) }, { body(ChannelHour($0)) })
  }
}
