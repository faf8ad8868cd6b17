// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// Changes of one setting in the text of a `config.yaml`.
struct ConfigurationFlatYAMLEditTests {
  private func edited(_ text: String, _ key: ByteString, _ value: String?) throws -> String {
    let index = try #require(ConfigurationTable.index(of: key))
    let new = FlatYAML.setting(
      ConfigurationTable.rows[index], to: value.map { ByteString(utf8: $0) },
      in: ByteString(utf8: text))
    return new.text
  }

  /// Changes `retries`, whose default is 3.
  private func check(
    _ text: String, _ value: String?, expecting expected: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let new = try edited(text, "retries", value)
    #expect(new == expected, sourceLocation: sourceLocation)
    // What is written is read, and the same change again changes nothing.
    let (entries, problems) = FlatYAML.parse(ByteString(utf8: new), from: .file("f"))
    #expect(problems.isEmpty, sourceLocation: sourceLocation)
    let read = entries.first { $0.key == "retries" }?.value.text
    #expect(read == value, sourceLocation: sourceLocation)
    #expect(try edited(new, "retries", value) == new, sourceLocation: sourceLocation)
  }

  @Test func replacesTheValueOnItsLine() throws {
    try check("retries: 5", "7", expecting: "retries: 7")
    try check("a: 1\nretries: 5\nb: 2\n", "7", expecting: "a: 1\nretries: 7\nb: 2\n")
    try check("retries :   5   # mine\n", "7", expecting: "retries :   7   # mine\n")
    try check("retries: \"5\" # x\r\n", "7", expecting: "retries: 7 # x\r\n")
    try check("\u{FEFF}retries: 5\n", "7", expecting: "\u{FEFF}retries: 7\n")
  }

  @Test func givesAnEmptyValueItsSpaces() throws {
    try check("retries:", "7", expecting: "retries: 7")
    try check("retries:\r\n", "7", expecting: "retries: 7\r\n")
    try check("retries:  \n", "7", expecting: "retries:  7\n")
    try check("retries: # none\n", "7", expecting: "retries: 7 # none\n")
  }

  @Test func uncommentsWhatTheTemplateWrote() throws {
    try check("#retries: 3\n#a: b\n", "7", expecting: "retries: 7\n#a: b\n")
    try check("#retries: 3 # x\r\n", "7", expecting: "retries: 7 # x\r\n")
    try check("#retries: 3\n#retries: 4\n", "7", expecting: "retries: 7\n#retries: 4\n")
    // The line that counts, wherever the comment is.
    try check("#retries: 3\nretries: 5\n", "7", expecting: "#retries: 3\nretries: 7\n")
  }

  @Test func leavesCommentsOfPeopleAlone() throws {
    for comment in ["# retries: 3", "#retries: how often", "#retries", "##retries: 3"] {
      try check(comment, "7", expecting: comment + "\nretries: 7\n")
    }
  }

  @Test func appendsWhatIsMissing() throws {
    try check("", "7", expecting: "retries: 7\n")
    try check("a: 1\n", "7", expecting: "a: 1\nretries: 7\n")
    try check("a: 1", "7", expecting: "a: 1\nretries: 7\n")
    try check("a: 1\r\nb: 2", "7", expecting: "a: 1\r\nb: 2\r\nretries: 7\r\n")
    try check("retries_x: 1\n", "7", expecting: "retries_x: 1\nretries: 7\n")
  }

  @Test func goesBackToTheDefaultAsAComment() throws {
    try check("a: 1\nretries: 5 # x\n", nil, expecting: "a: 1\n#retries: 3 # x\n")
    try check("retries:\r\n", nil, expecting: "#retries: 3\r\n")
    try check("a: 1", nil, expecting: "a: 1")
    try check("#retries: 4", nil, expecting: "#retries: 4")
    #expect(try edited("ca_file: /x", "ca_file", nil) == "#ca_file: \"\"")
  }

  @Test func changesTheFirstOfTwo() throws {
    // Such a file is refused when it is read.
    #expect(try edited("retries: 1\nretries: 2", "retries", "7") == "retries: 7\nretries: 2")
  }

  @Test func quotesWhatNeedsIt() throws {
    for (value, written) in [
      ("", "\"\""), ("/a b", "/a b"), (" /a", "\" /a\""), ("/a ", "\"/a \""), ("a #b", "\"a #b\""),
      ("a#b", "a#b"), ("a: b", "\"a: b\""), ("\"", "\"\\\"\""), ("\\", "\\"), ("[", "\"[\""),
      ("a\nretries: 9", "\"a\\nretries: 9\""), ("é", "é"),
    ] {
      #expect(try edited("ca_file: 'old # x' # y", "ca_file", value) == "ca_file: \(written) # y")
      #expect(try edited("", "ca_file", value) == "ca_file: \(written)\n")
    }
  }

  @Test func givesTheTemplateBackForEveryKey() throws {
    let template = ConfigurationTemplate.text(defaults: ConfigurationLayers())
    var all = template
    for row in ConfigurationTable.rows where row.scope.contains(.file) {
      let changed = FlatYAML.setting(row, to: ByteString(row.fallback), in: template)
      #expect(changed.count == template.count - 1, "\(row.name)")
      #expect(FlatYAML.setting(row, to: nil, in: changed) == template, "\(row.name)")
      all = FlatYAML.setting(row, to: ByteString(row.fallback), in: all)
    }
    let (entries, problems) = FlatYAML.parse(all, from: .file("f"))
    #expect(problems.isEmpty)
    #expect(
      entries.map { $0.key }
        == ConfigurationTable.rows.filter { $0.scope.contains(.file) }.map { ByteString($0.name) })
  }

  @Test func survivesEveryPrefix() throws {
    let text = "\u{FEFF}#retries: 3\r\n\r\nretries : \"5\"  # x\n#\n:\n"
    for count in 0...text.utf8.count {
      let start = String(decoding: Array(text.utf8.prefix(count)), as: UTF8.self)
      #expect(try edited(start, "retries", "7").contains("retries"))
      _ = try edited(start, "retries", nil)
    }
  }
}
