// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// What becomes of other protocols' settings for OpenAI's models and for strict servers.
struct ConvertedHintsTests {
  private static let tuned = """
    {"model":"m","messages":[{"role":"user","content":"Hi"}],"max_tokens":9,"temperature":0.3,\
    "top_p":0.5,"top_k":5,"reasoning_effort":"high","seed":7,"user":"u"}
    """

  /// The members that a request written for a vendor has beside model and messages.
  private func members(
    _ slug: ByteString, _ model: ByteString, isStream: Bool = false
  ) throws -> [String] {
    let vendor = try #require(VendorRegistry.find(slug))
    let request = try ClientDialect.openAI.read(JSONDocument(ByteString(utf8: Self.tuned)).root)
    var facts = CallFacts()
    facts.model = model
    facts.isStream = isStream
    let body = Buffer()
    try vendor.dialect.encode(request, facts, body)
    let edited = RequestQuirks.edited(body, for: vendor, model: model, isStream: isStream)
    let root = try JSONSerialization.jsonObject(with: Data(edited.byteString.bytes))
    let object = try #require(root as? [String: Any])
    return object.keys.filter { $0 != "model" && $0 != "messages" }.sorted()
  }

  @Test(arguments: ["gpt-5", "gpt-5.2", "gpt-5-mini", "o3", "o4-mini", "openai/gpt-5"])
  func givesModelsThatReasonWhatTheyTake(_ model: String) throws {
    for slug: ByteString in ["openai", "azure", "github", "openai-compatible"] {
      let seen = try members(slug, ByteString(utf8: model))
      #expect(seen == ["max_completion_tokens", "reasoning_effort", "seed", "user"])
    }
  }

  @Test(arguments: [
    ("openai", "gpt-4o", "max_tokens seed temperature top_p user"),
    ("azure", "gpt-4.1", "max_tokens seed temperature top_p user"),
    ("azure", "production", "max_completion_tokens seed temperature top_p user"),
    ("openai", "gpt-5-chat-latest", "max_completion_tokens seed temperature top_p user"),
    ("groq", "llama-3.3-70b-versatile", "max_tokens seed temperature top_p user"),
    ("groq", "openai/gpt-oss-20b", "max_tokens reasoning_effort seed temperature top_p user"),
    ("mistral", "mistral-small-latest", "max_tokens random_seed temperature top_p"),
    ("vllm", "m", "max_tokens reasoning_effort seed temperature top_k top_p user"),
    ("ollama", "o1x", "max_tokens reasoning_effort seed temperature top_k top_p user"),
    ("zhipu", "glm-5", "max_tokens reasoning_effort seed temperature top_k top_p user_id"),
  ])
  func keepsWhatTheVendorTakes(_ slug: String, _ model: String, _ expected: String) throws {
    let seen = try members(ByteString(utf8: slug), ByteString(utf8: model))
    #expect(seen.joined(separator: " ") == expected)
  }

  @Test func asksForUsageWhereThatIsTaken() throws {
    #expect(try members("openai", "gpt-4o", isStream: true).contains("stream_options"))
    #expect(!(try members("mistral", "m", isStream: true).contains("stream_options")))
  }

  @Test func switchesThinkingOffInWrittenRequestsToo() throws {
    #expect(try members("qwen", "qwen3-32b").contains("enable_thinking"))
    #expect(!(try members("qwen", "qwen3-32b", isStream: true).contains("enable_thinking")))
  }

  @Test func namesAnEffortThatTheModelKnows() {
    #expect(ConvertedHints.effort(.none, model: "o3") == .low)
    #expect(ConvertedHints.effort(.minimal, model: "gpt-5") == .low)
    #expect(ConvertedHints.effort(.none, model: "gpt-5.1") == .none)
    #expect(ConvertedHints.effort(.xhigh, model: "o4-mini") == .high)
    #expect(ConvertedHints.effort(.medium, model: "gpt-5") == .medium)
    #expect(ConvertedHints.effort(.none, model: "deepseek-chat") == .none)
  }

  @Test func leavesOutNamesOfUsersThatAreTooLong() throws {
    for (length, isThere) in [(64, true), (65, false)] {
      var request = ChatRequest()
      request.user = ByteString(Array(repeating: UInt8(ascii: "u"), count: length))
      let body = Buffer()
      OpenAIEncoder.encode(request, CallFacts(), body)
      #expect((try JSONDocument(body).root.member("user") != nil) == isThere)
    }
  }
}
