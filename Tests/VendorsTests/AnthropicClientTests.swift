// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Anthropic's Messages API for clients: requests read, answers written.
struct AnthropicClientTests {
  let fixture = DialectFixture("anthropic", .anthropic)

  // Requests.

  /// What Anthropic's own requests come to when they are read and written again.
  @Test(arguments: ["chat", "tools", "image", "stream"])
  func keepsRequests(_ name: String) throws {
    try fixture.checkRequest(name, client: .anthropic, from: "vendor")
  }

  @Test(arguments: ["client", "client-tools"])
  func readsRequestsForOpenAIVendors(_ name: String) throws {
    try DialectFixture("anthropic", .openAI).checkRequest(
      name, client: .anthropic, from: "anthropic", to: "openai")
  }

  private func read(
    _ members: String, messages: String = #"[{"role":"user","content":"hi"}]"#
  ) throws -> ChatRequest {
    let text = #"{"model":"m","max_tokens":9,"messages":\#(messages)"# + members + "}"
    return try AnthropicReader.read(try JSONDocument(ByteString(utf8: text)).root)
  }

  @Test(arguments: [
    (#","thinking":{"type":"enabled","budget_tokens":2000}"#, ChatReasoning.Effort.low, 2000),
    (#","thinking":{"type":"enabled","budget_tokens":9000}"#, .medium, 9000),
    (#","thinking":{"type":"enabled","budget_tokens":30000}"#, .high, 30000),
    (#","thinking":{"type":"adaptive"},"output_config":{"effort":"max"}"#, .xhigh, nil),
    (#","thinking":{"type":"adaptive"}"#, nil, nil),
    (#","thinking":{"type":"disabled"}"#, nil, nil),
    (#","output_config":{"effort":"high"}"#, nil, nil),
  ])
  func readsThinking(_ members: String, _ effort: ChatReasoning.Effort?, _ budget: Int64?) throws {
    let reasoning = try read(members).reasoning
    #expect(reasoning?.effort == effort)
    #expect(reasoning?.budgetTokens == budget)
  }

  @Test func readsWhatOnlyThinkingAnswersHave() throws {
    let request = try read(
      "",
      messages: #"[{"role":"user","content":"q"},{"role":"assistant","content":["#
        + #"{"type":"thinking","thinking":"why","signature":"seal"},"#
        + #"{"type":"tool_use","id":"i","name":"f","input":{}}]},"#
        + #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"i","is_error":true}]}]"#)
    #expect(request.messages.map(\.role) == [.user, .assistant, .tool])
    #expect(request.messages[1].reasoning == "why")
    #expect(request.messages[1].reasoningSignature == "seal")
    #expect(request.messages[2].isToolError)
    #expect(request.messages[2].toolName == "f")
  }

  @Test(arguments: [
    (#","tools":[{"type":"web_search_20250305","name":"web_search"}]"#, ChatFields.builtInTools),
    (#","tool_choice":{"type":"any","disable_parallel_tool_use":true}"#, .parallelTools),
    (#","tool_choice":{"type":"any"}"#, .toolChoice), (#","top_k":5"#, .topK),
    (#","container":"c""#, .other),
    (#","output_config":{"format":{"type":"json_schema","schema":{}}}"#, .jsonSchema),
  ])
  func notesWhatARequestUses(_ members: String, _ field: ChatFields) throws {
    #expect(try read(members).fields.contains(field))
  }

  @Test func notesWhatTheVendorsOwnToolsDidBefore() throws {
    let request = try read(
      "",
      messages: #"[{"role":"assistant","content":[{"type":"server_tool_use","id":"i"}]},"#
        + #"{"role":"user","content":"q"}]"#)
    let problem = #expect(throws: ChatProblem.self) {
      try request.check(
        writes: Dialect.openAI.writes, drops: [], vendor: "V",
        names: ClientDialect.anthropic.fieldNames)
    }
    #expect(problem?.field == "tools of another type than custom")
  }

  @Test(arguments: [
    (#"{"messages":[{"role":"user","content":"x"}]}"#, "max_tokens"),
    (#"{"max_tokens":0,"messages":[{"role":"user","content":"x"}]}"#, "max_tokens"),
    (#"{"max_tokens":5}"#, "messages"), (#"{"max_tokens":5,"messages":[]}"#, "messages"),
    (#"{"max_tokens":5,"messages":[{"role":"tool","content":"x"}]}"#, "messages"),
    (#"{"max_tokens":5,"messages":[{"role":"user"}]}"#, "messages"),
    (#"{"max_tokens":5,"messages":[{"role":"user","content":[{"type":"x"}]}]}"#, "messages"),
    (
      #"{"max_tokens":5,"messages":[{"role":"user","content":[{"type":"image","source":"#
        + #"{"type":"file","file_id":"f"}}]}]}"#, "messages"
    ),
    (#"{"max_tokens":5,"system":[1],"messages":[]}"#, "system"),
    (#"{"max_tokens":5,"temperature":"hot","messages":[]}"#, "temperature"),
    (#"{"max_tokens":5,"tools":[{"name":""}],"messages":[]}"#, "tools"),
    (#"{"max_tokens":5,"tool_choice":{"type":"tool"},"messages":[]}"#, "tool_choice"),
  ])
  func refusesWhatIsWrong(_ body: String, _ field: String) throws {
    let problem = #expect(throws: ChatProblem.self) {
      try AnthropicReader.read(try JSONDocument(ByteString(utf8: body)).root)
    }
    #expect(problem?.field.text == field)
    #expect(problem?.isOfDialect == false)
  }

  // Answers.

  @Test(arguments: ["tools", "thinking"])
  func keepsAnswers(_ name: String) throws {
    try fixture.checkResponse(
      name, model: "claude-sonnet-4-5-20250929", client: .anthropic, to: "vendor")
  }

  /// What Anthropic's own streams come to when they are read and written again.
  @Test(arguments: ["", "tools.", "thinking.", "noinput.", "error.midstream."])
  func keepsStreams(_ prefix: String) throws {
    let bytes = try fixture.bytes(prefix + "stream.vendor.txt")
    var expected = AnthropicStreamSum(String(decoding: bytes, as: UTF8.self))
    // What is left out on the way.
    expected.blocks.removeAll { $0.type == "redacted_thinking" }
    expected.usage["thinking_tokens"] = nil
    if !expected.errorType.isEmpty { expected.errorType = "api_error" }
    for cuts in DialectFixture.cuttings(bytes.count) {
      let text = fixture.stream(
        bytes, cuts: cuts, model: "claude-sonnet-4-5-20250929", client: .anthropic)
      #expect(AnthropicStreamSum(text) == expected, "cut at \(cuts.prefix(4))")
    }
  }

  @Test(arguments: ["", "tools."])
  func writesStreamsOfOpenAIVendors(_ prefix: String) throws {
    let vendor = DialectFixture("openai", .openAI)
    let bytes = try vendor.bytes(prefix + "stream.vendor.txt")
    let source = OpenAIStreamSum(String(decoding: bytes, as: UTF8.self))
    let text = vendor.stream(bytes, cuts: [], model: "m", client: .anthropic)
    let sum = AnthropicStreamSum(text)
    #expect(sum.faults == [])
    #expect(sum.isStopped)
    #expect(sum.id.hasPrefix("msg_"))
    #expect(sum.model == "m")
    #expect(sum.blocks.filter { $0.type == "text" }.map(\.text).joined() == source.text)
    let calls = sum.blocks.filter { $0.type == "tool_use" }
    #expect(calls.map(\.name) == source.calls.sorted { $0.key < $1.key }.map(\.value.name))
    #expect(calls.map(\.text) == source.calls.sorted { $0.key < $1.key }.map(\.value.arguments))
    #expect(sum.stopReason == (calls.isEmpty ? "end_turn" : "tool_use"))
    #expect((sum.usage["output_tokens"] ?? 0) > 0)
  }

  private func written(_ events: [ChatEvent], estimate: Int64 = 0) -> AnthropicStreamSum {
    var facts = AnswerFacts()
    facts.model = "m"
    facts.idStem = "test"
    facts.promptEstimate = estimate
    let writer = AnthropicWriter(facts)
    let output = Buffer()
    for event in events { writer.write(event, to: output) }
    writer.end(to: output)
    return AnthropicStreamSum(output.byteString.text)
  }

  @Test func tellsThePromptsEstimateUntilTheVendorCounts() {
    let sum = written([.text("a"), .finish(.length)], estimate: 12)
    #expect(sum.usage["input_tokens"] == 12)
    #expect(sum.stopReason == "max_tokens")
    #expect(sum.id == "msg_test0001")
  }

  @Test func endsABlockWhereTheNextBegins() {
    let sum = written([
      .reasoning("r"), .reasoningSignature("s"), .text("a"),
      .toolCall(index: 0, id: "", name: "f", signature: ""), .text("b"), .refusal("no"),
      .finish(.stop),
    ])
    #expect(sum.faults == [])
    #expect(sum.blocks.map(\.type) == ["thinking", "text", "tool_use", "text"])
    #expect(sum.blocks[0].signature == "s")
    #expect(sum.blocks[2].id == "call_test0001")
    #expect(sum.blocks[3].text == "bno")
    #expect(sum.stopReason == "refusal")
  }

  @Test func putsMixedCallsIntoBlocksThatFollowOneAnother() {
    let sum = written([
      .toolCall(index: 0, id: "a", name: "f", signature: ""),
      .toolCall(index: 1, id: "b", name: "g", signature: ""), .arguments(index: 0, #"{"x":"#),
      .arguments(index: 1, #"{"y":2}"#), .text("t"), .arguments(index: 0, "1}"),
      .finish(.toolCalls),
    ])
    #expect(sum.faults == [])
    #expect(sum.blocks.map(\.type) == ["tool_use", "tool_use", "text"])
    #expect(
      sum.blocks.map(\.text) == [DialectFixture.text(["x": 1]), DialectFixture.text(["y": 2]), "t"])
  }

  @Test func givesClientsAnObjectWhateverTheModelWrote() throws {
    var answer = ChatAnswer()
    answer.toolCalls = [ChatToolCall(id: "i", name: "f", arguments: "{broken")]
    answer.finish = .toolCalls
    let output = Buffer()
    AnthropicWriter(AnswerFacts()).write(answer: answer, to: output)
    let root = try JSONDocument(output).root
    let input = root.member("content")?.element(0)?.member("input")
    #expect(input?.member("arguments")?.string == "{broken")
  }

  @Test(arguments: [
    (400, "invalid_request_error"), (401, "authentication_error"), (402, "billing_error"),
    (403, "permission_error"), (404, "not_found_error"), (413, "request_too_large"),
    (429, "rate_limit_error"), (500, "api_error"), (502, "api_error"), (503, "overloaded_error"),
    (504, "timeout_error"),
  ])
  func writesErrors(_ status: Int, _ type: String) throws {
    let output = Buffer()
    ClientDialect.anthropic.writeError(ClientError(status, "x", "c", "No \"luck\"."), output)
    let root = try JSONDocument(output).root
    #expect(root.member("type")?.string == "error")
    #expect(root.member("error")?.member("type")?.string?.text == type)
    #expect(root.member("error")?.member("message")?.string == "No \"luck\".")
  }
}
