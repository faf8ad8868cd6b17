// SPDX-License-Identifier: MIT
import Testing

@testable import Store

struct ErrorCountsTests {
  @Test func countsKindsInOrder() {
    var counts = ErrorCounts()
    for kind: Int64 in [3, 1, 3, 0, -1, 1000, 2] { counts.add(kind) }
    #expect(counts.entries.map(\.kind) == [1, 2, 3, 63])
    #expect(counts[3] == 2 && counts[1] == 1 && counts[9] == 0)
  }

  @Test func mergesAndPacks() {
    var left = ErrorCounts()
    left.add(2, count: .max)
    var right = ErrorCounts()
    right.add(2)
    right.add(5, count: 300)
    left.merge(right)
    var packed = PackedWriter()
    left.pack(into: &packed)
    packed.bytes.withUnsafeBytes {
      var reader = PackedReader($0)
      var back = ErrorCounts()
      back.merge(&reader)
      #expect(reader.isAtEnd && back[2] == .max && back[5] == 300)
    }
  }
}
