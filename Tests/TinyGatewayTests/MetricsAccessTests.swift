// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP
@testable import TinyGateway

/// Who may read `/metrics`, logins apart.
struct MetricsAccessTests {
  private static let token: ByteString = "a token of Prometheus'"

  private func check(
    _ fields: String..., peer: ByteString? = "10.1.2.3", token: ByteString = token,
    addresses: ByteString = "", proxies: ByteString = "", admits expected: Bool,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    func blocks(_ text: ByteString) -> [AddressBlock] {
      text.list(separatedBy: UInt8(ascii: ",")).compactMap { AddressBlock($0) }
    }
    var configuration = Configuration(ConfigurationLayers())
    configuration.metricsToken = token
    configuration.metricsAddresses = blocks(addresses)
    configuration.trustedProxies = blocks(proxies)
    let head = try RelayFixtures.head(fields, path: "/metrics", peer: peer)
    #expect(Metrics.admits(head, configuration) == expected, sourceLocation: location)
  }

  @Test func admitsTheTokenOnly() throws {
    try check("Authorization: Bearer a token of Prometheus'", admits: true)
    try check("Authorization: bearer  a token of Prometheus' ", admits: true)
    try check("Authorization: Bearer a token of Prometheus", admits: false)
    try check("Authorization: Bearer a token of Prometheus'x", admits: false)
    try check("Authorization: Basic a token of Prometheus'", admits: false)
    try check("Authorization: Bearer ", admits: false)
    try check("Authorization: Bearer", admits: false)
    try check("Authorization: a token of Prometheus'", admits: false)
    try check("X-Api-Key: a token of Prometheus'", admits: false)
    try check(admits: false)
    try check(
      "Authorization: Bearer a token of Prometheus'",
      "Authorization: Bearer a token of Prometheus'", admits: false)
  }

  @Test func admitsNobodyWhereNothingIsSet() throws {
    try check("Authorization: Bearer ", token: "", admits: false)
    try check("Authorization: Bearer x", token: "", admits: false)
    try check(peer: nil, token: "", admits: false)
    try check(peer: "127.0.0.1", token: "", admits: false)
  }

  @Test func admitsAddresses() throws {
    try check(addresses: "10.0.0.0/8", admits: true)
    try check(addresses: "192.168.0.1, 10.1.2.3", admits: true)
    try check(addresses: "10.1.2.4", admits: false)
    try check(peer: "::1", addresses: "10.0.0.0/8, ::1", admits: true)
    try check(peer: nil, addresses: "0.0.0.0/0", admits: false)
    try check("Authorization: Bearer wrong", addresses: "10.0.0.0/8", admits: true)
  }

  @Test func believesTrustedProxiesOnly() throws {
    try check("X-Forwarded-For: 10.9.9.9", peer: "1.2.3.4", addresses: "10.0.0.0/8", admits: false)
    // What a proxy of ours forwards comes from where it says, not from the proxy.
    try check(
      "X-Forwarded-For: 1.2.3.4", addresses: "10.0.0.0/8", proxies: "10.1.2.3", admits: false)
    try check(
      "X-Forwarded-For: 10.9.9.9", addresses: "10.0.0.0/8", proxies: "10.1.2.3", admits: true)
    try check(
      "X-Forwarded-For: nonsense", addresses: "10.0.0.0/8", proxies: "10.1.2.3", admits: false)
  }
}
