// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Vendors

/// OpenAI's format read into the hub model and written again comes to the same.
struct OpenAIDialectTests {
  let fixture = DialectFixture("openai", .openAI, base: "/v1")

  @Test func writesTheCallsHead() throws {
    let head = try fixture.head(model: "gpt-4o")
    #expect(head.path == "/v1/chat/completions")
    #expect(head.fields == "Authorization: Bearer sk-test\r\n")
  }

  @Test(arguments: ["chat", "tools", "image", "stream"])
  func keepsRequests(_ name: String) throws {
    try fixture.checkRequest(name, to: "openai")
  }

  @Test func keepsStreams() throws {
    try fixture.checkStream(model: "gpt-4o-mini-2024-07-18")
    try fixture.checkStream("tools", model: "gpt-4o-mini-2024-07-18")
  }

  @Test func judgesErrors() throws { try fixture.checkErrors() }
}
