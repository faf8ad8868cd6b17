// SPDX-License-Identifier: MIT
import Platform

/// What happened on one channel in one minute or hour, or since the start.
package struct ChannelBucket: Sendable {
  /// Number of the minute or hour since 1970.
  package var period: Int64
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

  /// Makes a bucket in which nothing happened.
  package init(period: Int64) { self.period = period }

  /// Counts one attempt.
  @inline(never)
  package mutating func add(_ attempt: ChannelAttempt) {
    requests = requests.addingSaturated(1)
    promptTokens = promptTokens.addingSaturated(max(0, attempt.promptTokens))
    completionTokens = completionTokens.addingSaturated(max(0, attempt.completionTokens))
    if attempt.isSuccess { successes = successes.addingSaturated(1) }
    if attempt.isSuccess, attempt.errorKind == 0 {
      latencySum = latencySum.addingSaturated(max(0, attempt.latencyMilliseconds))
      latency.add(milliseconds: attempt.latencyMilliseconds)
    }
    // A client that left is no failure, and yet worth counting.
    errors.add(attempt.errorKind)
    if let milliseconds = attempt.firstByteMilliseconds {
      firstByteSum = firstByteSum.addingSaturated(max(0, milliseconds))
      firstByte.add(milliseconds: milliseconds)
    }
  }

  /// Adds what another bucket counted; the period stays.
  @inline(never)
  package mutating func merge(_ other: ChannelBucket) {
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
}

// Packed: numbers in few bytes, and nothing for what did not happen.
extension ChannelBucket {
  /// Appends everything but the period.
  @inline(never)
  package func pack(into packed: inout PackedWriter) {
    for sum in [
      requests, successes, promptTokens, completionTokens, latencySum, firstByteSum,
    ] {
      packed.append(count: sum)
    }
    packDetail(into: &packed)
  }

  /// Adds what `pack` appended.
  @inline(never)
  package mutating func merge(_ packed: inout PackedReader) {
    requests = requests.addingSaturated(packed.count())
    successes = successes.addingSaturated(packed.count())
    promptTokens = promptTokens.addingSaturated(packed.count())
    completionTokens = completionTokens.addingSaturated(packed.count())
    latencySum = latencySum.addingSaturated(packed.count())
    firstByteSum = firstByteSum.addingSaturated(packed.count())
    mergeDetail(&packed)
  }

  /// Appends errors and histograms, which are stored as one blob.
  func packDetail(into packed: inout PackedWriter) {
    errors.pack(into: &packed)
    latency.pack(into: &packed)
    firstByte.pack(into: &packed)
  }

  /// Adds what `packDetail` appended.
  mutating func mergeDetail(_ packed: inout PackedReader) {
    errors.merge(&packed)
    latency.merge(&packed)
    firstByte.merge(&packed)
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
