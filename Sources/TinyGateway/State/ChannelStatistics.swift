// SPDX-License-Identifier: MIT
import Platform
import Store

/// How one attempt on a channel ended, for figures and logs.
///
/// Raw values are stored in log rows and hour buckets: never renumber.
enum ErrorKind: Int64, CaseIterable {
  case none = 0
  case connect = 1
  case tls = 2
  case timeout = 3
  case reset = 4
  case badAnswer = 5
  case cut = 6
  case rateLimited = 7
  case upstreamServer = 8
  case refusedKey = 9
  case refusedRequest = 10
  case clientGone = 11
  case gateway = 12

  /// The name in `errors_by_kind` and in the log.
  var name: StaticString {
    switch self {
    case .none: "none"
    case .connect: "connect"
    case .tls: "tls"
    case .timeout: "timeout"
    case .reset: "reset"
    case .badAnswer: "bad_answer"
    case .cut: "cut"
    case .rateLimited: "rate_limited"
    case .upstreamServer: "upstream_server"
    case .refusedKey: "refused_key"
    case .refusedRequest: "refused_request"
    case .clientGone: "client_gone"
    case .gateway: "gateway"
    }
  }
}

/// Live figures of one channel: the last hour by minute, the last 30 days by hour, and all since
/// the start of the program.
///
/// In fixed memory: see `BucketSeries`.
final class ChannelStatistics {
  static let minutes = 60
  static let hours = 30 * 24

  private(set) var byMinute = BucketSeries(keeping: ChannelStatistics.minutes)
  private(set) var byHour = BucketSeries(keeping: ChannelStatistics.hours)
  /// Since the start of the program; nothing in it ever falls.
  private(set) var total = ChannelBucket(period: 0)
  private(set) var lastError = ByteString.empty
  /// Unix seconds, 0 for never.
  private(set) var lastErrorAt: Int64 = 0

  /// Restores the hours that were saved.
  func restore(_ hours: BucketSeries) { byHour = hours }

  /// Counts one attempt at a time in Unix seconds.
  func add(_ attempt: ChannelAttempt, at seconds: Int64) {
    byMinute.add(attempt, period: seconds / 60)
    byHour.add(attempt, period: seconds / 3600)
    total.add(attempt)
  }

  /// Remembers what went wrong last, in words.
  func note(error text: ByteString, at seconds: Int64) {
    lastError = text
    lastErrorAt = seconds
  }

  /// The hours that were saved, by channel.
  ///
  /// Packed row by row: those of fifty channels at once would be tens of megabytes.
  static func savedHours(
    in database: Database
  ) throws(StoreError) -> [Int64: BucketSeries] {
    var series: [Int64: BucketSeries] = [:]
    let oldest = UnixTime.seconds / 3600 - Int64(hours)
    try ChannelHourTable.each(fromHour: oldest, in: database) { id, bucket in
      series[id, default: BucketSeries(keeping: hours)].restore(bucket)
    }
    return series
  }
}
