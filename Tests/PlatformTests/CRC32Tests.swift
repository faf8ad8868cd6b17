// SPDX-License-Identifier: MIT
import Platform
import Testing

struct CRC32Tests {
  private func check(_ text: ByteString, _ expected: UInt32) {
    #expect(CRC32.of(text.bytes.span) == expected)
    var sum = CRC32()
    for byte in text.bytes { sum.add([byte].span) }
    #expect(sum.value == expected)
  }

  @Test func computesKnownSums() {
    check("", 0)
    check("123456789", 0xCBF4_3926)  // the catalogue's check value
    check("The quick brown fox jumps over the lazy dog", 0x414F_A339)
    check(ByteString([0x00, 0x00, 0x00, 0x7A, 0x00, 0x00, 0x00, 0x51]), 0xCA2C_4665)
  }

  @Test func noticesEveryFlippedBit() {
    let bytes = ByteString("an event").bytes
    for index in bytes.indices {
      for bit in 0..<8 {
        var altered = bytes
        altered[index] ^= 1 << UInt8(bit)
        #expect(CRC32.of(altered.span) != CRC32.of(bytes.span))
      }
    }
  }
}
