// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// The text of a stream is counted, for an estimate where no usage comes.
struct RelayAnswerTextTests {
  private func check(
    _ bytes: [UInt8], ascii: Int64, other: Int64 = 0, step: Int = 1,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let report = RelayAnswerStreamTests.report(bytes, hidesUsage: true, step: step, location)
    #expect(report.text == [ascii, other], sourceLocation: location)
  }

  private func check(
    delta: String, ascii: Int64, other: Int64 = 0, _ location: SourceLocation = #_sourceLocation
  ) {
    let chunk = "data: {\"choices\":[{\"index\":0,\"delta\":{\(delta)}}]}\n\n"
    check(Array(chunk.utf8), ascii: ascii, other: other, location)
  }

  @Test(
    arguments: [
      ("openai/stream.vendor.txt", 33, 6), ("openai/tools.stream.vendor.txt", 32, 0),
      ("deepseek/stream.vendor.txt", 48, 12),
    ] as [(String, Int64, Int64)])
  func countsSamples(_ name: String, _ ascii: Int64, _ other: Int64) throws {
    check(try RelayFixtures.bytes(name), ascii: ascii, other: other, step: 29)
  }

  @Test func countsContentReasoningArgumentsAndText() {
    check(delta: #""content":"Hello""#, ascii: 5)
    check(delta: #""content": "Hello""#, ascii: 5)
    check(delta: #""role":"assistant","content":"""#, ascii: 0)
    check(delta: #""content":null,"reasoning_content":"Hm.""#, ascii: 3)
    check(delta: #""content":"a","reasoning_content":"bc""#, ascii: 3)
    check(delta: #""tool_calls":[{"index":0,"function":{"arguments":"{}"}}]"#, ascii: 2)
    check(Array("data: {\"choices\":[{\"text\":\" once\"}]}\n\n".utf8), ascii: 5)
  }

  @Test func countsOtherScriptsByTheirBytes() {
    check(delta: #""content":"東京""#, ascii: 0, other: 6)
    check(delta: #""content":"é a""#, ascii: 2, other: 2)
  }

  @Test func countsAnEscapeAsOneByte() {
    check(delta: #""content":"a\"b""#, ascii: 3)
    check(delta: #""content":"\\""#, ascii: 1)
    check(delta: #""content":"\n\n""#, ascii: 2)
    check(delta: #""content":"\\\"""#, ascii: 2)
  }

  @Test func countsNothingElse() {
    check(delta: #""refusal":null"#, ascii: 0)
    check(delta: #""content":5"#, ascii: 0)
    check(delta: #""content":{"a":"b"}"#, ascii: 0)
    check(delta: "\"content\":", ascii: 0)
    check(Array(": \"content\":\"a comment\"\n\n".utf8), ascii: 0)
  }

  @Test func countsTheFirstOfAName() {
    check(delta: #""content":null,"x":{"content":"abc"}"#, ascii: 0)
    check(delta: #""content":"ab","x":{"content":"abc"}"#, ascii: 2)
  }

  @Test func takesNoTextForAName() {
    let text = #"\"text\":\"abc\", \"arguments"#
    check(delta: "\"content\":\"" + text + "\"", ascii: 24)
  }

  @Test func readsABrokenStringWithoutHarm() {
    check(Array("data: {}\n\ndata: {\"content\":\"abc\n\n".utf8), ascii: 3)
    check(Array("data: {}\n\ndata: {\"content\":\"abc\\\n\n".utf8), ascii: 4)
    check(Array("data: {}\n\ndata: {\"content\":\"\n\n".utf8), ascii: 0)
    check(Array("data: {}\n\ndata: \"content\":\n\n".utf8), ascii: 0)
  }

  @Test func estimatesWhatWasProduced() {
    let stream = AnswerStream(hidesUsage: false)
    let chunk = Array("data: {\"choices\":[{\"delta\":{\"content\":\"12345 東\"}}]}\n\n".utf8)
    #expect(stream.completionEstimate == 0)
    #expect(stream.read(chunk.span, to: Buffer()) == chunk.count)
    #expect(stream.completionEstimate == 3)
    #expect(!stream.usage.isReported)
  }
}
