// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Ollama's own API, of vendors and of clients.
struct OllamaDialectTests {
  let fixture = DialectFixture("ollama", .ollama)
  let clients = DialectFixture("ollama", .openAI)

  // Vendors.

  @Test func writesTheCallsHead() throws {
    let head = try fixture.head(model: "llama3.2")
    #expect(head.path == "/api/chat")
    #expect(head.fields == "Authorization: Bearer sk-test\r\n")
    let open = DialectFixture("ollama", .ollama, key: "")
    #expect(try open.head(model: "llama3.2").fields.isEmpty)
  }

  @Test(arguments: ["chat", "stream", "tools", "image", "json-schema"])
  func writesRequests(_ name: String) throws { try fixture.checkRequest(name) }

  @Test func alwaysSaysWhetherItStreams() throws {
    let body = try fixture.encode(try fixture.request("chat.request.openai.json"))
    #expect(String(decoding: body, as: UTF8.self).contains(#""stream":false"#))
  }

  @Test(arguments: [("none", "false"), ("minimal", #""low""#), ("xhigh", #""max""#)])
  func writesTheEffort(_ effort: String, _ think: String) throws {
    let text = #"""
      {"model":"m","messages":[{"role":"user","content":"x"}],"reasoning_effort":"\#(effort)"}
      """#
    let request = try ClientDialect.openAI.read(try JSONDocument(ByteString(utf8: text)).root)
    let body = String(decoding: try fixture.encode(request), as: UTF8.self)
    #expect(body.contains(#""think":\#(think)"#))
  }

  @Test(arguments: [#""tool_choice":"required""#, #""logit_bias":{"1":2}"#, #""n":2"#])
  func refusesWhatItCannotExpress(_ member: String) throws {
    let text = #"{"model":"m","messages":[{"role":"user","content":"x"}],\#(member)}"#
    let request = try ClientDialect.openAI.read(try JSONDocument(ByteString(utf8: text)).root)
    #expect(throws: ChatProblem.self) { try fixture.encode(request) }
  }

  @Test(arguments: ["chat", "tools"])
  func readsWholeAnswers(_ name: String) throws {
    try fixture.checkResponse(name, model: "llama3.2")
  }

  @Test func readsStreams() throws {
    try fixture.checkStream(model: "llama3.2")
  }

  @Test func readsErrorsWithinStreams() throws {
    let bytes = try fixture.bytes("error.midstream.vendor.txt")
    let expected = OpenAIStreamSum(
      String(decoding: try fixture.bytes("error.midstream.openai.txt"), as: UTF8.self))
    for cuts in DialectFixture.cuttings(bytes.count) {
      #expect(OpenAIStreamSum(fixture.stream(bytes, cuts: cuts, model: "llama3.2")) == expected)
    }
  }

  @Test func judgesErrors() throws { try fixture.checkErrors() }

  // Clients.

  @Test func readsChatRequests() throws {
    try clients.checkRequest("client", client: .ollamaChat, from: "ollama", to: "chat")
  }

  @Test func readsGenerateRequests() throws {
    try clients.checkRequest("generate", client: .ollamaGenerate, from: "ollama", to: "chat")
  }

  @Test(arguments: [
    (#"{"model":"m","prompt":"x","suffix":"y"}"#, "suffix"),
    (#"{"model":"m","prompt":"x","raw":true}"#, "raw"),
    (#"{"model":"m","prompt":"x","context":[1,2]}"#, "context"),
    (#"{"model":"m","prompt":"x","template":"{{ .Prompt }}"}"#, "template"),
  ])
  func namesWhatAChatCannotExpress(_ body: String, _ field: String) throws {
    let root = try JSONDocument(ByteString(utf8: body)).root
    #expect(try ClientDialect.ollamaGenerate.read(root).unknownField.text == field)
  }

  @Test(arguments: [#"{"model":"m"}"#, #"{"model":"m","messages":[]}"#, #"{"messages":[{}]}"#])
  func refusesWhatIsWrong(_ body: String) throws {
    let root = try JSONDocument(ByteString(utf8: body)).root
    #expect(throws: ChatProblem.self) { try ClientDialect.ollamaChat.read(root) }
    #expect(throws: ChatProblem.self) { try ClientDialect.ollamaGenerate.read(root) }
  }

  /// An answer of the vendor comes out for a client of Ollama as it went in.
  @Test(arguments: ["chat", "tools"])
  func writesWholeAnswers(_ name: String) throws {
    let written = try fold(
      [String(decoding: try fixture.bytes("\(name).response.vendor.json"), as: UTF8.self)])
    var events: [ChatEvent] = []
    let decoder = fixture.dialect.makeDecoder(fixture.facts)
    decoder.read(
      answer: try JSONDocument(ByteString(try fixture.bytes("\(name).response.vendor.json"))).root,
      into: &events)
    var answer = ChatAnswer()
    for event in events { answer.add(event) }
    let output = Buffer()
    ClientDialect.ollamaChat.makeWriter(AnswerFacts()).write(answer: answer, to: output)
    #expect(try fold([output.byteString.text]) == written)
  }

  @Test func streamsLinesHoweverTheAnswerIsCut() throws {
    let bytes = try fixture.bytes("stream.vendor.txt")
    let expected = try fold(String(decoding: bytes, as: UTF8.self).split(separator: "\n"))
    for cuts in DialectFixture.cuttings(bytes.count) {
      let text = fixture.stream(bytes, cuts: cuts, model: "llama3.2", client: .ollamaChat)
      #expect(text.hasSuffix("\n"))
      #expect(try fold(text.split(separator: "\n")) == expected, "cut at \(cuts.prefix(4))")
    }
  }

  @Test func streamsTextsOfGenerate() throws {
    let bytes = try fixture.bytes("stream.vendor.txt")
    let text = fixture.stream(bytes, cuts: [], model: "llama3.2", client: .ollamaGenerate)
    let lines = try text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(
      lines.map { $0["response"] as? String ?? "?" }.joined()
        == "The capital of Japan is Tokyo (東京).")
    #expect(lines.last?["done"] as? Bool == true)
    #expect(lines.last?["created_at"] as? String == "2025-10-09T08:53:20Z")
  }

  @Test func endsABrokenStreamWithAnError() throws {
    let bytes = try fixture.bytes("error.midstream.vendor.txt")
    let text = fixture.stream(bytes, cuts: [], model: "llama3.2", client: .ollamaChat)
    #expect(text.split(separator: "\n").last == #"{"error":"broken"}"#)
  }

  /// Text, calls without ids, end and counts of lines of answers.
  private func fold(_ lines: [some StringProtocol]) throws -> String {
    var text = ""
    var ends: [String] = []
    for line in lines {
      let root = try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      let message = root["message"] as? [String: Any]
      text += message?["content"] as? String ?? ""
      for call in message?["tool_calls"] as? [[String: Any]] ?? [] {
        ends.append(DialectFixture.text(call["function"] ?? "?"))
      }
      guard root["done"] as? Bool == true else { continue }
      for key in ["done_reason", "prompt_eval_count", "eval_count"] {
        ends.append("\(root[key] ?? "?")")
      }
    }
    return "\(text) \(ends)"
  }
}
