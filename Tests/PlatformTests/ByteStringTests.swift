// SPDX-License-Identifier: MIT
import Testing

@testable import Platform

struct ByteStringTests {
  @Test func comparesBytesAndNotCharacters() {
    #expect(ByteString(utf8: "\u{e9}") != ByteString(utf8: "e\u{301}"))
    #expect(ByteString("a") == ByteString("a"))
    #expect(ByteString("a") == "a" as StaticString)
    #expect(!(ByteString("ab") == "a" as StaticString))
    #expect(!(ByteString("") == "a" as StaticString))
    #expect(Set([ByteString("a"), ByteString("a"), ByteString("A")]).count == 2)
  }

  @Test func knowsItsPrefix() {
    for (text, prefix, expected): (ByteString, StaticString, Bool) in [
      ("sk-abc", "sk-", true), ("sk-", "sk-", true), ("sk", "sk-", false), ("", "", true),
      ("Sk-abc", "sk-", false), ("abc", "", true),
    ] {
      #expect(text.starts(with: prefix) == expected, "\(text.text)")
    }
  }

  @Test func lowersASCIILettersOnly() {
    #expect(ByteString("AZaz09[@`{").lowercased == "azaz09[@`{")
    #expect(ByteString(utf8: "ÄB").lowercased == ByteString(utf8: "Äb"))
  }

  @Test func splitsAtTheFirstSeparator() {
    let parts = ByteString("a=b=c").split(at: UInt8(ascii: "="))
    #expect(parts?.before == "a")
    #expect(parts?.after == "b=c")
    #expect(ByteString("abc").split(at: UInt8(ascii: "=")) == nil)
    #expect(ByteString("=").split(at: UInt8(ascii: "="))?.before == .empty)
    #expect(ByteString("=").split(at: UInt8(ascii: "="))?.after == .empty)
  }

  @Test func listsTrimmedPieces() {
    #expect(ByteString(" a, b ,,c,").list(separatedBy: 0x2C) == ["a", "b", "c"])
    #expect(ByteString(" , ,").list(separatedBy: 0x2C) == [])
    #expect(ByteString("").list(separatedBy: 0x2C) == [])
  }

  @Test func trimsSpacesAndTabs() {
    for (text, expected): (ByteString, ByteString) in [
      (" a b\t", "a b"), ("", ""), (" \t ", ""), ("a", "a"), ("\na\n", "\na\n"),
    ] {
      #expect(text.trimmed == expected)
    }
  }

  @Test func readsDecimalsWithinBounds() {
    for (text, expected): (ByteString, Int64?) in [
      ("0", 0), ("007", 7), ("9223372036854775807", .max), ("9223372036854775808", nil),
      ("99999999999999999999", nil), ("", nil), ("-1", nil), ("+1", nil), ("1 ", nil),
      ("1.0", nil), ("0x1", nil),
    ] {
      #expect(text.decimal == expected, "\(text.text)")
    }
  }

  @Test func passesThroughC() {
    #expect(ByteString("abc").withCString { ByteString(cString: $0) } == "abc")
    #expect(ByteString("").withCString { ByteString(cString: $0) } == "")
    #expect(ByteString([0x61, 0, 0x62]).withCString { ByteString(cString: $0) } == "a")
    #expect(ByteString(cString: nil) == nil)
  }

  @Test func showsInvalidTextReplaced() {
    #expect(ByteString([0x61, 0xFF]).text == "a\u{FFFD}")
    #expect(ByteString("a") + ByteString("b") == "ab")
  }

  @Test func sortsByBytes() {
    let sorted = ByteString.sorted(["b", "é", "", "ab", "B", "a", "ab"])
    #expect(sorted == ["", "B", "a", "ab", "ab", "b", "é"])
  }

  @Test func classifiesASCII() {
    for byte in UInt8.min...UInt8.max {
      let isLetter = (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
      #expect(ASCII.isLetter(byte) == isLetter)
      #expect(ASCII.isDigit(byte) == (0x30...0x39).contains(byte))
      let lowered = (0x41...0x5A).contains(byte) ? byte + 32 : byte
      #expect(ASCII.lowercased(byte) == lowered)
      let scalar = Character(Unicode.Scalar(byte))
      let value = byte < 0x80 ? scalar.hexDigitValue.map { UInt8($0) } : nil
      #expect(ASCII.hexValue(byte) == value)
    }
  }
}
