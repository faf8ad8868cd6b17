// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP
@testable import TinyGateway

/// Where an answer in several steps may lead.
struct RelayFollowedAddressTests {
  @Test(arguments: [
    ("https://api.replicate.com/v1/predictions/1", "https://api.replicate.com"),
    ("https://stream.replicate.com/v1/a?b=c", "https://api.replicate.com"),
    ("https://replicate.com/", "https://api.replicate.com"),
    ("https://b.vendor.co.uk/a", "https://a.vendor.co.uk"),
    ("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/v1"),
    ("http://host/a", "http://host"), ("https://API.Replicate.com/a", "https://api.replicate.com"),
  ])
  func staysWithTheVendor(_ address: String, _ base: String) throws {
    let url = try #require(URL(ByteString(utf8: base)))
    let step = try #require(FollowedAddress(ByteString(utf8: address), from: url))
    let rest = address.split(separator: "/", maxSplits: 2)[1...].joined(separator: "/")
    #expect(step.path.text.hasPrefix("/"))
    #expect(rest.hasSuffix(step.path.text) || step.path == "/")
  }

  @Test(arguments: [
    ("https://evil.com/a", "https://api.replicate.com"),
    ("https://replicate.com.evil.com/a", "https://api.replicate.com"),
    ("https://evilreplicate.com/a", "https://api.replicate.com"),
    ("http://api.replicate.com/a", "https://api.replicate.com"),
    ("https://api.replicate.com:8443/a", "https://api.replicate.com"),
    ("https://b.other.co.uk/a", "https://a.vendor.co.uk"),
    ("http://127.0.0.2:8080/a", "http://127.0.0.1:8080"), ("http://other/a", "http://host"),
    ("http://10.0.0.1/a", "http://11.0.0.1"), ("/v1/predictions/1", "https://api.replicate.com"),
    ("https://user@api.replicate.com/a", "https://api.replicate.com"), ("", "https://a.b"),
    ("https://api.replicate.com/a?b\r\nX: y", "https://api.replicate.com"),
    ("file:///etc/passwd", "https://a.b"),
  ])
  func leadsNowhereElse(_ address: String, _ base: String) throws {
    let url = try #require(URL(ByteString(utf8: base)))
    #expect(FollowedAddress(ByteString(utf8: address), from: url) == nil)
  }
}
