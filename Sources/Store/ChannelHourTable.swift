// SPDX-License-Identifier: MIT
import Platform

/// Queries of the table `channel_hours`, ordered by hour so that one page holds what changes.
package enum ChannelHourTable {
  /// Hours that are kept: 30 days.
  package static let keptHourCount: Int64 = 30 * 24

  /// Adds to what is stored of the channel's hour; that of a deleted channel is dropped.
  static func add(
    _ delta: ChannelBucket, channelID: Int64, in database: Database
  ) throws(StoreError) {
    var sum = delta
    let stored = try database.first(
      "SELECT * FROM channel_hours WHERE hour = ?1 AND channel_id = ?2",
      { $0.bind(delta.period).bind(channelID) }, { read($0).bucket })
    if let stored { sum.merge(stored) }
    var detail = PackedWriter()
    sum.packDetail(into: &detail)
    try database.run(
      """
      INSERT OR REPLACE INTO channel_hours (hour, channel_id, requests, successes, prompt_tokens,
        completion_tokens, latency_sum, first_byte_sum, detail)
      SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE EXISTS (SELECT 1 FROM channels WHERE id = ?2)
      """
    ) { statement in
      statement.bind(sum.period).bind(channelID).bind(sum.requests).bind(sum.successes)
      statement.bind(sum.promptTokens).bind(sum.completionTokens).bind(sum.latencySum)
      statement.bind(sum.firstByteSum)
      detail.bytes.withUnsafeBytes { _ = statement.bind(blob: $0) }
    }
  }

  /// Removes hours before a given one.
  static func delete(before hour: Int64, in database: Database) throws(StoreError) {
    try database.run("DELETE FROM channel_hours WHERE hour < ?1") { $0.bind(hour) }
  }

  /// Calls `body` with all channels' hours from a given one on, by hour and channel.
  package static func each(
    fromHour hour: Int64, in database: Database,
    _ body: (_ channelID: Int64, _ bucket: ChannelBucket) -> Void
  ) throws(StoreError) {
    try database.each(
      "SELECT * FROM channel_hours WHERE hour >= ?1 ORDER BY hour, channel_id",
      { $0.bind(hour) },
      {
        let (channelID, bucket) = read($0)
        body(channelID, bucket)
      })
  }

  /// Reads a row in the schema's order of columns.
  private static func read(_ row: Statement) -> (channelID: Int64, bucket: ChannelBucket) {
    var bucket = ChannelBucket(period: row.integer(in: StoredRange.hours))
    let channelID = row.integer()
    bucket.requests = row.integer(in: StoredRange.counts)
    bucket.successes = row.integer(in: StoredRange.counts)
    bucket.promptTokens = row.integer(in: StoredRange.counts)
    bucket.completionTokens = row.integer(in: StoredRange.counts)
    bucket.latencySum = row.integer(in: StoredRange.counts)
    bucket.firstByteSum = row.integer(in: StoredRange.counts)
    row.withBytes {
      var packed = PackedReader($0)
      bucket.mergeDetail(&packed)
    }
    return (channelID, bucket)
  }
}
