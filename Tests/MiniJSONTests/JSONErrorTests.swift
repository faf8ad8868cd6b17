// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniJSON

struct JSONErrorTests {
  private func check(_ text: ByteString, _ expected: ByteString) {
    let scanner = JSONScanner()
    do throws(JSONError) {
      try scanner.scan(text.bytes.span)
      try scanner.finish()
      Issue.record("accepts \(text.text)")
    } catch {
      #expect(error.message == expected)
    }
  }

  @Test func speaksInSentences() {
    check(
      "{\"a\":\"one line\nnext\"}", "invalid JSON at byte 14: a string contains a raw line break")
    check("[]", "invalid JSON at byte 0: the text must be an object, beginning with '{'")
    check("{\"a\":1", "invalid JSON at byte 6: the text ends in the middle of a value")
    check(#"{"a":1,"a":2}"#, "invalid JSON at byte 7: a key occurs twice in the outermost object")
    check(#"{"a":"\ud800"}"#, "invalid JSON at byte 12: a \\u escape is half of a surrogate pair")
  }

  @Test func hasWordsForEveryKind() {
    for raw in UInt8(0)...JSONError.Kind.tooLong.rawValue {
      guard let kind = JSONError.Kind(rawValue: raw) else {
        Issue.record("no kind \(raw)")
        continue
      }
      #expect(JSONError(kind, at: 0).reason.utf8CodeUnitCount > 10)
    }
  }
}
