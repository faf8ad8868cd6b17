// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import Vendors

/// Tencent Hunyuan's own API.
struct HunyuanDialectTests {
  private let fixture: DialectFixture

  init() {
    var fixture = DialectFixture(
      "hunyuan", .hunyuanNative, key: "AKIDTESTTESTTESTTEST|TestSecretKeyForUnitTest")
    fixture.facts.authority = "hunyuan.tencentcloudapi.com"
    self.fixture = fixture
  }

  @Test func signsCalls() throws {
    let vector = try #require(try fixture.json("sign.json") as? [String: Any])
    let variants = try #require(vector["variants"] as? [[String: Any]])
    let signature = try #require(variants[0]["signature"] as? String)
    let head = try fixture.head(
      model: "hunyuan-turbos-latest", body: try #require(vector["body"] as? String))
    #expect(head.path == "/" && !head.isGet && !head.isWebSocket)
    let lines = head.fields.text.components(separatedBy: "\r\n")
    #expect(
      lines.dropLast(2) == [
        "X-TC-Version: 2023-09-01", "X-TC-Action: ChatCompletions", "X-TC-Timestamp: 1700000000",
      ])
    #expect(lines[3].hasSuffix("Signature=" + signature) && lines[4].isEmpty)
    var other = fixture
    other.facts.config["region"] = "ap-guangzhou"
    let fields = try other.head(model: "m").fields.text
    #expect(fields.contains("X-TC-Region: ap-guangzhou\r\n"))
    other.facts.key = "one"
    #expect(throws: ChatProblem.self) { try other.head(model: "m") }
  }

  @Test(arguments: ["chat", "stream", "tools", "image"])
  func writesRequests(_ name: String) throws { try fixture.checkRequest(name) }

  @Test func writesChoicesOfTools() throws {
    func choice(_ text: String) throws -> [String: Any] {
      try fixture.encoded(
        #"""
        {"model":"m","messages":[{"role":"user","content":"x"}],"tool_choice":\#(text),
        "tools":[{"type":"function","function":{"name":"f","parameters":{ "a" : "b c" }}}]}
        """#)
    }
    #expect(try choice(#""none""#)["ToolChoice"] as? String == "none")
    #expect(try choice(#""required""#)["ToolChoice"] as? String == "auto")
    let named = try choice(#"{"type":"function","function":{"name":"f"}}"#)
    #expect(named["ToolChoice"] as? String == "custom")
    let function = (named["CustomTool"] as? [String: Any])?["Function"] as? [String: String]
    #expect(function == ["Name": "f", "Parameters": #"{"a":"b c"}"#])
  }

  @Test func leavesLimitsOutAndRefusesTheRest() throws {
    let start = #"{"model":"m","messages":[{"role":"user","content":"x"}],"#
    let body = try fixture.encoded(start + #""max_tokens":5,"stop":"a","seed":7}"#)
    #expect(body.keys.sorted() == ["Messages", "Model", "Seed", "Stop", "Stream"])
    #expect(try fixture.refusal(start + #""logprobs":true}"#)?.contains("logprobs") == true)
    #expect(
      try fixture.refusal(start + #""response_format":{"type":"json_object"}}"#)?.contains(
        "response_format") == true)
  }

  @Test func readsAnswers() throws {
    try fixture.checkResponse("chat", model: "hunyuan-turbos-latest")
    try fixture.checkResponse("tools", model: "hunyuan-functioncall")
  }

  @Test func readsStreams() throws {
    try fixture.checkStream(model: "hunyuan-turbos-latest")
    try fixture.checkStream("tools", model: "hunyuan-functioncall")
  }

  @Test func reportsErrorsInTheMidst() throws {
    let bytes = try fixture.bytes("error.midstream.vendor.txt")
    let expected = OpenAIStreamSum(
      String(decoding: try fixture.bytes("error.midstream.openai.txt"), as: UTF8.self))
    for cuts in DialectFixture.cuttings(bytes.count) {
      let seen = fixture.stream(bytes, cuts: cuts, model: "hunyuan-turbos-latest")
      #expect(OpenAIStreamSum(seen) == expected)
    }
  }

  @Test func tellsCallsApartByIDWhereThereIsNoIndex() {
    func event(_ calls: String) -> StreamEvent {
      StreamEvent(
        data: ByteString(utf8: #"{"Id":"i","Choices":[{"Delta":{"ToolCalls":[\#(calls)]}}]}"#))
    }
    #expect(
      fixture.decoded([
        event(#"{"Id":"a","Function":{"Name":"f","Arguments":"{"}}"#),
        event(#"{"Id":"a","Function":{"Arguments":"}"}},{"Id":"b","Function":{"Name":"g"}}"#),
        event(#"{"Id":"","Function":{"Arguments":"{}"}}"#),
        StreamEvent(data: #"{"Choices":[{"Delta":{},"FinishReason":"sensitive"}]}"#),
      ]) == [
        "start i 0", "call 0 a f", "arguments 0 {", "arguments 0 }", "call 1 b g",
        "arguments 1 {}", "finish contentFilter",
      ])
  }

  @Test func judgesErrors() throws { try fixture.checkErrors() }

  @Test func judgesFamiliesOfCodes() {
    func action(_ code: String) -> String {
      let body = ByteString(utf8: #"{"Response":{"Error":{"Code":"\#(code)","Message":"m"}}}"#)
      let answer = ErrorAnswer(status: 200, body: body, format: Dialect.hunyuanErrors)
      return "\(answer.action) \(answer.meaning)"
    }
    #expect(action("AuthFailure.SecretIdNotFound") == "disable keyRefused")
    #expect(action("RequestLimitExceeded.UinLimitExceeded") == "failover tooManyRequests")
    #expect(action("ResourceUnavailable.LowBalance") == "disable accountEmpty")
    #expect(action("InvalidParameter.Something") == "client unspecified")
    #expect(action("InvalidParameterValue.Model") == "failover modelMissing")
    #expect(action("FailedOperation.EngineServerError") == "retry broken")
    #expect(action("AuthFailur") == "retry broken")
  }
}
