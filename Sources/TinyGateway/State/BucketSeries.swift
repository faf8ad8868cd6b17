// SPDX-License-Identifier: MIT
import Platform
import Store

/// Buckets of one channel, from oldest to newest: the newest as it is, those that are over packed.
///
/// Only periods in which something happened take memory. Packed buckets lie one behind the other,
/// each as its length, its period and its figures: an hour of a busy channel takes about 100
/// bytes, as it was counted more than 700.
struct BucketSeries {
  /// Bytes that packed buckets may take; the oldest leave beyond.
  ///
  /// A month needs so many only when every hour has very many requests of all durations.
  static let byteLimit = 128 * 1024
  /// Bytes by which the memory grows, since doubling would waste half of it.
  private static let growthByteCount = 1024

  private let keptCount: Int64
  private var packed: [UInt8] = []
  private(set) var newest: ChannelBucket?

  /// Makes a series without buckets.
  ///
  /// - Parameter keptCount: periods of the window, the newest included.
  init(keeping keptCount: Int) { self.keptCount = Int64(keptCount) }

  /// Bytes of memory held for the packed buckets.
  var reservedByteCount: Int { packed.capacity }

  /// Counts an attempt in a period.
  mutating func add(_ attempt: ChannelAttempt, period: Int64) {
    begin(period)
    newest?.add(attempt)
  }

  /// Adds a bucket that was saved.
  mutating func restore(_ bucket: ChannelBucket) {
    begin(bucket.period)
    newest?.merge(bucket)
  }

  /// The sum of the buckets from period `first` on.
  func sum(from first: Int64) -> ChannelBucket {
    var sum = ChannelBucket(period: first)
    walk { record in
      if record.period >= first { sum.merge(&record.figures) }
      return true
    }
    if let newest, newest.period >= first { sum.merge(newest) }
    return sum
  }

  /// Calls `body` with each bucket from period `first` on, from oldest to newest.
  func forEach(from first: Int64, _ body: (ChannelBucket) -> Void) {
    walk { record in
      if record.period >= first { body(record.bucket) }
      return true
    }
    if let newest, newest.period >= first { body(newest) }
  }

  /// Makes the period's bucket the newest one; those outside the window leave.
  ///
  /// A clock that was set back leaves buckets in the future: they go too.
  private mutating func begin(_ period: Int64) {
    if newest?.period == period { return }
    setAside()
    let oldest = period - keptCount + 1
    var kept = packed.count..<packed.count
    var known: ChannelBucket?
    walk { record in
      if record.period >= oldest, record.start < kept.lowerBound {
        kept = record.start..<kept.upperBound
      }
      guard record.period >= period else { return true }
      if record.period == period { known = record.bucket }
      kept = min(kept.lowerBound, record.start)..<record.start
      return false
    }
    remove(allBut: kept)
    newest = known ?? ChannelBucket(period: period)
  }

  /// Packs the newest bucket, behind the others.
  private mutating func setAside() {
    guard let bucket = newest else { return }
    newest = nil
    var figures = PackedWriter()
    figures.append(count: bucket.period)
    bucket.pack(into: &figures)
    var length = PackedWriter()
    length.append(UInt64(figures.bytes.count))
    let wanted = packed.count + length.bytes.count + figures.bytes.count
    if wanted > packed.capacity {
      packed.reserveCapacity(wanted + BucketSeries.growthByteCount)
    }
    packed.append(contentsOf: length.bytes)
    packed.append(contentsOf: figures.bytes)
    if packed.count > BucketSeries.byteLimit { makeRoom() }
  }

  /// Lets the oldest buckets go until the rest is within the limit.
  private mutating func makeRoom() {
    var start = packed.count
    walk { record in
      guard packed.count - record.start <= BucketSeries.byteLimit else { return true }
      start = record.start
      return false
    }
    remove(allBut: start..<packed.count)
  }

  private mutating func remove(allBut kept: Range<Int>) {
    packed.removeSubrange(kept.upperBound...)
    packed.removeSubrange(..<kept.lowerBound)
  }

  /// One packed bucket.
  private struct Record {
    /// Offset of its length.
    let start: Int
    let period: Int64
    var figures: PackedReader

    var bucket: ChannelBucket {
      var bucket = ChannelBucket(period: period)
      var figures = figures
      bucket.merge(&figures)
      return bucket
    }
  }

  /// Calls `body` with each packed bucket until it returns false.
  private func walk(_ body: (inout Record) -> Bool) {
    packed.withUnsafeBytes { bytes in
      var reader = PackedReader(bytes)
      while !reader.isAtEnd {
        let start = reader.position
        let length = Int(clamping: reader.number())
        guard let contents = reader.raw(length) else { return }
        var figures = PackedReader(contents)
        let period = figures.count()
        var record = Record(start: start, period: period, figures: figures)
        if !body(&record) { return }
      }
    }
  }
}
