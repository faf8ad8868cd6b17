// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Earlier turns that a vendor would refuse as they are.
struct ChatHistoryTests {
  private func read(_ client: ClientDialect, _ body: String) throws -> ChatRequest {
    try client.read(try JSONDocument(ByteString(utf8: body)).root)
  }

  @Test(arguments: [
    (#"{\"a\":1}"#, #"{"a":1}"#), ("", "{}"), (#"{\"a\":"#, #"{"arguments":"{\"a\":"}"#),
    ("[1]", #"{"arguments":"[1]"}"#),
  ])
  func wrapsArgumentsThatAreNoObject(_ given: String, _ read: String) throws {
    let call = #"{"name":"f","arguments":"\#(given)"}"#
    let chat = try self.read(
      .openAI,
      #"{"messages":[{"role":"assistant","tool_calls":[{"id":"i","function":\#(call)}]}]}"#)
    #expect(chat.messages[0].toolCalls[0].arguments.text == read)
    let item = #"{"type":"function_call","call_id":"i","name":"f","arguments":"\#(given)"}"#
    let responses = try self.read(.responses, #"{"input":[\#(item)]}"#)
    #expect(responses.messages[0].toolCalls[0].arguments.text == read)
  }

  private static let seal = #"{"type":"thinking","thinking":"a","signature":"s"}"#

  /// Only one block's text can stand under one seal.
  @Test(arguments: [
    (seal, "s"), (#"\#(seal),{"type":"thinking","thinking":"b","signature":"t"}"#, ""),
    (#"\#(seal),{"type":"redacted_thinking","data":"x"}"#, ""),
    (#"{"type":"redacted_thinking","data":"x"}"#, ""),
  ])
  func keepsTheSealOfOneBlock(_ blocks: String, _ seal: String) throws {
    let request = try read(
      .anthropic,
      #"{"max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":2000},"messages":["#
        + #"{"role":"user","content":"q"},{"role":"assistant","content":[\#(blocks),"#
        + #"{"type":"tool_use","id":"i","name":"f","input":{}}]},{"role":"user","content":["#
        + #"{"type":"tool_result","tool_use_id":"i","content":"r"},"#
        + #"{"type":"text","text":"go on"}]}]}"#)
    #expect(request.messages[1].reasoningSignature.text == seal)
    #expect(request.allowsThinking == !seal.isEmpty)
    for dialect in [Dialect.anthropic, .bedrockConverse] {
      var facts = CallFacts()
      facts.model = "anthropic.claude-sonnet-4-5"
      let output = Buffer()
      try dialect.encode(request, facts, output)
      #expect(output.byteString.text.contains("budget_tokens") == !seal.isEmpty)
      #expect(output.byteString.text.contains(#""signature""#) == !seal.isEmpty)
    }
  }

  @Test func thinksAgainAfterATurnThatIsOver() throws {
    let turn =
      #"{"role":"assistant","tool_calls":[{"id":"i","function":{"name":"f"}}]},"#
      + #"{"role":"tool","tool_call_id":"i","content":"r"}"#
    #expect(try !read(.openAI, #"{"messages":[\#(turn)]}"#).allowsThinking)
    #expect(
      try read(
        .openAI,
        #"{"messages":[\#(turn),{"role":"assistant","content":"a"},{"role":"user","content":"b"}]}"#
      ).allowsThinking)
  }

  /// Vendors without a field for it read that a tool failed.
  @Test(arguments: [("no file", "Error: no file"), ("Error: no file", "Error: no file")])
  func saysThatAToolFailed(_ given: String, _ sent: String) throws {
    let request = try read(
      .anthropic,
      #"{"max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":["#
        + #"{"type":"tool_use","id":"i","name":"f","input":{}}]},{"role":"user","content":["#
        + #"{"type":"tool_result","tool_use_id":"i","is_error":true,"content":"\#(given)"}]}]}"#)
    for vendor in VendorRegistry.all
    where vendor.dialect.writes.contains(.toolHistory)
      && vendor.dialect.name.description != "anthropic"
    {
      var facts = CallFacts()
      facts.model = "m"
      facts.key = "a|b|c"
      let output = Buffer()
      try vendor.dialect.encode(request, facts, output)
      let body = output.byteString.text
      // A text, the end of one, or JSON in one.
      let isTold = [#""\#(sent)""#, #": \#(sent)""#, #"\"\#(sent)\""#].contains {
        body.contains($0)
      }
      let hasField = body.contains(#""status":"error""#) || body.contains(#""error":"\#(given)""#)
      #expect(isTold || hasField, "\(vendor.slug): \(body)")
    }
  }

  @Test(arguments: ["data:image/png,raw", "data:;base64,aGk=", "data:image/png;base64", "data:"])
  func refusesOtherDataURLs(_ url: String) throws {
    for part in [
      #"{"type":"image_url","image_url":{"url":"\#(url)"}}"#,
      #"{"type":"file","file":{"file_data":"\#(url)"}}"#,
    ] {
      let problem = #expect(throws: ChatProblem.self) {
        try read(.openAI, #"{"messages":[{"role":"user","content":[\#(part)]}]}"#)
      }
      #expect(problem?.message.text.contains("messages") == true)
      #expect(problem?.field.text == "messages")
    }
  }
}
