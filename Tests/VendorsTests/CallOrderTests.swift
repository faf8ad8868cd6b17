// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Vendors

/// Events in words, told in the order of blocks that follow one another.
struct CallOrderTests {
  private func told(_ events: [ChatEvent]) -> [[String]] {
    var order = CallOrder()
    return events.map { event in
      var ordered: [ChatEvent] = []
      order.add(event, into: &ordered)
      return DialectFixture.words(ordered)
    }
  }

  private func call(_ index: Int) -> ChatEvent {
    .toolCall(index: index, id: "i" + ByteString(number: Int64(index)), name: "f", signature: "")
  }

  @Test func tellsWhatIsInOrderAtOnce() {
    #expect(
      told([
        .text("a"), call(0), .arguments(index: 0, #"{"x""#), .arguments(index: 0, ":1}"),
        call(1), .arguments(index: 1, "{}"), .text("b"), .finish(.toolCalls),
      ]) == [
        ["text a"], ["call 0 i0 f"], [#"arguments 0 {"x""#], ["arguments 0 :1}"],
        ["call 1 i1 f"], ["arguments 1 {}"], ["text b"], ["finish toolCalls"],
      ])
  }

  @Test func holdsWhatComesBeforeTheArgumentsAreWhole() {
    #expect(
      told([
        call(0), call(1), .arguments(index: 0, "{"), .text("t"), .arguments(index: 1, "{"),
        .arguments(index: 1, "}"), .usage(ChatUsage(prompt: 1, completion: 2)),
        .arguments(index: 0, "}"), .arguments(index: 0, "late"), .finish(.toolCalls),
      ]) == [
        ["call 0 i0 f"], [], ["arguments 0 {"], [], [], [], ["usage 1 2"],
        ["arguments 0 }", "call 1 i1 f", "arguments 1 {}", "text t"], [], ["finish toolCalls"],
      ])
  }

  /// Arguments that never get whole, or never come, do not hold anything for ever.
  @Test func tellsAllAtTheEnd() {
    #expect(
      told([
        call(0), .arguments(index: 0, "no JSON"), call(1), call(2),
        .arguments(index: 2, "{"), .arguments(index: 3, "x"), .finish(.length),
      ]).suffix(1) == [["call 1 i1 f", "call 2 i2 f", "arguments 2 {", "finish length"]])
  }
}
