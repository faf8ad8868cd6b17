// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// OpenAI's Responses API for clients, in front of vendors of the chat format.
struct ResponsesDialectTests {
  let fixture = DialectFixture("responses", .openAI, base: "/v1")

  @Test(arguments: ["chat", "tools", "image", "json-schema"])
  func writesRequestsAsChat(_ name: String) throws {
    try fixture.checkRequest(name, client: .responses, from: "responses")
  }

  @Test(arguments: ["tools", "length"])
  func writesWholeAnswers(_ name: String) throws {
    try fixture.checkResponse(name, model: "gpt-4o", client: .responses, to: "responses")
  }

  @Test(arguments: [
    (#""previous_response_id":"resp_1""#, "previous_response_id"),
    (#""conversation":"conv_1""#, "conversation"),
    (#""background":true"#, "background"),
    (#""prompt":{"id":"p"}"#, "prompt"),
    (#""truncation":"auto""#, "truncation"),
    (
      #""include":["web_search_call.action.sources"]"#,
      "include with web_search_call.action.sources"
    ),
    (#""tools":[{"type":"web_search"}]"#, "tools with the type web_search"),
    (#""text":{"verbosity":"low"}"#, "text.verbosity"),
    (#""top_logprobs":2"#, "top_logprobs"),
  ])
  func namesWhatAChatCannotExpress(_ member: String, _ field: String) throws {
    let request = try read(#"{"model":"m","input":"x",\#(member)}"#)
    #expect(throws: ChatProblem.self) { try check(request) }
    do throws(ChatProblem) {
      try check(request)
    } catch {
      #expect(error.field.text == field)
      #expect(error.isOfDialect)
      #expect(error.message.text.contains(field))
    }
  }

  private func check(_ request: ChatRequest) throws(ChatProblem) {
    try request.check(
      writes: Dialect.openAI.writes, drops: Dialect.openAI.drops, vendor: "openai",
      names: ClientDialect.responses.fieldNames)
  }

  @Test func namesItemsThatAreUnknown() throws {
    let request = try read(
      #"{"model":"m","input":[{"role":"user","content":"x"},{"type":"item_reference","id":"a"}]}"#)
    #expect(request.unknownField == "input with items of the type item_reference")
  }

  @Test(arguments: [
    #"{"model":"m"}"#, #"{"model":"m","input":[]}"#,
    #"{"model":"m","input":[{"role":"robot","content":"x"}]}"#,
    #"{"model":"m","input":[{"role":"user","content":[{"type":"input_image","file_id":"f"}]}]}"#,
    #"{"model":"m","input":"x","text":{"format":{"type":"grammar"}}}"#,
    #"{"model":"m","input":"x","reasoning":{"effort":"huge"}}"#,
  ])
  func refusesWhatIsWrong(_ body: String) {
    #expect(throws: ChatProblem.self) { try read(body) }
  }

  @Test func keepsThoughtsAndTheirSeal() throws {
    let request = try read(
      #"""
      {"model":"m","input":[{"role":"user","content":"x"},
      {"type":"reasoning","summary":[{"type":"summary_text","text":"So."}],"encrypted_content":"S"},
      {"type":"function_call","call_id":"a","name":"f","arguments":"{}",
      "extra_content":{"google":{"thought_signature":"G"}}},
      {"type":"function_call_output","call_id":"a","output":"1"},
      {"type":"reasoning","summary":[]}]}
      """#)
    #expect(request.messages.count == 3)
    let turn = try #require(request.messages.dropFirst().first)
    #expect(turn.reasoning == "So.")
    #expect(turn.reasoningSignature == "S")
    #expect(turn.toolCalls.first?.signature == "G")
    #expect(request.messages.last?.toolName == "f")
  }

  private func read(_ body: String) throws -> ChatRequest {
    try ClientDialect.responses.read(try JSONDocument(ByteString(utf8: body)).root)
  }

  @Test func repeatsTheSettings() throws {
    var facts = AnswerFacts()
    facts.request = try fixture.request("tools.request.responses.json", .responses)
    let output = Buffer()
    ClientDialect.responses.makeWriter(facts).write(answer: ChatAnswer(), to: output)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(Array(output.readable))) as? [String: Any])
    #expect(object["parallel_tool_calls"] as? Bool == false)
    #expect((object["tool_choice"] as? [String: Any])?["name"] as? String == "get_weather")
    let tool = try #require((object["tools"] as? [[String: Any]])?.first)
    #expect(tool["name"] as? String == "get_weather")
    #expect(tool["strict"] as? Bool == true)
    #expect((object["reasoning"] as? [String: Any])?["effort"] as? String == "low")
  }

  // Streams.

  @Test func streamsItemsHoweverTheAnswerIsCut() throws {
    let bytes = try fixture.bytes("tools.stream.vendor.txt")
    let whole = try ResponsesStreamSum(
      fixture.stream(bytes, cuts: [], model: "gpt-4o", client: .responses))
    #expect(whole.problems == [])
    #expect(whole.last == "response.completed")
    #expect(whole.texts == ["Two calls.", "I look 東京.", #"{"city":"Oslo"}"#, "{}"])
    #expect(whole.types == ["reasoning", "message", "function_call", "function_call"])
    #expect(whole.outputTokens == 20)
    for cuts in DialectFixture.cuttings(bytes.count) {
      let seen = try ResponsesStreamSum(
        fixture.stream(bytes, cuts: cuts, model: "gpt-4o", client: .responses))
      #expect(seen == whole, "cut at \(cuts.prefix(4))")
    }
  }

  @Test func endsABrokenStreamWithAnError() throws {
    let bytes = try fixture.bytes("tools.stream.vendor.txt")
    let broken =
      Array(bytes.prefix(700)) + Array("\n\ndata: {\"error\":{\"message\":\"x\"}}\n\n".utf8)
    let seen = try ResponsesStreamSum(
      fixture.stream(broken, cuts: [], model: "gpt-4o", client: .responses))
    #expect(seen.problems == [])
    #expect(seen.last == "response.failed")
    #expect(seen.events.suffix(2).first == "error")
  }

  @Test func readsThatAnswersOfItsOwnAreComplete() throws {
    let written = fixture.stream(
      try fixture.bytes("tools.stream.vendor.txt"), cuts: [], model: "gpt-4o", client: .responses)
    var own = fixture
    own = DialectFixture("responses", .responses)
    let framer = own.dialect.framing.makeFramer()
    let decoder = own.dialect.makeDecoder(own.facts)
    var frames: [StreamEvent] = []
    var events: [ChatEvent] = []
    let bytes = Array(written.utf8)
    #expect(framer.read(bytes.span, into: &frames))
    for frame in frames { decoder.read(frame, into: &events) }
    var answer = ChatAnswer()
    for event in events { answer.add(event) }
    #expect(answer.finish == .stop)
    #expect(answer.usage == ChatUsage(prompt: 30, completion: 20))
    #expect(answer.text.byteString.text.contains("I look 東京."))
  }

  @Test(arguments: [
    (
      #"{"id":"r","status":"completed","error":null,"output":[],"usage":{"input_tokens":3,"#
        + #""output_tokens":4}}"#, 7
    ),
    (#"{"id":"r","status":"queued","output":[]}"#, 0),
  ])
  func readsWholeAnswersOfItsOwn(_ body: String, _ tokens: Int64) throws {
    var events: [ChatEvent] = []
    let decoder = Dialect.responses.makeDecoder(CallFacts())
    decoder.read(answer: try JSONDocument(ByteString(utf8: body)).root, into: &events)
    var answer = ChatAnswer()
    for event in events { answer.add(event) }
    #expect(answer.finish != nil)
    #expect((answer.usage?.prompt ?? 0) + (answer.usage?.completion ?? 0) == tokens)
  }

  @Test func readsFailuresOfItsOwn() throws {
    let body = #"{"id":"r","status":"failed","error":{"code":"server_error","message":"no"}}"#
    var events: [ChatEvent] = []
    let decoder = Dialect.responses.makeDecoder(CallFacts())
    decoder.read(answer: try JSONDocument(ByteString(utf8: body)).root, into: &events)
    var answer = ChatAnswer()
    for event in events { answer.add(event) }
    #expect(answer.failure?.message == "no")
    #expect(answer.finish == nil)
  }
}
