// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Calls of functions in the forms in which servers like OpenAI's tell them.
struct OpenAIDecoderTests {
  let fixture = DialectFixture("openai", .openAI, base: "/v1")

  /// What these deltas say, and the finish reason behind them.
  private func calls(_ deltas: String...) -> [String] {
    let frames = deltas.map { delta in
      StreamEvent(data: ByteString(utf8: #"{"choices":[{"delta":\#(delta)}]}"#))
    }
    let finish = StreamEvent(data: #"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#)
    return Array(fixture.decoded(frames + [finish]).dropFirst())
  }

  private func call(_ fields: String) -> String { #"{"tool_calls":[{\#(fields)}]}"# }

  @Test func tellsCallsOfOneIndexApartByTheirIDs() {
    let first = call(#""index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}"#)
    let second = call(#""index":0,"id":"b","function":{"name":"g","arguments":"{\"y\":2}"}"#)
    let expected = [
      "call 0 a f", #"arguments 0 {"x":1}"#, "call 1 b g", #"arguments 1 {"y":2}"#,
      "finish toolCalls",
    ]
    #expect(calls(first, second) == expected)
    // A later piece belongs to the call of its id.
    let late = call(#""index":0,"id":"a","function":{"arguments":" "}"#)
    #expect(calls(first, second, late) == expected.dropLast() + ["arguments 0  ", expected[4]])
  }

  @Test func takesAnotherIDForThePieceOfACall() {
    let first = call(#""index":0,"id":"a","function":{"name":"f","arguments":"{"}"#)
    let second = call(#""index":0,"id":"b","function":{"arguments":"}"}"#)
    let expected = ["call 0 a f", "arguments 0 {", "arguments 0 }", "finish toolCalls"]
    #expect(calls(first, second) == expected)
  }

  @Test func waitsForANameThatComesLater() {
    let begun = call(#""index":0,"id":"a","function":{"arguments":"{"}"#)
    let named = call(#""index":0,"function":{"name":"f","arguments":"}"}"#)
    let expected = ["call 0 a f", "arguments 0 {", "arguments 0 }", "finish toolCalls"]
    #expect(calls(begun, named) == expected)
    let other = call(#""index":1,"id":"b","function":{"name":"g"}"#)
    #expect(calls(begun, other) == ["call 0 a ", "arguments 0 {", "call 1 b g", expected[3]])
    #expect(calls(begun) == ["call 0 a ", "arguments 0 {", expected[3]])
  }

  @Test func takesArgumentsThatAreNoText() {
    let seen = calls(call(#""id":"a","function":{"name":"f","arguments":{ "x": [1, "a b"] }}"#))
    #expect(seen == ["call 0 a f", #"arguments 0 {"x":[1,"a b"]}"#, "finish toolCalls"])
    let none = calls(call(#""id":"a","function":{"name":"f","arguments":null}"#))
    #expect(none == ["call 0 a f", "finish toolCalls"])
  }

  @Test func readsOneChoiceOnly() {
    func chunk(_ index: Int, _ text: String) -> StreamEvent {
      let choice = #"{"index":\#(index),"delta":{"content":"\#(text)"}}"#
      return StreamEvent(data: ByteString(utf8: #"{"choices":[\#(choice)]}"#))
    }
    for first in [0, 1] {
      let frames = [chunk(first, "a"), chunk(1 - first, "x"), chunk(first, "b")]
      #expect(fixture.decoded(frames) == ["start  0", "text a", "text b"])
    }
  }

  @Test func takesTheOlderFormOfACall() {
    let first = #"{"content":null,"function_call":{"name":"f","arguments":"{"}}"#
    let second = #"{"function_call":{"arguments":"}"}}"#
    let expected = ["call 0  f", "arguments 0 {", "arguments 0 }", "finish toolCalls"]
    #expect(calls(first, second, #"{"tool_calls":null,"function_call":null}"#) == expected)
  }
}
