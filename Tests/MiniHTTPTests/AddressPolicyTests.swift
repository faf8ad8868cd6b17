// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

/// See docs/threat-model.md, "reach into the network through a channel".
struct AddressPolicyTests {
  private func check(_ policy: AddressPolicy, _ text: ByteString, _ expected: Bool) {
    guard let address = IPAddress(text) else {
      Issue.record("no address: \(text.text)")
      return
    }
    #expect(policy.allows(address) == expected, "\(text.text)")
  }

  private static let neverAllowed: [ByteString] = [
    "0.0.0.0", "0.1.2.3", "169.254.0.1", "169.254.169.254", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255", "::", "fe80::1", "febf::1", "ff02::1", "fd00:ec2::254",
    "::ffff:0.0.0.0", "::ffff:169.254.169.254", "::ffff:224.0.0.1", "::169.254.169.254",
    "::127.0.0.1", "::2", "64:ff9b::169.254.169.254", "64:ff9b::8.8.8.8",
    "::ffff:0:169.254.169.254", "2002:a9fe:a9fe::", "2002:7f00:1::1",
  ]
  private static let publicOnes: [ByteString] = [
    "1.1.1.1", "8.8.8.8", "223.255.255.255", "172.32.0.1", "192.169.0.1", "2001:db8::1",
    "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9c::1",
  ]
  private static let privateOnes: [ByteString] = [
    "127.0.0.1", "127.255.255.255", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "::1", "fd00::1", "fc00::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
  ]

  @Test func neverAllowsMetadataLinkLocalAndMulticast() {
    let policies = [
      AddressPolicy(privateBlocks: nil), AddressPolicy(privateBlocks: []),
      AddressPolicy(privateBlocks: ["0.0.0.0/0", "::/0"].compactMap { AddressBlock($0) }),
    ]
    for policy in policies {
      for address in Self.neverAllowed { check(policy, address, false) }
    }
  }

  @Test func allowsPublicAddresses() {
    for policy in [AddressPolicy(privateBlocks: nil), AddressPolicy(privateBlocks: [])] {
      for address in Self.publicOnes { check(policy, address, true) }
    }
  }

  @Test func allowsPrivateAddressesByDefault() {
    for address in Self.privateOnes { check(AddressPolicy(privateBlocks: nil), address, true) }
  }

  @Test func deniesPrivateAddressesWhenTold() {
    for address in Self.privateOnes { check(AddressPolicy(privateBlocks: []), address, false) }
  }

  @Test func allowsTheNamedPrivateBlocks() {
    let policy = AddressPolicy(
      privateBlocks: ["10.1.0.0/16", "fd00::/16"].compactMap { AddressBlock($0) })
    for (address, expected): (ByteString, Bool) in [
      ("10.1.2.3", true), ("10.2.0.1", false), ("127.0.0.1", false), ("::1", false),
      ("fd00::5", true), ("fd01::5", false), ("8.8.8.8", true), ("::ffff:10.1.2.3", true),
      ("fd00:ec2::254", false),
    ] {
      check(policy, address, expected)
    }
  }
}
