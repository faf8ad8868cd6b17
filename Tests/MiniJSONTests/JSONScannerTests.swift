// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniJSON

struct JSONScannerTests {
  private func accept(_ text: String, any: Bool = false, _ at: SourceLocation = #_sourceLocation) {
    ScannerChecks.check(text, nil, any: any, at)
  }

  private func refuse(
    _ text: String, _ kind: JSONError.Kind, _ offset: Int, any: Bool = false,
    _ at: SourceLocation = #_sourceLocation
  ) {
    ScannerChecks.check(text, kind, at: offset, any: any, at)
  }

  @Test func acceptsObjects() {
    accept("{}")
    accept(" \t\r\n{ \t\r\n} \t\r\n")
    accept(#"{"a":1}"#)
    accept(#"{"a":{"b":{"c":[[],[{}],{"d":null}]}},"e":[1,2,3]}"#)
    accept(#"{ "a" : [ true , false , null ] , "b" : "" }"#)
    accept(#"{"":0}"#)
  }

  @Test func acceptsAnyValueWhenNoObjectIsDemanded() {
    for text in ["[]", "[ ]", "0", "-0", "1 ", " \"a\"", "true", "false\n", "null", "[0,[1]]"] {
      accept(text, any: true)
    }
  }

  @Test func demandsAnObject() {
    for text in ["[]", "1", "\"a\"", "true", "x", "]", "}", ","] { refuse(text, .notAnObject, 0) }
    refuse("  [1]", .notAnObject, 2)
    refuse("\u{feff}{}", .byteOrderMark, 0)
    refuse("", .unexpectedEnd, 0)
    refuse(" \n", .unexpectedEnd, 2)
  }

  @Test func refusesWrongPunctuation() {
    refuse("{,}", .expectedKey, 1)
    refuse(#"{"a":1,}"#, .expectedKey, 7)
    refuse(#"{"a"}"#, .expectedColon, 4)
    refuse(#"{"a" 1}"#, .expectedColon, 5)
    refuse(#"{"a"::1}"#, .expectedValue, 5)
    refuse(#"{"a":}"#, .expectedValue, 5)
    refuse(#"{"a":,}"#, .expectedValue, 5)
    refuse(#"{"a":1 "b":2}"#, .expectedCommaOrBrace, 7)
    refuse(#"{"a":1]"#, .expectedCommaOrBrace, 6)
    refuse(#"{"a":[1}"#, .expectedCommaOrBracket, 7)
    refuse(#"{"a":[1 2]}"#, .expectedCommaOrBracket, 8)
    refuse(#"{"a":[1,]}"#, .expectedValue, 8)
    refuse(#"{"a":[,1]}"#, .expectedValue, 6)
    refuse(#"{"a":[1:2]}"#, .expectedCommaOrBracket, 7)
    refuse(#"{a:1}"#, .expectedKey, 1)
    refuse(#"{'a':1}"#, .expectedKey, 1)
    refuse(#"{1:1}"#, .expectedKey, 1)
    refuse(#"{"a":'b'}"#, .expectedValue, 5)
    refuse(#"{"a":1}/**/"#, .trailingBytes, 7)
    refuse(#"{"a":/**/1}"#, .expectedValue, 5)
    refuse("{}{}", .trailingBytes, 2)
    refuse("{} x", .trailingBytes, 3)
    refuse("{}\u{0}", .trailingBytes, 2)
    refuse("{}}", .trailingBytes, 2)
    refuse("[1,2", .unexpectedEnd, 4, any: true)
    refuse("{\u{0b}}", .expectedKey, 1)
    refuse("{\u{a0}}", .expectedKey, 1)
  }

  @Test func knowsTheThreeWords() {
    for text in ["True", "TRUE", "nul", "nulL", "tru", "truE", "fals", "falsy", "nan", "NaN"] {
      let report = ScannerChecks.scan(Array("{\"a\":\(text)}".utf8))
      #expect(report.error != nil, "\(text)")
    }
    refuse(#"{"a":trux}"#, .invalidLiteral, 8)
    refuse(#"{"a":nulx}"#, .invalidLiteral, 8)
    refuse(#"{"a":falsx}"#, .invalidLiteral, 9)
    refuse(#"{"a":Infinity}"#, .expectedValue, 5)
    refuse(#"{"a":truefalse}"#, .expectedCommaOrBrace, 9)
  }

  @Test func acceptsNumbers() {
    for number in [
      "0", "-0", "1", "-1", "10", "1234567890", "0.0", "-0.5", "1.25", "1e1", "1E1", "1e+1", "1e-1",
      "0e0", "0E+00", "123.456e-789", "1e999999", "-9223372036854775808", "18446744073709551616",
    ] {
      accept("{\"a\":\(number)}")
      accept("{\"a\":[\(number) ,\(number)]}")
      accept(number, any: true)
    }
  }

  @Test func refusesNumbersOutsideTheGrammar() {
    for (number, offset) in [
      ("01", 1), ("-01", 2), ("00", 1), ("-", 1), ("--1", 1), ("1.", 2), ("1.e1", 2), ("1..2", 2),
      ("1.2.3", 3), ("1e", 2), ("1e+", 3), ("1e+-1", 3), ("1e1.5", 3), ("1e1e1", 3), ("1-", 1),
      ("1+1", 1), ("-e1", 1), ("0e", 2), ("0.", 2), ("-.5", 1), ("1E+ ", 3),
    ] {
      refuse("{\"a\":\(number)}", .invalidNumber, 5 + offset)
    }
    refuse(#"{"a":.5}"#, .expectedValue, 5)
    refuse(#"{"a":0x10}"#, .expectedCommaOrBrace, 6)
    refuse(#"{"a":1_000}"#, .expectedCommaOrBrace, 6)
    refuse("-", .unexpectedEnd, 1, any: true)
    refuse("1e", .unexpectedEnd, 2, any: true)
  }

  @Test func boundsNumbers() {
    accept("{\"a\":\(String(repeating: "1", count: 64))}")
    refuse("{\"a\":\(String(repeating: "1", count: 65))}", .numberTooLong, 69)
    refuse("{\"a\":\(String(repeating: "1", count: 64))..}", .numberTooLong, 69)
    accept("{\"a\":0.\(String(repeating: "0", count: 62))}")
  }

  @Test func boundsNesting() {
    let open = String(repeating: "[", count: 63)
    let close = String(repeating: "]", count: 63)
    accept("{\"a\":\(open)\(close)}")
    refuse("{\"a\":[\(open)\(close)]}", .tooDeep, 5 + 63)
    let objects = String(repeating: "{\"a\":", count: 64)
    accept(objects + "1" + String(repeating: "}", count: 64))
    refuse(objects + "{", .tooDeep, 64 * 5)
    refuse(String(repeating: "[", count: 1_000), .tooDeep, 64, any: true)
    ScannerChecks.check("{\"a\":{\"b\":{}}}", .tooDeep, at: 10, limits: JSONLimits(depth: 2))
  }

  @Test func boundsMembers() {
    func object(_ count: Int) -> String {
      "{" + (0..<count).map { "\"\($0)\":0" }.joined(separator: ",") + "}"
    }
    accept(object(10_000))
    #expect(ScannerChecks.scan(Array(object(10_001).utf8)).error?.kind == .tooManyKeys)
    let limits = JSONLimits(keyCount: 2)
    ScannerChecks.check(#"{"a":{"b":1,"c":2},"d":{"e":1,"f":2}}"#, nil, limits: limits)
    ScannerChecks.check(
      #"{"a":{"b":1,"c":{"x":1,"y":2},"d":3}}"#, .tooManyKeys, at: 30, limits: limits)
    ScannerChecks.check(
      #"{"a":[{"b":1},{"c":2}],"d":2,"e":3}"#, .tooManyKeys, at: 29, limits: limits)
  }

  @Test func throwsTheSameErrorAgain() {
    let scanner = JSONScanner()
    let expected = JSONError(.expectedKey, at: 1)
    let bad: ByteString = "{1"
    let good: ByteString = "{}"
    #expect(throws: expected) { try scanner.scan(bad.bytes.span) }
    #expect(throws: expected) { try scanner.scan(good.bytes.span) }
    #expect(throws: expected) { try scanner.finish() }
    scanner.reset()
    #expect(throws: Never.self) { try scanner.scan(good.bytes.span) }
    #expect(throws: Never.self) { try scanner.finish() }
  }

  @Test func startsAfreshAfterEachBody() {
    let bodies = [
      #"{"model":"a\"b","max_tokens":12,"x":"\u00e9 text"}"#, "{}",
      #"{"stream":true,"model":null}"#,
      "{1}", "", #"{"model":"#, #"{"mod"#, "[[[[", #"{"x":"\u00"#,
      "{" + (0..<300).map { "\"\($0)\":0" }.joined(separator: ",") + "}",
    ]
    let scanner = JSONScanner(watching: ScannerChecks.watching)
    for body in bodies + bodies.reversed() + bodies {
      let bytes = Array(body.utf8)
      scanner.reset()
      let report = ScannerChecks.scan(bytes, cuts: [], with: scanner)
      #expect(report == ScannerChecks.scan(bytes), "\(body)")
    }
  }
}
