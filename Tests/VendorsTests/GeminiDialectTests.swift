// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Requests and answers of Google's API, by samples and case by case.
struct GeminiDialectTests {
  let fixture = DialectFixture("gemini", .gemini, key: "AIzaTestKey")

  @Test(arguments: [
    ("", "gemini-2.5-flash", "/v1beta/models/gemini-2.5-flash"),
    ("/v1beta", "models/gemini-2.5-flash", "/v1beta/models/gemini-2.5-flash"),
    ("/proxy/v1", "gemma-3", "/proxy/v1beta/models/gemma-3"),
  ])
  func writesTheCallsHead(_ base: String, _ model: String, _ path: String) throws {
    var fixture = fixture
    fixture.facts.basePath = ByteString(utf8: base)
    let head = try fixture.head(model: ByteString(utf8: model))
    #expect(head.path.text == path + ":generateContent")
    #expect(head.fields == "x-goog-api-key: AIzaTestKey\r\n")
    let stream = try fixture.head(model: ByteString(utf8: model), isStream: true)
    #expect(stream.path.text == path + ":streamGenerateContent?alt=sse")
  }

  @Test(arguments: ["../files", "a//b", "models/..", "a?b", "a%2Fb"])
  func refusesModelsThatLeadElsewhere(_ model: String) {
    #expect(throws: ChatProblem.self) { try fixture.head(model: ByteString(utf8: model)) }
  }

  @Test(arguments: ["chat", "tools", "image", "stream"])
  func writesRequests(_ name: String) throws { try fixture.checkRequest(name) }

  @Test(arguments: ["chat", "tools", "blocked", "maxtokens-no-content", "thinking"])
  func readsAnswers(_ name: String) throws {
    try fixture.checkResponse(name, model: "gemini-2.5-flash")
  }

  @Test func readsStreams() throws {
    try fixture.checkStream(model: "gemini-2.5-flash")
    try fixture.checkStream("tools", model: "gemini-2.5-flash")
    try fixture.checkStream("parallel", model: "gemini-3-flash-preview")
  }

  @Test func readsAStreamThatIsOneArray() throws {
    let text = ByteString(try fixture.bytes("stream-json-array.vendor.txt"))
    let answer = self.answer(try JSONDocument(text).root)
    #expect(answer.text.byteString.text == "The capital of Japan is Tokyo (東京).")
    #expect(answer.finish == .stop)
    #expect(answer.usage?.completion == 37)
  }

  @Test func judgesErrors() throws { try fixture.checkErrors() }

  // Answers case by case.

  private func answer(_ root: JSONValue) -> ChatAnswer {
    var events: [ChatEvent] = []
    Dialect.gemini.makeDecoder(fixture.facts).read(answer: root, into: &events)
    var answer = ChatAnswer()
    for event in events { answer.add(event) }
    return answer
  }

  private func answer(_ text: String) throws -> ChatAnswer {
    answer(try JSONDocument(ByteString(utf8: text)).root)
  }

  @Test(arguments: [
    ("STOP", FinishReason.stop), ("MAX_TOKENS", .length),
    ("SAFETY", .contentFilter), ("RECITATION", .contentFilter), ("IMAGE_SAFETY", .contentFilter),
  ])
  func readsWhyItEnded(_ word: String, _ reason: FinishReason) throws {
    #expect(try answer(#"{"candidates":[{"finishReason":"\#(word)"}]}"#).finish == reason)
  }

  /// An answer of nothing, since the model failed, is none.
  @Test(arguments: ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER", "A_NEW_ONE"])
  func failsWhereTheModelFailedBeforeItsAnswer(_ word: String) throws {
    func ended(behind parts: String) throws -> ChatAnswer {
      try answer(
        #"{"candidates":[{"content":{"parts":[\#(parts)]},"finishReason":"\#(word)"}]}"#)
    }
    for parts in ["", #"{"text":""}"#, #"{"text":"t","thought":true}"#] {
      let answer = try ended(behind: parts)
      #expect(answer.failure?.action == .retry)
      #expect(answer.failure?.code.text == word && answer.finish == nil)
    }
    #expect(try ended(behind: #"{"text":"t"}"#).finish == .stop)
    #expect(try ended(behind: #"{"functionCall":{"name":"f"}}"#).finish == .toolCalls)
  }

  @Test func keepsTheSignatureOfACall() throws {
    let call = try answer(
      """
      {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"s"}]},
      "finishReason":"STOP"}]}
      """)
    #expect(call.toolCalls.first?.signature == "s")
    #expect(call.completedCalls.first?.arguments == "{}")
    #expect(call.finish == .toolCalls)
  }

  @Test func showsPicturesAsClientsOfChatDo() throws {
    let picture = try answer(
      """
      {"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"QQ=="}}]},
      "finishReason":"STOP"}]}
      """)
    #expect(picture.text.byteString == "![image](data:image/png;base64,QQ==)")
  }

  @Test func tellsAnErrorInThePlaceOfAnAnswer() throws {
    let failure = try answer(#"[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}]"#)
    #expect(failure.failure?.action == .retry)
    #expect(failure.failure?.message == "busy")
  }

  // Requests case by case.

  func written(
    _ members: String, model: String = "gemini-2.5-flash",
    messages: String = #"[{"role":"user","content":"hi"}]"#, config: [ByteString: ByteString] = [:]
  ) throws -> [String: Any] {
    var fixture = fixture
    fixture.facts.config = config
    return try fixture.encoded(
      #"{"model":"\#(model)","messages":\#(messages)"# + members + "}")
  }

  private func expect(
    _ seen: Any?, _ expected: String, _ location: SourceLocation = #_sourceLocation
  ) throws {
    try DialectFixture.expect(seen, is: expected, exactly: true, location)
  }

  @Test(arguments: [
    // Turns of one role are one; system texts go up.
    (
      #"[{"role":"system","content":"a"},{"role":"user","content":"b"},"#
        + #"{"role":"developer","content":"c"},{"role":"user","content":"d"}]"#,
      #"[{"role":"user","parts":[{"text":"b"},{"text":"d"}]}]"#
    ),
    // Results of two calls are one turn; what is no object is put into one.
    (
      #"[{"role":"user","content":"x"},{"role":"assistant","content":"","tool_calls":["#
        + #"{"id":"1","type":"function","function":{"name":"a","arguments":""}},"#
        + #"{"id":"2","type":"function","function":{"name":"b","arguments":"{\"k\":1}"}}]},"#
        + #"{"role":"tool","tool_call_id":"1","content":"[1]"},"#
        + #"{"role":"tool","tool_call_id":"2","content":"{\"r\":2}"}]"#,
      #"[{"role":"user","parts":[{"text":"x"}]},"#
        + #"{"role":"model","parts":[{"functionCall":{"name":"a","args":{}}},"#
        + #"{"functionCall":{"name":"b","args":{"k":1}}}]},"#
        + #"{"role":"user","parts":[{"functionResponse":{"name":"a","response":{"result":"[1]"}}},"#
        + #"{"functionResponse":{"name":"b","response":{"r":2}}}]}]"#
    ),
    // Empty turns are left out, and a conversation is never empty.
    (
      #"[{"role":"system","content":"s"},{"role":"user","content":""}]"#,
      #"[{"role":"user","parts":[{"text":"."}]}]"#
    ),
    // Media by address and as data.
    (
      #"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h/a.JPG?x"}},"#
        + #"{"type":"input_audio","input_audio":{"data":"QQ==","format":"mp3"}},"#
        + #"{"type":"file","file":{"filename":"a.pdf","file_data":"#
        + #""data:application/pdf;base64,QQ=="}}]}]"#,
      #"[{"role":"user","parts":[{"fileData":{"mimeType":"image/jpeg","#
        + #""fileUri":"https://h/a.JPG?x"}},{"inlineData":{"mimeType":"audio/mp3","data":"QQ=="}},"#
        + #"{"inlineData":{"mimeType":"application/pdf","data":"QQ=="}}]}]"#
    ),
  ])
  func writesTurns(_ messages: String, _ expected: String) throws {
    try expect(try written("", messages: messages)["contents"], expected)
  }

  @Test func sendsSignaturesBackAndMakesUpLostOnes() throws {
    func messages(_ extra: String) -> String {
      #"[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"1","#
        + #""type":"function","function":{"name":"a","arguments":"{}"}"# + extra
        + #"},{"id":"2","type":"function","function":{"name":"b","arguments":"{}"}}]}]"#
    }
    func signatures(_ model: String, _ extra: String) throws -> [String?] {
      let contents = try written("", model: model, messages: messages(extra))["contents"]
      let turn = try #require((contents as? [[String: Any]])?.last)
      let parts = try #require(turn["parts"] as? [[String: Any]])
      return parts.map { $0["thoughtSignature"] as? String }
    }
    let given = #","extra_content":{"google":{"thought_signature":"s"}}"#
    #expect(try signatures("gemini-3-flash-preview", given) == ["s", nil])
    #expect(try signatures("gemini-2.5-flash", given) == ["s", nil])
    let lost = "skip_thought_signature_validator"
    #expect(try signatures("gemini-3-flash-preview", "") == [lost, nil])
    #expect(try signatures("gemini-flash-latest", "") == [lost, nil])
    #expect(try signatures("gemini-2.5-flash", "") == [nil, nil])
  }

  @Test(arguments: [
    ("gemini-2.5-flash", "none", #"{"thinkingBudget":0}"#),
    ("gemini-2.5-pro", "none", #"{"thinkingBudget":128}"#),
    ("gemini-2.5-flash", "low", #"{"thinkingBudget":1024,"includeThoughts":true}"#),
    ("gemini-2.5-flash", "medium", #"{"thinkingBudget":8192,"includeThoughts":true}"#),
    ("gemini-2.5-flash", "xhigh", #"{"thinkingBudget":24576,"includeThoughts":true}"#),
    ("gemini-3-flash-preview", "none", #"{"thinkingLevel":"minimal"}"#),
    ("gemini-3.1-pro-preview", "minimal", #"{"thinkingLevel":"low","includeThoughts":true}"#),
    ("gemini-3-flash-preview", "high", #"{"thinkingLevel":"high","includeThoughts":true}"#),
    ("gemini-2.0-flash", "high", "null"), ("gemma-3-27b-it", "high", "null"),
  ])
  func writesThinkingAsTheModelKnowsIt(
    _ model: String, _ effort: String, _ expected: String
  ) throws {
    let config = try written(#","reasoning_effort":"\#(effort)""#, model: model)["generationConfig"]
    try expect((config as? [String: Any])?["thinkingConfig"], expected)
  }

  @Test func writesSettings() throws {
    try expect(
      try written(
        #","temperature":3,"top_p":0.5,"seed":7,"presence_penalty":0.1,"frequency_penalty":-1,"#
          + #""stop":"x","max_completion_tokens":9,"response_format":{"type":"json_object"}"#
      )["generationConfig"],
      #"{"temperature":2,"topP":0.5,"seed":7,"presencePenalty":0.1,"frequencyPenalty":-1,"#
        + #""stopSequences":["x"],"maxOutputTokens":9,"responseMimeType":"application/json"}"#)
  }

  @Test(arguments: [
    (#"{"type":"object","properties":{"a":{"type":"string"}}}"#, "responseSchema"),
    (
      #"{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}"#,
      "responseJsonSchema"
    ),
  ])
  func writesSchemasInTheFormThatHoldsThem(_ schema: String, _ name: String) throws {
    let config = try written(
      #","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":\#(schema)}}"#
    )["generationConfig"]
    try expect(config, #"{"responseMimeType":"application/json","\#(name)":\#(schema)}"#)
  }

  @Test(arguments: [
    ("", #"{"name":"f"}"#), (#","parameters":{}"#, #"{"name":"f"}"#),
    (#","parameters":{"type":"object","properties":{}}"#, #"{"name":"f"}"#),
    (
      ##","description":"d","parameters":{"type":"object","properties":{"a":{"$ref":"#/$defs/x"}}}"##,
      #"{"name":"f","description":"d","#
        + ##""parametersJsonSchema":{"type":"object","properties":{"a":{"$ref":"#/$defs/x"}}}}"##
    ),
    (
      #","parameters":{"type":"object","properties":{"a":{"type":"array"}}}"#,
      #"{"name":"f","#
        + #""parametersJsonSchema":{"type":"object","properties":{"a":{"type":"array"}}}}"#
    ),
    (
      #","parameters":{"type":"object","properties":{"a":{"type":"integer","enum":[1]}}}"#,
      #"{"name":"f","parametersJsonSchema":"#
        + #"{"type":"object","properties":{"a":{"type":"integer","enum":[1]}}}}"#
    ),
  ])
  func writesTools(_ members: String, _ expected: String) throws {
    let tools = try written(
      #","tools":[{"type":"function","function":{"name":"f"\#(members)}}]"#)["tools"]
    try expect(tools, #"[{"functionDeclarations":[\#(expected)]}]"#)
  }

  @Test(arguments: [
    (#""none""#, #"{"mode":"NONE"}"#), (#""required""#, #"{"mode":"ANY"}"#),
    (
      #"{"type":"function","function":{"name":"f"}}"#,
      #"{"mode":"ANY","allowedFunctionNames":["f"]}"#
    ),
  ])
  func writesToolChoices(_ choice: String, _ expected: String) throws {
    let body = try written(
      #","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":\#(choice),"#
        + #""parallel_tool_calls":false"#)
    try expect(body["toolConfig"], #"{"functionCallingConfig":\#(expected)}"#)
  }
}
