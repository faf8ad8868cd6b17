// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Requests and answers of Anthropic's Messages API, by samples and case by case.
struct AnthropicDialectTests {
  let fixture = DialectFixture("anthropic", .anthropic, key: "sk-ant-test")

  @Test func writesTheCallsHead() throws {
    let head = try fixture.head(model: "claude-sonnet-4-5")
    #expect(head.path == "/v1/messages")
    #expect(head.fields == "x-api-key: sk-ant-test\r\nanthropic-version: 2023-06-01\r\n")
  }

  @Test(arguments: [("", "/v1/messages"), ("/v1", "/v1/messages"), ("/a/v1", "/a/v1/messages")])
  func placesTheCallBelowTheBase(_ base: String, _ path: String) throws {
    var fixture = fixture
    fixture.facts.basePath = ByteString(utf8: base)
    fixture.facts.key = "sk-ant-oat01-x"
    let head = try fixture.head(model: "claude-sonnet-4-5")
    #expect(head.path.text == path)
    #expect(head.fields.text.hasPrefix("Authorization: Bearer sk-ant-oat01-x\r\n"))
  }

  @Test(arguments: ["chat", "tools", "image", "stream"])
  func writesRequests(_ name: String) throws { try fixture.checkRequest(name) }

  @Test(arguments: ["chat", "tools", "thinking"])
  func readsAnswers(_ name: String) throws {
    try fixture.checkResponse(name, model: "claude-sonnet-4-5")
  }

  @Test func readsStreams() throws {
    try fixture.checkStream(model: "claude-sonnet-4-5")
    try fixture.checkStream("tools", model: "claude-sonnet-4-5")
    try fixture.checkStream("error.midstream", model: "claude-sonnet-4-5")
    try fixture.checkStream("thinking", model: "claude-sonnet-4-5")
    try fixture.checkStream("noinput", model: "claude-sonnet-4-5")
  }

  @Test func judgesErrors() throws { try fixture.checkErrors() }

  // Case by case.

  /// What goes upstream of a request with these members besides its model and one message.
  private func written(
    _ members: String, model: String = "claude-sonnet-4-5",
    messages: String = #"[{"role":"user","content":"hi"}]"#
  ) throws -> [String: Any] {
    return try fixture.encoded(
      #"{"model":"\#(model)","messages":\#(messages)"# + members + "}")
  }

  private func expect(
    _ seen: Any?, _ expected: String, _ location: SourceLocation = #_sourceLocation
  ) throws {
    try DialectFixture.expect(seen, is: expected, exactly: true, location)
  }

  @Test(arguments: [
    // Turns of one role become one message, results of tools first; system texts go up.
    (
      #"[{"role":"system","content":"a"},{"role":"user","content":"b"},"#
        + #"{"role":"developer","content":"c"},{"role":"user","content":"d"}]"#,
      #"[{"role":"user","content":[{"type":"text","text":"b"},{"type":"text","text":"d"}]}]"#
    ),
    // Two calls at once are answered in one message; an id is brought into Anthropic's form.
    (
      #"[{"role":"user","content":"x"},{"role":"assistant","content":"","tool_calls":["#
        + #"{"id":"f.a:0","type":"function","function":{"name":"a","arguments":""}},"#
        + #"{"id":"i2","type":"function","function":{"name":"b","arguments":"{\"k\":1}"}}]},"#
        + #"{"role":"tool","tool_call_id":"f.a:0","content":"1"},"#
        + #"{"role":"tool","tool_call_id":"i2","content":""},{"role":"user","content":"y"}]"#,
      #"[{"role":"user","content":[{"type":"text","text":"x"}]},"#
        + #"{"role":"assistant","content":[{"type":"tool_use","id":"f_a_0","name":"a","input":{}},"#
        + #"{"type":"tool_use","id":"i2","name":"b","input":{"k":1}}]},"#
        + #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"f_a_0","content":"1"},"#
        + #"{"type":"tool_result","tool_use_id":"i2"},{"type":"text","text":"y"}]}]"#
    ),
    // Blank texts are left out, a beginning of the answer loses its trailing space.
    (
      #"[{"role":"user","content":[{"type":"text","text":" \n"},{"type":"text","text":"q"}]},"#
        + #"{"role":"user","content":""},{"role":"assistant","content":"So, \n"}]"#,
      #"[{"role":"user","content":[{"type":"text","text":"q"}]},"#
        + #"{"role":"assistant","content":[{"type":"text","text":"So,"}]}]"#
    ),
    // A conversation that does not begin with the user.
    (
      #"[{"role":"assistant","content":"Hello!"},{"role":"user","content":"hi"}]"#,
      #"[{"role":"user","content":"."},"#
        + #"{"role":"assistant","content":[{"type":"text","text":"Hello!"}]},"#
        + #"{"role":"user","content":[{"type":"text","text":"hi"}]}]"#
    ),
    (
      #"[{"role":"system","content":"Say something."}]"#, #"[{"role":"user","content":"."}]"#
    ),
    // Pictures by address and documents.
    (
      #"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h/a.png"}},"#
        + #"{"type":"file","file":{"filename":"a.pdf","file_data":"#
        + #""data:application/pdf;base64,QQ=="}}]}]"#,
      #"[{"role":"user","content":[{"type":"image","source":{"type":"url","#
        + #""url":"https://h/a.png"}},{"type":"document","title":"a.pdf","source":{"#
        + #""type":"base64","media_type":"application/pdf","data":"QQ=="}}]}]"#
    ),
  ])
  func writesTurns(_ messages: String, _ expected: String) throws {
    try expect(try written("", messages: messages)["messages"], expected)
  }

  @Test func joinsSystemTexts() throws {
    let body = try written(
      "",
      messages: #"[{"role":"system","content":"a"},{"role":"user","content":"b"},"#
        + #"{"role":"developer","content":[{"type":"text","text":"c"}]}]"#)
    #expect(body["system"] as? String == "a\n\nc")
  }

  @Test(arguments: [
    (#","temperature":1.7"#, "temperature", "1"), (#","temperature":0.3"#, "temperature", "0.3"),
    ("", "max_tokens", "4096"), (#","max_completion_tokens":9,"max_tokens":7"#, "max_tokens", "9"),
    (#","stop":[" ","\n","END"]"#, "stop_sequences", #"["END"]"#),
    (#","stop":"\n""#, "stop_sequences", "null"),
    (#","temperature":0.3,"top_p":0.9"#, "top_p", "null"), (#","top_p":0.9"#, "top_p", "0.9"),
    (#","seed":4,"logit_bias":{},"presence_penalty":1"#, "seed", "null"),
    (#","user":"u""#, "metadata", #"{"user_id":"u"}"#),
  ])
  func writesSettings(_ members: String, _ key: String, _ expected: String) throws {
    try expect(try written(members)[key], expected)
  }

  @Test(arguments: [
    ("claude-opus-4-8", ["temperature": false, "top_p": false]),
    ("claude-3-5-sonnet-20241022", ["temperature": true, "top_p": true]),
    ("claude-sonnet-4-20250514", ["temperature": true, "top_p": true]),
    ("claude-opus-4-1", ["temperature": true, "top_p": false]),
    ("claude-sonnet-5", ["temperature": false, "top_p": false]),
  ])
  func leavesSamplingOutWhereModelsRefuseIt(_ model: String, _ has: [String: Bool]) throws {
    let body = try written(#","temperature":0.5,"top_p":0.5"#, model: model)
    for (key, value) in has { #expect((body[key] != nil) == value, "\(key)") }
  }

  private static let tool =
    #","tools":[{"type":"function","function":{"name":"f"}}]"#

  @Test(arguments: [
    ("", "null"), (#","tool_choice":"auto""#, #"{"type":"auto"}"#),
    (#","tool_choice":"required""#, #"{"type":"any"}"#),
    (#","tool_choice":"none","parallel_tool_calls":false"#, #"{"type":"none"}"#),
    (
      #","tool_choice":{"type":"function","function":{"name":"f"}}"#,
      #"{"type":"tool","name":"f"}"#
    ),
    (
      #","parallel_tool_calls":false"#, #"{"type":"auto","disable_parallel_tool_use":true}"#
    ),
  ])
  func writesToolChoice(_ members: String, _ expected: String) throws {
    let body = try written(AnthropicDialectTests.tool + members)
    try expect(body["tool_choice"], expected)
    try expect(body["tools"], #"[{"name":"f","input_schema":{"type":"object","properties":{}}}]"#)
  }

  @Test(arguments: [
    ("{}", #"{"type":"object"}"#), (#"{"required":[]}"#, #"{"type":"object","required":[]}"#),
    (#"{"type":"object"}"#, #"{"type":"object"}"#),
  ])
  func completesSchemas(_ given: String, _ expected: String) throws {
    let body = try written(
      #","tools":[{"type":"function","function":{"name":"f","parameters":\#(given)}}]"#)
    let tools = try #require(body["tools"] as? [[String: Any]])
    try expect(tools.first?["input_schema"], expected)
  }

  private static let schema =
    #","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}"#

  @Test func writesSchemasOfAnswers() throws {
    let body = try written(AnthropicDialectTests.schema)
    try expect(
      body["output_config"], #"{"format":{"type":"json_schema","schema":{"type":"object"}}}"#)
    let old = try written(AnthropicDialectTests.schema, model: "claude-opus-4-1")
    #expect(old["output_config"] == nil)
    try expect(old["tool_choice"], #"{"type":"tool","name":"tinygateway_answer"}"#)
    let both = try written(
      AnthropicDialectTests.schema + AnthropicDialectTests.tool, model: "claude-opus-4-1")
    try expect(both["tool_choice"], #"{"type":"any"}"#)
    #expect((both["tools"] as? [Any])?.count == 2)
  }

  @Test func readsAnswersGivenByTheForcedTool() throws {
    try fixture.checkResponse("forced", model: "claude-opus-4-1")
  }

  @Test(arguments: [
    ("claude-sonnet-4-5", "low", "", #"{"type":"enabled","budget_tokens":2048}"#, 6144),
    ("claude-sonnet-4-5", "none", "", "null", 4096),
    (
      "claude-sonnet-4-5", "high", #","max_tokens":4000"#,
      #"{"type":"enabled","budget_tokens":3000}"#, 4000
    ),
    ("claude-sonnet-4-5", "high", #","max_tokens":1200"#, "null", 1200),
    ("claude-3-5-sonnet-20241022", "high", "", "null", 4096),
    ("claude-opus-4-6", "medium", "", #"{"type":"adaptive"}"#, 12288),
    ("claude-sonnet-4-5", "low", tool + #","tool_choice":"required""#, "null", 4096),
  ])
  func writesThinking(
    _ model: String, _ effort: String, _ members: String, _ expected: String, _ limit: Int
  ) throws {
    let body = try written(
      #","reasoning_effort":"\#(effort)","temperature":0.4"# + members, model: model)
    try expect(body["thinking"], expected)
    #expect(body["max_tokens"] as? Int == limit)
    // Thinking models take no temperature.
    #expect((body["temperature"] == nil) == (expected != "null"))
  }

  @Test(arguments: [
    ("xhigh", "claude-opus-4-8", "xhigh"), ("xhigh", "claude-opus-4-6", "max"),
    ("minimal", "claude-sonnet-5", "low"), ("high", "claude-sonnet-4-6", "high"),
  ])
  func writesEfforts(_ effort: String, _ model: String, _ expected: String) throws {
    let body = try written(#","reasoning_effort":"\#(effort)""#, model: model)
    try expect(body["output_config"], #"{"effort":"\#(expected)"}"#)
  }

  @Test(arguments: [true, false])
  func thinksBehindToolCallsOnlyWithTheVendorsSeal(_ isSealed: Bool) throws {
    var request = ChatRequest()
    request.model = "claude-sonnet-4-5"
    request.reasoning = ChatReasoning(.low)
    var turn = ChatMessage(.assistant)
    turn.reasoning = "why"
    turn.reasoningSignature = isSealed ? "seal" : ""
    turn.toolCalls = [ChatToolCall(id: "i", name: "f", arguments: "")]
    var result = ChatMessage(.tool, text: "r")
    result.toolCallID = "i"
    result.isToolError = true
    request.messages = [ChatMessage(.user, text: "q"), turn, result]
    let body = try #require(
      try JSONSerialization.jsonObject(with: try fixture.encode(request)) as? [String: Any])
    #expect((body["thinking"] != nil) == isSealed)
    let thought = #"{"type":"thinking","thinking":"why","signature":"seal"},"#
    try expect(
      body["messages"],
      #"[{"role":"user","content":[{"type":"text","text":"q"}]},{"role":"assistant","content":["#
        + (isSealed ? thought : "")
        + #"{"type":"tool_use","id":"i","name":"f","input":{}}]},{"role":"user","content":["#
        + #"{"type":"tool_result","tool_use_id":"i","content":"r","is_error":true}]}]"#)
  }

  @Test(arguments: [
    (#","n":2"#, "n"), (#","prediction":{}"#, "prediction"),
    (#","modalities":["audio"]"#, "modalities"),
  ])
  func refusesWhatItCannotExpress(_ members: String, _ field: String) throws {
    let problem = try #require(throws: ChatProblem.self) { try written(members) }
    #expect(problem.field.text == field)
    #expect(problem.isOfDialect)
  }

  @Test(arguments: [
    ("claude-3-opus-20240229", 30), ("claude-3-5-haiku-latest", 35), ("claude-opus-4-8", 48),
    ("anthropic.claude-sonnet-4-5-20250929-v1:0", 45), ("claude-sonnet-4@20250514", 40),
    ("claude-sonnet-5", 50), ("claude-2.1", 21), ("my-claude", 99),
  ])
  func tellsModelsVersions(_ name: String, _ version: Int) {
    #expect(AnthropicModel(ByteString(utf8: name)).version == version)
  }

  @Test func takesOddStreams() throws {
    var events: [ChatEvent] = []
    let decoder = AnthropicDecoder()
    for data in [
      #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
      #"{"type":"nonsense"}"#, #"{"type":"content_block_delta","index":0}"#,
      #"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use"}}"#,
      #"{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{"}}"#,
      #"{"type":"message_stop"}"#,
    ] {
      decoder.read(StreamEvent(data: ByteString(utf8: data)), into: &events)
    }
    #expect(events.count == 2)
    guard case .failure(let failure) = events.first, case .finish(.stop) = events.last else {
      Issue.record("\(events)")
      return
    }
    #expect(failure.meaning == .overloaded)
  }
}
