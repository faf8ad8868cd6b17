// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing
import Vendors

@testable import TinyGateway

/// Answers in a vendor's own format, as they come and as the client gets them.
struct RelayChatPassageTests {
  static let start = """
    event: message_start\r
    data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",\
    "model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":7,"output_tokens":1}}}\r
    \r

    """
  static let ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n"
  static let open =
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
    + "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
  static let hello = text("Grüße")
  static let failure =
    "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
    + "\"message\":\"Overloaded\"}}\n\n"
  static let finish =
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
    + "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
    + "\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":5}}\n\n"
    + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"

  static func text(_ text: String) -> String {
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
      + "\"delta\":{\"type\":\"text_delta\",\"text\":\"\(text)\"}}\n\n"
  }

  func passage(passes: Bool = false, isStream: Bool = true) -> ChatPassage {
    var facts = AnswerFacts()
    facts.model = "public"
    facts.idStem = "test"
    facts.now = 1_760_000_000
    return ChatPassage(
      framing: .events, errors: Dialect.anthropic.errors,
      decoder: Dialect.anthropic.makeDecoder(CallFacts()), writer: OpenAIWriter(facts),
      passes: passes, isStream: isStream)
  }

  /// What the client gets of a piece.
  func feed(_ passage: ChatPassage, _ text: String) -> String {
    let output = Buffer()
    let bytes = Array(text.utf8)
    let isSound = passage.read(bytes.span, limit: 1_000_000, to: output)
    #expect(isSound)
    return output.byteString.text
  }

  func end(_ passage: ChatPassage) -> (ChatPassage.Ending, String) {
    let output = Buffer()
    let ending = passage.end(to: output)
    return (ending, output.byteString.text)
  }

  @Test func sendsEachPieceAtOnce() {
    let passage = passage()
    #expect(feed(passage, Self.start + Self.ping + Self.open) == "")
    #expect(!passage.hasContent)
    #expect(feed(passage, Self.hello).contains("Grüße"))
    #expect(passage.hasContent)
    #expect(feed(passage, Self.text("2")).contains("\"content\":\"2\""))
    #expect(feed(passage, Self.finish).contains("\"finish_reason\":\"stop\""))
    let (ending, rest) = end(passage)
    #expect(ending == .complete && rest == "data: [DONE]\n\n")
    #expect(passage.usage.map { Usage($0) }?.promptTokens == 7)
    #expect(passage.usage.map { Usage($0) }?.completionTokens == 5)
  }

  @Test(arguments: [false, true])
  func isTheSameHoweverItIsCut(passes: Bool) {
    let text = Self.start + Self.open + Self.hello + Self.finish
    let whole = passage(passes: passes)
    let expected = feed(whole, text) + end(whole).1
    for cuts in RelayFixtures.cuttings(text.utf8.count, step: 7) {
      let passage = passage(passes: passes)
      let seen = Buffer()
      for piece in RelayFixtures.pieces(Array(text.utf8), cuts) {
        let isSound = passage.read(piece.span, limit: 1_000_000, to: seen)
        #expect(isSound)
      }
      #expect(passage.end(to: seen) == .complete)
      #expect(seen.byteString.text == expected, "\(cuts.prefix(3))")
    }
  }

  /// An error before any content is a failed attempt: the client has seen nothing.
  @Test func keepsEverythingBackUntilThereIsContent() {
    for passes in [false, true] {
      let passage = passage(passes: passes)
      #expect(feed(passage, Self.start + Self.ping + Self.open) == "")
      #expect(feed(passage, Self.failure) == "")
      #expect(!passage.hasContent)
      #expect(passage.failure?.meaning == .overloaded)
      #expect(passage.failure?.message == "Overloaded")
    }
  }

  @Test func tellsAFailureInTheMidstInTheClientsWords() {
    let passage = passage()
    _ = feed(passage, Self.start + Self.open + Self.hello)
    #expect(feed(passage, Self.failure + Self.text("never")) == "")
    #expect(passage.failure != nil)
    let output = Buffer()
    passage.fail(ClientError(503, "server_error", "upstream_error", "m"), to: output)
    let text = output.byteString.text
    #expect(text.hasPrefix("data: {\"error\":{\"message\":\"m\""))
    #expect(!text.contains("[DONE]"))
  }

  @Test func isCutWithoutTheVendorsEnd() {
    for text in ["", Self.start, Self.start + Self.open + Self.hello] {
      let passage = passage()
      let seen = feed(passage, text)
      let (ending, rest) = end(passage)
      #expect(ending != .complete)
      #expect(!(seen + rest).contains("[DONE]") && !(seen + rest).contains("\"stop\""))
    }
  }

  // Passing on.

  @Test func passesTheSameBytesOn() {
    let pieces = [Self.start, Self.ping, Self.open, Self.hello, Self.text("2"), Self.finish]
    let passage = passage(passes: true)
    var seen = ""
    for piece in pieces { seen += feed(passage, piece) }
    let (ending, rest) = end(passage)
    #expect(ending == .complete && rest == "")
    #expect(seen == pieces.joined())
    #expect(passage.usage?.completion == 5)
  }

  /// Its message may hold what no client is to see.
  @Test func tellsAPassedErrorInTheGatewaysWords() {
    let passage = passage(passes: true)
    let before = feed(passage, Self.start + Self.open + Self.hello)
    #expect(feed(passage, Self.text("2") + Self.failure + Self.text("3")) == Self.text("2"))
    #expect(before == Self.start + Self.open + Self.hello)
    #expect(passage.failure != nil)
    #expect(fail(passage).hasPrefix("data: {\"error\":{\"message\":\"m\""))
  }

  func fail(_ passage: ChatPassage) -> String {
    let output = Buffer()
    passage.fail(ClientError(503, "server_error", "upstream_error", "m"), to: output)
    return output.byteString.text
  }

  /// An error or a comment may follow what was passed on at any time.
  @Test func passesWholeEventsOnly() {
    for newline in ["\n", "\r\n", "\r"] {
      let passage = passage(passes: true)
      _ = feed(passage, Self.start + Self.open + Self.hello)
      let event = Self.text("x").replacing("\n", with: newline)
      #expect(feed(passage, String(event.dropLast())) == "" || newline == "\r\n")
      #expect(feed(passage, String(event.suffix(1)) + "event: cont").hasSuffix(newline))
      #expect(feed(passage, "ent_block_delta\ndata: {\"type\":\"content_block_de") == "")
      let (ending, rest) = end(passage)
      #expect(ending == .cut && rest == "")
    }
    let finished = passage(passes: true)
    _ = feed(finished, Self.start + Self.open + Self.hello + Self.finish)
    #expect(feed(finished, "data: {\"half") == "")
    let (ending, rest) = end(finished)
    #expect(ending == .complete && rest == "")
  }

  @Test func continuesAPassedResponse() {
    let passage = ChatPassage(
      framing: .events, errors: Dialect.responses.errors,
      decoder: Dialect.responses.makeDecoder(CallFacts()),
      writer: ResponsesWriter(AnswerFacts()), passes: true, isStream: true)
    let seen = feed(
      passage,
      """
      data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1"}}

      data: {"type":"response.output_text.delta","sequence_number":1,"delta":"a"}

      data: {"type":"response.output_text.de
      """)
    #expect(seen.hasSuffix("\"delta\":\"a\"}\n\n"))
    #expect(end(passage).0 == .cut)
    let text = fail(passage)
    #expect(text.hasPrefix("event: error\ndata: {\"type\":\"error\",\"sequence_number\":2,"))
    #expect(!text.contains("response."))
  }

  // Whole answers.

  static let whole = """
    {"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text",\
    "text":"Grüße"}],"stop_reason":"end_turn","usage":{"input_tokens":7,"output_tokens":5}}
    """

  @Test func writesAWholeAnswer() throws {
    let passage = passage(isStream: false)
    #expect(feed(passage, String(Self.whole.prefix(50))) == "")
    #expect(feed(passage, String(Self.whole.dropFirst(50))) == "")
    let (ending, text) = end(passage)
    #expect(ending == .complete)
    let json = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(json?["model"] as? String == "public")
    #expect(text.contains("Grüße") && text.contains("\"total_tokens\":12"))
  }

  @Test func passesAWholeAnswerOn() {
    let passage = passage(passes: true, isStream: false)
    _ = feed(passage, " \n")
    _ = feed(passage, Self.whole)
    let (ending, text) = end(passage)
    #expect(ending == .complete && text == " \n" + Self.whole)
    #expect(passage.usage?.prompt == 7)
  }

  /// The vendor answers whole although a stream was asked for, and the other way round.
  @Test func makesAStreamOfAWholeAnswerAndBack() {
    for passes in [false, true] {
      let streamed = passage(passes: passes)
      #expect(feed(streamed, Self.whole) == "")
      let (ending, text) = end(streamed)
      #expect(ending == .complete && text.hasSuffix("data: [DONE]\n\n") && text.contains("Grüße"))
      let folded = passage(passes: passes, isStream: false)
      #expect(feed(folded, Self.start + Self.open + Self.hello + Self.finish) == "")
      let (end, whole) = self.end(folded)
      #expect(end == .complete && whole.contains("\"content\":\"Grüße\""))
    }
  }

  @Test func judgesAnErrorInPlaceOfAnAnswer() {
    for isStream in [false, true] {
      let passage = passage(isStream: isStream)
      let body =
        #"{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}"#
      #expect(feed(passage, body) == "")
      #expect(end(passage).1 == "")
      #expect(passage.failure?.meaning == .tooManyRequests)
    }
  }

  @Test func doesNotTakeAnythingForAnAnswer() {
    for text in ["{}", "[]", "{\"a\":", "<html></html>", "\n\n", "data: {}\n\n", "5"] {
      for isStream in [false, true] {
        let passage = passage(isStream: isStream)
        _ = feed(passage, text)
        let (ending, seen) = end(passage)
        #expect(ending != .complete || passage.failure != nil, "\(text)")
        #expect(seen == "", "\(text)")
      }
    }
  }

  @Test func boundsAWholeAnswer() {
    let passage = passage(isStream: false)
    let piece = Array(("{" + String(repeating: " ", count: 99)).utf8)
    let isShort = passage.read(piece.span, limit: 100, to: Buffer())
    let isStillShort = passage.read(piece.span, limit: 100, to: Buffer())
    #expect(isShort && !isStillShort)
  }

  @Test func estimatesFromTheText() {
    let passage = passage()
    _ = feed(passage, Self.start + Self.open + Self.text(String(repeating: "a", count: 400)))
    #expect(passage.usage(promptEstimate: 0).completionTokens == 100)
  }
}
