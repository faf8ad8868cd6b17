// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP
@testable import TinyGateway

/// Where a request really comes from, and whom to believe about it.
struct RelayClientAddressTests {
  private static let proxies: [ByteString] = ["10.0.0.0/8", "2001:db8::/32"]

  private func check(
    peer: ByteString?, _ fields: String..., trusting: [ByteString] = proxies,
    is expected: ByteString?, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let head = try RelayFixtures.head(fields, peer: peer)
    let blocks = try trusting.map { try #require(AddressBlock($0)) }
    let found = ClientAddress.of(head, trusting: blocks)
    #expect(found?.text == expected, sourceLocation: location)
  }

  private func check(
    forwarded: String, is expected: ByteString?, _ location: SourceLocation = #_sourceLocation
  ) throws {
    try check(peer: "10.0.0.1", "X-Forwarded-For: \(forwarded)", is: expected, location)
  }

  @Test func isThePeersWithoutProxies() throws {
    try check(peer: "1.2.3.4", is: "1.2.3.4")
    try check(peer: "10.0.0.1", is: "10.0.0.1")
    try check(peer: "10.0.0.1", "X-Forwarded-For: 1.2.3.4", trusting: [], is: "10.0.0.1")
    try check(peer: nil, "X-Forwarded-For: 1.2.3.4", is: nil)
  }

  @Test func ignoresTheHeaderOfAnyoneElse() throws {
    try check(peer: "11.0.0.1", "X-Forwarded-For: 1.2.3.4", is: "11.0.0.1")
    try check(peer: "2001:db9::1", "X-Forwarded-For: 1.2.3.4", is: "2001:db9::1")
    try check(peer: "11.0.0.1", "X-Forwarded-For: garbage", is: "11.0.0.1")
  }

  @Test func takesTheLastAddressThatIsNoProxy() throws {
    try check(forwarded: "1.2.3.4", is: "1.2.3.4")
    try check(forwarded: "6.6.6.6, 1.2.3.4", is: "1.2.3.4")
    try check(forwarded: "6.6.6.6,1.2.3.4 ,\t10.9.9.9, 10.0.0.2", is: "1.2.3.4")
    try check(forwarded: "2001:db9::7", is: "2001:db9::7")
    try check(forwarded: "1.2.3.4, 2001:db8::9", is: "1.2.3.4")
    try check(forwarded: "::ffff:1.2.3.4", is: "1.2.3.4")
    try check(peer: "2001:db8::1", "x-forwarded-for: 1.2.3.4", is: "1.2.3.4")
  }

  @Test func isTheProxysOwnWhenOnlyProxiesAreNamed() throws {
    try check(forwarded: "10.0.0.9", is: "10.0.0.1")
    try check(forwarded: "10.0.0.9, 10.0.0.8", is: "10.0.0.1")
    try check(forwarded: "", is: "10.0.0.1")
  }

  @Test func isUnknownWhenTheHeaderIsGarbage() throws {
    for text in [
      "garbage", "unknown", "1.2.3.4.5", "1.2.3", "256.1.1.1", "[2001:db9::7]", "\"1.2.3.4\"",
      "1.2.3.4:80", "1.2.3.4, garbage", "1.2.3.4, garbage, 10.0.0.2", "for=1.2.3.4", "0x1.2.3.4",
    ] { try check(forwarded: text, is: nil) }
  }

  @Test func readsNothingBehindTheClientsAddress() throws {
    try check(forwarded: "garbage, 1.2.3.4", is: "1.2.3.4")
    try check(forwarded: "garbage, 1.2.3.4, 10.0.0.2", is: "1.2.3.4")
  }

  @Test func readsNoOtherHeader() throws {
    for name in ["X-Real-IP", "CF-Connecting-IP", "Forwarded", "True-Client-IP", "X-Forwarded"] {
      try check(peer: "10.0.0.1", "\(name): 1.2.3.4", is: "10.0.0.1")
    }
  }

  /// Some proxies add a line of their own behind the client's instead of extending it; several
  /// lines are one list (RFC 9110 §5.3).
  @Test func readsSeveralLinesAsOneList() throws {
    try check(
      peer: "10.0.0.1", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 1.2.3.4", is: "1.2.3.4")
    try check(
      peer: "10.0.0.1", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: 10.0.0.2", is: "1.2.3.4")
  }
}
