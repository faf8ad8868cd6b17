// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Vendors

/// Workers AI.
struct CloudflareDialectTests {
  private static let model: ByteString = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
  let fixture: DialectFixture

  init() {
    var fixture = DialectFixture("cloudflare", .cloudflare, key: "test-cf-token")
    fixture.facts.config = ["account_id": "testaccount"]
    self.fixture = fixture
  }

  private func message(_ more: String) -> String {
    #"{"model":"m","messages":[{"role":"user","content":"Hi"}]\#(more)}"#
  }

  @Test(arguments: ["chat", "stream", "tools"])
  func writesRequests(_ name: String) throws { try fixture.checkRequest(name) }

  @Test func readsAnswers() throws {
    try fixture.checkResponse("chat", model: CloudflareDialectTests.model)
    try fixture.checkResponse("tools", model: CloudflareDialectTests.model)
  }

  @Test func readsStreams() throws {
    try fixture.checkStream(model: CloudflareDialectTests.model)
    try fixture.checkStream("tools", model: CloudflareDialectTests.model)
  }

  @Test func judgesErrors() throws { try fixture.checkErrors() }

  @Test func findsTheAccount() throws {
    let run = "/client/v4/accounts/testaccount/ai/run/@cf/meta/llama-3.3-70b-instruct-fp8-fast"
    func path(
      _ base: ByteString, _ config: [ByteString: ByteString], key: ByteString = "t"
    ) throws -> String {
      var fixture = fixture
      fixture.facts.basePath = base
      fixture.facts.config = config
      fixture.facts.key = key
      let head = try fixture.head(model: CloudflareDialectTests.model)
      #expect(head.fields == "Authorization: Bearer t\r\n")
      return head.path.text
    }
    let account: [ByteString: ByteString] = ["account_id": "testaccount"]
    #expect(try path("", account) == run)
    #expect(try path("/client/v4", account) == run)
    #expect(try path("/client/v4/accounts/testaccount/ai/run", [:]) == run)
    #expect(try path("", [:], key: "testaccount|t") == run)
    #expect(
      try path("/v1/acc/gate/workers-ai", [:])
        == "/v1/acc/gate/workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast")
    #expect(throws: ChatProblem.self) { try path("", [:]) }
    #expect(throws: ChatProblem.self) { try path("", ["account_id": "a/../b"]) }
  }

  @Test func keepsModelsWithinThePath() throws {
    for model: ByteString in ["@cf/../../other", "..", "@cf//x", "a?b=c", "a#b"] {
      #expect(throws: ChatProblem.self) { try fixture.head(model: model) }
    }
  }

  /// The vendor would cut answers at 256 tokens without a sign.
  @Test func asksForLongerAnswersThanTheVendorsDefault() throws {
    #expect(try fixture.encode(message("")).contains(#""max_tokens":2048"#))
    var own = fixture
    own.facts.config = ["answer_limit": "900"]
    #expect(try own.encode(message("")).contains(#""max_tokens":900"#))
    #expect(try own.encode(message(#","max_tokens":7"#)).contains(#""max_tokens":7"#))
  }

  @Test func writesTheSchemaItself() throws {
    let format = #""response_format":{"type":"json_schema","json_schema":"#
    let schema = #"{"type":"object"}"#
    let sent = try fixture.encode(message(",\(format){\"name\":\"n\",\"schema\":\(schema)}}"))
    #expect(sent.contains("\(format)\(schema)}"))
  }

  @Test func readsOpenAIsForm() throws {
    let choice = #"{"index":0,"message":{"content":"A"},"finish_reason":"length"}"#
    let answer = try fixture.fold(
      answer: """
        {"result":{"id":"chatcmpl-1","choices":[\(choice)],"usage":{"prompt_tokens":1,\
        "completion_tokens":2}},"success":true,"errors":[]}
        """)
    #expect(answer.textString == "A" && answer.finish == .length && answer.id == "chatcmpl-1")
    #expect(answer.usage == ChatUsage(prompt: 1, completion: 2))
    let stream = fixture.fold(
      stream: """
        data: {"id":"c","choices":[{"index":0,"delta":{"content":"A"},"finish_reason":null}]}

        data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}

        data: [DONE]

        """)
    #expect(stream.textString == "A" && stream.finish == .length)
  }

  @Test func readsValuesOfJSONMode() throws {
    let answer = try fixture.fold(
      answer: #"{"result":{"response":{"a":1}},"success":true,"errors":[]}"#)
    #expect(answer.textString == #"{"a":1}"#)
  }

  @Test func knowsCutStreams() {
    #expect(fixture.fold(stream: #"data: {"response":"A"}"#).finish == nil)
    #expect(fixture.fold(stream: "data: [DONE]").finish == .stop)
  }

  @Test func tellsErrorsInsideAnswers() throws {
    let body = #"{"success":false,"errors":[{"code":3040,"message":"full"}],"result":null}"#
    for answer in [
      try fixture.fold(answer: body), fixture.fold(stream: body),
      fixture.fold(stream: "data: {\"response\":\"A\"}\n\ndata: \(body)\n\n"),
    ] {
      #expect(answer.failure?.action == .retry)
      #expect(answer.failure?.message == "full")
      #expect(answer.finish == nil)
    }
  }
}
