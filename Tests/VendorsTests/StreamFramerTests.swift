// SPDX-License-Identifier: MIT
import Testing

@testable import Vendors

/// How bodies are cut into events.
struct StreamFramerTests {
  private func events(_ text: String, _ framing: StreamFraming = .events) -> [[String]] {
    var seen: [[[String]]] = []
    let bytes = Array(text.utf8)
    for cuts in DialectFixture.cuttings(bytes.count) {
      let framer = framing.makeFramer()
      var events: [StreamEvent] = []
      for (from, to) in zip([0] + cuts, cuts + [bytes.count]) {
        #expect(framer.read(Array(bytes[from..<to]).span, into: &events))
      }
      #expect(framer.end(into: &events))
      seen.append(events.map { [$0.name.text, $0.data.text] })
    }
    #expect(Set(seen).count == 1, "however it is cut")
    return seen[0]
  }

  @Test func readsFieldsAndLeavesCommentsOut() {
    #expect(
      events("event:a\r\n:c\r\ndata:1 \r\ndata: 2\r\nid:3\r\n\r\n\r\ndata:  x\n\n")
        == [["a", "1 \n2"], ["", " x"]])
    #expect(events("\u{FEFF}data: 1 \n\nevent: ping\n\ndata: 2") == [["", "1 "], ["", "2"]])
  }

  /// Vendors refuse a stream with a body that is none.
  @Test func takesABodyThatIsOneValueForOneEvent() {
    #expect(events("{\"a\":1}") == [["", "{\"a\":1}\n"]])
    #expect(events("\n {\n  \"a\":\r\n\n 1}\n") == [["", " {\n  \"a\":\n\n 1}\n"]])
    // Not in the midst of a stream.
    #expect(events("data: 1\n\n{\"a\":1}\n\ndata: 2\n\n") == [["", "1"], ["", "2"]])
  }

  @Test func readsOneValueALine() {
    #expect(
      events("{\"a\":1}\n\n {\"b\":2} \r\n{}", .lines).map { $0[1] } == [
        "{\"a\":1}", "{\"b\":2}", "{}",
      ])
  }
}
