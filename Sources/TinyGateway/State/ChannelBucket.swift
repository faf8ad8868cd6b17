// SPDX-License-Identifier: MIT
import Platform
import Store

/// What happened on one channel in one minute or hour, or since the start.
struct ChannelBucket {
  /// Number of the minute or hour since 1970.
  var period: Int64
  var requests: Int64 = 0
  var successes: Int64 = 0
  var promptTokens: Int64 = 0
  var completionTokens: Int64 = 0
  /// Milliseconds over all successes.
  var latencySum: Int64 = 0
  /// Milliseconds over all requests of which a first byte came.
  var firstByteSum: Int64 = 0
  /// Of the successes.
  var latency = LatencyHistogram()
  /// Of the requests of which a first byte came.
  var firstByte = LatencyHistogram()
  /// Counts by `ErrorKind.rawValue`, made with the first error.
  var errors: [Int64] = []

  init(period: Int64) { self.period = period }

  /// Counts one attempt, as `ChannelHour` does for the database.
  mutating func add(_ attempt: ChannelAttempt) {
    requests = requests.addingSaturated(1)
    promptTokens = promptTokens.addingSaturated(max(0, attempt.promptTokens))
    completionTokens = completionTokens.addingSaturated(max(0, attempt.completionTokens))
    if attempt.isSuccess { successes = successes.addingSaturated(1) }
    if attempt.isSuccess, attempt.errorKind == 0 {
      latencySum = latencySum.addingSaturated(max(0, attempt.latencyMilliseconds))
      latency.add(milliseconds: attempt.latencyMilliseconds)
    }
    // A client that left is no failure, and yet worth counting.
    if attempt.errorKind > 0 { count(error: attempt.errorKind, by: 1) }
    if let milliseconds = attempt.firstByteMilliseconds {
      firstByteSum = firstByteSum.addingSaturated(max(0, milliseconds))
      firstByte.add(milliseconds: milliseconds)
    }
  }

  /// Adds what another bucket counted; the period stays.
  mutating func merge(_ other: ChannelBucket) {
    requests = requests.addingSaturated(other.requests)
    successes = successes.addingSaturated(other.successes)
    promptTokens = promptTokens.addingSaturated(other.promptTokens)
    completionTokens = completionTokens.addingSaturated(other.completionTokens)
    latencySum = latencySum.addingSaturated(other.latencySum)
    firstByteSum = firstByteSum.addingSaturated(other.firstByteSum)
    latency.merge(other.latency)
    firstByte.merge(other.firstByte)
    for (kind, count) in other.errors.enumerated() where count > 0 {
      self.count(error: Int64(kind), by: count)
    }
  }

  mutating func count(error kind: Int64, by count: Int64) {
    guard kind >= 0, kind < Int64(ErrorKind.allCases.count) else { return }
    if errors.isEmpty { errors = [Int64](repeating: 0, count: ErrorKind.allCases.count) }
    errors[Int(kind)] = errors[Int(kind)].addingSaturated(max(0, count))
  }
}

// Packed: numbers in few bytes, and nothing for what did not happen.
extension ChannelBucket {
  /// Appends everything but the period.
  func pack(into packed: inout PackedWriter) {
    for sum in [
      requests, successes, promptTokens, completionTokens, latencySum, firstByteSum,
    ] {
      packed.append(count: sum)
    }
    packed.append(UInt64(errors.lazy.filter { $0 > 0 }.count))
    for (kind, count) in errors.enumerated() where count > 0 {
      packed.append(UInt64(kind))
      packed.append(count: count)
    }
    latency.pack(into: &packed)
    firstByte.pack(into: &packed)
  }

  /// Adds what `pack` appended.
  mutating func merge(_ packed: inout PackedReader) {
    requests = requests.addingSaturated(packed.count())
    successes = successes.addingSaturated(packed.count())
    promptTokens = promptTokens.addingSaturated(packed.count())
    completionTokens = completionTokens.addingSaturated(packed.count())
    latencySum = latencySum.addingSaturated(packed.count())
    firstByteSum = firstByteSum.addingSaturated(packed.count())
    let kinds = min(packed.count(), Int64(ErrorKind.allCases.count))
    for _ in 0..<kinds {
      let kind = packed.count()
      count(error: kind, by: packed.count())
    }
    latency.merge(&packed)
    firstByte.merge(&packed)
  }
}

extension ChannelBucket {
  /// A saved hour.
  init(_ hour: ChannelHour) {
    self.init(period: hour.hour)
    requests = hour.requests
    successes = hour.successes
    promptTokens = hour.promptTokens
    completionTokens = hour.completionTokens
    latencySum = hour.latencySum
    firstByteSum = hour.firstByteSum
    latency = hour.latency
    firstByte = hour.firstByte
    for entry in hour.errors.entries { count(error: entry.kind, by: entry.count) }
  }
}
