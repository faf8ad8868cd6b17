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

/// What happened on one channel in one minute or hour.
struct ChannelBucket {
  /// Number of the minute or hour since 1970.
  var period: Int64
  var requests: Int64 = 0
  var successes: Int64 = 0
  var promptTokens: Int64 = 0
  var completionTokens: Int64 = 0
  var latencySum: Int64 = 0
  var firstByteSum: Int64 = 0
  var firstByteCount: Int64 = 0
  var latency = LatencyHistogram()
  /// Counts by `ErrorKind.rawValue`, made with the first error.
  var errors: [Int64] = []

  init(period: Int64) { self.period = period }

  mutating func add(_ attempt: ChannelAttempt) {
    requests += 1
    if attempt.isSuccess { successes += 1 }
    promptTokens += attempt.promptTokens
    completionTokens += attempt.completionTokens
    latencySum += attempt.latencyMilliseconds
    latency.add(milliseconds: attempt.latencyMilliseconds)
    if let firstByte = attempt.firstByteMilliseconds {
      firstByteSum += firstByte
      firstByteCount += 1
    }
    if !attempt.isSuccess { count(error: attempt.errorKind, by: 1) }
  }

  mutating func merge(_ other: ChannelBucket) {
    requests += other.requests
    successes += other.successes
    promptTokens += other.promptTokens
    completionTokens += other.completionTokens
    latencySum += other.latencySum
    firstByteSum += other.firstByteSum
    firstByteCount += other.firstByteCount
    latency.merge(other.latency)
    for (kind, count) in other.errors.enumerated() where count > 0 {
      self.count(error: Int64(kind), by: count)
    }
  }

  mutating func count(error kind: Int64, by count: Int64) {
    guard kind >= 0, kind < Int64(ErrorKind.allCases.count) else { return }
    if errors.isEmpty { errors = [Int64](repeating: 0, count: ErrorKind.allCases.count) }
    errors[Int(kind)] += count
  }
}

/// Live figures of one channel: the last hour by minute, the last 30 days by hour.
///
/// Only periods in which something happened hold memory.
final class ChannelStatistics {
  static let minutes = 60
  static let hours = 30 * 24

  private(set) var byMinute: [ChannelBucket] = []
  private(set) var byHour: [ChannelBucket] = []
  private(set) var lastError = ByteString.empty
  /// Unix seconds, 0 for never.
  private(set) var lastErrorAt: Int64 = 0

  /// Restores the hours that were saved.
  func restore(_ hour: ChannelBucket) { byHour.append(hour) }

  /// Counts one attempt at a time in Unix seconds.
  func add(_ attempt: ChannelAttempt, at seconds: Int64) {
    ChannelStatistics.add(attempt, period: seconds / 60, keeping: Self.minutes, to: &byMinute)
    ChannelStatistics.add(attempt, period: seconds / 3600, keeping: Self.hours, to: &byHour)
  }

  /// Remembers what went wrong last, in words.
  func note(error text: ByteString, at seconds: Int64) {
    lastError = text
    lastErrorAt = seconds
  }

  private static func add(
    _ attempt: ChannelAttempt, period: Int64, keeping count: Int, to buckets: inout [ChannelBucket]
  ) {
    if buckets.last?.period != period {
      let oldest = period - Int64(count) + 1
      // A clock that was set back leaves periods in the future: they go too.
      buckets.removeAll { $0.period < oldest || $0.period > period }
      if buckets.last?.period != period { buckets.append(ChannelBucket(period: period)) }
    }
    buckets[buckets.count - 1].add(attempt)
  }

  /// The sum of the periods from `first` on.
  static func sum(_ buckets: [ChannelBucket], from first: Int64) -> ChannelBucket {
    var sum = ChannelBucket(period: first)
    for bucket in buckets where bucket.period >= first { sum.merge(bucket) }
    return sum
  }
}
