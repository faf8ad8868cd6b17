// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniJSON

struct JSONScannerStringTests {
  private func string(_ contents: [UInt8]) -> [UInt8] {
    Array("{\"a\":\"".utf8) + contents + Array("\"}".utf8)
  }

  private func accept(_ contents: String, _ at: SourceLocation = #_sourceLocation) {
    ScannerChecks.check(string(Array(contents.utf8)), nil, at)
    ScannerChecks.check(Array("{\"\(contents)\":1}".utf8), nil, at)
  }

  /// Expects an error at `offset`, counted from the byte behind the opening quote.
  private func refuse(
    _ contents: [UInt8], _ kind: JSONError.Kind, _ offset: Int,
    _ at: SourceLocation = #_sourceLocation
  ) {
    ScannerChecks.check(string(contents), kind, at: 6 + offset, at)
    let key = Array("{\"".utf8) + contents + Array("\":1}".utf8)
    ScannerChecks.check(key, kind, at: 2 + offset, at)
    let padding = [UInt8](repeating: 0x7a, count: 41)
    ScannerChecks.check(string(padding + contents + padding), kind, at: 47 + offset, at)
  }

  private func refuse(
    _ contents: String, _ kind: JSONError.Kind, _ offset: Int,
    _ at: SourceLocation = #_sourceLocation
  ) {
    refuse(Array(contents.utf8), kind, offset, at)
  }

  @Test func acceptsText() {
    accept("")
    accept("a")
    for count in [7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100] {
      accept(String(repeating: "x", count: count))
      accept(String(repeating: "天", count: count))
      accept(String(repeating: "é", count: count))
      accept(String(repeating: "😀", count: count))
    }
    accept("~\u{7f} [],:{}/'")
    accept("\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}\u{d7ff}\u{e000}")
    accept("a天é😀b天天c天天天d😀é")
  }

  @Test func acceptsEscapes() {
    accept(#"\"\\\/\b\f\n\r\t"#)
    accept(#"\u0000\u0041\u00e9\u00FF\u5929\uffff\uFFFE"#)
    accept(#"\ud83d\ude00\uD83D\uDE00\uD800\uDC00\udbff\udfff"#)
    accept(#"a\nb天\u5929c\\"#)
    accept(#"\\u12"#)
    accept(String(repeating: #"\n"#, count: 40))
    accept(String(repeating: #"\u5929"#, count: 12))
  }

  @Test func refusesUnknownEscapes() {
    for letter in ["a", "x", "0", "U", "N", "'", " ", "v", "e", "{"] {
      refuse("\\\(letter)", .invalidEscape, 1)
    }
    refuse([0x5c, 0x0a], .invalidEscape, 1)
    refuse([0x5c, 0xe5, 0xa4, 0xa9], .invalidEscape, 1)
    refuse(#"\u123g"#, .invalidHexDigit, 5)
    refuse(#"\u12"#, .invalidHexDigit, 4)
    refuse(#"\u"#, .invalidHexDigit, 2)
    refuse(#"\u+123"#, .invalidHexDigit, 2)
    refuse(#"\u 123"#, .invalidHexDigit, 2)
    refuse(#"\uG000"#, .invalidHexDigit, 2)
  }

  @Test func refusesHalvesOfSurrogatePairs() {
    refuse(#"\ud800"#, .loneSurrogate, 6)
    refuse(#"\udc00"#, .loneSurrogate, 5)
    refuse(#"\udfff"#, .loneSurrogate, 5)
    refuse(#"\ud83dx"#, .loneSurrogate, 6)
    refuse(#"\ud83d\n"#, .loneSurrogate, 7)
    refuse(#"\ud83d\u0041"#, .loneSurrogate, 11)
    refuse(#"\ud83d\ud83d"#, .loneSurrogate, 11)
    refuse(#"\ud83d\ud83d\ude00"#, .loneSurrogate, 11)
    refuse(#"\ude00\ud83d"#, .loneSurrogate, 5)
    refuse(#"\ud83d\ude0g"#, .invalidHexDigit, 11)
    refuse(#"\ud83d😀"#, .loneSurrogate, 6)
  }

  @Test func refusesControlCharacters() {
    for byte in UInt8(0)..<0x20 {
      let isLineBreak = byte == 0x0a || byte == 0x0d
      refuse([byte], isLineBreak ? .lineBreakInString : .controlCharacter, 0)
    }
  }

  @Test func refusesWrongUTF8() {
    refuse([0x80], .invalidUTF8, 0)
    refuse([0xbf], .invalidUTF8, 0)
    refuse([0xc0, 0x80], .invalidUTF8, 0)
    refuse([0xc1, 0xbf], .invalidUTF8, 0)
    refuse([0xc3], .invalidUTF8, 1)
    refuse([0xc3, 0x28], .invalidUTF8, 1)
    refuse([0xe0, 0x9f, 0xbf], .invalidUTF8, 1)
    refuse([0xe5, 0xa4], .invalidUTF8, 2)
    refuse([0xe5, 0xa4, 0xc3], .invalidUTF8, 2)
    refuse([0xed, 0xa0, 0x80], .invalidUTF8, 1)
    refuse([0xed, 0xbf, 0xbf], .invalidUTF8, 1)
    refuse([0xe5, 0xa4, 0xa9, 0xed, 0xa0, 0x80, 0xe5, 0xa4, 0xa9], .invalidUTF8, 4)
    refuse([0xe5, 0xa4, 0xa9, 0xe0, 0x80, 0x80, 0xe5, 0xa4, 0xa9], .invalidUTF8, 4)
    refuse([0xf0, 0x8f, 0xbf, 0xbf], .invalidUTF8, 1)
    refuse([0xf4, 0x90, 0x80, 0x80], .invalidUTF8, 1)
    refuse([0xf5, 0x80, 0x80, 0x80], .invalidUTF8, 0)
    refuse([0xff], .invalidUTF8, 0)
    refuse([0xfe, 0xff], .invalidUTF8, 0)
    refuse([0xf0, 0x9f, 0x98], .invalidUTF8, 3)
  }

  @Test func agreesWithTheStandardLibraryOnUTF8() {
    let seconds: [UInt8] = [0x22, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc3, 0xff]
    let thirds: [UInt8] = [0x41, 0x80, 0xa0, 0xbf, 0xc3]
    let fourths: [UInt8] = [0x41, 0x80, 0xbf, 0xe5]
    var wrong = 0
    for first in UInt8(0x7f)...0xff {
      for second in seconds where second != 0x22 {
        for third in thirds {
          for fourth in fourths {
            let bytes = [first, second, third, fourth]
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            let short = ScannerChecks.scan(string(bytes)).error == nil
            let long = ScannerChecks.scan(string(bytes + Array("天天天天天天".utf8))).error == nil
            if short != isValid || long != isValid { wrong += 1 }
          }
        }
      }
    }
    #expect(wrong == 0)
  }

  private func count(
    _ body: String, _ ascii: Int64, _ nonASCII: Int64, data: Int64 = 0, numbers: Int64 = 0
  ) {
    let bytes = Array(body.utf8)
    let whole = ScannerChecks.scan(bytes)
    #expect(whole.text == [ascii, nonASCII, data, numbers], "\(body.prefix(80))")
    for cut in stride(from: 0, through: bytes.count, by: max(1, bytes.count / 97)) {
      #expect(ScannerChecks.scan(bytes, cuts: [cut]).text == whole.text, "\(cut)")
    }
    for cut in 0..<min(bytes.count, 60) {
      #expect(ScannerChecks.scan(bytes, cuts: [cut, cut + 1]).text == whole.text, "\(cut)")
    }
  }

  @Test func countsText() {
    count(#"{"key":"value","天":["a","",true]}"#, 6, 0)
    count(#"{"a":"天地x","b":"é😀"}"#, 1, 12)
    count(#"{"a":"\n\"\\","b":"\u0041\u00e9\u5929\ud83d\ude00"}"#, 4, 9)
  }

  @Test func countsDataByItsKeyOnly() {
    let long = String(repeating: "iVBORw0KGgo", count: 400)
    count("{\"url\":\"data:image/png;base64,\(long)\",\"b\":\"xyz\"}", 3, 0, data: 1)
    for key in ["data", "image", "images", "b64_json", "image_url", "file_data"] {
      count("{\"\(key)\":\"\(long)\"}", 0, 0, data: 1)
      count("{\"x\":{\"\(key)\":[\"\(long)\",\"\(long)\"]},\"y\":\"abc\"}", 3, 0, data: 2)
    }
    for key in ["a", "text", "content", "urls", "ur", "xurl", "Data", "d\\u0061ta"] {
      count("{\"\(key)\":\"\(long)\"}", 4_400, 0)
    }
    count("{\"url\":\"\(String(repeating: "x", count: 4_096))\"}", 4_096, 0)
    count("{\"url\":\"\(String(repeating: "x", count: 4_097))\"}", 0, 0, data: 1)
    // What follows a closed object in an array has no key.
    count("{\"a\":[{\"url\":\"x\"},\"\(long)\"]}", 4_401, 0)
  }

  @Test func countsNumbersInArrays() {
    count(#"{"input":[1,2.5,-3e4],"n":7,"m":[[8],{"k":9}]}"#, 0, 0, numbers: 4)
  }
}
