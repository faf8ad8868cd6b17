// SPDX-License-Identifier: MIT
import Testing

@testable import Platform

struct SpanBytesTests {
  private func check(_ text: ByteString, _ literal: StaticString, _ same: Bool, folded: Bool) {
    #expect(text.bytes.span.equals(literal) == same, "\(text.text)")
    #expect(text.bytes.span.equalsIgnoringCase(literal) == folded, "\(text.text)")
  }

  @Test func comparesWithLiterals() {
    check("", "", true, folded: true)
    check("close", "close", true, folded: true)
    check("Close", "close", false, folded: true)
    check("closed", "close", false, folded: false)
    check("clos", "close", false, folded: false)
    check("clos\u{0}", "close", false, folded: false)
    // 0x5B and 0x7B differ by the bit that tells letters' cases apart.
    check("[", "{", false, folded: false)
  }

  @Test func findsBytes() {
    let bytes = ByteString("abcabc").bytes
    #expect(bytes.span.firstIndex(of: UInt8(ascii: "b")) == 1)
    #expect(bytes.span.firstIndex(of: UInt8(ascii: "b"), from: 1) == 1)
    #expect(bytes.span.firstIndex(of: UInt8(ascii: "b"), from: 2) == 4)
    #expect(bytes.span.firstIndex(of: UInt8(ascii: "x")) == nil)
    #expect(bytes.span.firstIndex(of: UInt8(ascii: "b"), from: 6) == nil)
    #expect(bytes.span.firstIndex(of: UInt8(ascii: "b"), from: 99) == nil)
  }

  @Test func findsLiterals() {
    let bytes = ByteString("abcabd").bytes
    #expect(bytes.span.firstIndex(of: "ab" as StaticString) == 0)
    #expect(bytes.span.firstIndex(of: "abd" as StaticString) == 3)
    #expect(bytes.span.firstIndex(of: "ab" as StaticString, from: 1) == 3)
    #expect(bytes.span.firstIndex(of: "bdx" as StaticString) == nil)
    #expect(bytes.span.firstIndex(of: "abcabdabc" as StaticString) == nil)
    #expect([UInt8]().span.firstIndex(of: "a" as StaticString) == nil)
  }

  @Test func lendsItsMemory() {
    let bytes: [UInt8] = [1, 2, 3]
    #expect(bytes.span.rawBuffer.count == 3)
    #expect(bytes.span.rawBuffer[2] == 3)
  }
}
