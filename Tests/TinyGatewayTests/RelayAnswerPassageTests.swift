// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP
@testable import TinyGateway

/// Which answers are passed on without being JSON, and under what name.
struct RelayAnswerPassageTests {
  private func passage(
    _ field: String?, isText: Bool, takesPages: Bool = false
  ) throws -> AnswerPassage? {
    let lines = ["HTTP/1.1 200 OK", field.map { "Content-Type: " + $0 }, "Content-Length: 9"]
    let bytes = Array((lines.compactMap { $0 } + ["", ""]).joined(separator: "\r\n").utf8)
    let head = ResponseHead()
    let outcome = ResponseParser.parse(bytes.span, into: head, limits: HeadLimits())
    try #require(outcome == .done(bytes.count))
    return AnswerPassage(head, isText: isText, takesPages: takesPages)
  }

  private func lines(_ passage: AnswerPassage?) -> String? {
    let fields = Buffer()
    passage?.appendType(to: fields)
    return passage.map { _ in fields.byteString.text.split(separator: "\r\n").map(String.init)[0] }
  }

  @Test func passesSoundAndTexts() throws {
    let sound = try passage("Audio/MPEG", isText: false)
    #expect(lines(sound) == "Content-Type: audio/mpeg")
    #expect(sound?.length == 9)
    #expect(lines(try passage(nil, isText: false)) == "Content-Type: application/octet-stream")
    #expect(lines(try passage(nil, isText: true)) == "Content-Type: text/plain; charset=utf-8")
    #expect(
      lines(try passage("text/vtt ; charset=latin1", isText: true))
        == "Content-Type: text/vtt; charset=utf-8")
    #expect(
      lines(try passage("text/html", isText: true, takesPages: true))
        == "Content-Type: text/plain; charset=utf-8")
  }

  @Test(arguments: ["text/html", "image/svg+xml", "text/plainer", "audio", "", "application/pdf"])
  func refusesWhatIsNoAnswer(_ type: String) throws {
    #expect(try passage(type, isText: true) == nil)
    #expect(try passage(type, isText: false) == nil)
  }

  @Test func speechIsNoText() throws {
    #expect(try passage("text/plain", isText: false) == nil)
  }

  @Test func countsTexts() throws {
    let bytes = Array("abcde世".utf8)
    let text = try #require(try passage("text/plain", isText: true))
    #expect(text.isEmpty && text.estimate == 0)
    text.count(bytes.span)
    #expect(!text.isEmpty && text.estimate == 3)
    let sound = try #require(try passage("audio/wav", isText: false))
    sound.count(bytes.span)
    #expect(!sound.isEmpty && sound.estimate == 0)
  }
}
