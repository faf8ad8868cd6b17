// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Buckets that are over take few bytes, and are whole when they are asked for.
struct StateBucketSeriesTests {
  private func attempt(
    _ kind: ErrorKind = .none, milliseconds: Int64 = 100, firstByte: Int64? = 40
  ) -> ChannelAttempt {
    ChannelAttempt(
      channelID: 1, isSuccess: kind == .none, errorKind: kind.rawValue,
      latencyMilliseconds: milliseconds, firstByteMilliseconds: firstByte, promptTokens: 10,
      completionTokens: 5)
  }

  private func series(_ periods: Int64..., keeping count: Int = 60) -> BucketSeries {
    var series = BucketSeries(keeping: count)
    for period in periods { series.add(attempt(), period: period) }
    return series
  }

  private func expectEqual(
    _ one: ChannelBucket, _ other: ChannelBucket, _ location: SourceLocation = #_sourceLocation
  ) {
    #expect("\(one)" == "\(other)", sourceLocation: location)
  }

  // Packing.

  @Test func packsAndUnpacksEverything() {
    var bucket = ChannelBucket(period: 7)
    for (number, kind) in ErrorKind.allCases.enumerated() {
      for _ in 0...number {
        bucket.add(attempt(kind, milliseconds: 1 << Int64(number), firstByte: Int64(number)))
      }
    }
    bucket.completionTokens = .max
    var packed = PackedWriter()
    bucket.pack(into: &packed)
    packed.bytes.withUnsafeBytes { bytes in
      var reader = PackedReader(bytes)
      var back = ChannelBucket(period: 7)
      back.merge(&reader)
      expectEqual(back, bucket)
      #expect(reader.isAtEnd)
      // Any prefix, as far as it goes.
      for count in 0..<bytes.count {
        var reader = PackedReader(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        var back = ChannelBucket(period: 7)
        back.merge(&reader)
        #expect(back.requests <= bucket.requests)
      }
    }
  }

  @Test func takesSumsAtTheLimitOfTheirType() {
    var bucket = ChannelBucket(period: 0)
    bucket.requests = .max
    bucket.latencySum = .max
    bucket.errors.add(4, count: .max)
    var series = BucketSeries(keeping: 60)
    for period: Int64 in 1...3 {
      bucket.period = period
      series.restore(bucket)
    }
    let sum = series.sum(from: 0)
    #expect(sum.requests == .max && sum.latencySum == .max && sum.errors[4] == .max)
  }

  // The window.

  @Test func keepsTheWindowOnly() {
    #expect(series(1, 60).all.map(\.period) == [1, 60])
    #expect(series(1, 61).all.map(\.period) == [61])
    #expect(series(1, 2, 3, 62).all.map(\.period) == [3, 62])
    #expect(series(1, 2, 3, keeping: 1).all.map(\.period) == [3])
  }

  @Test func forgetsTheFuture() {
    #expect(series(1, 2, 3, 4, 2).all.map(\.period) == [1, 2])
    #expect(series(10, 20, 30, 15).all.map(\.period) == [10, 15])
    #expect(series(10, 20, 30, 5).all.map(\.period) == [5])
    #expect(series(1_000_000, 2).all.map(\.period) == [2])
  }

  @Test func goesOnWithAPackedBucket() {
    let series = series(1, 2, 2, 3, 2)
    #expect(series.all.map(\.requests) == [1, 3])
    #expect(series.newest?.latency.count == 3)
  }

  @Test func holdsNothingWithoutAttempts() {
    let empty = BucketSeries(keeping: 60)
    #expect(empty.newest == nil && empty.all.isEmpty && empty.reservedByteCount == 0)
    #expect(empty.sum(from: 0).requests == 0)
  }

  // Sums.

  @Test func sumsAWindow() {
    let series = series(10, 11, 12)
    for (from, requests) in [(10, 3), (11, 2), (12, 1), (13, 0)] as [(Int64, Int64)] {
      let sum = series.sum(from: from)
      #expect(sum.requests == requests && sum.latency.count == requests)
      #expect(sum.firstByte.count == requests && sum.firstByteSum == 40 * requests)
      #expect(sum.period == from)
      var seen: Int64 = 0
      series.forEach(from: from) { seen += $0.requests }
      #expect(seen == requests)
    }
  }

  @Test func sumsErrorsByKind() {
    var series = BucketSeries(keeping: 60)
    for (kind, period) in [(.tls, 1), (.none, 2), (.tls, 3), (.cut, 4)] as [(ErrorKind, Int64)] {
      series.add(attempt(kind), period: period)
    }
    let sum = series.sum(from: 0)
    #expect(sum.errors[ErrorKind.tls.rawValue] == 2)
    #expect(sum.errors[ErrorKind.cut.rawValue] == 1)
    #expect(sum.errors.total == 3)
    #expect(sum.successes == 1)
  }

  // Memory.

  /// Full series of minutes and hours in which each has about so many attempts, spread over steps
  /// of durations.
  private func full(
    _ attempts: (perMinute: Int64, perHour: Int64), firstBytes: Range<Int>, latencies: Range<Int>,
    errors: [ErrorKind]
  ) -> (minutes: BucketSeries, hours: BucketSeries) {
    func series(_ count: Int, from first: Int64, attempts: Int64) -> BucketSeries {
      var series = BucketSeries(keeping: count)
      for period in first..<first + Int64(count) {
        var bucket = ChannelBucket(period: period)
        for step in latencies {
          bucket.add(attempt(milliseconds: LatencyHistogram.lowest(ofStep: step), firstByte: nil))
        }
        for step in firstBytes {
          bucket.firstByte.add(milliseconds: LatencyHistogram.lowest(ofStep: step))
        }
        // Doubled, so that millions do not take minutes.
        while bucket.requests < attempts { bucket.merge(bucket) }
        for kind in errors { bucket.errors.add(kind.rawValue, count: 1 + attempts / 1000) }
        series.restore(bucket)
      }
      return series
    }
    return (
      series(ChannelStatistics.minutes, from: 30_000_000, attempts: attempts.perMinute),
      series(ChannelStatistics.hours, from: 500_000, attempts: attempts.perHour)
    )
  }

  /// Bytes of a bucket as it is counted: its fields, two histograms, the kinds of errors.
  private static let liveByteCount =
    MemoryLayout<ChannelBucket>.size + 8 * (2 * LatencyHistogram.stepCount)
    + MemoryLayout<ErrorCounts.Entry>.stride * (ErrorKind.allCases.count - 1) + 3 * 32

  /// What docs/small.md says of a channel: two requests a second, first bytes between 0.2 and 10
  /// seconds, whole answers between half a second and a minute, in every hour of 30 days.
  @Test func aBusyMonthTakesLessThanNinetyKilobytes() {
    let (minutes, hours) = full(
      (120, 7200), firstBytes: 15..<27, latencies: 18..<32,
      errors: [.timeout, .rateLimited, .upstreamServer])
    #expect(minutes.all.count == 60 && hours.all.count == 720)
    // The newest minute, the newest hour, and the sum since the start are not packed.
    let sum = minutes.reservedByteCount + hours.reservedByteCount + 3 * Self.liveByteCount
    #expect(sum < 90_000, "\(sum)")
    // Unpacked, all would be like the newest.
    #expect(Self.liveByteCount > 800 && sum / 780 < 120)
  }

  @Test func theWorstMonthTakesNoMoreThanItsLimit() {
    let all = 0..<LatencyHistogram.stepCount
    let (minutes, hours) = full(
      (1_000_000, 50_000_000), firstBytes: all, latencies: all, errors: ErrorKind.allCases)
    #expect(hours.reservedByteCount <= BucketSeries.byteLimit + 2048)
    let sum = minutes.reservedByteCount + hours.reservedByteCount + 3 * Self.liveByteCount
    #expect(sum < 170_000, "\(sum)")
    // The oldest hours went, no minute.
    #expect(minutes.all.count == 60)
    let periods = hours.all.map(\.period)
    #expect(periods.count > 200 && periods.count < ChannelStatistics.hours)
    #expect(periods.last == 500_000 + Int64(ChannelStatistics.hours) - 1)
    #expect(periods == Array((periods.first ?? 0)...(periods.last ?? 0)))
  }
}

extension BucketSeries {
  /// Every bucket, unpacked.
  var all: [ChannelBucket] {
    var buckets: [ChannelBucket] = []
    forEach(from: .min) { buckets.append($0) }
    return buckets
  }
}

extension ErrorCounts {
  /// Errors of all kinds.
  var total: Int64 { entries.reduce(0) { $0 + $1.count } }
}
