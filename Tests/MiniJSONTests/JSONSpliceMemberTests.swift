// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniJSON

struct JSONSpliceMemberTests {
  private enum Field: Int { case model, streamOptions }
  private let watching: [StaticString] = ["model", "stream_options"]

  private func scanned(_ text: String) -> JSONScanner {
    let scanner = JSONScanner(watching: watching)
    let bytes = Array(text.utf8)
    #expect(throws: Never.self, "\(text)") {
      try scanner.scan(bytes.span)
      try scanner.finish()
    }
    return scanner
  }

  private func applied(_ splice: inout JSONSplice, _ text: String) -> String {
    let buffer = Buffer()
    splice.apply(Array(text.utf8).span, to: buffer)
    splice.finish(to: buffer)
    _ = scanned(buffer.byteString.text)
    return buffer.byteString.text
  }

  private func checkUsage(_ text: String, _ edit: JSONSplice.UsageEdit, _ expected: String) {
    var splice = JSONSplice()
    let result = splice.includeUsage(scanned(text), streamOptions: Field.streamOptions.rawValue)
    #expect(result == edit, "\(text)")
    #expect(applied(&splice, text) == expected)
    #expect(splice.byteCountChange == expected.utf8.count - text.utf8.count)
  }

  @Test func addsStreamOptions() {
    let added = #""stream_options":{"include_usage":true}"#
    checkUsage("{}", .added, "{\(added)}")
    checkUsage(" { } \n", .added, " { \(added)} \n")
    checkUsage(#"{"a":1}"#, .added, "{\"a\":1,\(added)}")
    checkUsage("{\"a\":{} \n}", .added, "{\"a\":{} \n,\(added)}")
    checkUsage(#"{"stream_options":null}"#, .added, "{\(added)}")
  }

  @Test func completesStreamOptions() {
    func check(_ options: String, _ edit: JSONSplice.UsageEdit, _ expected: String) {
      checkUsage(
        #"{"stream_options":\#(options) ,"b":2}"#, edit, #"{"stream_options":\#(expected) ,"b":2}"#)
    }
    check("{}", .added, #"{"include_usage":true}"#)
    check("{ }", .added, #"{ "include_usage":true}"#)
    check(#"{"x":[1]}"#, .added, #"{"x":[1],"include_usage":true}"#)
    check(#"{"include_usage":false}"#, .added, #"{"include_usage":true}"#)
    check(#"{"include_usage": null ,"x":1}"#, .added, #"{"include_usage": true ,"x":1}"#)
    check(#"{"include\u005fusage":0}"#, .added, #"{"include\u005fusage":true}"#)
    check(
      #"{"include_usage":true,"include_usage":false}"#, .added,
      #"{"include_usage":true,"include_usage":true}"#)
    check(#"{"include_usage":true}"#, .alreadyIncluded, #"{"include_usage":true}"#)
    check(
      #"{"x":{"include_usage":true}}"#, .added,
      #"{"x":{"include_usage":true},"include_usage":true}"#)
  }

  @Test func leavesWrongStreamOptionsAlone() {
    let long = "{\"x\":\"\(String(repeating: "y", count: 600))\"}"
    for options in ["[]", "1", "true", "\"include_usage\"", long] {
      let text = "{\"stream_options\":\(options)}"
      checkUsage(text, .unusable, text)
    }
  }

  @Test func replacesTheModel() {
    func check(_ text: String, _ model: ByteString, _ expected: String) {
      var splice = JSONSplice()
      guard let member = scanned(text).member(Field.model.rawValue) else {
        Issue.record("no model in \(text)")
        return
      }
      let isAccepted = splice.replaceModel(model, member)
      #expect(isAccepted)
      let again = splice.replaceModel(model, member)
      #expect(!again)
      #expect(applied(&splice, text) == expected)
    }
    check(#"{"model":"a","b":[1.50]}"#, "gpt-4o", #"{"model":"gpt-4o","b":[1.50]}"#)
    check(#"{"b":1,"mod\u0065l" : "天" }"#, "é\"\\", #"{"b":1,"mod\u0065l" : "é\"\\" }"#)
    check(#"{"model":null}"#, "x", #"{"model":"x"}"#)
  }

  @Test func insertsSeveralMembers() {
    for (text, expected) in [
      ("{}", #"{"a":1,"b":[2]}"#), (#"{"x":0 }"#, #"{"x":0 ,"a":1,"b":[2]}"#),
    ] {
      var splice = JSONSplice()
      let scanner = scanned(text)
      let isFirstAccepted = splice.insertMember("a", "1", scanner)
      let isSecondAccepted = splice.insertMember("b", "[2]", scanner)
      #expect(isFirstAccepted && isSecondAccepted)
      #expect(applied(&splice, text) == expected)
    }
  }

  @Test func insertsNothingBeforeTheBraceIsSeen() {
    let scanner = JSONScanner(watching: watching)
    let start: ByteString = #"{"a":1"#
    #expect(throws: Never.self) { try scanner.scan(start.bytes.span) }
    var splice = JSONSplice()
    let isAccepted = splice.insertMember("b", "2", scanner)
    #expect(!isAccepted)
    #expect(splice.includeUsage(scanner, streamOptions: 1) == .unusable)
    #expect(splice.isEmpty)
  }

  @Test func editsAStreamedBody() {
    let text = Array(#"{"messages":["long text"],"model":"a","n":1}"#.utf8)
    let expected =
      #"{"messages":["long text"],"model":"longer name","n":1,"#
      + #""stream_options":{"include_usage":true}}"#
    for step in 1...text.count {
      let scanner = JSONScanner(watching: watching)
      var splice = JSONSplice()
      let buffer = Buffer()
      var isReplaced = false
      var held: [UInt8] = []
      for start in stride(from: 0, to: text.count, by: step) {
        let slice = Array(text[start..<min(start + step, text.count)])
        held += slice
        #expect(throws: Never.self) { try scanner.scan(slice.span) }
        if !isReplaced, let member = scanner.member(0) {
          guard splice.replaceModel("longer name", member) else { continue }
          isReplaced = true
        }
        if scanner.isComplete { _ = splice.includeUsage(scanner, streamOptions: 1) }
        splice.apply(held.span, to: buffer)
        held = []
      }
      splice.finish(to: buffer)
      #expect(buffer.byteString.text == expected, "\(step)")
    }
  }
}
