// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// Text forms of a channel's model mapping and headers.
struct StateChannelFieldsTests {
  private func mapping(_ text: String) throws -> [String: String] {
    let mapping = try ChannelFields.mapping(ByteString(utf8: text))
    return Dictionary(uniqueKeysWithValues: mapping.map { ($0.key.text, $0.value.text) })
  }

  @Test func readsAMapping() throws {
    #expect(try mapping("") == [:])
    #expect(try mapping("\n\n") == [:])
    #expect(try mapping("a\tb") == ["a": "b"])
    #expect(try mapping("a\tb\nc\td\n") == ["a": "b", "c": "d"])
    #expect(try mapping("llama3\tllama3:8b-q4") == ["llama3": "llama3:8b-q4"])
    #expect(try mapping("a\tb\na\tc") == ["a": "c"])
  }

  @Test(arguments: ["a", "a\t", "\tb", "a:b", "a\tb\nc"])
  func refusesAMappingWithoutTwoNames(_ text: String) {
    #expect {
      try mapping(text)
    } throws: {
      ($0 as? FieldError)?.field.text == "model_mapping"
    }
  }

  private func lines(_ text: String) throws -> String {
    try ChannelFields.headerLines(ByteString(utf8: text)).text
  }

  @Test func writesHeaderLines() throws {
    #expect(try lines("") == "")
    #expect(try lines("X-Team: a") == "X-Team: a\r\n")
    #expect(try lines("X-A:1\nx_b:  2  \n") == "X-A: 1\r\nx_b: 2\r\n")
    #expect(try lines("X-A: a:b\tc é") == "X-A: a:b\tc é\r\n")
  }

  private func refuses(_ text: String, _ location: SourceLocation = #_sourceLocation) {
    #expect(sourceLocation: location) {
      try lines(text)
    } throws: {
      ($0 as? FieldError)?.field.text == "headers"
    }
  }

  @Test func refusesWhatIsNoHeader() {
    for text in [
      "X-A", ": a", "X A: a", "X-É: a", "X-A : a", "X-A: a\rb", "X-A: a\u{0}", "X-A: \u{7F}",
      "X-A: a\r", "X(A): a", "\"X\": a", "X-A: a\nnonsense",
    ] { refuses(text) }
  }

  @Test func refusesHeadersThatTheGatewaySetsItself() {
    for name in [
      "Host", "content-length", "Transfer-Encoding", "CONNECTION", "Authorization", "TE", "Upgrade",
      "Expect", "Keep-Alive", "Trailer", "Proxy-Authorization", "Content-Type",
    ] {
      refuses("\(name): a")
      refuses("X-A: a\n\(name):a")
    }
  }

  /// Two such headers, or a compressed answer, would break what the gateway reads.
  @Test func refusesAnEncodingThatTheGatewayCannotRead() {
    refuses("Accept-Encoding: gzip")
  }

  @Test func namesTheField() {
    let error = FieldError("weight", "must be a whole number from 0 to 1000")
    #expect(error.sentence == "weight must be a whole number from 0 to 1000")
  }
}
