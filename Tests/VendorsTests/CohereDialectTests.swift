// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Requests and answers of Cohere's chat API, by samples and case by case.
struct CohereDialectTests {
  let fixture = DialectFixture("cohere", .cohere, key: "test-cohere")

  @Test func writesTheCallsHead() throws {
    let head = try fixture.head(model: "command-a-03-2025")
    #expect(head.path == "/v2/chat")
    #expect(head.fields == "Authorization: Bearer test-cohere\r\n")
  }

  @Test(arguments: ["chat", "tools", "stream"])
  func writesRequests(_ name: String) throws { try fixture.checkRequest(name) }

  @Test(arguments: ["chat", "tools"])
  func readsAnswers(_ name: String) throws {
    try fixture.checkResponse(name, model: "command-a-03-2025")
  }

  @Test func readsStreams() throws {
    try fixture.checkStream(model: "command-a-03-2025")
    try fixture.checkStream("tools", model: "command-a-03-2025")
  }

  @Test func judgesErrors() throws { try fixture.checkErrors() }

  @Test func switchesATrialKeyOffWhenItsMonthIsSpent() {
    let seen = ErrorAnswer(
      status: 429,
      body:
        #"{"message":"You are using a Trial key, which is limited to 1000 API calls / month."}"#,
      format: Dialect.cohere.errors)
    #expect(seen.action == .disable)
    #expect(seen.meaning == .accountEmpty)
  }

  private func written(
    _ members: String, messages: String = #"[{"role":"user","content":"hi"}]"#
  ) throws -> [String: Any] {
    let text = #"{"model":"command-a-03-2025","messages":\#(messages)"# + members + "}"
    let request = try ClientDialect.openAI.read(try JSONDocument(ByteString(utf8: text)).root)
    let body = try fixture.encode(request)
    return try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any])
  }

  @Test(arguments: [
    (#","temperature":1.5"#, "temperature", "1"), (#","top_p":1"#, "p", "0.99"),
    (#","top_p":0"#, "p", "0.01"), (#","presence_penalty":-2"#, "presence_penalty", "0"),
    (#","response_format":{"type":"json_object"}"#, "response_format", #"{"type":"json_object"}"#),
    (
      #","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"a":1}}}"#,
      "response_format", #"{"type":"json_object","schema":{"a":1}}"#
    ),
    (#","reasoning_effort":"none""#, "thinking", #"{"type":"disabled"}"#),
    (#","reasoning_effort":"high""#, "thinking", #"{"type":"enabled"}"#),
    (tools + #","tool_choice":"required""#, "tool_choice", #""REQUIRED""#),
    (tools + #","tool_choice":"none""#, "tool_choice", #""NONE""#),
    (tools, "strict_tools", "true"),
    (
      tools + #","tool_choice":{"type":"function","function":{"name":"g"}}"#, "tools",
      #"[{"type":"function","function":{"name":"g"}}]"#
    ),
  ])
  func writesSettings(_ members: String, _ key: String, _ expected: String) throws {
    let value = try JSONSerialization.jsonObject(
      with: Data(expected.utf8), options: [.fragmentsAllowed])
    #expect(
      DialectFixture.text(try written(members)[key] ?? NSNull()) == DialectFixture.text(value))
  }

  private static let tools =
    #","tools":[{"type":"function","function":{"name":"f","strict":true}},"#
    + #"{"type":"function","function":{"name":"g"}}]"#

  @Test func tellsThePlanBesideTheCalls() throws {
    let body = try written(
      "",
      messages: #"[{"role":"user","content":"q"},{"role":"assistant","content":"I look.","#
        + #""tool_calls":[{"id":"i","type":"function","function":{"name":"f","arguments":"{}"}}]}]"#
    )
    let messages = try #require(body["messages"] as? [[String: Any]])
    #expect(messages[1]["tool_plan"] as? String == "I look.")
    #expect(messages[1]["content"] == nil)
    #expect((messages[1]["tool_calls"] as? [Any])?.count == 1)
  }

  @Test(arguments: [
    (#","n":2"#, "n"), (#","logit_bias":{"1":2}"#, "logit_bias"),
    (#","stop":["1","2","3","4","5","6"]"#, "stop with more than five texts"),
  ])
  func refusesWhatItCannotExpress(_ members: String, _ field: String) throws {
    let problem = try #require(throws: ChatProblem.self) { try written(members) }
    #expect(problem.field.text == field)
  }

  @Test(arguments: [
    (#"{"delta":{"finish_reason":"ERROR","error":"broken"},"type":"message-end"}"#, "broken"),
    (#"{"delta":{"finish_reason":"TIMEOUT"},"type":"message-end"}"#, "timeout"),
  ])
  func takesFailuresAtTheEnd(_ data: String, _ meaning: String) {
    var events: [ChatEvent] = []
    CohereDecoder().read(StreamEvent(data: ByteString(utf8: data)), into: &events)
    guard events.count == 1, case .failure(let failure) = events.first else {
      Issue.record("\(events)")
      return
    }
    #expect("\(failure.meaning)" == meaning)
    #expect(failure.action == .retry)
  }
}
