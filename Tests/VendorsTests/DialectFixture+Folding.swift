// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Answers given as text, put together, for forms that no sample file has.
extension DialectFixture {
  /// What a stream comes to.
  func fold(stream text: String) -> ChatAnswer {
    let framer = dialect.framing.makeFramer()
    var facts = facts
    facts.isStream = true
    let decoder = dialect.makeDecoder(facts)
    var frames: [StreamEvent] = []
    let isSound = framer.read(Array(text.utf8).span, into: &frames) && framer.end(into: &frames)
    #expect(isSound)
    var events: [ChatEvent] = []
    for frame in frames { decoder.read(frame, into: &events) }
    decoder.end(into: &events)
    return DialectFixture.fold(events)
  }

  /// What a whole answer comes to.
  func fold(answer text: String) throws -> ChatAnswer {
    let decoder = dialect.makeDecoder(facts)
    var events: [ChatEvent] = []
    decoder.read(answer: try JSONDocument(ByteString(utf8: text)).root, into: &events)
    decoder.end(into: &events)
    return DialectFixture.fold(events)
  }

  private static func fold(_ events: [ChatEvent]) -> ChatAnswer {
    var answer = ChatAnswer()
    for event in events { answer.add(event) }
    return answer
  }

  /// Puts a stream together for a client that wants the whole answer, and checks what it gets.
  func checkFolded(
    _ stream: String, response: String, model: ByteString,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let answer = fold(stream: String(decoding: try bytes(stream), as: UTF8.self))
    var facts = AnswerFacts()
    facts.model = model
    facts.now = DialectFixture.now
    facts.idStem = "test"
    let output = Buffer()
    OpenAIWriter(facts).write(answer: answer, to: output)
    try DialectFixture.expectEqual(
      try JSONSerialization.jsonObject(with: Data(Array(output.readable))), try json(response),
      location)
  }

  /// The body for a request that is given as text.
  func encode(_ request: String, isStream: Bool = false) throws -> String {
    let root = try JSONDocument(ByteString(utf8: request)).root
    var request = try ClientDialect.openAI.read(root)
    request.isStream = isStream
    return String(decoding: try encode(request), as: UTF8.self)
  }

  /// The problem with a request that is given as text; nil when there is none.
  func problem(_ request: String) throws -> ChatProblem? {
    do {
      _ = try encode(request)
      return nil
    } catch let problem as ChatProblem {
      return problem
    }
  }
}

extension ChatAnswer {
  /// The text as a string.
  var textString: String { text.byteString.text }
}

extension ChatUsage {
  init(prompt: Int64, completion: Int64) {
    self.init()
    self.prompt = prompt
    self.completion = completion
  }
}
