// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// ERNIE's first version.
struct ERNIEDialectTests {
  let fixture: DialectFixture

  init() {
    var fixture = DialectFixture("ernie-legacy", .ernie, key: "test-ak|test-sk")
    fixture.facts.authority = "aip.baidubce.com"
    fixture.facts.accessToken = "24.test-access-token"
    self.fixture = fixture
  }

  private func conversation(_ messages: String, more: String = "") -> String {
    #"{"model":"ernie-3.5-8k","messages":[\#(messages)]\#(more)}"#
  }

  private func turn(_ role: String, _ text: String) -> String {
    #"{"role":"\#(role)","content":"\#(text)"}"#
  }

  @Test(arguments: ["chat", "stream", "tools"])
  func writesRequests(_ name: String) throws { try fixture.checkRequest(name) }

  @Test func readsAnswers() throws {
    try fixture.checkResponse("chat", model: "ERNIE-4.0-8K")
    try fixture.checkResponse("tools", model: "ERNIE-4.0-8K")
  }

  @Test func readsStreams() throws {
    try fixture.checkStream(model: "ERNIE-4.0-8K")
    try fixture.checkStream("tools", model: "ERNIE-4.0-8K")
  }

  @Test func judgesErrors() throws { try fixture.checkErrors() }

  @Test func namesEndpoints() throws {
    for (model, endpoint) in [
      ("ERNIE-4.0-8K", "completions_pro"), ("ERNIE-Bot", "completions"),
      ("ERNIE-Lite-8K-0922", "eb-instant"), ("ERNIE-4.0-Turbo-8K", "ernie-4.0-turbo-8k"),
      ("ERNIE-Speed-8K", "ernie_speed"), ("My-Model", "my-model"),
    ] {
      let head = try fixture.head(model: ByteString(utf8: model))
      #expect(
        head.path.text == "/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/\(endpoint)"
          + "?access_token=24.test-access-token")
      #expect(head.fields.isEmpty)
    }
  }

  @Test func keepsModelsWithinThePath() throws {
    for model: ByteString in ["../../oauth", "a/../b", "a?b", "a b", "", "a//b", "a\r\nb", "./a"] {
      #expect(throws: ChatProblem.self) { try fixture.head(model: model) }
    }
  }

  @Test func exchangesTheKeyForAToken() throws {
    let exchange = try #require(fixture.dialect.exchange)
    #expect(
      try exchange.url(fixture.facts).text == "https://aip.baidubce.com/oauth/2.0/token"
        + "?grant_type=client_credentials&client_id=test-ak&client_secret=test-sk")
    #expect(try exchange.body(fixture.facts).isEmpty)
    let answer = try JSONDocument(ByteString(try fixture.bytes("token.response.vendor.json"))).root
    let token = try #require(exchange.read(answer))
    #expect(token.token == "24.test-access-token")
    #expect(token.lifetimeSeconds == 2_592_000)
    let refusal = try JSONDocument(ByteString(try fixture.bytes("token.error.vendor.json"))).root
    #expect(exchange.read(refusal) == nil)
    let judged = ErrorAnswer(status: 401, answer: refusal, format: fixture.dialect.errors)
    #expect(judged.action == .disable && judged.message == "unknown client id")
    for key: ByteString in ["", "ak", "ak|", "|sk"] {
      var facts = fixture.facts
      facts.key = key
      #expect(throws: ChatProblem.self) { try exchange.url(facts) }
    }
    var facts = fixture.facts
    facts.key = "a&b|c d"
    facts.config = ["exchange_url": "http://127.0.0.1:1/token"]
    #expect(try exchange.url(facts).text.hasPrefix("http://127.0.0.1:1/token?"))
    #expect(try exchange.url(facts).text.hasSuffix("&client_id=a%26b&client_secret=c%20d"))
  }

  @Test func joinsNeighboursOfOneRole() throws {
    let sent = try fixture.encode(
      conversation(
        [
          turn("user", "a"), turn("user", "b"), turn("assistant", "c"), turn("assistant", ""),
          turn("assistant", "d"), turn("system", "s"), turn("user", "e"),
        ].joined(separator: ",")))
    #expect(
      sent.hasPrefix(
        #"{"messages":[{"role":"user","content":"a\nb"},{"role":"assistant","content":"c\nd"},"#
          + #"{"role":"user","content":"e"}],"system":"s""#))
  }

  @Test func answersOneCallAfterTheOther() throws {
    func call(_ id: String) -> String {
      #"{"id":"\#(id)","type":"function","function":{"name":"f\#(id)","arguments":"{}"}}"#
    }
    let calls = #"{"role":"assistant","content":null,"tool_calls":[\#(call("1")),\#(call("2"))]}"#
    let second = #"{"role":"tool","tool_call_id":"2","content":"plain"}"#
    let first = #"{"role":"tool","tool_call_id":"1","content":"[1]"}"#
    let sent = try fixture.encode(
      conversation([turn("user", "a"), calls, second, first].joined(separator: ",")))
    #expect(
      sent.contains(
        #""function_call":{"name":"f1","arguments":"{}"}},"#
          + #"{"role":"function","name":"f1","content":"[1]"},"#))
    #expect(sent.contains(#"{"role":"function","name":"f2","content":"{\"result\":\"plain\"}"}]"#))
    for rest in [
      [turn("user", "a"), calls], [turn("user", "a"), calls, second], [calls, first, second],
    ] {
      #expect(try fixture.problem(conversation(rest.joined(separator: ",")))?.isOfDialect == true)
    }
  }

  @Test func refusesWhatDoesNotAlternate() throws {
    for messages in [
      turn("assistant", "a") + "," + turn("user", "b"),
      turn("user", "a") + "," + turn("assistant", "b"), turn("system", "a"), turn("user", ""),
    ] {
      #expect(try fixture.problem(conversation(messages))?.isOfDialect == true, "\(messages)")
    }
  }

  @Test func bringsNumbersIntoRange() throws {
    func sent(_ more: String) throws -> String {
      try fixture.encode(conversation(turn("user", "a"), more: more))
    }
    #expect(try sent(#","temperature":0"#).contains(#""temperature":0.01"#))
    #expect(try sent(#","temperature":1.7"#).contains(#""temperature":1}"#))
    #expect(try sent(#","frequency_penalty":0.2"#).contains(#""penalty_score":1.0"#))
    #expect(try sent(#","frequency_penalty":1.5"#).contains(#""penalty_score":1.5"#))
    #expect(try !sent(#","frequency_penalty":0"#).contains("penalty_score"))
  }

  @Test func writesToolsAsFunctions() throws {
    let tools = #","tools":[{"type":"function","function":{"name":"f"}}]"#
    let sent = try fixture.encode(conversation(turn("user", "a"), more: tools))
    #expect(
      sent.contains(
        #""functions":[{"name":"f","description":"f","parameters":{"type":"object","#))
    let none = tools + #","tool_choice":"none""#
    #expect(
      try !fixture.encode(conversation(turn("user", "a"), more: none)).contains("functions"))
    let required = tools + #","tool_choice":"required""#
    #expect(try fixture.problem(conversation(turn("user", "a"), more: required)) != nil)
  }

  @Test func findsErrorsEverywhere() throws {
    let body = "{\n  \"error_code\": 110,\n  \"error_msg\": \"Access token invalid\"\n}"
    // On several lines without `data:`, in the place of a stream.
    #expect(fixture.fold(stream: body).failure?.action == .refresh)
    #expect(fixture.fold(stream: "\n" + body).failure?.action == .refresh)
    #expect(try fixture.fold(answer: body).failure?.action == .refresh)
    let midstream = fixture.fold(
      stream: """
        data: {"id":"as-1","result":"A","is_end":false}

        data: {"error_code":336100,"error_msg":"busy"}

        """)
    #expect(midstream.textString == "A")
    #expect(midstream.failure?.meaning == .overloaded)
    let fine = fixture.fold(stream: #"data: {"error_code":0,"result":"A","is_end":true}"#)
    #expect(fine.failure == nil && fine.finish == .stop)
  }

  @Test func judgesCodesOfARange() {
    for (code, action) in [("336104", "client"), ("337001", "client"), ("999999", "retry")] {
      let body = ByteString(utf8: #"{"error_code":\#(code)}"#)
      let judged = ErrorAnswer(status: 200, body: body, format: fixture.dialect.errors)
      #expect("\(judged.action)" == action)
    }
  }

  @Test func tellsWhyAnAnswerEnded() throws {
    for (members, reason) in [
      (#""finish_reason":"normal""#, FinishReason.stop), (#""is_truncated":true"#, .length),
      (#""finish_reason":"length""#, .length),
      (#""finish_reason":"content_filter""#, .contentFilter),
      (#""need_clear_history":true,"ban_round":-1"#, .contentFilter),
      (#""need_clear_history":false"#, .stop),
    ] {
      let answer = try fixture.fold(answer: #"{"id":"as-1","result":"A",\#(members)}"#)
      #expect(answer.finish == reason, "\(members)")
    }
    // A stream without its last event is cut.
    #expect(fixture.fold(stream: #"data: {"result":"A","is_end":false}"#).finish == nil)
  }
}
