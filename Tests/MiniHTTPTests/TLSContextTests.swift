// SPDX-License-Identifier: MIT
import Glibc
import Platform
import Testing

@testable import MiniHTTP

extension TLSTests {
  @Suite(.serialized) struct TLSContextTests {
    @Test func refusesToTrustNobody() {
      check("no certificate authorities to trust") { () throws(TLSError) in
        _ = try TLSContext.client(trust: nil, extraAuthorities: nil)
      }
      check("no certificate authorities to trust") { () throws(TLSError) in
        _ = try TLSContext.client(trust: nil, extraAuthorities: "")
      }
    }
    @Test func refusesAPrivateAuthorityThatIsNone() {
      check("the private authority is not a readable PEM certificate") { () throws(TLSError) in
        _ = try TLSContext.client(trust: nil, extraAuthorities: "hello")
      }
    }
    @Test func refusesAHalfReadablePrivateSet() throws {
      let broken: ByteString = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
      let pem = try identity("a.test").certificate + broken
      check("the private authority is not a readable PEM certificate") { () throws(TLSError) in
        _ = try TLSContext.client(trust: nil, extraAuthorities: pem)
      }
    }

    @Test func refusesAMissingBundle() {
      check("/nonexistent/bundle.pem: No such file") { () throws(TLSError) in
        _ = try TLSTrust(file: "/nonexistent/bundle.pem")
      }
    }
    @Test func refusesABundleWithoutCertificates() throws {
      try withFile("not a certificate\n") { path in
        check("holds no certificate") { () throws(TLSError) in _ = try TLSTrust(file: path) }
      }
      check("not a regular file") { () throws(TLSError) in _ = try TLSTrust(file: "/") }
    }
    @Test func readsTheBuiltInAuthorities() throws {
      #expect(try TLSTrust.builtIn().certificateCount > 100)
    }
    @Test func trustsTheFileAndThePrivateAuthorities() throws {
      let filed = try [identity("a.test"), identity("b.test")]
      let named = try [identity("c.test"), identity("d.test")]
      let stranger = try identity("a.test")
      try withFile(filed[0].certificate + filed[1].certificate) { path in
        let trust = try TLSTrust(file: path)
        let plain = try TLSContext.client(trust: trust, extraAuthorities: nil)
        let both = try TLSContext.client(
          trust: trust, extraAuthorities: named[0].certificate + named[1].certificate)
        for (identity, host) in [(filed[0], "a.test"), (filed[1], "b.test")] {
          #expect(try connects(plain, to: identity, as: host))
          #expect(try connects(both, to: identity, as: host))
        }
        for (identity, host) in [(named[0], "c.test"), (named[1], "d.test")] {
          #expect(try !connects(plain, to: identity, as: host))
          #expect(try connects(both, to: identity, as: host))
        }
        #expect(try !connects(both, to: stranger, as: "a.test"))
      }
    }
    @Test func leavesUnreadableEntriesOut() throws {
      let broken: ByteString = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
      let bundle = try identity("a.test").certificate + broken + identity("b.test").certificate
      try withFile(bundle) { path in
        let trust = try TLSTrust(file: path)
        #expect(trust.certificateCount == 2)
      }
    }

    @Test func refusesAnIdentityThatCannotServe() throws {
      let one = try identity("a.test")
      let other = try identity("a.test")
      let cases: [(ByteString, ByteString, String)] = [
        (one.certificate, other.key, "the key does not belong to the certificate"),
        ("junk", one.key, "the certificate is not readable PEM"),
        ("", one.key, "the certificate is not readable PEM"),
        (one.certificate, "junk", "the key is not a readable unencrypted PEM key"),
        (one.certificate, "", "the key is not a readable unencrypted PEM key"),
      ]
      for (certificate, key, text) in cases {
        check(text) { () throws(TLSError) in
          _ = try TLSContext.server(certificatePEM: certificate, keyPEM: key)
        }
      }
    }
    @Test func refusesAChainThatDoesNotFitARecord() throws {
      let one = try identity("a.test")
      let long = (0..<60).reduce(ByteString("")) { chain, _ in chain + one.certificate }
      check("the certificate chain is too long") { () throws(TLSError) in
        _ = try TLSContext.server(certificatePEM: long, keyPEM: one.key)
      }
    }
    @Test func refusesAKeyFileThatOthersMayRead() throws {
      let one = try identity("a.test")
      try withFile(one.certificate) { certificate in
        try withFile(one.key) { key in
          _ = try TLSContext.server(certificateFile: certificate, keyFile: key)
          #expect(key.withCString { chmod($0, 0o640) } == 0)
          check("make it readable by its owner alone") { () throws(TLSError) in
            _ = try TLSContext.server(certificateFile: certificate, keyFile: key)
          }
        }
      }
    }

    @Test func makesTenYearsFromTheBuildAtLeast() throws {
      for now: Int64 in [0, 2_000_000_000, 4_000_000_000] {
        let one = try TLSIdentity.selfSigned(names: ["a.test"], nowSeconds: now)
        let context = try TLSContext.server(certificatePEM: one.certificate, keyPEM: one.key)
        let start = max(now, 1_700_000_000)
        #expect(context.validUntil ?? 0 >= start + 3650 * 86_400)
      }
    }
    @Test func keepsTheDatesOfACertificate() throws {
      for end: Int64 in [951_782_399, 951_782_400, 951_868_800, 1_709_164_800, 4_102_444_799] {
        let one = try TLSIdentity.selfSigned(names: ["a.test"], notBefore: 0, notAfter: end)
        let context = try TLSContext.server(certificatePEM: one.certificate, keyPEM: one.key)
        #expect(context.validUntil == end)
      }
    }
    @Test func refusesNamesThatAreNone() {
      let long = ByteString([UInt8](repeating: 0x61, count: 254))
      for names: [ByteString] in [
        [], [""], ["a b"], ["a,CN=b"], ["a\u{e9}"], ["ok.test", ""], [long],
      ] {
        check("host names or addresses") { () throws(TLSError) in
          _ = try TLSIdentity.selfSigned(names: names, nowSeconds: 0)
        }
      }
    }
    @Test func takesManyAndLongNames() throws {
      let long = ByteString([UInt8](repeating: 0x61, count: 200))
      let many = (1...40).map { ByteString(utf8: "host-\($0).example.test") }
      for names in [[long], [long, "192.0.2.1"], many] {
        let one = try TLSIdentity.selfSigned(names: names, nowSeconds: 0)
        _ = try TLSContext.server(certificatePEM: one.certificate, keyPEM: one.key)
      }
    }
    @Test func hasNoEndForAClient() throws {
      let context = try TLSContext.client(
        trust: nil, extraAuthorities: identity("a.test").certificate)
      #expect(context.validUntil == nil)
    }

    /// Expects `make` to throw a sentence that contains `expected`.
    private func check(_ expected: String, _ make: () throws(TLSError) -> Void) {
      do throws(TLSError) {
        try make()
        Issue.record("accepted what should fail: \(expected)")
      } catch {
        #expect(error.text.text.contains(expected))
      }
    }

    private func connects(
      _ client: TLSContext, to identity: TLSIdentity, as host: String
    ) throws -> Bool {
      let server = try TLSContext.server(
        certificatePEM: identity.certificate, keyPEM: identity.key)
      return try TLSPair(client, server, host: ByteString(utf8: host)).handshake().client
        == .bytes(0)
    }

    private func identity(_ name: ByteString) throws(TLSError) -> TLSIdentity {
      try TLSIdentity.selfSigned(names: [name], nowSeconds: 0)
    }

    /// Calls `body` with the path of a file of mode 0600 that holds `contents`.
    private func withFile(_ contents: ByteString, _ body: (ByteString) throws -> Void) throws {
      var path = Array("/tmp/tls-test-XXXXXX".utf8CString)
      let descriptor = mkstemp(&path)
      try #require(descriptor >= 0)
      defer {
        close(descriptor)
        unlink(path)
      }
      let written = contents.withBytes { write(descriptor, $0.baseAddress, $0.count) }
      #expect(written == contents.count)
      try body(ByteString(terminated: path))
    }
  }
}
