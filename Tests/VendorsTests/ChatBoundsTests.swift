// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Numbers and amounts from outside that are larger than any honest ones.
struct ChatBoundsTests {
  private static let largest = "9223372036854775807"

  @Test func addsNoCountsThatOverflow() throws {
    let text = """
      {"prompt_tokens":\(Self.largest),"completion_tokens":\(Self.largest),
      "prompt_tokens_details":{"cached_tokens":-5},
      "completion_tokens_details":{"reasoning_tokens":\(Self.largest)}}
      """
    let usage = OpenAIDecoder.usage(try JSONDocument(ByteString(utf8: text)).root)
    #expect(usage.prompt == 1_000_000_000 && usage.completion == 1_000_000_000)
    #expect(usage.cached == 0 && usage.reasoning == 1_000_000_000)
    var answer = ChatAnswer()
    answer.add(.text("a"))
    answer.add(.usage(usage))
    for client in [ClientDialect.completions, .responses, .gemini, .anthropic, .ollamaChat] {
      let output = Buffer()
      client.makeWriter(AnswerFacts()).write(answer: answer, to: output)
      #expect(output.byteString.text.contains("000000000"), "\(client.name)")
    }
  }

  @Test func addsNoBudgetThatOverflows() throws {
    let text = """
      {"contents":[{"parts":[{"text":"a"}]}],
      "generationConfig":{"thinkingConfig":{"thinkingBudget":\(Self.largest)}}}
      """
    let request = try ClientDialect.gemini.read(try JSONDocument(ByteString(utf8: text)).root)
    var facts = CallFacts()
    facts.model = "claude-sonnet-4-0"
    let output = Buffer()
    try Dialect.anthropic.encode(request, facts, output)
    #expect(output.byteString.text.contains("\"max_tokens\":1000004096"))
  }

  /// Takes minutes where each text is joined to a copy of those before.
  @Test func joinsManyTextsAtOnce() {
    let clock = ContinuousClock()
    var request = ChatRequest()
    let text = ByteString([UInt8](repeating: 0x61, count: 500))
    request.messages = Array(repeating: ChatMessage(.system, text: text), count: 100_000)
    var message = ChatMessage(.user)
    message.parts = Array(repeating: .text(text), count: 100_000)
    var answer = ChatAnswer()
    answer.add(.toolCall(index: 0, id: "a", name: "b", signature: .empty))
    let body = [UInt8](String(repeating: "data:1\n", count: 500_000).utf8)
    var events: [StreamEvent] = []
    let seconds = clock.measure {
      #expect(request.systemText.count == 100_000 * 502 - 2)
      #expect(message.text.count == 100_000 * 500)
      for _ in 0..<400_000 { answer.add(.arguments(index: 0, "1")) }
      let framer = StreamFraming.events.makeFramer()
      _ = framer.read(body.span, into: &events)
      _ = framer.end(into: &events)
    }
    #expect(answer.completedCalls.first?.arguments.count == 400_000)
    #expect(events.first?.data.count == 999_999)
    #expect(seconds < .seconds(20))
  }
}
