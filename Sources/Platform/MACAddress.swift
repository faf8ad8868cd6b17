// SPDX-License-Identifier: MIT

/// The hardware address of one network card: 48 bits.
package struct MACAddress: Hashable, Sendable {
  /// The six bytes, the first one most significant.
  private let bits: UInt64

  private static let byteCount = 6
  /// Set in the addresses of groups of cards, so also in the broadcast address.
  private static let groupBit: UInt64 = 1 << 40

  /// Parses `aa:bb:cc:dd:ee:ff` or `AA-BB-CC-DD-EE-FF`; nil for anything else, and for addresses
  /// that no card has: all zero, multicast and broadcast.
  package init?(_ text: ByteString) {
    guard text.count == MACAddress.byteCount * 3 - 1 else { return nil }
    let separator = text[2]
    guard separator == UInt8(ascii: ":") || separator == UInt8(ascii: "-") else { return nil }
    var bits: UInt64 = 0
    for index in 0..<text.count {
      if index % 3 == 2 {
        guard text[index] == separator else { return nil }
      } else {
        guard let digit = ASCII.hexValue(text[index]) else { return nil }
        bits = bits << 4 | UInt64(digit)
      }
    }
    guard bits != 0, bits & MACAddress.groupBit == 0 else { return nil }
    self.bits = bits
  }

  private func byte(_ index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: bits >> UInt64(8 * (MACAddress.byteCount - 1 - index)))
  }

  /// The usual spelling, `aa:bb:cc:dd:ee:ff`.
  package var text: ByteString {
    let text = Buffer()
    for index in 0..<MACAddress.byteCount {
      if index > 0 { text.append(UInt8(ascii: ":")) }
      text.append(hexDigit: byte(index) >> 4)
      text.append(hexDigit: byte(index) & 15)
    }
    return text.byteString
  }

  /// What the card looks for while its machine sleeps: six bytes 0xFF, then the address sixteen
  /// times; 102 bytes.
  ///
  /// Source: AMD, Magic Packet Technology, publication 20213, 1995.
  package var magicPacket: [UInt8] {
    var packet = [UInt8](repeating: 0xFF, count: 6)
    for _ in 0..<16 {
      for index in 0..<MACAddress.byteCount { packet.append(byte(index)) }
    }
    return packet
  }
}
