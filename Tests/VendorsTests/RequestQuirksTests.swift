// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// What rows change in requests that pass as they are.
struct RequestQuirksTests {
  private func edited(
    _ slug: ByteString, _ text: String, model: ByteString = "m", isStream: Bool = false
  ) throws -> String {
    let vendor = try #require(VendorRegistry.find(slug))
    let output = Buffer()
    ByteString(utf8: text).withBytes { bytes in
      var splice = JSONSplice()
      RequestQuirks.edit(bytes, for: vendor, model: model, isStream: isStream, &splice)
      splice.apply(bytes, to: output)
      splice.finish(to: output)
    }
    return output.byteString.text
  }

  @Test(arguments: [
    ("deepseek", "deepseek"), ("doubao", "doubao"), ("minimax", "minimax"), ("zhipu", "zhipu"),
    ("spark", "spark-http"), ("azure", "azure"), ("ernie", "ernie-v2"),
  ])
  func writesTheSamples(_ slug: String, _ folder: String) throws {
    let fixture = DialectFixture(folder, .openAI)
    let text = String(decoding: try fixture.bytes("chat.request.openai.json"), as: UTF8.self)
    let seen = try edited(ByteString(utf8: slug), text)
    let expected = try fixture.json("chat.request.vendor.json")
    let object = try JSONSerialization.jsonObject(with: Data(seen.utf8))
    try DialectFixture.expectEqual(object, expected, #_sourceLocation)
  }

  @Test(arguments: [
    (#"{"max_completion_tokens":5,"a":1}"#, #"{"max_tokens":5,"a":1}"#),
    (#"{"max_tokens":4,"max_completion_tokens": 5}"#, #"{"max_tokens":5}"#),
    (#"{"max_completion_tokens":5,"max_tokens":4}"#, #"{"max_tokens":5}"#),
    (#"{"a": 1 , "stream_options":{"x":[1,2]} , "b":2}"#, #"{"a": 1 , "b":2}"#),
    (#"{"stream_options":{},"user":"u","a":1}"#, #"{"a":1}"#),
    (#"{"a":1,"stream_options":{},"user":"u"}"#, #"{"a":1}"#),
    (#"{"user":"u","a":1,"stream_options":{}}"#, #"{"a":1}"#),
    (#"{"user":"u","stream_options":{}}"#, "{}"),
    (#"{"seed":7.50}"#, #"{"random_seed":7.50}"#),
    (#"{"seed":1e400,"unknown":{"seed":1}}"#, #"{"random_seed":1e400,"unknown":{"seed":1}}"#),
    (#"{"a":1}"#, #"{"a":1}"#), ("{}", "{}"),
  ])
  func renamesAndRemovesMembers(_ text: String, _ expected: String) throws {
    #expect(try edited("mistral", text) == expected)
    #expect(try edited("openai", text) == text)
  }

  @Test(arguments: [
    ("qwen3-32b", false, true), ("qwen3-235b-a22b", false, true), ("qwen3-32b", true, false),
    ("qwen3-max", false, false), ("qwen3-coder-plus", false, false), ("qwen-plus", false, false),
    ("qwen3-30b-a3b-thinking-2507", false, false), ("qwen3-0.6b", false, true),
  ])
  func switchesThinkingOffOutsideStreams(
    _ model: String, _ isStream: Bool, _ isChanged: Bool
  ) throws {
    let name = ByteString(utf8: model)
    let text = #"{"model":"x","messages":[]}"#
    let seen = try edited("qwen", text, model: name, isStream: isStream)
    let changed = #"{"model":"x","messages":[],"enable_thinking":false}"#
    #expect(seen == (isChanged ? changed : text))
    for same in [#"{"messages":[],"enable_thinking":true}"#, #"{"input":[]}"#] {
      #expect(try edited("qwen", same, model: name, isStream: isStream) == same)
    }
  }

  @Test func writesEffortsAsThinking() throws {
    func request(_ inside: String) -> String { #"{"messages":[],\#(inside)}"# }
    let off = request(#""thinking":{"type":"disabled"}"#)
    for effort in ["none", "minimal"] {
      #expect(try edited("doubao", request(#""reasoning_effort":"\#(effort)""#)) == off)
    }
    for same in [
      #""reasoning_effort":"low""#, #""thinking":{"type":"auto"},"reasoning_effort":"none""#,
    ] { #expect(try edited("doubao", request(same)) == request(same)) }
  }

  @Test func asksNobodyForUsageWhoRefusesTheQuestion() {
    let refusing = VendorRegistry.all.filter { !$0.takesStreamOptions }.map(\.slug)
    #expect(refusing.map { ByteString($0).text } == ["mistral"])
  }
}
