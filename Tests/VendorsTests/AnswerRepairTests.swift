// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Answers of vendors that OpenAI's clients would not understand as they are.
struct AnswerRepairTests {
  private func repair(_ slug: ByteString) throws -> AnswerRepair {
    AnswerRepair(
      try #require(VendorRegistry.find(slug)), model: "asked-for", now: DialectFixture.now)
  }

  /// What becomes of one answer or event; `error` and `nothing` for what is none.
  private func result(
    _ slug: ByteString, _ text: String, isEvent: Bool = false
  ) throws -> String {
    var repair = try repair(slug)
    let outcome = ByteString(utf8: text).withBytes {
      isEvent ? repair.repair(event: $0) : repair.repair(answer: $0)
    }
    switch outcome {
    case .unchanged: return text
    case .changed(let changed): return changed.text
    case .dropped: return "nothing"
    case .failed: return "error"
    }
  }

  /// What clients get of a stream.
  private func stream(_ slug: ByteString, _ file: String) throws -> String {
    let fixture = DialectFixture(file.split(separator: "/")[0].description, .openAI)
    let text = try fixture.bytes(file.split(separator: "/")[1].description)
    var repair = try repair(slug)
    var events: [StreamEvent] = []
    let framer = StreamFraming.events.makeFramer()
    #expect(framer.read(text.span, into: &events) && framer.end(into: &events))
    var output = ""
    for event in events {
      let outcome = event.data.withBytes { repair.repair(event: $0) }
      switch outcome {
      case .unchanged: output += "data: \(event.data.text)\n\n"
      case .changed(let data): output += "data: \(data.text)\n\n"
      case .dropped: break
      case .failed: output += "data: {\"error\":{}}\n\n"
      }
    }
    return output
  }

  // The samples.

  /// Whether everything of `expected` is in `seen`.
  private func contains(_ seen: Any?, _ expected: Any, _ place: String) {
    if let expected = expected as? [String: Any] {
      let seen = seen as? [String: Any]
      // The name that the vendor gives the model is passed on where it gives one.
      for (key, value) in expected where key != "model" {
        contains(seen?[key], value, "\(place).\(key)")
      }
    } else if let expected = expected as? [Any] {
      let seen = seen as? [Any]
      #expect(seen?.count == expected.count, "\(place)")
      for (index, value) in expected.enumerated() where index < seen?.count ?? 0 {
        contains(seen?[index], value, "\(place)[\(index)]")
      }
    } else {
      #expect("\(seen ?? "nothing")" == "\(expected)", "\(place)")
    }
  }

  @Test(arguments: [
    ("spark", "spark-http"), ("minimax", "minimax"), ("zhipu", "zhipu"), ("azure", "azure"),
    ("doubao", "doubao"), ("ernie", "ernie-v2"),
  ])
  func makesWholeAnswersOpenAIs(_ slug: String, _ folder: String) throws {
    let fixture = DialectFixture(folder, .openAI)
    let text = String(decoding: try fixture.bytes("chat.response.vendor.json"), as: UTF8.self)
    let seen = try result(ByteString(utf8: slug), text)
    let object = try JSONSerialization.jsonObject(with: Data(seen.utf8))
    contains(object, try fixture.json("chat.response.openai.json"), slug)
    #expect((object as? [String: Any])?["model"] is String)
  }

  @Test(arguments: [
    ("spark", "spark-http", "stream"), ("minimax", "minimax", "stream"),
    ("zhipu", "zhipu", "stream"), ("zhipu", "zhipu", "sensitive.stream"),
    ("azure", "azure", "stream"), ("openrouter", "openrouter", "stream"),
  ])
  func makesStreamsOpenAIs(_ slug: String, _ folder: String, _ name: String) throws {
    let seen = OpenAIStreamSum(try stream(ByteString(utf8: slug), "\(folder)/\(name).vendor.txt"))
    let file = try DialectFixture(folder, .openAI).bytes("\(name).openai.txt")
    let expected = OpenAIStreamSum(String(decoding: file, as: UTF8.self))
    #expect(seen.text == expected.text && seen.reasoning == expected.reasoning)
    #expect(seen.finish == expected.finish)
    #expect(seen.usage == expected.usage)
    // MiniMax ends without the word, which the relay adds.
    #expect(seen.isDone || slug == "minimax")
    #expect(!seen.hasError && seen.ids.count == 1)
  }

  /// Every event has what OpenAI's clients read first.
  @Test func completesEveryEventOfSpark() throws {
    let text = try stream("spark", "spark-http/stream.vendor.txt")
    for line in text.split(separator: "\n") where line.hasPrefix("data: {") {
      let data = Data(line.dropFirst(6).utf8)
      let event = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      #expect(event["object"] as? String == "chat.completion.chunk")
      #expect(event["model"] as? String == "asked-for")
      #expect(event["id"] is String && event["created"] is Int)
    }
  }

  // Single rules.

  @Test(arguments: [
    ("zhipu", "network_error", "error"), ("zhipu", "sensitive", "content_filter"),
    ("zhipu", "model_context_window_exceeded", "length"), ("zhipu", "stop", "stop"),
    ("deepseek", "insufficient_system_resource", "error"), ("deepseek", "length", "length"),
    ("together", "eos", "stop"), ("mistral", "model_length", "length"),
    ("mistral", "error", "error"), ("hunyuan", "sensitive", "content_filter"),
    ("openai", "sensitive", "sensitive"),
  ])
  func translatesFinishReasons(_ slug: String, _ word: String, _ expected: String) throws {
    func answer(_ word: String) -> String {
      #"{"choices":[{"index":0,"finish_reason":"\#(word)"}]}"#
    }
    for isEvent in [false, true] {
      let seen = try result(ByteString(utf8: slug), answer(word), isEvent: isEvent)
      #expect(seen == (expected == "error" ? "error" : answer(expected)))
    }
  }

  @Test func namesReasoningAsClientsKnowIt() throws {
    func delta(_ inside: String) -> String { #"{"choices":[{"delta":{\#(inside)}}]}"# }
    let given = delta(#""content":"","reasoning":"a""#)
    let seen = try result("groq", given, isEvent: true)
    #expect(seen == delta(#""content":"","reasoning_content":"a""#))
    let both = delta(#""reasoning":"a","reasoning_content":"a""#)
    #expect(try result("groq", both, isEvent: true) == both)
    #expect(try result("ollama", delta(#""reasoning":"a""#)) == delta(#""reasoning":"a""#))
  }

  @Test(arguments: [
    ("spark", #"{"code":10013,"message":"refused"}"#, "error"),
    ("spark", #"{"code":"10013","message":"refused"}"#, "error"),
    ("minimax", #"{"choices":null,"base_resp":{"status_code":1004}}"#, "error"),
    (
      "minimax", #"{"choices":[],"base_resp":{"status_code":0}}"#,
      #"{"choices":[],"base_resp":{"status_code":0}}"#
    ),
    ("openai", #"{"code":10013}"#, #"{"code":10013}"#),
  ])
  func findsErrorsWithStatus200(_ slug: String, _ text: String, _ expected: String) throws {
    #expect(try result(ByteString(utf8: slug), text) == expected)
    #expect(try result(ByteString(utf8: slug), text, isEvent: true) == expected)
  }

  @Test func putsSparksSingleCallIntoAnArray() throws {
    let call = #"{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}"#
    let seen = try result(
      "spark", #"{"code":0,"sid":"s","choices":[{"message":{"tool_calls":\#(call)},"index":0}]}"#)
    let object = try JSONSerialization.jsonObject(with: Data(seen.utf8)) as? [String: Any]
    let choice = try #require((object?["choices"] as? [[String: Any]])?.first)
    #expect(choice["finish_reason"] as? String == "tool_calls")
    let message = choice["message"] as? [String: Any]
    #expect((message?["tool_calls"] as? [[String: Any]])?.first?["id"] as? String == "a")
  }

  @Test func joinsMistralsPartsOfContent() throws {
    let parts =
      #"[{"type":"thinking","thinking":[{"type":"text","text":"Hm"}]},{"type":"text","text":"a"}]"#
    let seen = try result("mistral", #"{"choices":[{"message":{"content":\#(parts)}}]}"#)
    #expect(seen == #"{"choices":[{"message":{"reasoning_content":"Hm","content":"a"}}]}"#)
    let plain = #"{"choices":[{"message":{"content":"a"}}]}"#
    #expect(try result("mistral", plain) == plain)
  }

  @Test func countsXAIsReasoningIntoTheCompletion() throws {
    func usage(_ completion: Int, _ total: Int) -> String {
      """
      {"usage":{"prompt_tokens":10,"completion_tokens":\(completion),"total_tokens":\(total),\
      "completion_tokens_details":{"reasoning_tokens":7}}}
      """
    }
    #expect(try result("xai", usage(5, 22)) == usage(12, 22))
    // Counted in already.
    #expect(try result("xai", usage(12, 22)) == usage(12, 22))
    #expect(try result("openai", usage(5, 22)) == usage(5, 22))
  }

  @Test func dropsAzuresFirstEventOnly() throws {
    let first = #"{"choices":[],"id":"","prompt_filter_results":[]}"#
    #expect(try result("azure", first, isEvent: true) == "nothing")
    #expect(try result("azure", first) == first)
    let usage = #"{"choices":[],"usage":{"total_tokens":3}}"#
    #expect(try result("azure", usage, isEvent: true) == usage)
    #expect(try result("openai", first, isEvent: true) == first)
  }

  @Test func survivesEveryPrefix() throws {
    for (slug, folder) in [("spark", "spark-http"), ("minimax", "minimax"), ("azure", "azure")] {
      let bytes = try DialectFixture(folder, .openAI).bytes("chat.response.vendor.json")
      var repair = try repair(ByteString(utf8: slug))
      for count in 0..<bytes.count {
        _ = ByteString(Array(bytes[..<count])).withBytes { repair.repair(event: $0) }
      }
    }
  }
}
