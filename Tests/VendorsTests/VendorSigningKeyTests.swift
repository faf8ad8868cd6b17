// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Keys that cannot sign, and Google's service accounts.
struct VendorSigningKeyTests {
  /// The sentence about a key that is refused; never a part of the key.
  private func refusal<Key>(
    _ key: ByteString, _ read: (ByteString) throws(SigningError) -> Key
  ) -> String? {
    do throws(SigningError) {
      _ = try read(key)
      return nil
    } catch {
      let sentence = ByteString(error.text).text
      #expect(!sentence.contains("hidden") && !sentence.contains("other"))
      return sentence
    }
  }

  @Test func refusesMalformedKeys() {
    let keys: [ByteString] = [
      "", "hidden", "hidden|", "|hidden", "hidden|other|", "hidden|oth\r\ner|x", "hidden||other",
      "hidden|other|a|b|c", "hidden|öther|x",
    ]
    for key in keys {
      #expect(refusal(key) { (key) throws(SigningError) in try SparkSignature.Key(key) } != nil)
      #expect(refusal(key) { (key) throws(SigningError) in try TencentSignature.Key(key) } != nil)
      #expect(refusal(key) { (key) throws(SigningError) in try AWSSignature.Key(key) } != nil)
    }
    let region = refusal("hidden|other|us east") { (key) throws(SigningError) in
      try AWSSignature.Key(key)
    }
    #expect(region != nil)
  }

  @Test func toleratesSpaceAroundParts() throws {
    #expect(try SparkSignature.Key(" id | secret|key ").appID == "id")
    #expect(try AWSSignature.Key("a|b| eu-west-3 ").region == "eu-west-3")
  }

  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "tinygateway-account-\(UUID().uuidString)")

  private func openssl(_ arguments: String...) throws -> Int32 {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    process.currentDirectoryURL = folder
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  private func fixture(_ name: String) throws -> String {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    return try String(
      contentsOfFile: parts.joined(separator: "/") + "/Fixtures/vertex/" + name, encoding: .utf8)
  }

  /// The sample's account with a fresh key in it.
  private func account() throws -> ByteString {
    _ = try openssl(
      "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "key.pem")
    let pem = try String(contentsOf: folder.appendingPathComponent("key.pem"), encoding: .utf8)
    let sample = try fixture("service-account.test.json")
    let range = try #require(
      sample.range(of: "PEM of an RSA key[^\"]*", options: .regularExpression))
    return ByteString(
      utf8: sample.replacingCharacters(
        in: range, with: pem.replacingOccurrences(of: "\n", with: "\\n")))
  }

  @Test func makesGoogleAssertions() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let account = try GoogleServiceAccount(try account())
    let vector = try JSONDocument(ByteString(utf8: try fixture("sign.json"))).root
    let signed = try #require(vector.member("signing_input")?.string)
    #expect(account.tokenURI == "https://oauth2.googleapis.com/token")
    #expect(account.projectID == "example-project")
    #expect(account.signingInput(at: 1_700_000_000) == signed)
    let form = try account.tokenRequest(at: 1_700_000_000).text
    let start = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="
    #expect(form.hasPrefix(start + signed.text + "."))
    let signature = ByteString(utf8: String(form.dropFirst(start.count + signed.count + 1)))
    try Data(try #require(Digest.unbase64URL(signature)).bytes).write(
      to: folder.appendingPathComponent("signature"))
    try Data(signed.bytes).write(to: folder.appendingPathComponent("signed"))
    #expect(try openssl("pkey", "-in", "key.pem", "-pubout", "-out", "public.pem") == 0)
    let status = try openssl(
      "dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "signed")
    #expect(status == 0)
  }

  @Test func refusesAccountsThatCannotSign() throws {
    let read = { (key: ByteString) throws(SigningError) -> ByteString in
      try GoogleServiceAccount(key).tokenRequest(at: 0)
    }
    #expect(refusal("hidden", read) == "the key must be the JSON file of a service account")
    #expect(
      refusal(#"{"client_email":"hidden"}"#, read)
        == "the service account has no client_email or no private_key")
    #expect(
      refusal(
        #"{"client_email":"a","private_key":"hidden","token_uri":"http://other.example"}"#, read)
        == "the service account's token_uri is not an https address")
    #expect(
      refusal(#"{"client_email":"a","private_key":"hidden"}"#, read)
        == "the service account's private_key is not an RSA key in PEM, 2048 to 4096 bits")
  }
}
