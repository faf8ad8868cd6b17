// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Pieces of answers that are no sound JSON.
struct StreamEventTests {
  @Test(arguments: [
    (#""\ud83d\ude00""#, "\u{1F600}"), (#""a\ud83d""#, "a\u{FFFD}"),
    (#""\uDE00b""#, "\u{FFFD}b"), (#""\ud83d\ud83d\ude00""#, "\u{FFFD}\u{1F600}"),
    (#""\uDBFF\uDFFF\udfff""#, "\u{10FFFF}\u{FFFD}"), (#""\\ud83d\ud83d\u0041""#, #"\ud83d�A"#),
  ])
  func replacesHalvesOfPairs(_ data: String, _ text: String) {
    #expect(StreamEvent(data: ByteString(utf8: data)).json?.string?.text == text)
  }

  private static let dialects: [Dialect] =
    VendorRegistry.all.map(\.dialect) + [.responses]

  /// Nobody would miss a piece that is left out.
  @Test(arguments: dialects.indices)
  func failsForWhatIsNoJSON(_ index: Int) throws {
    let dialect = StreamEventTests.dialects[index]
    var facts = CallFacts()
    facts.isStream = true
    for data in ["{\"choices\":[{", "garbage"] as [ByteString] {
      var events: [ChatEvent] = []
      dialect.makeDecoder(facts).read(StreamEvent(data: data), into: &events)
      guard case .failure(let failure) = events.last else {
        Issue.record("\(dialect.name): \(DialectFixture.words(events))")
        continue
      }
      #expect(failure.action == .retry)
      #expect(failure.meaning == .broken)
    }
    for data in ["[DONE]", " [done]", "", "\n"] as [ByteString] {
      var events: [ChatEvent] = []
      dialect.makeDecoder(facts).read(StreamEvent(name: "done", data: data), into: &events)
      let isFailed = events.contains { if case .failure = $0 { true } else { false } }
      #expect(!isFailed, "\(dialect.name): \(DialectFixture.words(events))")
    }
  }
}
