// SPDX-License-Identifier: MIT
import Platform

/// How many requests took how long, in fixed memory.
///
/// Two steps per doubling: 0, 1, 2, 3, 4, 6, 8, 12, 16, 24, … milliseconds, the last from about
/// four minutes on. A percentile is interpolated within its step. The steps are stored by their
/// number: never change them.
package struct LatencyHistogram: Sendable {
  package static let stepCount = 38
  /// Most requests that one step counts: never reached, so that no sum or product overflows,
  /// whatever a damaged database holds.
  private static let largestCount: Int64 = 1 << 40
  private var counts: [Int64] = []

  /// Makes an empty histogram, which takes no memory.
  package init() {}

  /// Number of requests.
  package var count: Int64 {
    count(belowStep: LatencyHistogram.stepCount)
  }

  /// Number of requests that took less than the shortest duration of a step.
  package func count(belowStep step: Int) -> Int64 {
    var sum: Int64 = 0
    for count in counts.prefix(max(0, step)) { sum += count }
    return sum
  }

  /// Counts one request.
  package mutating func add(milliseconds: Int64) {
    add(1, toStep: LatencyHistogram.step(of: milliseconds))
  }

  /// Adds what another histogram counted.
  package mutating func merge(_ other: LatencyHistogram) {
    for (step, count) in other.counts.enumerated() where count > 0 { add(count, toStep: step) }
  }

  /// Milliseconds that `percent` of the requests did not exceed; nil without requests.
  package func percentile(_ percent: Int) -> Int64? {
    let total = count
    guard total > 0 else { return nil }
    let wanted = max(1, (total * Int64(min(max(percent, 0), 100)) + 99) / 100)
    var seen: Int64 = 0
    for (step, count) in counts.enumerated() where count > 0 {
      if seen + count >= wanted {
        let low = LatencyHistogram.lowest(ofStep: step)
        let width = LatencyHistogram.lowest(ofStep: step + 1) - low
        // The middle of a single request's step, its upper end for the last of many.
        return low + width * (2 * (wanted - seen) - 1) / (2 * count)
      }
      seen += count
    }
    return nil
  }

  private mutating func add(_ count: Int64, toStep step: Int) {
    guard step < LatencyHistogram.stepCount else { return }
    if counts.isEmpty { counts = [Int64](repeating: 0, count: LatencyHistogram.stepCount) }
    counts[step] = min(counts[step].addingSaturated(count), LatencyHistogram.largestCount)
  }

  /// Number of the step that a duration falls into.
  package static func step(of milliseconds: Int64) -> Int {
    guard milliseconds >= 2 else { return milliseconds < 1 ? 0 : 1 }
    let exponent = 63 - milliseconds.leadingZeroBitCount
    let half = Int(milliseconds >> Int64(exponent - 1)) & 1
    return min(2 * exponent + half, stepCount - 1)
  }

  /// The shortest duration of a step, in milliseconds.
  package static func lowest(ofStep step: Int) -> Int64 {
    guard step >= 2 else { return Int64(max(step, 0)) }
    let base: Int64 = 1 << Int64(step / 2)
    return step & 1 == 0 ? base : base + base / 2
  }

  /// Appends the counts: how many steps are not empty, then the gap before each and its count.
  package func pack(into packed: inout PackedWriter) {
    packed.append(UInt64(counts.lazy.filter { $0 > 0 }.count))
    var previous = 0
    for (step, count) in counts.enumerated() where count > 0 {
      packed.append(UInt64(step - previous))
      packed.append(count: count)
      previous = step
    }
  }

  /// Adds what `pack` appended; steps that do not exist are left out.
  package mutating func merge(_ packed: inout PackedReader) {
    let filledCount = min(packed.number(), UInt64(LatencyHistogram.stepCount))
    var step: UInt64 = 0
    for _ in 0..<filledCount {
      step = step.addingReportingOverflow(packed.number()).partialValue
      let count = packed.count()
      if step < UInt64(LatencyHistogram.stepCount) { add(count, toStep: Int(step)) }
    }
  }
}
