// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniJSON

struct JSONScannerMemberTests {
  /// Index into `ScannerChecks.watching`.
  private enum Field: Int { case model, stream, streamOptions, maxTokens, accented }

  private func scanned(_ text: String) -> JSONScanner {
    let scanner = JSONScanner(watching: ScannerChecks.watching)
    let bytes = Array(text.utf8)
    #expect(throws: Never.self, "\(text)") {
      try scanner.scan(bytes.span)
      try scanner.finish()
    }
    return scanner
  }

  private func check(
    _ text: String, _ field: Field, _ kind: JSONKind?, _ lexeme: String?, keyAt: Int? = nil,
    _ at: SourceLocation = #_sourceLocation
  ) {
    ScannerChecks.check(text, nil, at)
    let scanner = scanned(text)
    let member = scanner.member(field.rawValue)
    #expect(member?.kind == kind, "\(text)", sourceLocation: at)
    #expect(
      scanner.lexeme(field.rawValue)?.text == lexeme, "\(text)", sourceLocation: at)
    if let range = member?.range, let lexeme {
      let found = String(decoding: Array(text.utf8)[range], as: UTF8.self)
      #expect(found == lexeme, "\(text)", sourceLocation: at)
    }
    if let keyAt { #expect(member?.keyOffset == keyAt, "\(text)", sourceLocation: at) }
  }

  @Test func findsWatchedMembers() {
    check(#"{"model":"gpt-4o"}"#, .model, .string, #""gpt-4o""#, keyAt: 1)
    check(#"{ "model" : "gpt-4o" , "x" : 1 }"#, .model, .string, #""gpt-4o""#, keyAt: 2)
    check(#"{"x":{"model":"no"},"model":"yes"}"#, .model, .string, #""yes""#)
    check(#"{"x":[{"model":"no"}]}"#, .model, nil, nil)
    check(#"{"stream":true}"#, .stream, .true, "true")
    check(#"{"stream":false }"#, .stream, .false, "false")
    check(#"{"stream": null}"#, .stream, .null, "null")
    check(#"{"max_tokens":100}"#, .maxTokens, .number, "100")
    check(#"{"max_tokens":1.0e2 ,"x":1}"#, .maxTokens, .number, "1.0e2")
    check(#"{"stream_options":{"a":[1,{"b":2}]} }"#, .streamOptions, .object, #"{"a":[1,{"b":2}]}"#)
    check(#"{"stream_options":[ ]}"#, .streamOptions, .array, "[ ]")
    check(#"{"models":1,"mode":2,"odel":3,"Model":4}"#, .model, nil, nil)
    check("{}", .model, nil, nil)
  }

  @Test func comparesKeysAfterUnescaping() {
    check(#"{"mod\u0065l":"a"}"#, .model, .string, #""a""#)
    check(#"{"\u006d\u006F\u0064\u0065\u006c":"a"}"#, .model, .string, #""a""#)
    check(#"{"\u00e9":1}"#, .accented, .number, "1")
    check(#"{"é":1}"#, .accented, .number, "1")
    check(#"{"model\u0000":1}"#, .model, nil, nil)
    check(#"{"mo\del":1}"#.replacing(#"\d"#, with: #"\/"#), .model, nil, nil)
  }

  @Test func refusesDuplicateKeysAtTheTopLevelOnly() {
    func refuse(_ text: String, _ offset: Int) {
      ScannerChecks.check(text, .duplicateKey, at: offset)
      ScannerChecks.check(text, nil, duplicates: true)
    }
    refuse(#"{"a":1,"a":2}"#, 7)
    refuse(#"{"model":1,"x":2,"model":3}"#, 17)
    refuse(#"{"model":1,"mod\u0065l":2}"#, 11)
    refuse(#"{"\ud83d\ude00":1,"😀":2}"#, 18)
    refuse(#"{"":1,"":2}"#, 6)
    refuse(#"{"\n":1,"\u000a":2}"#, 8)
    let long = String(repeating: "k", count: 600)
    refuse("{\"\(long)\":1,\"\(long)\":2}", 606)
    ScannerChecks.check("{\"\(long)\":1,\"\(long)k\":2}", nil)
    ScannerChecks.check(#"{"a":{"b":1,"b":2},"b":[{"c":1,"c":2}]}"#, nil)
    ScannerChecks.check(#"{"a":1,"A":2}"#, nil)
    ScannerChecks.check("{\"e\u{301}\":1,\"\u{e9}\":2}", nil)
  }

  /// Short strings that lie whole in a slice are taken at once, others as they come.
  @Test func takesStringsOfEveryLength() {
    for count in 0...18 {
      let name = String(repeating: "k", count: count)
      let text = "{\"\(name)\":\"\(name)\",\"model\":{\"\(name)\":[\"\(name)\"]}}"
      ScannerChecks.check(text, nil)
      let report = ScannerChecks.scan(Array(text.utf8))
      #expect(report.text == [Int64(2 * count), 0, 0, 0])
      #expect(report.members[0][1] == 2 * count + 7)
      // The same key once more, another one of the same beginning, and one of the same end.
      let start = String(text.dropLast()) + ",\""
      ScannerChecks.check(
        start + name + "\":1,\"x\":0}", .duplicateKey, at: start.utf8.count - 1)
      for other in [name + "x", "x" + name] {
        ScannerChecks.check(start + other + "\":\"behind it\"}", nil)
      }
      ScannerChecks.check(start + name + "\u{1}\":\"behind it\"}", .controlCharacter)
      ScannerChecks.check(start + "x\":\"\(name)\\u00e9é\",\"y\":\"behind it\"}", nil)
    }
  }

  @Test func tellsWatchedKeysFromOthersOfTheirLength() {
    for key in ScannerChecks.watching {
      let name = "\(key)"
      let other = String(name.dropLast()) + "#"
      for text in ["{\"\(other)\":1,\"\(name)\":\"a value\"}", "{\"\(name)\":\"a value\"}"] {
        ScannerChecks.check(text, nil)
        ScannerChecks.check(text, nil, duplicates: true)
        let index = ScannerChecks.watching.firstIndex { "\($0)" == name } ?? -1
        #expect(ScannerChecks.scan(Array(text.utf8)).lexemes[index] == "\"a value\"")
      }
      let report = ScannerChecks.scan(Array("{\"\(other)\":\"a value\",\"x\":0}".utf8))
      #expect(report.lexemes.allSatisfy { $0 == nil })
    }
  }

  @Test func keepsTheFirstOfEqualKeys() {
    let bytes = Array(#"{"model":1,"model":2}"#.utf8)
    #expect(ScannerChecks.scan(bytes, duplicates: true).lexemes[0] == "1")
  }

  @Test func findsDuplicatesAmongManyKeys() {
    var text = "{"
    for index in 0..<9_999 { text += "\"key\(index)\":\(index)," }
    #expect(ScannerChecks.scan(Array((text + "\"x\":1}").utf8)).error == nil)
    let report = ScannerChecks.scan(Array((text + "\"key4711\":1}").utf8))
    #expect(report.error == JSONError(.duplicateKey, at: text.utf8.count))
  }

  @Test func capturesAsSoonAsAValueHasEnded() {
    let text: ByteString = #"{"max_tokens":12,"model":"gpt","stream""#
    let scanner = JSONScanner(watching: ScannerChecks.watching)
    for (index, byte) in text.bytes.enumerated() {
      let single = [byte]
      #expect(throws: Never.self) { try scanner.scan(single.span) }
      #expect(scanner.int64(Field.maxTokens.rawValue) == (index >= 16 ? 12 : nil), "\(index)")
      #expect(scanner.string(Field.model.rawValue) == (index >= 29 ? "gpt" : nil), "\(index)")
      #expect((scanner.member(Field.model.rawValue) != nil) == (index >= 25), "\(index)")
      #expect((scanner.member(Field.model.rawValue)?.range != nil) == (index >= 29), "\(index)")
    }
    #expect(!scanner.isComplete)
    #expect(scanner.byteCount == text.count)
  }

  @Test func capturesNoLongValues() {
    for (count, isCaptured) in [(510, true), (511, false), (5_000, false)] {
      let value = String(repeating: "x", count: count)
      let text = "{\"stream\":true,\"model\":\"\(value)\",\"max_tokens\":3}"
      for cuts in [[], [30], [30, 400], [30, 31, 32, 500]] {
        let report = ScannerChecks.scan(Array(text.utf8), cuts: cuts)
        #expect(report.lexemes[0]?.count == (isCaptured ? count + 2 : nil), "\(count) \(cuts)")
        #expect(report.lexemes[1] == "true")
        #expect(report.lexemes[3] == "3")
        #expect(report.members[0] == [2, 15, 23, 25 + count])
      }
    }
  }

  @Test func readsCapturedValues() {
    let scanner = scanned(#"{"model":"a\"\u00e9\n","stream":1.5,"max_tokens":1e2}"#)
    #expect(scanner.string(Field.model.rawValue) == "a\"é\n")
    #expect(scanner.string(Field.stream.rawValue) == nil)
    #expect(scanner.int64(Field.model.rawValue) == nil)
    #expect(scanner.int64(Field.stream.rawValue) == nil)
    #expect(scanner.int64(Field.maxTokens.rawValue) == 100)
    #expect(scanner.string(Field.accented.rawValue) == nil)
  }

  @Test func knowsTheBraces() {
    for (text, opening, closing, hasMembers) in [
      ("{}", 0, 1, false), (" { } ", 1, 3, false), (#"{"a":{}} "#, 0, 7, true),
      ("\n{\"a\":[{}]\n}", 1, 11, true),
    ] {
      let scanner = scanned(text)
      #expect(scanner.openingBraceOffset == opening, "\(text)")
      #expect(scanner.closingBraceOffset == closing, "\(text)")
      #expect(scanner.hasMembers == hasMembers, "\(text)")
      #expect(scanner.isComplete)
    }
  }
}
