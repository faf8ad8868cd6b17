// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

/// SHA-1, chains of HMACs and RS256.
struct DigestSigningTests {
  // FIPS 180-4 examples.
  @Test func hashesWithSHA1() {
    #expect(Digest.hex(Digest.sha1("")) == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
    #expect(Digest.hex(Digest.sha1("abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d")
    #expect(
      Digest.hex(Digest.sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))
        == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
  }

  @Test func chainsKeys() {
    let first = Digest.hmacSHA256(key: "key", "a")
    let second = Digest.hmacSHA256(key: first.bytes, "b")
    #expect(Digest.hmacSHA256(key: "key", chain: ["a"]) == first)
    #expect(Digest.hmacSHA256(key: "key", chain: ["a", "b"]) == second)
  }

  private let folder = TemporaryKeys()

  /// Whether openssl finds the signature right.
  private func verifies(_ signature: ByteString, _ message: String, key: String) throws -> Bool {
    try folder.write("message", Data(message.utf8))
    try folder.write("signature", Data(signature.bytes))
    try folder.openssl("pkey", "-in", key, "-pubout", "-out", "public.pem")
    return try folder.openssl(
      "dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "message")
  }

  @Test func signsWithRSA() throws {
    for bits in ["2048", "3072", "4096"] {
      try folder.openssl(
        "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:\(bits)", "-out", "pkcs8.pem")
      try folder.openssl("rsa", "-in", "pkcs8.pem", "-traditional", "-out", "pkcs1.pem")
      let pkcs8 = try folder.read("pkcs8.pem")
      let pkcs1 = try folder.read("pkcs1.pem")
      #expect(pkcs8.starts(with: "-----BEGIN PRIVATE KEY-----"))
      #expect(pkcs1.starts(with: "-----BEGIN RSA PRIVATE KEY-----"))
      let signature = try #require(Digest.rs256(privateKey: pkcs8, "a message"))
      #expect(signature.count == (Int(bits) ?? 0) / 8)
      // The scheme is deterministic.
      #expect(Digest.rs256(privateKey: pkcs1, "a message") == signature)
      #expect(try verifies(signature, "a message", key: "pkcs8.pem"))
      #expect(try !verifies(signature, "b message", key: "pkcs8.pem"))
    }
  }

  @Test func refusesOtherKeys() throws {
    try folder.openssl(
      "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "good.pem")
    try folder.openssl(
      "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", "short.pem")
    try folder.openssl(
      "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ec.pem")
    try folder.openssl(
      "pkcs8", "-topk8", "-in", "good.pem", "-passout", "pass:secret", "-out", "locked.pem")
    try folder.openssl("pkey", "-in", "good.pem", "-pubout", "-out", "public.pem")
    for name in ["short.pem", "ec.pem", "locked.pem", "public.pem"] {
      #expect(Digest.rs256(privateKey: try folder.read(name), "a") == nil, "\(name)")
    }
    let good = try folder.read("good.pem").bytes
    #expect(Digest.rs256(privateKey: ByteString(good), "a") != nil)
    for count in [0, 1, 27, 100, good.count / 2, good.count - 30] {
      #expect(Digest.rs256(privateKey: ByteString(Array(good[..<count])), "a") == nil)
    }
    #expect(Digest.rs256(privateKey: "nonsense", "a") == nil)
  }
}

/// A folder in which openssl makes keys, gone with the test.
private final class TemporaryKeys {
  private let url = FileManager.default.temporaryDirectory.appendingPathComponent(
    "tinygateway-keys-\(UUID().uuidString)")

  init() { try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: url) }

  func write(_ name: String, _ data: Data) throws {
    try data.write(to: url.appendingPathComponent(name))
  }

  func read(_ name: String) throws -> ByteString {
    ByteString([UInt8](try Data(contentsOf: url.appendingPathComponent(name))))
  }

  /// Whether the command succeeded.
  @discardableResult
  func openssl(_ arguments: String...) throws -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    process.currentDirectoryURL = url
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}
