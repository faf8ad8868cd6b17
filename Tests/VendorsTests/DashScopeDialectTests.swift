// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// DashScope's native protocol.
struct DashScopeDialectTests {
  let fixture = DialectFixture("dashscope", .dashScope, key: "sk-test-dashscope")

  private func message(_ model: String, more: String = "") -> String {
    #"{"model":"\#(model)","messages":[{"role":"user","content":"Hi"}]\#(more)}"#
  }

  @Test(arguments: ["chat", "stream", "tools", "image"])
  func writesRequests(_ name: String) throws { try fixture.checkRequest(name) }

  @Test func readsAnswers() throws {
    try fixture.checkResponse("chat", model: "qwen-plus")
    try fixture.checkResponse("tools", model: "qwen-plus")
    try fixture.checkResponse("image", model: "qwen-vl-plus")
  }

  @Test func readsStreams() throws {
    try fixture.checkStream(model: "qwen-plus")
    try fixture.checkStream("tools", model: "qwen-plus")
    try fixture.checkStream("reasoning", model: "qwen-plus")
  }

  @Test func judgesErrors() throws { try fixture.checkErrors() }

  @Test func choosesTheEndpointByTheBody() throws {
    let text = "/api/v1/services/aigc/text-generation/generation"
    let media = "/api/v1/services/aigc/multimodal-generation/generation"
    func path(_ request: String) throws -> String {
      try fixture.head(model: "any", body: fixture.encode(request)).path.text
    }
    #expect(try path(message("qwen-plus")) == text)
    #expect(try path(message("qwen3-max")) == text)
    #expect(try path(message("qwen3.6-max-preview")) == text)
    // What looks like parts, but is within a text or a schema.
    #expect(try path(message(#"x\",\"content\":["#)) == text)
    let tool =
      #","tools":[{"type":"function","function":{"name":"f","parameters":{"content":[]}}}]"#
    #expect(try path(message("qwen-plus", more: tool)) == text)
    for model in ["qwen-vl-max", "qvq-max", "qwen3-vl-plus", "qwen-audio-turbo", "qwen3.5-plus"] {
      #expect(try path(message(model)) == media, "\(model)")
    }
    let image = String(decoding: try fixture.bytes("image.request.openai.json"), as: UTF8.self)
    #expect(try path(image.replacingOccurrences(of: "qwen-vl-plus", with: "my-model")) == media)
  }

  @Test func writesTheHead() throws {
    #expect(
      try fixture.head(model: "qwen-plus").fields == "Authorization: Bearer sk-test-dashscope\r\n")
    let fields = try fixture.head(model: "qwen-plus", isStream: true).fields.text
    #expect(fields.contains("\r\nAccept: text/event-stream\r\nX-DashScope-SSE: enable\r\n"))
    var below = fixture
    below.facts.basePath = "/proxy/api/v1"
    below.facts.config = ["workspace": "ws-1"]
    let head = try below.head(model: "qwen-plus")
    #expect(head.path == "/proxy/api/v1/services/aigc/text-generation/generation")
    #expect(head.fields.text.hasSuffix("\r\nX-DashScope-WorkSpace: ws-1\r\n"))
  }

  @Test func bringsNumbersIntoRange() throws {
    let sent = try fixture.encode(message("qwen-plus", more: #","top_p":1,"temperature":2"#))
    #expect(sent.contains(#""temperature":1.9999"#) && sent.contains(#""top_p":0.9999"#))
    let kept = try fixture.encode(message("qwen-plus", more: #","top_p":0.99,"temperature":1.5"#))
    #expect(kept.contains(#""temperature":1.5,"top_p":0.99"#))
  }

  @Test func writesThinking() throws {
    func sent(_ effort: String) throws -> String {
      try fixture.encode(message("qwen-plus", more: #","reasoning_effort":"\#(effort)""#))
    }
    #expect(try sent("none").contains(#""enable_thinking":false}"#))
    #expect(try sent("low").contains(#""enable_thinking":true,"thinking_budget":1024}"#))
    #expect(try sent("xhigh").contains(#""enable_thinking":true}"#))
    // Open models would refuse answers that are no streams.
    #expect(try fixture.encode(message("qwen3-8b")).contains(#""enable_thinking":false"#))
    #expect(try !fixture.encode(message("qwen3-8b"), isStream: true).contains("enable_thinking"))
    #expect(
      try !fixture.encode(message("qwen3-30b-a3b-thinking-2507")).contains("enable_thinking"))
    #expect(try !fixture.encode(message("qwen3-max")).contains("enable_thinking"))
  }

  @Test func refusesWhatItCannotExpress() throws {
    for (more, field) in [
      (#","frequency_penalty":0.5"#, "frequency_penalty"), (#","n":2"#, "n"),
      (#","tools":[{"function":{"name":"f"}}],"tool_choice":"required""#, "tool_choice required"),
    ] {
      let problem = try #require(try fixture.problem(message("qwen-plus", more: more)))
      #expect(problem.field.text == field)
      #expect(problem.isOfDialect)
      #expect(problem.message.text.contains(field))
    }
    #expect(try fixture.problem(message("qwen-plus", more: #","frequency_penalty":0"#)) == nil)
  }

  @Test func readsTheOldTextForm() throws {
    let answer = try fixture.fold(
      answer: #"{"output":{"text":"Hi","finish_reason":"stop"},"usage":{"input_tokens":3}}"#)
    #expect(answer.textString == "Hi")
    #expect(answer.finish == .stop)
    #expect(answer.usage?.prompt == 3)
  }

  @Test func takesNoContentForNone() throws {
    let answer = fixture.fold(
      stream: """
        data:{"output":{"choices":[{"message":{"content":[]},"finish_reason":"null"}]}}

        data:{"output":{"choices":[{"message":{"content":[{"text":"A"}]},"finish_reason":""}]}}

        """)
    #expect(answer.textString == "A")
    #expect(answer.finish == nil)
  }

  @Test func tellsErrorsInsideAnswers() throws {
    let body = #"{"code":"Throttling.RateQuota","message":"slow down","request_id":"r"}"#
    let midstream = fixture.fold(
      stream: """
        id:1
        event:result
        :HTTP_STATUS/200
        data:{"output":{"choices":[{"message":{"content":"A"},"finish_reason":"null"}]}}

        id:2
        event:error
        :HTTP_STATUS/429
        data:\(body)

        """)
    #expect(midstream.textString == "A")
    #expect(midstream.failure?.action == .failover)
    #expect(midstream.failure?.message == "slow down")
    // Without framing, in the place of a stream.
    #expect(fixture.fold(stream: body).failure?.meaning == .tooManyRequests)
    #expect(try fixture.fold(answer: body).failure?.code == "Throttling.RateQuota")
  }

  @Test func readsCumulativeStreams() throws {
    var whole = fixture
    whole.facts.config = ["incremental_output": "false"]
    #expect(
      try whole.encode(message("qwen-plus"), isStream: true)
        .contains(#""incremental_output":false"#))
    func call(_ arguments: String) -> String {
      #"{"index":0,"id":"c","function":{"name":"f","arguments":"\#(arguments)"}}"#
    }
    func event(_ text: String, _ arguments: String) -> String {
      #"data:{"output":{"choices":[{"message":{"content":"\#(text)","reasoning_content":"R","#
        + #""tool_calls":[\#(call(arguments))]},"finish_reason":"null"}]}}"# + "\n\n"
    }
    let answer = whole.fold(
      stream: event("ha", "{") + event("haha", #"{\"a\""#) + event("haha東", #"{\"a\":1}"#))
    #expect(answer.textString == "haha東")
    #expect(answer.reasoning.byteString == "R")
    #expect(answer.toolCalls.map(\.arguments) == [#"{"a":1}"#])
    // The same events, understood as pieces.
    let pieces = fixture.fold(stream: event("ha", "{") + event("ha", "}"))
    #expect(pieces.textString == "haha")
  }

  @Test func comparesWholeScalars() {
    var text = CumulativeText()
    #expect(text.rest(of: "東") == "東")
    // 京 and 亰 have the same first byte and more.
    #expect(text.rest(of: "東京") == "京")
    #expect(text.rest(of: "東亰a") == "a")
    // Half a character, which the vendor tells as a replacement, is waited for.
    #expect(text.rest(of: "東亰a\u{FFFD}") == "")
    #expect(text.rest(of: "東亰aé") == "é")
    #expect(text.rest(of: "東亰") == "")
    #expect(text.rest(of: "東亰aéb") == "b")
  }
}
