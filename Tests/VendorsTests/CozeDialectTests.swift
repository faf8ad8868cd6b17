// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Vendors

/// Coze's bots.
struct CozeDialectTests {
  private static let model: ByteString = "bot-7300000000000000001"
  let fixture = DialectFixture("coze", .coze, key: "pat_test")

  private func event(_ name: String, _ data: String) -> String {
    "event:\(name)\ndata:\(data)\n\n"
  }

  @Test(arguments: ["stream", "image"])
  func writesRequests(_ name: String) throws { try fixture.checkRequest(name) }

  /// Whole answers are asked for as streams as well.
  @Test func writesTheSameForWholeAnswers() throws {
    #expect(fixture.dialect.alwaysStreams)
    let request = try fixture.request("chat.request.openai.json")
    let streamed = try fixture.request("stream.request.openai.json")
    #expect(try fixture.encode(request) == fixture.encode(streamed))
  }

  @Test func readsStreams() throws { try fixture.checkStream(model: CozeDialectTests.model) }

  @Test func putsAnswersTogether() throws {
    try fixture.checkFolded(
      "stream.vendor.txt", response: "chat.response.openai.json", model: CozeDialectTests.model)
  }

  @Test func judgesErrors() throws { try fixture.checkErrors() }

  @Test func writesTheHead() throws {
    let head = try fixture.head(model: CozeDialectTests.model)
    #expect(head.path == "/v3/chat")
    #expect(head.fields == "Authorization: Bearer pat_test\r\n")
  }

  @Test func findsTheBot() throws {
    func bot(_ model: String, _ config: [ByteString: ByteString] = [:]) throws -> String {
      var fixture = fixture
      fixture.facts.config = config
      let body = try fixture.encode(
        #"{"model":"\#(model)","messages":[{"role":"user","content":"Hi"}]}"#)
      return String(body.prefix { $0 != "," })
    }
    #expect(try bot("bot-12") == #"{"bot_id":"12""#)
    #expect(try bot("12") == #"{"bot_id":"12""#)
    #expect(try bot("helper", ["bot_id": "34"]) == #"{"bot_id":"34""#)
    #expect(throws: ChatProblem.self) { try bot("helper") }
  }

  @Test func makesAMessageOfASystemTextAlone() throws {
    let body = try fixture.encode(
      #"{"model":"bot-1","messages":[{"role":"system","content":"S"}]}"#)
    #expect(
      body.contains(#"[{"role":"user","type":"question","content":"S","content_type":"text"}]"#))
  }

  @Test func refusesTools() throws {
    let request = #"{"model":"bot-1","messages":[{"role":"user","content":"a"}],"stop":"x"}"#
    #expect(try fixture.problem(request)?.field == "stop")
  }

  @Test func readsThoughtsAndLeavesOtherMessagesOut() {
    let answer = fixture.fold(
      stream: event("conversation.chat.created", #"{"id":"c","created_at":5}"#)
        + event(
          "conversation.message.delta",
          #"{"id":"m","chat_id":"c","type":"answer","content":"","reasoning_content":"hm"}"#)
        + event("conversation.message.delta", #"{"id":"m","type":"function_call","content":"x"}"#)
        + event("conversation.message.completed", #"{"id":"n","type":"tool_output","content":"y"}"#)
        + event("conversation.surprise", #"{"content":"z"}"#)
        + event("conversation.message.delta", #"{"id":"m","type":"answer","content":"A"}"#)
        + event("conversation.message.completed", #"{"id":"m","type":"answer","content":"A"}"#)
        + event("conversation.chat.completed", #"{"id":"c","usage":{"input_count":3}}"#)
        + event("done", #""[DONE]""#))
    #expect(answer.textString == "A")
    #expect(answer.reasoning.byteString == "hm")
    #expect(answer.id == "c" && answer.created == 5)
    #expect(answer.finish == .stop && answer.usage?.prompt == 3)
  }

  @Test func takesAnswersThatComeWholeOnly() {
    let answer = fixture.fold(
      stream: event(
        "conversation.message.completed", #"{"id":"m","chat_id":"c","type":"answer","content":"A"}"#
      )
        + event("conversation.chat.completed", #"{"id":"c"}"#))
    #expect(answer.textString == "A" && answer.id == "c" && answer.finish == .stop)
  }

  @Test func tellsErrorsWhereverTheyCome() throws {
    let body = #"{"code":4013,"msg":"too often"}"#
    for answer in [
      fixture.fold(stream: body), try fixture.fold(answer: body),
      fixture.fold(stream: event("error", body)),
      fixture.fold(
        stream: event("conversation.chat.failed", #"{"id":"c","last_error":\#(body)}"#)),
    ] {
      #expect(answer.failure?.action == .failover)
      #expect(answer.failure?.message == "too often")
      #expect(answer.finish == nil)
    }
    let action = fixture.fold(stream: event("conversation.chat.requires_action", #"{"id":"c"}"#))
    #expect(action.failure?.action == .client)
  }
}
