// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Testing

@testable import TinyGateway

/// Where certificate authorities are looked for; the files are told apart by how many they hold.
struct UpstreamTrustTests {
  private let directory: TemporaryDirectory
  private let named: ByteString
  private let variable: ByteString
  private let system: ByteString
  private let broken: ByteString
  private let missing: ByteString

  init() throws {
    directory = try TemporaryDirectory()
    let folder = ByteString(utf8: directory.path)
    named = folder + "/named.pem"
    variable = folder + "/variable.pem"
    system = folder + "/system.pem"
    broken = folder + "/broken.pem"
    missing = folder + "/missing.pem"
    for (count, path) in [named, variable, system].enumerated() {
      var bundle = ByteString.empty
      for _ in 0...count {
        bundle = try bundle + TLSIdentity.selfSigned(names: ["a.test"], nowSeconds: 0).certificate
      }
      try File.writeDurably(bundle, to: path)
    }
    try File.writeDurably("no certificate\n", to: broken)
  }

  private func check(
    _ caFile: ByteString, _ environmentFile: ByteString, _ bundles: [ByteString],
    _ source: ByteString, _ count: Int? = nil, location: SourceLocation = #_sourceLocation
  ) throws {
    let (trust, found) = try UpstreamTrust.find(
      caFile: caFile, environmentFile: environmentFile, bundles: bundles)
    #expect(found == source, sourceLocation: location)
    if let count { #expect(trust.certificateCount == count, sourceLocation: location) }
  }

  @Test func takesTheFirstThatIsNamed() throws {
    try check(named, variable, [system], named, 1)
    try check(named, broken, [], named, 1)
    try check("", variable, [system], variable, 2)
    try check("", "", [system], system, 3)
    try check("", "", [named, system], named, 1)
  }

  @Test func passesOverBundlesThatAreMissingOrBroken() throws {
    try check("", "", [missing, broken, system, named], system, 3)
  }

  @Test func fallsBackToTheBuiltInSet() throws {
    for bundles in [[], [missing], [broken], [missing, broken]] {
      try check("", "", bundles, "the built-in set")
    }
    let (trust, _) = try UpstreamTrust.find(caFile: "", environmentFile: "", bundles: [])
    #expect(trust.certificateCount > 100)
  }

  @Test func refusesAFileThatIsNamedAndOfNoUse() throws {
    for (caFile, environmentFile) in [
      (broken, variable), (missing, variable), ("", broken), ("", missing),
    ] {
      #expect(throws: TLSError.self) {
        try UpstreamTrust.find(
          caFile: caFile, environmentFile: environmentFile, bundles: [system])
      }
    }
  }
}
