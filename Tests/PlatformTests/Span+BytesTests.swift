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

  /// Texts of every length, with a mark at every place, searched from every start.
  private func search(
    for mark: [UInt8], _ found: (Span<UInt8>, Int) -> Int?, orElse missing: (Int) -> Int?
  ) {
    var wrong: [[Int]] = []
    for count in 0...40 {
      for place in 0...count {
        var text = [UInt8](repeating: 0x78, count: count)
        text.replaceSubrange(place..<min(place + mark.count, count), with: mark)
        text = Array(text.prefix(count))
        let isWhole = place + mark.count <= count
        for start in 0...count {
          let expected = isWhole && start <= place ? place : missing(count)
          if found(text.span, start) != expected { wrong.append([count, place, start]) }
        }
      }
    }
    #expect(wrong.isEmpty)
  }

  @Test func findsLineEnds() {
    for end: UInt8 in [0x0A, 0x0D] {
      search(for: [end], { $0.lineEnd(from: $1) }, orElse: { $0 })
    }
    let text: [UInt8] = [0x61, 0x0D, 0x0A]
    let (first, second, none) = (
      text.span.lineEnd(from: 0), text.span.lineEnd(from: 2), text.span.lineEnd(from: 9)
    )
    #expect(first == 1 && second == 2 && none == 3)
  }

  @Test func findsNames() {
    for letter in [UInt8(ascii: "a"), UInt8(ascii: "q"), UInt8(ascii: "z")] {
      let letters = UInt32(1) << UInt32(letter - UInt8(ascii: "a"))
      search(
        for: [0x22, letter], { $0.firstName(letters: letters, from: $1) }, orElse: { _ in nil })
    }
  }

  @Test func findsNoOtherNames() {
    let all: UInt32 = 0x03FF_FFFF
    for byte in UInt8.min...UInt8.max where byte != 0x22 {
      let text = [0x22, byte] + [UInt8](repeating: 0x78, count: 20)
      let found = text.span.firstName(letters: all, from: 0)
      #expect(found == (0x61...0x7A ~= byte ? 0 : nil), "\(byte)")
      let others = text.span.firstName(letters: 1 << 23, from: 0)
      #expect(others == (byte == 0x78 ? 0 : nil), "\(byte)")
    }
  }

  @Test func lendsItsMemory() {
    let bytes: [UInt8] = [1, 2, 3]
    let (count, last) = (bytes.span.rawBuffer.count, bytes.span.rawBuffer[2])
    #expect(count == 3 && last == 3)
  }
}
