// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// OpenAI's older completions in front of vendors that only chat.
struct CompletionsDialectTests {
  let fixture = DialectFixture("ollama", .ollama)

  private func read(_ body: String) throws -> ChatRequest {
    try ClientDialect.completions.read(try JSONDocument(ByteString(utf8: body)).root)
  }

  @Test func asksForOneTurn() throws {
    let request = try read(
      #"""
      {"model":"m","prompt":"Once","max_tokens":9,"temperature":0.5,"echo":false,"best_of":1,
      "suffix":null,"stop":"X"}
      """#)
    #expect(request.messages.count == 1)
    #expect(request.messages.first?.text == "Once")
    #expect(request.fields == [.maxTokens, .temperature, .stop])
    #expect(request.maxTokens == 9)
  }

  @Test(arguments: [#"["a","b"]"#, "[1,2]", "null"])
  func refusesPromptsOfMany(_ prompt: String) {
    #expect(throws: ChatProblem.self) { try read(#"{"model":"m","prompt":\#(prompt)}"#) }
  }

  @Test(arguments: [
    (#""suffix":"b""#, "suffix"), (#""echo":true"#, "echo"), (#""best_of":3"#, "best_of"),
    (#""logprobs":2"#, "logprobs"), (#""n":2"#, "n"),
  ])
  func namesWhatAChatCannotExpress(_ member: String, _ field: String) throws {
    let request = try read(#"{"model":"m","prompt":"x",\#(member)}"#)
    do throws(ChatProblem) {
      try request.check(writes: Dialect.ollama.writes, drops: [], vendor: "Ollama")
      Issue.record("nothing was refused")
    } catch {
      #expect(error.field.text == field)
    }
  }

  @Test func writesWholeAnswers() throws {
    var answer = ChatAnswer()
    answer.add(.text("upon a time"))
    answer.add(.finish(.length))
    answer.add(.usage(ChatUsage(prompt: 2, completion: 3)))
    var facts = AnswerFacts()
    facts.model = "m"
    facts.idStem = "test"
    facts.now = DialectFixture.now
    let output = Buffer()
    ClientDialect.completions.makeWriter(facts).write(answer: answer, to: output)
    #expect(
      output.byteString.text == """
        {"id":"cmpl-test0001","object":"text_completion","created":1760000000,"model":"m",\
        "choices":[{"index":0,"text":"upon a time","logprobs":null,"finish_reason":"length"}],\
        "usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}}
        """)
  }

  @Test func streamsTexts() throws {
    let bytes = try fixture.bytes("stream.vendor.txt")
    for cuts in DialectFixture.cuttings(bytes.count) {
      let stream = fixture.stream(bytes, cuts: cuts, model: "m", client: .completions)
      var text = ""
      var ends: [String] = []
      for line in stream.split(separator: "\n") {
        let data = line.dropFirst("data: ".count)
        guard let chunk = try? JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any]
        else {
          ends.append(String(data))
          continue
        }
        let choice = (chunk["choices"] as? [[String: Any]])?.first
        text += choice?["text"] as? String ?? ""
        if let reason = choice?["finish_reason"] as? String { ends.append(reason) }
        if let usage = chunk["usage"] as? [String: Any] {
          ends.append("\(usage["total_tokens"] ?? 0)")
        }
      }
      #expect(text == "The capital of Japan is Tokyo (東京).")
      #expect(ends == ["stop", "64", "[DONE]"])
    }
  }
}
