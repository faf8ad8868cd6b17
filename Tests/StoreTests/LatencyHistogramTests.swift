// SPDX-License-Identifier: MIT
import Testing

@testable import Store

struct LatencyHistogramTests {
  private func histogram(_ durations: [Int64]) -> LatencyHistogram {
    var histogram = LatencyHistogram()
    for duration in durations { histogram.add(milliseconds: duration) }
    return histogram
  }

  @Test func eachStepBeginsWhereTheOneBeforeEnds() {
    for step in 0..<LatencyHistogram.stepCount {
      let low = LatencyHistogram.lowest(ofStep: step)
      let next = LatencyHistogram.lowest(ofStep: step + 1)
      #expect(LatencyHistogram.step(of: low) == step && low < next)
      #expect(LatencyHistogram.step(of: next - 1) == step)
    }
    #expect(LatencyHistogram.step(of: .max) == LatencyHistogram.stepCount - 1)
    #expect(LatencyHistogram.step(of: -5) == 0)
  }

  @Test func percentilesAreWithinAThird() {
    let exact = Array(Int64(1)...10_000)
    let histogram = histogram(exact)
    #expect(histogram.count == 10_000)
    for percent in [1, 10, 50, 90, 95, 99, 100] {
      let expected = Double(percent) * 100
      let found = Double(histogram.percentile(percent) ?? -1)
      #expect(found > expected * 0.75 && found < expected * 1.34, "\(percent): \(found)")
    }
  }

  @Test func hasNoPercentileWithoutRequests() {
    #expect(LatencyHistogram().percentile(50) == nil)
    #expect(histogram([7]).percentile(95) == 7)
    #expect(histogram([7]).percentile(-3) == 7)
  }

  @Test func countsBelowAStep() {
    let histogram = histogram([0, 1, 2, 3, 4, 5, 6, 300_000])
    for (step, count) in [
      (-1, 0), (0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 6), (38, 8), (99, 8),
    ] {
      #expect(histogram.count(belowStep: step) == Int64(count), "\(step)")
    }
    #expect(LatencyHistogram().count(belowStep: 38) == 0)
  }

  @Test func staysWithinItsTypes() {
    // As a damaged database may have it: every step with the largest number that fits.
    var packed = PackedWriter()
    packed.append(UInt64(LatencyHistogram.stepCount))
    for step in 0..<LatencyHistogram.stepCount {
      packed.append(step == 0 ? 0 : 1)
      packed.append(count: .max)
    }
    packed.bytes.withUnsafeBytes {
      var reader = PackedReader($0)
      var histogram = LatencyHistogram(&reader)
      histogram.merge(histogram)
      #expect(histogram.count > 0)
      for percent in 0...100 { #expect(histogram.percentile(percent) != nil) }
    }
  }

  @Test func mergesAndPacks() {
    var sum = histogram([0, 1, 5, 100])
    sum.merge(histogram([5, 300_000, .max]))
    #expect(sum.count == 7)
    var packed = PackedWriter()
    sum.pack(into: &packed)
    packed.bytes.withUnsafeBytes {
      var reader = PackedReader($0)
      let back = LatencyHistogram(&reader)
      #expect(reader.isAtEnd && back.count == 7)
      for percent in 0...100 { #expect(back.percentile(percent) == sum.percentile(percent)) }
    }
  }

  @Test func survivesDamagedBytes() {
    for byte: UInt8 in [0x00, 0x01, 0x7F, 0x80, 0xFF] {
      for count in 0..<200 {
        [UInt8](repeating: byte, count: count).withUnsafeBytes {
          var reader = PackedReader($0)
          _ = LatencyHistogram(&reader).percentile(95)
        }
      }
    }
  }
}

extension LatencyHistogram {
  /// What `pack` appended.
  fileprivate init(_ packed: inout PackedReader) {
    self.init()
    merge(&packed)
  }
}
