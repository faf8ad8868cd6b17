// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Dify's applications.
struct DifyDialectTests {
  let fixture = DialectFixture("dify", .dify, key: "app-test")

  private func fixture(_ config: [ByteString: ByteString]) -> DialectFixture {
    var fixture = fixture
    fixture.facts.config = config
    return fixture
  }

  private let question = #"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#

  @Test(arguments: ["chat", "stream", "history", "image"])
  func writesRequests(_ name: String) throws { try fixture.checkRequest(name) }

  @Test func readsAnswers() throws { try fixture.checkResponse("chat", model: "my-dify-app") }

  @Test func readsStreams() throws {
    try fixture.checkStream(model: "my-dify-app")
    try fixture.checkStream("agent", model: "my-dify-app")
  }

  @Test func judgesErrors() throws { try fixture.checkErrors() }

  @Test func writesTheHead() throws {
    for (base, path): (ByteString, String) in [
      ("", "/v1/chat-messages"), ("/v1", "/v1/chat-messages"),
      ("/dify/v1", "/dify/v1/chat-messages"),
    ] {
      var below = fixture
      below.facts.basePath = base
      let head = try below.head(model: "m")
      #expect(head.path.text == path)
      #expect(head.fields == "Authorization: Bearer app-test\r\n")
    }
    #expect(
      try fixture(["app_type": "completion"]).head(model: "m").path == "/v1/completion-messages")
    #expect(try fixture(["app_type": "workflow"]).head(model: "m").path == "/v1/workflows/run")
  }

  @Test func givesOtherApplicationsTheTextAsAnInput() throws {
    #expect(
      try fixture(["app_type": "workflow", "input": "text"]).encode(question)
        == #"{"inputs":{"text":"Hi"},"response_mode":"blocking","user":"tinygateway"}"#)
    #expect(
      try fixture(["app_type": "completion"]).encode(question).hasPrefix(
        #"{"inputs":{"query":"Hi"}"#))
  }

  @Test func sendsTheLastQuestionOnlyWhenToldTo() throws {
    let text = String(decoding: try fixture.bytes("history.request.openai.json"), as: UTF8.self)
    #expect(
      try fixture(["history": "last"]).encode(text).contains(
        #""query":"And of Japan? Add the name in kanji.""#))
  }

  /// Agents refuse to answer at once.
  @Test func streamsForAgentsAlways() throws {
    #expect(Dialect.difyAgent.alwaysStreams && !Dialect.dify.alwaysStreams)
    let agent = DialectFixture("dify", .difyAgent)
    let answer = agent.fold(
      stream: String(decoding: try agent.bytes("agent.stream.vendor.txt"), as: UTF8.self))
    #expect(answer.textString == "Tokyo (東京).")
    #expect(answer.finish == .stop)
  }

  @Test func refusesToolsAndInlinePictures() throws {
    let tools = question.dropLast() + #","tools":[{"function":{"name":"f"}}]}"#
    #expect(try fixture.problem(String(tools))?.field == "tools")
    let image = String(
      decoding: try DialectFixture("dashscope", .dify).bytes("image.request.openai.json"),
      as: UTF8.self)
    #expect(try fixture.problem(image)?.field == "image_url")
    #expect(try fixture.problem(#"{"messages":[{"role":"user","content":""}]}"#) != nil)
  }

  @Test func tellsErrorsInTheMidst() throws {
    let answer = fixture.fold(
      stream: String(decoding: try fixture.bytes("error.midstream.vendor.txt"), as: UTF8.self))
    #expect(answer.textString == "The ")
    #expect(answer.failure?.action == .retry)
    #expect(answer.failure?.message == "model failed")
    #expect(answer.finish == nil)
    // A body in the place of a stream.
    let body = #"{"code":"unauthorized","message":"no","status":401}"#
    #expect(fixture.fold(stream: body).failure?.action == .disable)
    #expect(try fixture.fold(answer: body).failure?.action == .disable)
  }

  @Test func appendsWhatReplacesATextThatWasTold() {
    let replace = #"data: {"event":"message_replace","message_id":"m","answer":"Refused."}"#
    let end = #"data: {"event":"message_end","message_id":"m","metadata":{}}"#
    let told = #"data: {"event":"message","message_id":"m","answer":"Bad"}"#
    let late = fixture.fold(stream: [told, replace, end, ""].joined(separator: "\n\n"))
    #expect(late.textString == "Bad\n\nRefused." && late.finish == .contentFilter)
    let early = fixture.fold(stream: [replace, end, ""].joined(separator: "\n\n"))
    #expect(early.textString == "Refused." && early.finish == .contentFilter)
  }

  @Test func readsWorkflows() throws {
    let workflow = fixture(["app_type": "workflow"])
    let run = #"{"id":"r","status":"succeeded","outputs":{"n":1,"summary":"A"},"total_tokens":9}"#
    let whole = try workflow.fold(
      answer: #"{"workflow_run_id":"run-1","task_id":"t","data":\#(run)}"#)
    #expect(whole.textString == "A" && whole.id == "run-1" && whole.finish == .stop)
    #expect(whole.usage?.completion == 9)
    let pieces = [
      #"data: {"event":"workflow_started","workflow_run_id":"run-1","data":{"created_at":7}}"#,
      #"data: {"event":"text_chunk","workflow_run_id":"run-1","data":{"text":"A"}}"#,
      #"data: {"event":"node_finished","workflow_run_id":"run-1","data":{"outputs":{"text":"B"}}}"#,
      #"data: {"event":"workflow_finished","workflow_run_id":"run-1","data":\#(run)}"#, "",
    ]
    let stream = workflow.fold(stream: pieces.joined(separator: "\n\n"))
    #expect(stream.textString == "A" && stream.id == "run-1" && stream.created == 7)
    #expect(stream.finish == .stop)
    let failed = try workflow.fold(
      answer: #"{"workflow_run_id":"r","data":{"status":"failed","error":"node 3"}}"#)
    #expect(failed.failure?.message == "node 3" && failed.finish == nil)
  }
}
