// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Gemini on Google Cloud: what differs there.
struct VertexDialectTests {
  @Test func callsVertexWithATokenInThePathOfItsProject() throws {
    var fixture = DialectFixture("gemini", .vertex, key: #"{"client_email":"a","private_key":"b"}"#)
    fixture.facts.accessToken = "ya29.test-token"
    fixture.facts.config = ["project": "example-project", "location": "us-central1"]
    let head = try fixture.head(model: "gemini-2.5-flash")
    let path =
      "/v1/projects/example-project/locations/us-central1/publishers/google/models/gemini-2.5-flash"
    #expect(head.path.text == path + ":generateContent")
    #expect(head.fields == "Authorization: Bearer ya29.test-token\r\n")
    fixture.facts.config = [:]
    #expect(throws: ChatProblem.self) { try fixture.head(model: "gemini-2.5-flash") }
    fixture.facts.key = #"{"client_email":"a","private_key":"b","project_id":"own"}"#
    let own = try fixture.head(model: "gemini-2.5-flash", isStream: true)
    #expect(
      own.path == """
        /v1/projects/own/locations/global/publishers/google/models/\
        gemini-2.5-flash:streamGenerateContent?alt=sse
        """)
    fixture.facts.key = #"{"client_email":"a","private_key":"b","project_id":"o/../n"}"#
    #expect(throws: ChatProblem.self) { try fixture.head(model: "gemini-2.5-flash") }
  }

  @Test(arguments: ["chat", "tools", "image", "stream"])
  func writesTheSameForVertex(_ name: String) throws {
    try DialectFixture("gemini", .vertex).checkRequest(name)
  }

  @Test func refreshesATokenThatVertexCallsStale() {
    let body: ByteString = #"{"error":{"code":401,"message":"x","status":"UNAUTHENTICATED"}}"#
    let said = ErrorAnswer(status: 401, body: body, format: Dialect.vertex.errors)
    #expect(said.action == .refresh)
    let gemini = ErrorAnswer(status: 401, body: body, format: Dialect.gemini.errors)
    #expect(gemini.action == .disable)
  }

  @Test func exchangesOnlyServiceAccounts() throws {
    let exchange = try #require(Dialect.vertex.exchange)
    var facts = CallFacts()
    for key: ByteString in ["AIzaKey", "{}", #"{"client_email":"a"}"#] {
      facts.key = key
      #expect(throws: ChatProblem.self) { try exchange.url(facts) }
    }
    let answer = try JSONDocument(
      ByteString(try DialectFixture("vertex", .vertex).bytes("token.response.vendor.json"))
    ).root
    let given = try #require(exchange.read(answer))
    #expect(given.token == "ya29.test-token")
    #expect(given.lifetimeSeconds == 3599)
    #expect(exchange.read(try JSONDocument("{}").root) == nil)
  }
}
