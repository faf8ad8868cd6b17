// SPDX-License-Identifier: MIT
import Testing

@testable import Store

struct PackedBytesTests {
  private func check(_ value: UInt64, byteCount: Int) {
    var writer = PackedWriter()
    writer.append(value)
    #expect(writer.bytes.count == byteCount)
    writer.bytes.withUnsafeBytes {
      var reader = PackedReader($0)
      #expect(reader.number() == value && reader.isAtEnd)
    }
  }

  @Test func packsNumbersInAsFewBytesAsTheyNeed() {
    for (value, byteCount): (UInt64, Int) in [
      (0, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (.max, 10),
    ] { check(value, byteCount: byteCount) }
  }

  @Test func packsSignedNumbers() {
    for value: Int64 in [0, -1, 1, -64, 63, .min, .max] {
      var writer = PackedWriter()
      writer.append(signed: value)
      #expect(writer.bytes.count == 1 || value.magnitude > 64)
      writer.bytes.withUnsafeBytes {
        var reader = PackedReader($0)
        #expect(reader.signed() == value)
      }
    }
  }

  @Test func readsZerosBehindTheEnd() {
    [UInt8]([0x85]).withUnsafeBytes {
      var reader = PackedReader($0)
      #expect(reader.number() == 5 && reader.number() == 0 && reader.signed() == 0)
      #expect(reader.raw(1) == nil)
    }
  }
}
