// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Testing

@testable import TinyGateway

/// The endpoint table: paths, methods, and who may call.
struct AdminEndpointTests {
  private func check(
    _ path: ByteString, _ pattern: StaticString, _ expected: Int64?,
    _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(Endpoint.match(path, pattern) == expected, sourceLocation: location)
  }

  @Test func matchesWholePathsOnly() {
    check("/api/v1/channels", "/api/v1/channels", 0)
    check("/api/v1/channels/", "/api/v1/channels", nil)
    check("/api/v1/channel", "/api/v1/channels", nil)
    check("/api/v1//channels", "/api/v1/channels", nil)
    check("/API/v1/channels", "/api/v1/channels", nil)
    check("/api/v1", "/api/v1/channels", nil)
    check("", "/api/v1/channels", nil)
  }

  @Test func readsIDs() {
    check("/api/v1/channels/7", "/api/v1/channels/{id}", 7)
    check("/api/v1/channels/9223372036854775807", "/api/v1/channels/{id}", .max)
    check("/api/v1/channels/7/test", "/api/v1/channels/{id}/test", 7)
  }

  @Test func refusesWhatIsNoID() {
    for id in [
      "", "0", "07", "-7", "+7", "7a", " 7", "7.0", "9223372036854775808", "stats",
    ] as [ByteString] {
      check("/api/v1/channels/" + id, "/api/v1/channels/{id}", nil)
    }
  }

  @Test func namesTheMethodsOfAKnownPath() {
    guard case .otherMethods(let allow) = EndpointTable.find(.patch, "/api/v1/channels/7") else {
      Issue.record("PATCH must not be found")
      return
    }
    #expect(allow == "GET, HEAD, PUT, DELETE")
  }

  @Test func findsHeadAsGet() {
    guard case .found(let endpoint, _) = EndpointTable.find(.head, "/api/v1/channels") else {
      Issue.record("HEAD must be found")
      return
    }
    #expect(endpoint.method == .get)
  }

  @Test func doesNotPretend() {
    for path in [
      "/api/v1/prices/all", "/api/v1/option", "/api/v2/channels", "/api/v1/redeem",
      "/api/", "/api/v1/auth/token",
    ] as [ByteString] {
      guard case .unknown = EndpointTable.find(.get, path) else {
        Issue.record("\(path.text) must be unknown")
        continue
      }
    }
  }

  @Test func isOpenToAnyoneForLoginRegistrationAndLivenessOnly() {
    let open = EndpointTable.all.filter { $0.access == .anyone }.map { ByteString($0.path) }
    #expect(
      Set(open) == [
        "/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/session", "/api/v1/health",
      ])
  }

  @Test func admitsTheFirstPasswordForItsChangeAndForLeavingOnly() {
    let rows = EndpointTable.all.filter { $0.servesFirstPassword }.map {
      ByteString($0.method.token) + " " + ByteString($0.path)
    }
    #expect(
      Set(rows) == [
        "PUT /api/v1/users/self/password", "GET /api/v1/auth/session",
        "DELETE /api/v1/auth/session", "POST /api/v1/auth/logout",
      ])
  }

  @Test func keepsChannelsToAdministrators() {
    for endpoint in EndpointTable.all {
      guard ByteString(endpoint.path).starts(with: "/api/v1/channel") else { continue }
      #expect(endpoint.access == .admin)
    }
  }

  @Test func hasEachMethodAndPathOnce() {
    var seen: Set<ByteString> = []
    for endpoint in EndpointTable.all {
      let call = ByteString(endpoint.method.token) + " " + ByteString(endpoint.path)
      #expect(seen.insert(call).inserted)
    }
  }

  @Test func readsNothingFromBodiesOfGetAndDelete() {
    for endpoint in EndpointTable.all where endpoint.method == .get || endpoint.method == .delete {
      #expect(endpoint.fields.isEmpty)
    }
  }

  /// The headings `### METHOD /path` of API.md.
  @Test func isWhatTheDocumentDescribes() throws {
    let here = ByteString(utf8: #filePath)
    let root = File.directory(of: File.directory(of: File.directory(of: here)))
    let text = try File.read(root + "/docs/API.md", limit: 1 << 20)
    var described: [ByteString] = []
    for line in text.list(separatedBy: 0x0A) where line.starts(with: "### ") {
      described.append(ByteString(Array(line.bytes.dropFirst(4))))
    }
    let calls = EndpointTable.all.map {
      ByteString($0.method.token) + " " + ByteString($0.path)
    }
    for call in calls { #expect(described.contains(call), "not in API.md: \(call.text)") }
    for call in described { #expect(calls.contains(call), "no such call: \(call.text)") }
    // The settings describe themselves, by GET of the same path.
    for endpoint in EndpointTable.all where ByteString(endpoint.path) != "/api/v1/config" {
      for name in endpoint.fields + endpoint.parameters {
        let mark = "`" + ByteString(name) + "`"
        #expect(
          text.text.contains(mark.text) || text.text.contains("\"\(name)\""),
          "not in API.md: \(name)")
      }
    }
  }

  @Test func knowsJSONByItsMediaType() {
    #expect(AdminExchange.isJSON("application/json"))
    #expect(AdminExchange.isJSON("Application/JSON; charset=utf-8"))
    #expect(!AdminExchange.isJSON("application/jsonp"))
    #expect(!AdminExchange.isJSON("text/plain"))
    #expect(!AdminExchange.isJSON("application/x-www-form-urlencoded"))
  }
}
