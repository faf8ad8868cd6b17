// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// Streams of recordings and transcripts, whose events have other names.
struct RelayAnswerMediaTests {
  /// What is known after a stream; every cutting must give the same.
  private func read(
    _ text: String, isMedia: Bool = true, _ location: SourceLocation = #_sourceLocation
  ) -> AnswerStream {
    let bytes = Array(text.utf8)
    var last = AnswerStream(hidesUsage: false, isMedia: isMedia)
    for cuts in RelayFixtures.cuttings(bytes.count) {
      let stream = AnswerStream(hidesUsage: false, isMedia: isMedia)
      let output = Buffer()
      let rest = Buffer()
      for piece in RelayFixtures.pieces(bytes, cuts) {
        rest.append(piece.span)
        let waiting = Array(rest.readable)
        rest.consume(stream.read(waiting.span, to: output))
      }
      #expect(output.byteString.text == text, sourceLocation: location)
      if !cuts.isEmpty {
        #expect(stream.isComplete == last.isComplete, sourceLocation: location)
        #expect(stream.usage == last.usage, sourceLocation: location)
        #expect(
          stream.completionEstimate == last.completionEstimate, sourceLocation: location)
      }
      last = stream
    }
    return last
  }

  private static let delta = "data: {\"type\":\"transcript.text.delta\",\"delta\":\"abcd\"}\n\n"

  @Test func endsWithTheEventThatSaysSo() {
    let end = "data: {\"type\":\"transcript.text.done\",\"text\":\"abcdabcd\"}\n\n"
    let stream = read(Self.delta + Self.delta + end)
    #expect(stream.isComplete)
    #expect(stream.completionEstimate == 2)
    #expect(read("data: {\"type\":\"speech.audio.done\"}\n\n").isComplete)
    #expect(read("data: [DONE]\n\n").isComplete)
    #expect(!read(Self.delta + end, isMedia: false).isComplete)
  }

  @Test func takesTheUsage() {
    let usage = "{\"type\":\"tokens\",\"input_tokens\":14,\"output_tokens\":45}"
    let end = "data: {\"type\":\"transcript.text.done\",\"text\":\"\",\"usage\":\(usage)}\n\n"
    #expect(read(Self.delta + end).usage.tokens == 59)
  }

  @Test(arguments: [
    "{\"type\":\"transcript.text.delta\",\"delta\":\"all.done\"}",
    "{\"type\":\"transcript.text.delta\",\"delta\":\"\\\"transcript.text.done\\\"\"}",
    "{\"x\":{\"type\":\"speech.audio.done\"},\"type\":\"speech.audio.delta\"}", "{\"a\":\".done\"}",
  ])
  func isNotEndedByWords(_ event: String) { #expect(!read("data: \(event)\n\n").isComplete) }
}
