// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Answers in the form in which Google's clients read them.
struct GeminiWriterTests {
  private let client = ClientDialect.gemini

  private func expect(
    _ seen: Any?, _ expected: String, _ location: SourceLocation = #_sourceLocation
  ) throws {
    try DialectFixture.expect(seen, is: expected, location)
  }

  private func facts() -> AnswerFacts {
    var facts = AnswerFacts()
    facts.model = "gemini-2.5-flash"
    facts.idStem = "test"
    return facts
  }

  /// What a client gets of OpenAI's sample.
  private func answer(_ name: String) throws -> [String: Any] {
    let root = try JSONDocument(
      ByteString(try DialectFixture("gemini", .openAI).bytes("\(name).response.openai.json"))
    ).root
    var events: [ChatEvent] = []
    OpenAIDecoder().read(answer: root, into: &events)
    var answer = ChatAnswer()
    for event in events { answer.add(event) }
    let output = Buffer()
    client.makeWriter(facts()).write(answer: answer, to: output)
    let value = try JSONSerialization.jsonObject(with: Data(Array(output.readable)))
    return try #require(value as? [String: Any])
  }

  @Test func writesAnswers() throws {
    try expect(
      try answer("thinking"),
      #"{"candidates":[{"content":{"parts":[{"text":"The user greets.","thought":true},"#
        + #"{"text":"Hello!"}],"role":"model"},"finishReason":"STOP","index":0}],"#
        + #""usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":2,"totalTokenCount":17,"#
        + #""thoughtsTokenCount":5,"cachedContentTokenCount":3},"modelVersion":"gemini-2.5-flash","#
        + #""responseId":"chatcmpl-respTest0011"}"#)
    let tools = try answer("tools")
    let candidate = try #require((tools["candidates"] as? [[String: Any]])?.first)
    #expect(candidate["finishReason"] as? String == "STOP")
    try expect(
      candidate["content"],
      #"{"parts":[{"functionCall":{"id":"call_test0001","name":"get_weather","#
        + #""args":{"city":"Rome","unit":"celsius"}}}],"role":"model"}"#)
    let cut = try answer("maxtokens-no-content")
    #expect(
      (cut["candidates"] as? [[String: Any]])?.first?["finishReason"] as? String == "MAX_TOKENS")
  }

  private let events: [ChatEvent] = [
    .start(id: "r1", created: 0), .reasoning("hm"), .text("a\nb"), .text(""),
    .toolCall(index: 0, id: "c", name: "f", signature: "s"), .arguments(index: 0, #"{"k""#),
    .arguments(index: 0, ":1}"), .finish(.toolCalls),
    .usage(ChatUsage(prompt: 3, completion: 2)),
  ]

  private let pieces = [
    #"{"text":"hm","thought":true}"#, #"{"text":"a\nb"}"#,
    #"{"functionCall":{"id":"c","name":"f","args":{"k":1}},"thoughtSignature":"s"}"#,
  ]

  private func check(_ seen: [[String: Any]], _ location: SourceLocation) throws {
    #expect(seen.count == 3, sourceLocation: location)
    for (piece, part) in zip(seen, pieces) {
      let candidate = try #require((piece["candidates"] as? [[String: Any]])?.first)
      let content = try #require(candidate["content"] as? [String: Any])
      let parts = try #require(content["parts"] as? [Any])
      #expect(parts.count == 1, sourceLocation: location)
      let expected = try JSONSerialization.jsonObject(with: Data(part.utf8))
      #expect(
        DialectFixture.text(parts[0]) == DialectFixture.text(expected), sourceLocation: location)
      #expect(piece["responseId"] as? String == "r1", sourceLocation: location)
    }
    let usage = seen.last?["usageMetadata"] as? [String: Int]
    #expect(usage?["totalTokenCount"] == 5, sourceLocation: location)
    #expect(seen[0]["usageMetadata"] == nil, sourceLocation: location)
  }

  @Test func writesAStreamOfEvents() throws {
    let output = Buffer()
    let writer = client.makeWriter(facts())
    #expect(ByteString(writer.streamType) == "text/event-stream")
    for event in events { writer.write(event, to: output) }
    writer.end(to: output)
    let lines = output.byteString.text.components(separatedBy: "\r\n\r\n")
    #expect(lines.last == "")
    let seen = try lines.dropLast().map { line in
      #expect(line.hasPrefix("data: {"))
      let value = try JSONSerialization.jsonObject(with: Data(line.dropFirst(6).utf8))
      return try #require(value as? [String: Any])
    }
    try check(seen, #_sourceLocation)
  }

  @Test func writesAStreamThatIsOneArray() throws {
    let output = Buffer()
    let writer = ClientDialect.geminiArray.makeWriter(facts())
    #expect(ByteString(writer.streamType) == "application/json")
    for event in events { writer.write(event, to: output) }
    writer.end(to: output)
    let value = try JSONSerialization.jsonObject(with: Data(Array(output.readable)))
    try check(try #require(value as? [[String: Any]]), #_sourceLocation)
  }

  @Test(arguments: [true, false])
  func aBrokenStreamHasNoCleanEnd(isArray: Bool) {
    let output = Buffer()
    let writer = (isArray ? ClientDialect.geminiArray : client).makeWriter(facts())
    writer.write(.text("a"), to: output)
    writer.fail(ClientError(502, "server_error", "c", "broke off"), to: output)
    let text = output.byteString.text
    #expect(text.contains(#"{"error":{"code":502,"message":"broke off","status":"INTERNAL"}}"#))
    #expect(!text.contains("finishReason"))
    let value = try? JSONSerialization.jsonObject(with: Data(text.utf8))
    #expect(value == nil)
  }

  @Test(arguments: [
    (400, "INVALID_ARGUMENT"), (401, "UNAUTHENTICATED"), (403, "PERMISSION_DENIED"),
    (404, "NOT_FOUND"), (413, "INVALID_ARGUMENT"), (429, "RESOURCE_EXHAUSTED"),
    (502, "INTERNAL"), (503, "UNAVAILABLE"), (504, "DEADLINE_EXCEEDED"),
  ])
  func writesErrors(_ status: Int, _ word: String) throws {
    let output = Buffer()
    client.writeError(ClientError(status, "t", "c", "m"), output)
    #expect(
      output.byteString.text
        == #"{"error":{"code":\#(status),"message":"m","status":"\#(word)"}}"#)
  }

  @Test(arguments: [
    ("not json", #"{"arguments":"not json"}"#), ("[1]", #"{"arguments":"[1]"}"#), ("", "{}"),
    ("{\n  \"a\": 1\n}", #"{"a":1}"#),
  ])
  func writesAnObjectOnOneLine(_ arguments: String, _ object: String) throws {
    for dialect in [client, .ollamaChat, .anthropic] {
      var answer = ChatAnswer()
      answer.add(.toolCall(index: 0, id: "i", name: "f", signature: ""))
      answer.add(.arguments(index: 0, ByteString(utf8: arguments)))
      let output = Buffer()
      dialect.makeWriter(facts()).write(answer: answer, to: output)
      let text = output.byteString.text
      #expect(["args", "arguments", "input"].contains { text.contains("\"\($0)\":\(object)") })
      #expect(!text.contains("\n"))
    }
  }
}
