// SPDX-License-Identifier: MIT
import Testing

@testable import Platform

struct IPAddressTests {
  private func check(_ block: StaticString, _ address: StaticString, _ expected: Bool) {
    guard let parsed = AddressBlock(ByteString(block)), let host = IPAddress(ByteString(address))
    else {
      Issue.record("does not parse: \(block) \(address)")
      return
    }
    #expect(parsed.contains(host) == expected, "\(block) \(address)")
  }

  @Test func matchesBlocksByPrefix() {
    check("10.0.0.0/8", "10.255.0.1", true)
    check("10.0.0.0/8", "11.0.0.1", false)
    check("192.168.1.7", "192.168.1.7", true)
    check("192.168.1.7", "192.168.1.8", false)
    check("0.0.0.0/0", "8.8.8.8", true)
    check("0.0.0.0/0", "::1", false)
    check("::/0", "2001:db8::1", true)
    check("2001:db8::/33", "2001:db8:8000::1", false)
    check("2001:db8::1/128", "2001:db8::1", true)
    check("2001:db8::1/127", "2001:db8::2", false)
  }

  @Test func treatsMappedAddressesAsIPv4() {
    check("10.0.0.0/8", "::ffff:10.1.2.3", true)
    check("::ffff:10.0.0.0/104", "10.1.2.3", true)
  }

  @Test func treatsMappedBlocksAsIPv4() {
    check("::ffff:10.0.0.1", "10.0.0.1", true)
    check("::ffff:10.0.0.1", "::ffff:10.0.0.2", false)
    check("10.0.0.1", "::ffff:a00:1", true)
    check("::ffff:10.0.0.0/104", "::ffff:10.255.255.255", true)
    check("::ffff:10.0.0.0/104", "11.0.0.0", false)
    check("::ffff:0:0/96", "203.0.113.9", true)
    check("::ffff:0:0/96", "::1", false)
    check("::/0", "::ffff:10.0.0.1", false)
    check("::/0", "10.0.0.1", false)
    check("0.0.0.0/0", "::ffff:203.0.113.9", true)
    check("10.9.9.9/8", "10.1.1.1", true)
  }

  @Test func writesBlocks() {
    for (text, expected): (ByteString, StaticString) in [
      ("10.0.0.1/32", "10.0.0.1"), ("::ffff:10.0.0.0/104", "10.0.0.0/8"), ("::/0", "::/0"),
      ("2001:db8::/32", "2001:db8::/32"), ("::1", "::1"),
    ] { #expect(AddressBlock(text)?.text == ByteString(expected), "\(text.text)") }
  }

  @Test func refusesWhatIsNotAnAddress() {
    for text: ByteString in ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "::/129", "a", "1.2.3.4/-1"]
    {
      #expect(AddressBlock(text) == nil, "\(text.text)")
    }
  }

  @Test func knowsPrivateAddresses() {
    for (text, expected): (StaticString, Bool) in [
      ("127.0.0.1", true), ("::1", true), ("10.1.1.1", true), ("172.16.0.1", true),
      ("172.32.0.1", false), ("192.168.0.1", true), ("169.254.1.1", true), ("8.8.8.8", false),
      ("fe80::1", true), ("fd00::1", true), ("2001:db8::1", false),
    ] {
      #expect(IPAddress(ByteString(text))?.isPrivate == expected, "\(text)")
    }
  }

  @Test func printsWhatItParsed() {
    for text: ByteString in ["10.0.0.1", "::1", "2001:db8::ff"] {
      #expect(IPAddress(text)?.text == text)
    }
  }

  /// `accepted`: the prefixes, by their count of bytes, that are addresses or blocks.
  private func checkPrefixes(_ text: String, accepted: Set<Int>) {
    for count in 0...text.utf8.count {
      let prefix = String(text.prefix(count))
      let isAccepted = AddressBlock(ByteString(utf8: prefix)) != nil
      #expect(isAccepted == accepted.contains(count), "\(prefix)")
    }
  }

  @Test func judgesEveryPrefix() {
    checkPrefixes("192.168.100.200/32", accepted: [13, 14, 15, 17, 18])
    checkPrefixes("2001:db8:1:2:3:4:5:66/128", accepted: [20, 21, 23, 24, 25])
    checkPrefixes("2001:db8::ff:10/64", accepted: [10, 11, 12, 14, 15, 17, 18])
    checkPrefixes("::ffff:1.2.3.4/128", accepted: [2, 3, 4, 5, 6, 8, 14, 18])
  }

  /// An address with one digit replaced by anything is none, or it prints as it was written.
  @Test func judgesEveryByte() {
    var acceptedCount = 0
    for index in [0, 1, 3, 5, 7] {
      for byte in UInt8.min...UInt8.max {
        var bytes = Array("10.2.3.4".utf8)
        bytes[index] = byte
        guard let address = IPAddress(ByteString(bytes)) else { continue }
        acceptedCount += 1
        #expect(ASCII.isDigit(byte) && address.isIPv4 && address.text == ByteString(bytes))
      }
    }
    #expect(acceptedCount == 9 + 4 * 10)  // No number begins with 0.
  }

  @Test func judgesEveryByteBetweenNumbers() {
    for index in [2, 4, 6] {
      for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: ".") {
        var bytes = Array("10.2.3.4".utf8)
        bytes[index] = byte
        #expect(IPAddress(ByteString(bytes)) == nil, "byte \(byte) at \(index)")
      }
    }
  }

  @Test func judgesEveryByteOfIPv6() {
    for byte in UInt8.min...UInt8.max {
      let bytes = Array("2001:db8::".utf8) + [byte] + Array("1".utf8)
      let isHexadecimal = ASCII.hexValue(byte) != nil
      let address = IPAddress(ByteString(bytes))
      #expect((address != nil) == isHexadecimal, "byte \(byte)")
      if isHexadecimal, byte != UInt8(ascii: "0") {
        #expect(address?.text == ByteString(bytes).lowercased)
      }
    }
  }

  @Test func judgesEveryByteOfAPrefixLength() {
    for byte in UInt8.min...UInt8.max {
      let block = AddressBlock(ByteString(Array("10.0.0.0/2".utf8) + [byte]))
      let isDigit = ASCII.isDigit(byte)
      #expect(block?.prefixBitCount == (isDigit ? 20 + Int(byte - 0x30) : nil), "byte \(byte)")
    }
  }
}
