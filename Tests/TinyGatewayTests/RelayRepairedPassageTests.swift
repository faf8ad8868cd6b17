// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Testing
import Vendors

@testable import TinyGateway

/// Answers in OpenAI's format that are converted: the vendor's row counts as where they pass.
struct RelayRepairedPassageTests {
  private func passage(_ slug: ByteString, isStream: Bool) throws -> ChatPassage {
    let vendor = try #require(VendorRegistry.find(slug))
    var facts = AnswerFacts()
    facts.model = "public"
    facts.idStem = "test"
    return ChatPassage(
      framing: vendor.dialect.framing, errors: vendor.dialect.errors,
      decoder: vendor.dialect.makeDecoder(CallFacts()),
      writer: ClientDialect.anthropic.makeWriter(facts), passes: false, isStream: isStream,
      repair: vendor.repairsAnswers ? AnswerRepair(vendor, model: "m", now: 0) : nil,
      codes: vendor.errorCodes)
  }

  private func read(_ passage: ChatPassage, _ text: String) -> String {
    let output = Buffer()
    let bytes = Array(text.utf8)
    _ = passage.read(bytes.span, limit: 1_000_000, to: output)
    _ = passage.end(to: output)
    return output.byteString.text
  }

  private func chunk(_ delta: String, _ more: String = "") -> String {
    "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\(delta)}\(more)}]}\n\n"
  }

  @Test func tellsARepeatedAnswerOnce() throws {
    let passage = try passage("minimax", isStream: true)
    let whole = """
      data: {"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"content":\
      "one two"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,\
      "total_tokens":5}}\n\n
      """
    let text = read(
      passage,
      chunk("\"content\":\"one \"") + chunk("\"content\":\"two\"", ",\"finish_reason\":\"stop\"")
        + whole + "data: [DONE]\n\n")
    #expect(text.split(separator: "two").count == 2 && text.split(separator: "one ").count == 2)
    #expect(passage.usage?.completion == 2 && passage.failure == nil && passage.hasFinished)
  }

  @Test func countsReasoningThatIsApart() throws {
    let usage = """
      "usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":115,\
      "completion_tokens_details":{"reasoning_tokens":100}}
      """
    let choice = "\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]"
    let whole = try passage("xai", isStream: false)
    _ = read(whole, "{\(choice),\(usage)}")
    #expect(whole.usage?.completion == 105)
    let stream = try passage("xai", isStream: true)
    _ = read(
      stream,
      chunk("\"content\":\"a\"", ",\"finish_reason\":\"stop\"")
        + "data: {\"choices\":[],\(usage)}\n\n")
    #expect(stream.usage?.completion == 105)
  }

  @Test(arguments: [
    ("minimax", #"{"base_resp":{"status_code":1008,"status_msg":"poor"}}"#),
    ("minimax", #"{"choices":null,"base_resp":{"status_code":1008,"status_msg":"poor"}}"#),
    ("openrouter", #"{"error":{"code":402,"message":"poor"}}"#),
    ("spark", #"{"code":11200,"message":"poor"}"#),
  ])
  func judgesErrorsByTheRow(_ slug: String, _ error: String) throws {
    for isStream in [false, true] {
      let passage = try passage(ByteString(utf8: slug), isStream: isStream)
      _ = read(passage, isStream ? "data: \(error)\n\n" : error)
      let failure = try #require(passage.failure)
      #expect(failure.meaning == .accountEmpty && failure.action == .disable)
      #expect(failure.message == "poor")
    }
  }

  @Test func takesReasonsOfTheVendorsOwn() throws {
    let cut = try passage("zhipu", isStream: true)
    let delta = "\"content\":\"a\""
    let reason = ",\"finish_reason\":\"model_context_window_exceeded\""
    #expect(read(cut, chunk(delta, reason)).contains("\"stop_reason\":\"max_tokens\""))
    let broken = try passage("mistral", isStream: true)
    _ = read(broken, chunk(delta, ",\"finish_reason\":\"error\""))
    #expect(broken.failure != nil && !broken.hasFinished)
  }
}
