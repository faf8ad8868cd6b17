// SPDX-License-Identifier: MIT
import CPlatform

/// An IPv4 or IPv6 address; IPv4-mapped IPv6 addresses are kept as IPv4.
package struct IPAddress: Hashable, Sendable {
  /// The 128 bits, most significant first; an IPv4 address fills the last 32.
  package let high: UInt64
  package let low: UInt64
  package let isIPv4: Bool
  /// Interface of a link-local IPv6 address, 0 for none.
  package var scope: UInt32 = 0

  /// Makes an address of 4 or 16 bytes in network order; nil for any other count.
  package init?(_ bytes: UnsafeRawBufferPointer) {
    func word(_ range: Range<Int>) -> UInt64 {
      var value: UInt64 = 0
      for index in range { value = value << 8 | UInt64(bytes[index]) }
      return value
    }
    if bytes.count == 4 {
      (high, low, isIPv4) = (0, word(0..<4), true)
    } else if bytes.count == 16 {
      let (first, second) = (word(0..<8), word(8..<16))
      let isMapped = first == 0 && second >> 32 == 0xFFFF
      (high, low, isIPv4) = (first, isMapped ? second & 0xFFFF_FFFF : second, isMapped)
    } else {
      return nil
    }
  }

  /// Parses a numeric address such as `192.168.1.1` or `::1`; nil for anything else.
  package init?(_ text: ByteString) {
    guard text.count <= 45, !text.bytes.contains(0) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = bytes.withUnsafeMutableBufferPointer { raw in
      text.withCString { cp_parse_address($0, raw.baseAddress) }
    }
    let parsed = bytes.withUnsafeBytes { raw in
      IPAddress(UnsafeRawBufferPointer(rebasing: raw[0..<Int(count)]))
    }
    guard let parsed else { return nil }
    self = parsed
  }

  /// Number of bits of an address of this family.
  package var bitCount: Int { isIPv4 ? 32 : 128 }

  /// Calls `body` with the 4 or 16 bytes in network order.
  package func withBytes<R>(_ body: (UnsafePointer<UInt8>, Int32) -> R) -> R {
    var words = (high.bigEndian, low.bigEndian)
    return withUnsafeBytes(of: &words) { raw in
      guard let base = raw.bindMemory(to: UInt8.self).baseAddress else {
        preconditionFailure("an address has bytes")
      }
      return isIPv4 ? body(base + 12, 4) : body(base, 16)
    }
  }

  /// The usual spelling.
  package var text: ByteString {
    var text = [UInt8](repeating: 0, count: 48)
    let count = withBytes { bytes, byteCount in
      text.withUnsafeMutableBufferPointer {
        cp_format_address(bytes, byteCount, $0.baseAddress, 48)
      }
    }
    return ByteString(Array(text.prefix(Int(count))))
  }

  /// 127.0.0.0/8 and ::1.
  package var isLoopback: Bool {
    isIPv4 ? low >> 24 == 127 : high == 0 && low == 1
  }

  /// Loopback, RFC 1918, link-local and unique local addresses.
  package var isPrivate: Bool {
    guard isIPv4 else {
      return isLoopback || high >> 57 == 0x7E || high >> 54 == 0x3FA
    }
    return isLoopback || low >> 24 == 10 || low >> 20 == 0xAC1 || low >> 16 == 0xC0A8
      || low >> 16 == 0xA9FE
  }
}

/// A block of addresses such as `10.0.0.0/8` or `2001:db8::/32`; a bare address is its own block.
package struct AddressBlock: Hashable, Sendable {
  package let address: IPAddress
  package let prefixBitCount: Int

  /// Parses `ADDRESS` or `ADDRESS/BITS`; nil for anything else.
  package init?(_ text: ByteString) {
    guard let (host, bits) = text.split(at: UInt8(ascii: "/")) else {
      guard let address = IPAddress(text) else { return nil }
      self.address = address
      prefixBitCount = address.bitCount
      return
    }
    guard let address = IPAddress(host), let count = bits.decimal, bits.count <= 3 else {
      return nil
    }
    let isMapped = address.isIPv4 && host.bytes.contains(UInt8(ascii: ":"))
    let prefix = isMapped ? Int(count) - 96 : Int(count)
    guard prefix >= 0, prefix <= address.bitCount else { return nil }
    self.address = address
    prefixBitCount = prefix
  }

  /// `ADDRESS/BITS`, or the address alone where the block holds nothing else.
  package var text: ByteString {
    if prefixBitCount == address.bitCount { return address.text }
    let buffer = Buffer()
    buffer.append(address.text)
    buffer.append("/")
    buffer.append(decimal: prefixBitCount)
    return buffer.byteString
  }

  /// Whether the address is in the block; IPv4 and IPv6 never match each other.
  package func contains(_ other: IPAddress) -> Bool {
    guard other.isIPv4 == address.isIPv4 else { return false }
    if address.isIPv4 {
      return prefixBitCount == 0 || (other.low ^ address.low) >> UInt64(32 - prefixBitCount) == 0
    }
    if prefixBitCount == 0 { return true }
    if prefixBitCount <= 64 {
      return (other.high ^ address.high) >> UInt64(64 - prefixBitCount) == 0
    }
    return other.high == address.high
      && (other.low ^ address.low) >> UInt64(128 - prefixBitCount) == 0
  }
}
