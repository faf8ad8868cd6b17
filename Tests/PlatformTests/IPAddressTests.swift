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
}
