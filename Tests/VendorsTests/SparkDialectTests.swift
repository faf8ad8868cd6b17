// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import Vendors

/// iFlytek Spark's WebSocket.
struct SparkDialectTests {
  private let fixture: DialectFixture

  init() {
    var fixture = DialectFixture(
      "spark-ws", .sparkSocket, key: "testappid|test-api-secret|test-api-key")
    fixture.facts.authority = "spark-api.xf-yun.com"
    self.fixture = fixture
  }

  @Test func signsTheCallsAddress() throws {
    let head = try fixture.head(model: "Spark-Max")
    let sample = String(decoding: try fixture.bytes("upstream.http.txt"), as: UTF8.self)
    let address = try #require(sample.split(separator: "\n").first { $0.hasPrefix("wss://") })
    #expect("wss://spark-api.xf-yun.com" + head.path.text == String(address))
    #expect(head.isWebSocket && head.isGet && head.fields.isEmpty)
  }

  @Test func findsPathsOfModels() throws {
    for (model, path) in [
      ("spark-lite", "/v1.1/chat?"), ("generalv3", "/v3.1/chat?"), ("Spark-X1", "/v1/x1?"),
      ("SparkDesk-v4.0", "/v4.0/chat?"), ("pro-128k", "/chat/pro-128k?"),
    ] {
      #expect(try fixture.head(model: ByteString(utf8: model)).path.text.hasPrefix(path))
    }
    #expect(throws: ChatProblem.self) { try fixture.head(model: "gpt-4o") }
    var other = fixture
    other.facts.basePath = "/v5/chat"
    #expect(try other.head(model: "spark-next").path.text.hasPrefix("/v5/chat?"))
  }

  @Test func tellsAnUnusableKeyWithoutShowingIt() throws {
    var other = fixture
    other.facts.key = "hidden|secret"
    do {
      _ = try other.head(model: "Spark-Max")
      Issue.record("a key of two parts was taken")
    } catch let problem as ChatProblem {
      #expect(problem.isOfDialect && !problem.message.text.contains("hidden"))
    }
  }

  @Test(arguments: ["chat", "tools"])
  func writesRequests(_ name: String) throws { try fixture.checkRequest(name) }

  @Test func writesTheSameForStreams() throws {
    let stream = try fixture.encode(try fixture.request("stream.request.openai.json"))
    let chat = try fixture.encode(try fixture.request("chat.request.openai.json"))
    #expect(stream == chat)
  }

  private func text(_ request: String) throws -> [[String: String]] {
    let payload = try fixture.encoded(request)["payload"] as? [String: Any]
    let message = payload?["message"] as? [String: Any]
    return try #require(message?["text"] as? [[String: String]])
  }

  @Test func foldsCallsAndResultsIntoText() throws {
    let turns = try text(
      #"""
      {"model":"Spark-Max","messages":[{"role":"user","content":"Weather?"},
      {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",
      "function":{"name":"look","arguments":"{\"a\":1}"}}]},
      {"role":"tool","tool_call_id":"c","content":"sunny"},{"role":"user","content":"So?"}]}
      """#)
    #expect(
      turns == [
        ["role": "user", "content": "Weather?"],
        ["role": "assistant", "content": #"Call of look with {"a":1}"#],
        ["role": "user", "content": "Result of look: sunny\nSo?"],
      ])
  }

  @Test func givesSmallModelsTheSystemsTextAsTheUsers() throws {
    let turns = try text(
      #"""
      {"model":"Spark-Lite","messages":[{"role":"system","content":"Be short."},
      {"role":"user","content":"Hello"}]}
      """#)
    #expect(turns == [["role": "user", "content": "Be short.\nHello"]])
    let tools = #"[{"type":"function","function":{"name":"f"}}]"#
    let refusal = try fixture.refusal(
      #"{"model":"Spark-Lite","messages":[{"role":"user","content":"x"}],"tools":\#(tools)}"#)
    #expect(refusal?.contains("tools") == true)
  }

  @Test func bringsNumbersIntoRange() throws {
    func chat(_ members: String) throws -> [String: Any]? {
      let request = #"{"model":"Spark-Max","messages":[{"role":"user","content":"x"}],\#(members)}"#
      let parameter = try fixture.encoded(request)["parameter"] as? [String: Any]
      return parameter?["chat"] as? [String: Any]
    }
    #expect(try chat(#""temperature":0"#)?["temperature"] as? Double == 0.01)
    #expect(try chat(#""temperature":1.7"#)?["temperature"] as? Double == 1)
    #expect(try chat(#""temperature":0.70"#)?["temperature"] as? Double == 0.7)
    #expect(try chat(#""max_tokens":100000"#)?["max_tokens"] as? Int == 8192)
    #expect(try chat(#""top_p":0.5,"seed":1"#)?.keys.sorted() == ["domain"])
  }

  @Test func refusesWhatItCannotExpress() throws {
    let start = #"{"model":"Spark-Max","messages":[{"role":"user","content":"#
    let tools = #""tools":[{"type":"function","function":{"name":"f"}}]"#
    for (rest, field) in [
      (#""x"}],"n":2}"#, "n"), (#""x"}],"logprobs":true}"#, "logprobs"),
      (#""x"}],\#(tools),"tool_choice":"required"}"#, "tool_choice"),
      (#"[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]}"#, "image_url"),
      (#""x"}],"response_format":{"type":"json_object"}}"#, "response_format"),
    ] {
      #expect(try fixture.refusal(start + rest)?.contains(field) == true, "\(field)")
    }
  }

  @Test func shortensLongUserNames() throws {
    let name = String(repeating: "u", count: 33)
    let body = try fixture.encoded(
      #"{"model":"Spark-Max","user":"\#(name)","messages":[{"role":"user","content":"x"}]}"#)
    let uid = (body["header"] as? [String: Any])?["uid"] as? String
    #expect(uid?.count == 32 && uid?.contains("u") == false)
  }

  @Test func readsAnswers() throws {
    try fixture.checkResponse("chat", model: "Spark-Max")
    try fixture.checkResponse("tools", model: "Spark-Max")
  }

  @Test func readsStreams() throws {
    for name in ["", "tools."] {
      let sample = String(decoding: try fixture.bytes("\(name)stream.vendor.txt"), as: UTF8.self)
      let frames = sample.split(separator: "\n").map { Array($0.utf8) }
      let ends = frames.reduce(into: [Int]()) { $0.append(($0.last ?? 0) + $1.count) }
      let seen = fixture.stream(
        Array(frames.joined()), cuts: ends.dropLast(), model: "Spark-Max")
      let expected = String(
        decoding: try fixture.bytes("\(name)stream.openai.txt"), as: UTF8.self)
      #expect(OpenAIStreamSum(seen) == OpenAIStreamSum(expected))
    }
  }

  private func frame(_ code: Int, _ text: String?, status: Int = 1) -> StreamEvent {
    let choices = text.map { #","payload":{"choices":{"status":1,"text":[{"content":"\#($0)"}]}}"# }
    return StreamEvent(
      data: ByteString(
        utf8: #"{"header":{"code":\#(code),"message":"why","sid":"s","status":\#(status)}"#
          + (choices ?? "") + "}"))
  }

  @Test func tellsRefusedAnswersFromRefusedPrompts() {
    #expect(
      fixture.decoded([frame(10014, nil, status: 2)]) == [
        "failure 10014 client contentRefused: why"
      ])
    #expect(
      fixture.decoded([frame(0, "Hel"), frame(10014, nil, status: 2)]) == [
        "start s 0", "text Hel", "finish contentFilter",
      ])
    #expect(
      fixture.decoded([frame(10019, "Hel", status: 2)]) == [
        "start s 0", "text Hel", "finish contentFilter",
      ])
  }

  @Test func reportsErrorsInTheMidst() {
    #expect(
      fixture.decoded([frame(0, "Hel"), frame(10012, nil, status: 2)]) == [
        "start s 0", "text Hel", "failure 10012 retry broken: why",
      ])
    #expect(fixture.decoded([StreamEvent(data: "[]")]) == [])
  }

  @Test func judgesErrors() throws { try fixture.checkErrors() }
}
