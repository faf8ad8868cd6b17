// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniJSON

struct JSONStringTests {
  private func checkUnescaped(_ lexeme: ByteString, _ expected: ByteString?) {
    #expect(lexeme.withBytes { JSONString.unescaped($0) } == expected, "\(lexeme.text)")
  }

  private func checkEscaped(_ bytes: [UInt8], _ expected: String) {
    let lexeme = JSONString.lexeme(ByteString(bytes))
    #expect(lexeme == ByteString(utf8: expected), "\(bytes)")
    let scanner = JSONScanner(requiresObject: false)
    #expect(throws: Never.self) {
      try scanner.scan(lexeme.bytes.span)
      try scanner.finish()
    }
  }

  @Test func unescapes() {
    checkUnescaped(#""""#, "")
    checkUnescaped(#""abc""#, "abc")
    checkUnescaped(#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t")
    checkUnescaped(#""\u0041\u00e9\u5929\ud83d\ude00""#, "Aé天😀")
    checkUnescaped(#""a long text before \n and behind""#, "a long text before \n and behind")
    checkUnescaped(#""天\\""#, "天\\")
    checkUnescaped(#""\u0000""#, "\u{0}")
  }

  @Test func unescapesNothingElse() {
    for lexeme: ByteString in [
      "", "\"", "a", "12", "null", "\"abc", "abc\"", "\"\\\"", "\"\\x\"", "\"\\u12\"",
      "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800\\n\"",
      "\"a\"b\"",
    ] {
      checkUnescaped(lexeme, nil)
    }
  }

  @Test func escapes() {
    checkEscaped([], #""""#)
    checkEscaped(Array("abc/é天😀\u{7f}".utf8), "\"abc/é天😀\u{7f}\"")
    checkEscaped(
      Array("a\"b\\c\nd\re\tf\u{0}\u{1f}\u{8}".utf8), #""a\"b\\c\nd\re\tf\u0000\u001f\u0008""#)
    checkEscaped(
      Array("0123456789abcdef\"0123456789abcdef".utf8), #""0123456789abcdef\"0123456789abcdef""#)
  }

  @Test func replacesIllFormedUTF8() {
    for bytes: [UInt8] in [
      [0x80], [0xff], [0xc0, 0x80], [0xc3], [0xc3, 0x28], [0xe5, 0xa4], [0xe5, 0xa4, 0x41],
      [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0xf4, 0x90, 0x80, 0x80],
      [0xf0, 0x9f, 0x98, 0x80, 0x80],
      [0xe5, 0xa4, 0xa9, 0xe5, 0xa4], [0xe0, 0x80, 0xe5, 0xa4, 0xa9],
    ] {
      for padding in ["", "天天天天", "abcdefghijkl"] {
        let padded = Array(padding.utf8) + bytes + Array(padding.utf8)
        checkEscaped(padded, "\"\(String(decoding: padded, as: UTF8.self))\"")
      }
    }
  }

  @Test func survivesTheWayThereAndBack() {
    for scalar: UInt32 in [0x20, 0x22, 0x5c, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff] {
      var bytes: [UInt8] = []
      JSONString.forEachByte(of: scalar) { bytes.append($0) }
      #expect(bytes == Unicode.Scalar(scalar).map { Array(String($0).utf8) })
      checkUnescaped(JSONString.lexeme(ByteString(bytes)), ByteString(bytes))
    }
  }
}
