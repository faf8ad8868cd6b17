// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

struct ConfigurationFlatYAMLTests {
  private func parse(_ text: ByteString) -> [String] {
    let (entries, problems) = FlatYAML.parse(text, from: .file("f"))
    return entries.map { "\($0.line) \($0.key.text)=\($0.value.text)" }
      + ConfigurationError(problems: problems).text.text.split(separator: "\n").map { String($0) }
  }

  private func check(
    _ text: String, expecting expected: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(parse(ByteString(utf8: text)) == expected, sourceLocation: sourceLocation)
  }

  @Test func readsPlainValues() {
    check("a: 1", expecting: "1 a=1")
    check("a: 1\r\nb: x y  # comment\r\n", expecting: "1 a=1", "2 b=x y")
    check("\u{FEFF}a: 1", expecting: "1 a=1")
    check("\n  \n# a: 2\n   # b\na: x#y\n", expecting: "5 a=x#y")
    check("a:\nb: # none", expecting: "1 a=", "2 b=")
    check("a : 1", expecting: "1 a=1")
    check("a: b:c # d: e", expecting: "1 a=b:c")
    check("a: -march=armv7-a", expecting: "1 a=-march=armv7-a")
    check("a: dé", expecting: "1 a=dé")
  }

  @Test func readsQuotedValues() {
    check("a: 'x: # ''y'''", expecting: "1 a=x: # 'y'")
    check(#"a: "x\"\\\/\x41" # c"#, expecting: #"1 a=x"\/A"#)
    check("a: ''", expecting: "1 a=")
    check("a: \"\"  ", expecting: "1 a=")
  }

  @Test func saysWhatIsWrong() {
    check(
      "a: 1\na: 2", expecting: "1 a=1",
      "f:2: a: is already set in line 1; remove one of the two lines")
    check("a:1", expecting: "f:1: a: needs a space behind the colon")
    check(
      "  a: 1", expecting: "f:1: a: is indented; start the line with the key, nothing can be nested"
    )
    check("hello", expecting: "f:1: hello: is not a setting; write KEY: VALUE")
    check("a:\t1", expecting: #"f:1: there is a tab in this line; use spaces, or \t within "…""#)
    check("a: \u{1}", expecting: "f:1: there is a control character in this line; remove it")
    let list =
      "f:1: is no setting: lists stand behind their key, as in KEY: A, B; leave \"---\" out"
    check("- a", expecting: list)
    check("---", expecting: list)
    let nested =
      "f:1: a: is nested; write lists as A, B without brackets, other text in quotation marks"
    check("a: [1, 2]", expecting: nested)
    check("a: {b: 1}", expecting: nested)
    check("a: - b", expecting: "f:1: a: has a list item; write lists as A, B")
    for reserved in ["*x", "&x", "!x", "|", ">", "%x", "@x", "`x", "~"] {
      check(
        "a: \(reserved)",
        expecting: "f:1: a: starts with a character that YAML reserves; put the value in '…'")
    }
    check("a: b: c", expecting: "f:1: a: has a second colon; put the value in '…'")
    check("a: ::", expecting: "f:1: a: has a second colon; put the value in '…'")
    let open = "f:1: a: has no closing quotation mark, or a backslash that belongs into '…'"
    for text in ["a: \"x", "a: 'x", "a: 'x''", #"a: "\q""#, #"a: "\x4""#, #"a: "x\""#] {
      check(text, expecting: open)
    }
    let behind = "f:1: a: has something behind the closing quotation mark; remove it"
    check("a: \"x\" y", expecting: behind)
    check("a: 'x'# y", expecting: behind)
  }

  @Test func refusesWhatIsNotUTF8() {
    #expect(
      parse(ByteString([0x61, 0x3A, 0x20, 0xFF])) == [
        "f:1: this line is not UTF-8; save the file as UTF-8"
      ])
  }

  @Test func givesBackWhatItWrites() {
    let values = [
      "", "a", " a ", "a: b", "::", "#x", "a #b", "'", "\"", "\\", "it's", "-", "- a", "[a]", "~",
      "tab\there", "10.0.0.0/8, fd00::/8", "dé",
    ]
    for value in values {
      let buffer = Buffer()
      buffer.append("k: ")
      FlatYAML.append(ByteString(utf8: value), to: buffer)
      #expect(parse(buffer.byteString) == ["1 k=\(value)"])
    }
  }

  @Test func survivesEveryPrefixAndByte() {
    let text = ByteString(utf8: "a: \"x\\n\"\nb: 'y' # z\n\tc:\n- d\nk: [\r\n")
    for count in 0...text.count {
      _ = parse(ByteString(Array(text.bytes.prefix(count))))
      for byte in UInt8.min...UInt8.max {
        _ = parse(ByteString(Array(text.bytes.prefix(count)) + [byte]))
      }
    }
  }
}
