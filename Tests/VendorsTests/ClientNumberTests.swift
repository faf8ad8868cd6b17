// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Numbers of a client that would not fit once they are added to others.
struct ClientNumberTests {
  private static let largest = "9223372036854775807"
  private static let bodies: [(client: ClientDialect, body: String)] = [
    (
      .gemini,
      #"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"thinkingConfig":"#
        + #"{"thinkingBudget":\#(largest)}}}"#
    ),
    (
      .anthropic,
      #"{"max_tokens":\#(largest),"messages":[{"role":"user","content":"x"}],"#
        + #""thinking":{"type":"enabled","budget_tokens":\#(largest)}}"#
    ),
    (
      .openAI,
      #"{"max_tokens":\#(largest),"reasoning_effort":"high","#
        + #""messages":[{"role":"user","content":"x"}]}"#
    ),
    (.responses, #"{"input":"x","max_output_tokens":\#(largest)}"#),
    (
      .ollamaChat,
      #"{"messages":[{"role":"user","content":"x"}],"options":{"num_predict":\#(largest)}}"#
    ),
  ]

  /// Every vendor gets a number that it can add to, in place of the end of the process.
  @Test(arguments: bodies.indices)
  func limitsCountsOfTokens(_ index: Int) throws {
    let (client, body) = ClientNumberTests.bodies[index]
    let request = try client.read(try JSONDocument(ByteString(utf8: body)).root)
    for vendor in VendorRegistry.all {
      for model in ["claude-sonnet-4-5", "anthropic.claude-x", "gemini-2.5-pro"] as [ByteString] {
        var facts = CallFacts()
        facts.model = model
        let output = Buffer()
        try? vendor.dialect.encode(request, facts, output)
        let text = output.byteString.text
        #expect(!text.contains("922337203685477"), "\(vendor.slug)")
      }
    }
  }
}
