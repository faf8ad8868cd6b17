// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniJSON

/// What lies below the top level is taken in one go where it can be, and else in parts; every cut of
/// a text makes another part of it impassable, and all must give the same.
@Suite struct JSONPassageTests {
  /// Where the way over a bracketed value ends; nil when it does not get through.
  private func end(
    _ text: String, depthLimit: Int = 64, _ limits: JSONLimits = .standard
  ) -> Int? {
    let bytes = [UInt8](text.utf8)
    return bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return nil }
      var passage = JSONPassage(
        behind: 1, isObject: bytes[0] == JSONByte.openBrace, depthLimit: depthLimit, limits)
      return passage.run(base, bytes.count) ? passage.index : nil
    }
  }

  private static let usual = [
    "{}", "[]", "[ ]", "{\n}", #"{"a":{}}"#, "[[],[{}],[[]]]", #"[{"a":1}, {"b" : [2,3]}]"#,
    "[0,-0,1,-12,3.5,-0.25,1e5,1E+5,2.5e-05,0e0]", "[true,false,null]",
    #"{"t":true,"f":false,"n":null}"#, #"["\"\\\/\b\f\n\r\t","an escape behind many\n"]"#,
    #"{"äöü":"größer","汉字":"是的，这里有一些汉字。","😀":"😀😀"}"#,
    #"{"a key of more than sixteen bytes":"and a text of more than sixteen bytes"}"#,
  ]

  @Test func goesOverWhatIsUsual() {
    for value in JSONPassageTests.usual {
      #expect(end(value) == value.utf8.count, "\(value)")
      #expect(end(value + ",") == value.utf8.count, "\(value)")
      ScannerChecks.check(#"{"model":\#(value),"x":[\#(value)],"stream" : \#(value)}"#, nil)
    }
  }

  @Test func leavesTheRareToTheScanner() {
    for value in [#"["\u00e9\ud83d\ude00 escaped"]"#, #"{"\u0061":1}"#] {
      #expect(end(value) == nil, "\(value)")
      ScannerChecks.check(#"{"a":[\#(value),[1,"b"],{"c":"é"}],"model":\#(value)}"#, nil)
    }
  }

  @Test func leavesTheWrongToTheScanner() {
    let wrong = [
      "[,]", "[1,]", "[1 2]", "[}", "{]", "{1:2}", #"{"a"}"#, #"{"a" 1}"#, #"{"a":}"#, "{,}",
      #"{"a":1,}"#, "[01]", "[1.]", "[.5]", "[-]", "[1e]", "[1e+]", "[--1]", "[+1]", "[1.2.3]",
      "[tru]", "[trux]", "[falsy]", "[nul]", "[True]", "[truely]", #"["\x"]"#, #"["\u12"]"#,
      #"["\ud800"]"#, "[\"\n\"]", "[\"\u{1}\"]", "[\u{b}1]", "[\u{1}1]", "[x]", "['a']",
    ]
    for value in wrong {
      #expect(end(value + "    ") == nil, "\(value)")
      let text = #"{"model":[\#(value)],"stream":true}"#
      let error = ScannerChecks.scan([UInt8](text.utf8)).error
      #expect(error != nil, "\(value)")
      ScannerChecks.check(text, error?.kind)
    }
    for bytes: [UInt8] in [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0x80]] {
      let text = [UInt8](#"{"a":[""#.utf8) + bytes + [UInt8](#" and more text"],"b":1}"#.utf8)
      ScannerChecks.check(text, .invalidUTF8)
    }
  }

  @Test func keepsTheLimits() {
    #expect(end("[[1]]", depthLimit: 2) == 5)
    #expect(end("[[1]]", depthLimit: 1) == nil)
    #expect(end(#"{"a":1,"b":2}"#, JSONLimits(keyCount: 2)) == 13)
    #expect(end(#"{"a":1,"b":2}"#, JSONLimits(keyCount: 1)) == nil)
    #expect(end("[123,1]", JSONLimits(numberByteCount: 4)) == 7)
    #expect(end("[12345,1]", JSONLimits(numberByteCount: 4)) == nil)
    let limits = JSONLimits(depth: 4, numberByteCount: 4, keyCount: 3)
    let values = [
      "[[[1]]]", "[[[[1]]]]", "[1234]", "[12345]", #"{"a":1,"b":2,"c":3}"#,
      #"{"a":1,"b":2,"c":3,"d":4}"#, #"[{"a":1,"b":2},{"c":3,"d":4}]"#,
    ]
    for value in values {
      let text = #"{"model":\#(value)}"#
      let error = ScannerChecks.scan([UInt8](text.utf8), limits: limits).error
      ScannerChecks.check(text, error?.kind, limits: limits)
    }
    #expect(
      values.map {
        ScannerChecks.scan([UInt8](#"{"model":\#($0)}"#.utf8), limits: limits).error?.kind
      } == [nil, .tooDeep, nil, .numberTooLong, nil, .tooManyKeys, nil])
  }

  @Test func countsAsTheScannerDoes() {
    for count in [0, 1, 15, 16, 17, 4_095, 4_096, 4_097, 9_000] {
      let long = String(repeating: "x", count: count)
      #expect((end(#"{"url":"\#(long)"}"#) != nil) == (count <= JSONPassage.stringByteCount))
      let text = [UInt8](
        #"{"a":[{"url":"\#(long)","b":["é\n\\x",1,{"c":2},3.5]}],"model":["tail"]}"#.utf8)
      let whole = ScannerChecks.scan(text)
      #expect(whole.error == nil)
      #expect(whole.text == [Int64(count <= 4_096 ? count : 0) + 7, 2, count > 4_096 ? 1 : 0, 2])
      for cut in stride(from: 1, to: text.count, by: 97) {
        #expect(ScannerChecks.scan(text, cuts: [cut]) == whole, "\(count) cut at \(cut)")
      }
    }
  }

  /// Containers that begin before what stopped the way are not tried again.
  @Test func looksAtNoByteMoreThanTwice() throws(JSONError) {
    let scanner = JSONScanner(requiresObject: true)
    let text = [UInt8](#"{"a":[[[[[["\u00e9",[1],[2]]]]]]]}"#.utf8)
    try scanner.scan(text.span)
    #expect(scanner.impassableEnd == 12)
    #expect(scanner.arrayNumberCount == 2)
    try scanner.finish()
  }
}
