// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP
@testable import TinyGateway

/// Which site a request comes from: `Origin`, `Sec-Fetch-Site`, proxies.
struct AdminRequestOriginTests {
  private func check(
    _ fields: [String], isSecure: Bool = false, peer: ByteString = "192.0.2.7",
    proxies: [AddressBlock] = [], _ expected: RequestOrigin,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let head = try RelayFixtures.head(fields, peer: peer)
    head.isSecure = isSecure
    #expect(
      RequestOrigin.of(head, trusting: proxies) == expected, "\(fields)", sourceLocation: location)
  }

  private let proxies = [AddressBlock("192.0.2.0/24" as ByteString)].compactMap { $0 }

  @Test func knowsItsOwnPages() throws {
    try check(["Origin: http://gateway"], .own)
    try check(["Origin: HTTP://GateWay:80"], .own)
    try check(["Origin: https://gateway:443"], isSecure: true, .own)
    try check(["Sec-Fetch-Site: same-origin"], .own)
    try check(["Origin: http://gateway", "Sec-Fetch-Site: cross-site"], .own)
  }

  @Test func refusesOthers() throws {
    for origin in [
      "null", "", "gateway", "http://", "http://gateway:3000", "http://gateway.example",
      "http://evil/gateway", "http://gateway@evil", "https://gateway", "ftp://gateway",
      "http://gateway/", "http://gateway http://evil",
    ] {
      try check(["Origin: \(origin)"], .foreign)
    }
    try check(["Origin: http://gateway"], isSecure: true, .foreign)
    try check(["Origin: http://gateway", "Origin: http://gateway"], .foreign)
    for site in ["cross-site", "same-site", "none", "Same-Origin", ""] {
      try check(["Sec-Fetch-Site: \(site)"], .foreign)
    }
    try check(["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: same-origin"], .foreign)
  }

  @Test func tellsWhatIsNoBrowser() throws { try check([], .unknown) }

  @Test func looksAwayFromTheSchemeBehindATrustedProxyOnly() throws {
    try check(["Origin: https://gateway"], proxies: proxies, .own)
    try check(["Origin: https://gateway"], peer: "198.51.100.1", proxies: proxies, .foreign)
    try check(["Origin: https://evil"], proxies: proxies, .foreign)
  }

  @Test func marksCookiesAsSecureWhereTheClientSideIsEncrypted() throws {
    let forwarded = try RelayFixtures.head(["X-Forwarded-Proto: https"], peer: "192.0.2.7")
    #expect(RequestOrigin.isSecure(forwarded, trusting: proxies))
    #expect(!RequestOrigin.isSecure(forwarded, trusting: []))
    let plain = try RelayFixtures.head(["X-Forwarded-Proto: http"], peer: "192.0.2.7")
    #expect(!RequestOrigin.isSecure(plain, trusting: proxies))
    plain.isSecure = true
    #expect(RequestOrigin.isSecure(plain, trusting: []))
    #expect(
      SessionEndpoints.cookie("ab", seconds: 60, isSecure: true)
        == "tg_session=ab; Max-Age=60; Path=/; HttpOnly; SameSite=Strict; Secure")
    #expect(
      SessionEndpoints.cookie("", seconds: 60, isSecure: false)
        == "tg_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict")
  }
}
