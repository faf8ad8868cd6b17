// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// What is held and charged of answers in a vendor's own format.
extension RelayChatPassageTests {
  @Test func boundsWhatIsHeldOfAStream() {
    for isStream in [false, true] {
      let passage = passage(isStream: isStream)
      _ = feed(passage, Self.start + Self.open)
      let piece = Array(Self.text(String(repeating: "a", count: 600)).utf8)
      let isShort = passage.read(piece.span, limit: 1000, to: Buffer())
      let isStillShort = passage.read(piece.span, limit: 1000, to: Buffer())
      #expect(isShort && !isStillShort)
    }
  }

  @Test func accountsAWholeAnswerOnce() {
    let passage = passage(isStream: false)
    _ = feed(passage, Self.whole)
    #expect(passage.unaccountedByteCount() == Int64(Self.whole.utf8.count))
    #expect(passage.unaccountedByteCount() == 0)
  }

  @Test func takesCountsOfNothingForNone() {
    let passage = passage(isStream: false)
    _ = feed(passage, Self.whole.replacing(":7,", with: ":0,").replacing(":5}", with: ":0}"))
    _ = end(passage)
    #expect(passage.usage(promptEstimate: 9).promptTokens == 9)
    #expect(passage.usage(promptEstimate: 9).completionTokens > 0)
  }

  /// The count at the beginning of a stream is not that of its end.
  @Test(arguments: [false, true])
  func chargesTextThatIsNotCountedYet(passes: Bool) {
    let passage = passage(passes: passes)
    _ = feed(passage, Self.start + Self.open + Self.text(String(repeating: "a", count: 400)))
    let begun = passage.usage(promptEstimate: 9)
    #expect(begun.promptTokens == 7 && begun.completionTokens == 100 && !begun.isReported)
    _ = feed(passage, Self.finish)
    let finished = passage.usage(promptEstimate: 9)
    #expect(finished.completionTokens == 5 && finished.isReported)
  }
}
