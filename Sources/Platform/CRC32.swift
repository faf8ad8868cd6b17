// SPDX-License-Identifier: MIT

/// The checksum of Ethernet, gzip and AWS event streams (ISO 3309, reflected 0xEDB88320).
package struct CRC32: Sendable {
  private var state: UInt32 = .max

  /// The checksum of no bytes.
  package init() {}

  /// The checksum of what was added.
  package var value: UInt32 { ~state }

  /// Adds bytes; four bits at a time, since a table of 64 bytes stays in the cache.
  package mutating func add(_ bytes: Span<UInt8>) {
    var state = state
    for index in bytes.indices {
      state ^= UInt32(bytes[index])
      state = state >> 4 ^ CRC32.table[Int(state & 15)]
      state = state >> 4 ^ CRC32.table[Int(state & 15)]
    }
    self.state = state
  }

  /// The checksum of bytes.
  package static func of(_ bytes: Span<UInt8>) -> UInt32 {
    var sum = CRC32()
    sum.add(bytes)
    return sum.value
  }

  private static let table: [UInt32] = [
    0x0000_0000, 0x1DB7_1064, 0x3B6E_20C8, 0x26D9_30AC, 0x76DC_4190, 0x6B6B_51F4, 0x4DB2_6158,
    0x5005_713C, 0xEDB8_8320, 0xF00F_9344, 0xD6D6_A3E8, 0xCB61_B38C, 0x9B64_C2B0, 0x86D3_D2D4,
    0xA00A_E278, 0xBDBD_F21C,
  ]
}
