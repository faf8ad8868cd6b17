// SPDX-License-Identifier: MIT
import Testing

@testable import Platform

struct SpanBytesTests {
  private func check(_ text: ByteString, _ literal: StaticString, _ same: Bool, folded: Bool) {
    let isSame = text.bytes.span.equals(literal)
    let isFolded = text.bytes.span.equalsIgnoringCase(literal)
    #expect(isSame == same, "\(text.text)")
    #expect(isFolded == folded, "\(text.text)")
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

  /// Words at a time: every byte in every place, among others that are the same.
  @Test func comparesLongTextsInAnyCase() {
    let wanted: StaticString = "x-[key]{z}_a09-@`"
    let lower = [UInt8](ByteString(wanted).bytes)
    for place in lower.indices {
      for byte in UInt8.min...UInt8.max {
        var text = lower.map { 0x61...0x7A ~= $0 ? $0 & 0xDF : $0 }
        text[place] = byte
        let isSame = text.span.equalsIgnoringCase(wanted)
        #expect(isSame == (ASCII.lowercased(byte) == lower[place]), "\(byte) at \(place)")
      }
    }
  }

  private func check(find byte: UInt8, from start: Int, _ expected: Int?) {
    let found = ByteString("abcabc").bytes.span.firstIndex(of: byte, from: start)
    #expect(found == expected)
  }

  @Test func findsBytes() {
    check(find: 0x62, from: 0, 1)
    check(find: 0x62, from: 1, 1)
    check(find: 0x62, from: 2, 4)
    check(find: 0x78, from: 0, nil)
    check(find: 0x62, from: 6, nil)
    check(find: 0x62, from: 99, nil)
  }

  private func check(find literal: StaticString, from start: Int = 0, _ expected: Int?) {
    let found = ByteString("abcabd").bytes.span.firstIndex(of: literal, from: start)
    #expect(found == expected, "\(literal)")
  }

  @Test func findsLiterals() {
    check(find: "ab", 0)
    check(find: "abd", 3)
    check(find: "ab", from: 1, 3)
    check(find: "bdx", nil)
    check(find: "abcabdabc", nil)
    check(find: "ab", from: 6, nil)
  }

  @Test func lendsItsMemory() {
    let bytes: [UInt8] = [1, 2, 3]
    let (count, last) = (bytes.span.rawBuffer.count, bytes.span.rawBuffer[2])
    #expect(count == 3 && last == 3)
  }
}
