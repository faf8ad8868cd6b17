// SPDX-License-Identifier: MIT
import Platform

/// Statuses of upstreams after which another channel is tried, such as `408,409,429,500-599`.
struct RetryStatuses: Equatable, Sendable {
  private let ranges: [ClosedRange<Int>]

  /// No status at all.
  init() { ranges = [] }

  /// Reads a list of statuses and ranges of them, 400 to 599; nil for anything else.
  init?(_ text: ByteString) {
    var ranges: [ClosedRange<Int>] = []
    for part in text.list(separatedBy: UInt8(ascii: ",")) {
      let (low, high) = part.trimmed.split(at: UInt8(ascii: "-")) ?? (part.trimmed, part.trimmed)
      guard let first = low.decimal, let last = high.decimal, first >= 400, last <= 599,
        first <= last
      else { return nil }
      ranges.append(Int(first)...Int(last))
    }
    self.ranges = ranges
  }

  func contains(_ status: Int) -> Bool { ranges.contains { $0.contains(status) } }
}
