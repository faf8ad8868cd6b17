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

  private func path(_ slug: ByteString, _ base: ByteString) throws -> String {
    try #require(VendorRegistry.find(slug)).path(below: base, "/chat/completions").text
  }

  /// One API and its kin write base URLs without the vendor's path, or with a part of it.
  @Test(arguments: [
    ("doubao", "/api/v3"), ("zhipu", "/api/paas/v4"), ("qwen", "/compatible-mode/v1"),
    ("ernie", "/v2"), ("groq", "/openai/v1"), ("openrouter", "/api/v1"), ("novita", "/v3/openai"),
    ("deepinfra", "/v1/openai"), ("github", "/inference"), ("perplexity", ""),
  ])
  func addsWhatIsMissingOfTheVendorsPath(_ slug: String, _ own: String) throws {
    let slug = ByteString(utf8: slug)
    var given = ""
    #expect(try path(slug, "") == own + "/chat/completions")
    for segment in own.split(separator: "/") {
      given += "/" + segment
      #expect(try path(slug, ByteString(utf8: given)) == own + "/chat/completions")
    }
    let proxied = ByteString(utf8: "/proxy" + own)
    #expect(try path(slug, proxied) == "/proxy" + own + "/chat/completions")
  }

  @Test func keepsAVersionThatIsNotTheVendors() throws {
    #expect(try path("zhipu", "/api/coding/paas/v4") == "/api/coding/paas/v4/chat/completions")
    #expect(try path("doubao", "/v1") == "/v1/chat/completions")
    #expect(try path("spark", "/v2") == "/v2/chat/completions")
  }

  /// Spark's newest models are at paths that end with no version.
  @Test func takesABaseURLThatEndsWithTheCallAsItIs() throws {
    #expect(try path("spark", "/x2/chat/completions") == "/x2/chat/completions")
    let vendor = try #require(VendorRegistry.find("spark"))
    #expect(vendor.path(below: "/x2/chat/completions", "/models") == "/x2/models")
  }

  @Test func knowsCallsWithOtherNames() throws {
    #expect(try path("minimax", "") == "/v1/text/chatcompletion_v2")
    let vendor = try #require(VendorRegistry.find("ernie"))
    #expect(vendor.path(below: "", "/rerank") == "/v2/rerankers")
  }

  @Test func putsAzuresDeploymentIntoThePath() throws {
    let azure = try #require(VendorRegistry.find("azure"))
    func path(_ base: ByteString, _ deployment: ByteString, _ version: ByteString) -> String? {
      azure.deploymentPath(
        below: base, "/chat/completions", deployment: deployment, version: version)?.text
    }
    let classic = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    #expect(path("", "gpt-4o", "2024-10-21") == classic)
    #expect(path("/openai", "gpt-4o", "2024-10-21") == classic)
    #expect(path("", "a/b", "v") == "/openai/deployments/a%2Fb/chat/completions?api-version=v")
    #expect(path("", "", "v") == "/openai/chat/completions?api-version=v")
    #expect(path("", "gpt-4o", "") == nil)
    #expect(path("/openai/v1", "gpt-4o", "2024-10-21") == nil)
    #expect(azure.path(below: "", "/chat/completions") == "/openai/v1/chat/completions")
    #expect(azure.path(below: "/openai/v1", "/models") == "/openai/v1/models")
    let other = try #require(VendorRegistry.find("openai"))
    #expect(other.deploymentPath(below: "", "/models", deployment: "a", version: "v") == nil)
  }

  @Test func takesNoWordForAVersion() throws {
    for base: ByteString in ["/v", "/vision", "/va1", "/1", "/version1", "/av1", "/v-1"] {
      try check(base, base + "/v1/models")
    }
  }
}
