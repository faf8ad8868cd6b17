// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import Vendors

/// AWS Bedrock's Converse API.
struct BedrockDialectTests {
  private static let model: ByteString = "anthropic.claude-sonnet-4-5-20250929-v1:0"
  private let fixture: DialectFixture

  init() {
    var fixture = DialectFixture(
      "bedrock", .bedrockConverse,
      key: "AKIDEXAMPLE|wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY|us-east-1")
    fixture.facts.authority = "bedrock-runtime.us-east-1.amazonaws.com"
    self.fixture = fixture
  }

  @Test func signsCalls() throws {
    let vector = try #require(try fixture.json("sign.json") as? [String: Any])
    let signature = try #require(vector["signature"] as? String)
    let body = try #require(vector["body"] as? String)
    var other = fixture
    for key: ByteString in [
      fixture.facts.key, ByteString(Array(fixture.facts.key.bytes.dropLast(10))),
    ] {
      other.facts.key = key  // with its region, and with the host's
      let head = try other.head(model: Self.model, body: body)
      #expect(head.path == "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse")
      #expect(head.fields.starts(with: "X-Amz-Date: 20231114T221320Z\r\nAuthorization: AWS4-"))
      #expect(head.fields.text.hasSuffix("Signature=\(signature)\r\n"))
    }
    let stream = try fixture.head(model: "arn:aws:bedrock:a/b", isStream: true)
    #expect(stream.path == "/model/arn%3Aaws%3Abedrock%3Aa%2Fb/converse-stream")
  }

  @Test func sendsAPIKeysAsTheyAre() throws {
    var other = fixture
    other.facts.key = "bedrock-api-key-x"
    #expect(
      try other.head(model: "m").fields == "Authorization: Bearer bedrock-api-key-x\r\n")
    other.facts.key = "a|b"
    other.facts.authority = "proxy.example"
    #expect(throws: ChatProblem.self) { try other.head(model: "m") }
    other.facts.config["region"] = "eu-west-3"
    #expect(try other.head(model: "m").fields.text.contains("/eu-west-3/bedrock/aws4_request"))
  }

  @Test(arguments: ["chat", "stream", "tools", "image"])
  func writesRequests(_ name: String) throws { try fixture.checkRequest(name) }

  @Test func readsAnswers() throws {
    try fixture.checkResponse("chat", model: Self.model)
    try fixture.checkResponse("tools", model: Self.model)
  }

  @Test func readsStreams() throws {
    try fixture.checkStream(model: Self.model, file: "stream.vendor.bin")
    try fixture.checkStream("tools", model: Self.model, file: "tools.stream.vendor.bin")
  }

  /// A stream that is cut, altered or ends early never ends as a clean one.
  @Test func neverEndsABrokenStreamCleanly() throws {
    let bytes = try fixture.bytes("stream.vendor.bin")
    var ends: Set<Int> = []
    var end = 0
    while end < bytes.count {
      end += Int(bytes[end + 2]) << 8 | Int(bytes[end + 3])
      ends.insert(end)
    }
    #expect(ends.count == 8)
    for count in 1..<bytes.count {
      let sum = OpenAIStreamSum(fixture.stream(Array(bytes[..<count]), cuts: [], model: "m"))
      #expect(sum.hasError == !ends.contains(count))
      var altered = bytes
      altered[count] ^= 0x40
      let other = OpenAIStreamSum(fixture.stream(altered, cuts: [count], model: "m"))
      #expect(other.hasError && !other.isDone)
    }
  }

  private func events(_ bytes: [[UInt8]]) -> [String] {
    let framer = StreamFraming.amazonEvents.makeFramer()
    var frames: [StreamEvent] = []
    #expect(bytes.allSatisfy { framer.read($0.span, into: &frames) })
    return fixture.decoded(frames)
  }

  @Test func reportsExceptionsInTheMidst() {
    let start = AmazonEvents.event("messageStart", #"{"role":"assistant"}"#)
    for (type, expected) in [
      ("throttlingException", "failover tooManyRequests"),
      ("modelStreamErrorException", "retry broken"), ("internalServerException", "retry broken"),
      ("serviceUnavailableException", "retry overloaded"),
      ("validationException", "client unspecified"), ("somethingNew", "retry broken"),
    ] {
      #expect(
        events([start, AmazonEvents.exception(type, "why")]) == [
          "start  0", "failure \(type) \(expected): why",
        ])
    }
    #expect(
      events([AmazonEvents.exception("validationException", "Input is too long.")]) == [
        "failure validationException client contextTooLong: Input is too long."
      ])
  }

  @Test func readsThoughtsAndIgnoresTheUnknown() {
    #expect(
      events([
        AmazonEvents.event("messageStart", #"{"role":"assistant","p":"abc"}"#),
        AmazonEvents.event(
          "contentBlockDelta",
          #"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}"#),
        AmazonEvents.event(
          "contentBlockDelta",
          #"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"s1"}}}"#),
        AmazonEvents.event(
          "contentBlockDelta",
          #"{"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"x"}}}"#),
        AmazonEvents.event("newEvent", "{}"),
        AmazonEvents.event("messageStop", #"{"stopReason":"guardrail_intervened"}"#),
      ]) == ["start  0", "reasoning hm", "seal s1", "finish contentFilter"])
  }

  @Test func judgesErrors() throws { try fixture.checkErrors() }

  @Test func judgesWhatIsMissingOrSpent() {
    func judge(_ status: Int, _ message: String) -> String {
      let body = ByteString(utf8: #"{"message":"\#(message)"}"#)
      let answer = ErrorAnswer(status: status, body: body, format: Dialect.bedrockErrors)
      return "\(answer.action) \(answer.meaning)"
    }
    #expect(
      judge(400, "Invocation of model ID x with on-demand throughput isn\u{2019}t supported.")
        == "failover modelMissing")
    #expect(judge(400, "Your request exceeds the service quota.") == "disable accountEmpty")
    #expect(judge(404, "no such model") == "failover modelMissing")
    #expect(judge(408, "slow") == "retry timeout")
    #expect(judge(424, "broken") == "retry broken")
  }
}
