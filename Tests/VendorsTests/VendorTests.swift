// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Vendors

/// Where calls go below an owner's base URL.
struct VendorTests {
  private func check(
    _ base: ByteString, _ expected: ByteString, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let vendor = try #require(VendorRegistry.find("openai-compatible"))
    #expect(vendor.path(below: base, "/models") == expected, sourceLocation: location)
  }

  @Test func usesTheVersionOfTheBaseURL() throws {
    try check("/v1", "/v1/models")
    try check("/v4", "/v4/models")
    try check("/v1beta", "/v1beta/models")
    try check("/api/v3", "/api/v3/models")
    try check("/compatible-mode/v1", "/compatible-mode/v1/models")
    try check("/v10", "/v10/models")
  }

  @Test func addsAVersionWhereThereIsNone() throws {
    try check("", "/v1/models")
    try check("/api", "/api/v1/models")
    try check("/v1/proxy", "/v1/proxy/v1/models")
  }

  @Test func takesNoWordForAVersion() throws {
    for base: ByteString in ["/v", "/vision", "/va1", "/1", "/version1", "/av1", "/v-1"] {
      try check(base, base + "/v1/models")
    }
  }
}
