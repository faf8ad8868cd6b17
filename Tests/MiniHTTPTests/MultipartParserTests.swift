// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

/// Forms, however they are cut, and what is refused of them.
struct MultipartParserTests {
  /// What is known of a form at its end.
  private struct Report: Equatable {
    var values: [String?] = []
    var offsets: [[Int64]] = []
    var files: Int64 = 0
    var text: [Int64] = []
    var error: String?
  }

  private static let watching: [StaticString] = ["model", "n"]

  private func run(_ pieces: [[UInt8]]) -> Report {
    var parser = MultipartParser(boundary: "b-1", watching: Self.watching)
    var report = Report()
    do throws(MultipartError) {
      for piece in pieces { try parser.scan(piece.span) }
      try parser.finish()
    } catch {
      report.error = error.text.text
    }
    for index in 0..<2 {
      report.values.append(parser.value(index)?.text)
      report.offsets.append([parser.field(index).valueOffset, parser.field(index).endOffset])
    }
    report.files = parser.fileCount
    report.text = [parser.asciiTextByteCount, parser.nonASCIITextByteCount]
    return report
  }

  /// The same whole, in bytes, and cut in two at every place.
  private func report(_ text: String, _ location: SourceLocation = #_sourceLocation) -> Report {
    let bytes = Array(text.utf8)
    let whole = run([bytes])
    #expect(run(bytes.map { [$0] }).error == whole.error, sourceLocation: location)
    for cut in 0...bytes.count {
      let found = run([Array(bytes[..<cut]), Array(bytes[cut...])])
      // Behind an error nothing counts.
      if whole.error == nil {
        #expect(found == whole, "cut at \(cut)", sourceLocation: location)
      } else {
        #expect(found.error == whole.error, "cut at \(cut)", sourceLocation: location)
      }
    }
    if whole.error == nil {
      #expect(run(bytes.map { [$0] }) == whole, sourceLocation: location)
    }
    return whole
  }

  private func refuses(
    _ text: String, _ words: String, _ location: SourceLocation = #_sourceLocation
  ) {
    let error = report(text, location).error
    #expect(error?.contains(words) ?? false, "\(error ?? "accepted")", sourceLocation: location)
  }

  private static let file =
    "Content-Disposition: form-data; name=\"file\"; filename=\"a;\\\" .mp3\"\r\n"
    + "Content-Type: audio/mpeg\r\n"

  private static func field(_ name: String, _ value: String) -> String {
    "--b-1\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
  }

  private static let end = "--b-1--\r\n"

  @Test func findsFieldsWhereverTheyStand() {
    let data = "\r\n--b-\r\r\n-\0\r\n\r\n--b\r\n--"
    let text =
      Self.field("n", "2") + "--b-1\r\n" + Self.file + "\r\n" + data + "\r\n"
      + Self.field("model", "whisper-1") + Self.field("prompt", "Grüße\r\n") + Self.end
    let found = report(text)
    #expect(found.error == nil)
    #expect(found.values == ["whisper-1", "2"])
    #expect(found.files == 1)
    #expect(found.text == [1 + 9 + 5, 4])
    let bytes = Array(text.utf8)
    let start = Int(found.offsets[0][0])
    let stop = Int(found.offsets[0][1])
    #expect(String(decoding: bytes[start..<stop], as: UTF8.self) == "whisper-1\r\n--b-1")
  }

  @Test func takesWhatClientsWrite() {
    #expect(report(Self.end).error == nil)
    #expect(report(Self.field("n", "") + "--b-1--").values == [nil, ""])
    let lines = [
      "content-disposition:form-data;name=model", "CONTENT-DISPOSITION: Form-Data ; Name=model\t",
      "Content-Type: text/plain\r\nContent-Disposition: form-data; name=\"model\"",
      "Content-Disposition: form-data; x=y; name=\"model\"\r\nContent-Transfer-Encoding: 8bit",
      "Content-Disposition: form-data; name=\"model\"\r\nContent-Length: 1",
    ]
    for line in lines {
      #expect(report("--b-1\r\n\(line)\r\n\r\nx\r\n" + Self.end).values[0] == "x", "\(line)")
    }
    let encoded = "--b-1\r\nContent-Disposition: form-data; name=f; filename*=UTF-8''a\r\n\r\n\r\n"
    #expect(report(encoded + Self.end).files == 1)
  }

  @Test func everyPrefixIsNoForm() {
    let bytes = Array((Self.field("model", "a") + Self.field("n", "1") + Self.end).utf8)
    for count in 0..<bytes.count {
      // The line end behind the last delimiter may be missing.
      let isWhole = count == bytes.count - 2
      #expect((run([Array(bytes[..<count])]).error == nil) == isWhole, "\(count) bytes")
    }
  }

  @Test func refusesOtherFrames() {
    refuses("", "no proper end")
    refuses("x" + Self.end, "begin with its boundary")
    refuses("\r\n" + Self.end, "begin with its boundary")
    refuses("--b-2\r\n", "begin with its boundary")
    refuses("--b-1 \r\n", "behind a boundary")
    refuses("--b-1\n", "behind a boundary")
    refuses("--b-1-\r\n", "behind a boundary")
    refuses(Self.end + "x", "behind a boundary")
    refuses(Self.end + "\r\n", "behind a boundary")
    refuses(Self.field("n", "1\r\n--b-1x"), "behind a boundary")
    refuses(Self.field("n", "1"), "no proper end")
    refuses(Self.field("n", "1") + "--b-1--\r", "no proper end")
  }

  @Test func refusesOtherHeaderLines() {
    func part(_ lines: String) -> String { "--b-1\r\n" + lines + "\r\n\r\nx\r\n" + Self.end }
    let disposition = "Content-Disposition: form-data; "
    refuses("--b-1\r\n\r\nx\r\n" + Self.end, "without Content-Disposition")
    refuses(part("Content-Type: text/plain"), "without Content-Disposition")
    for value in [
      "name=\"a", "name=", "name", "nam=a", "name=a; name=a", "name=\"a\\b\"", "name*=UTF-8''a",
      "name=a name=b", "name =a", "name=\"\"", "name=a;", "name=a; filename=b; filename=c",
      "name=" + String(repeating: "a", count: 129),
    ] {
      refuses(part(disposition + value), "cannot be read")
    }
    refuses(part("Content-Disposition: attachment; name=a"), "cannot be read")
    refuses(part("\(disposition)name=a\r\n\(disposition)name=a"), "two Content-Disposition")
    refuses(part("\(disposition)name=a\r\n b: c"), "is none")
    refuses(part("\(disposition)name=a\r\nX : c"), "is none")
    refuses(part("\(disposition)name=a\r\nX"), "is none")
    refuses(part("\(disposition)name=a\r\nX: a\u{1}"), "is none")
    refuses(part("\(disposition)name=a\r\nX: a\rb"), "proper end")
    refuses(part("\(disposition)name=a\nX: y"), "is none")
    refuses("--b-1\r\n\(disposition)name=a\r\nX\n", "proper end")
    refuses(
      part("\(disposition)name=a\r\nContent-Transfer-Encoding: base64"), "transfer encoding")
  }

  @Test func refusesWhatIsTwofoldOrTooMuch() {
    refuses(Self.field("model", "a") + Self.field("model", "a") + Self.end, "two fields")
    let line = "Content-Disposition: form-data; name=model; filename=x"
    refuses("--b-1\r\n\(line)\r\n\r\na\r\n" + Self.end, "a file where text is needed")
    let long = String(repeating: "a", count: MultipartParser.valueByteLimit)
    #expect(run([Array((Self.field("model", long) + Self.end).utf8)]).error == nil)
    #expect(run([Array((Self.field("model", long + "a") + Self.end).utf8)]).error != nil)
    #expect(run([Array((Self.field("prompt", long + long) + Self.end).utf8)]).error == nil)
    let parts = String(repeating: Self.field("x", ""), count: MultipartParser.partLimit)
    #expect(run([Array((parts + Self.end).utf8)]).error == nil)
    #expect(run([Array((parts + Self.field("x", "") + Self.end).utf8)]).error != nil)
    let head = "--b-1\r\nX: " + String(repeating: "a", count: MultipartParser.headByteLimit)
    #expect(run([Array(head.utf8)]).error?.contains("too long") ?? false)
  }

  @Test func saysTheSameErrorAgain() {
    var parser = MultipartParser(boundary: "b", watching: [])
    let bytes = Array("x--b--".utf8)
    for _ in 0..<2 {
      #expect(throws: MultipartError("does not begin with its boundary")) {
        try parser.scan(bytes.span)
      }
    }
    #expect(throws: MultipartError("does not begin with its boundary")) { try parser.finish() }
  }

  @Test(
    arguments: [
      ("multipart/form-data; boundary=abc", "abc"),
      ("Multipart/Form-Data;Charset=utf-8; Boundary=\"a b'()+_,-./:=?\"", "a b'()+_,-./:=?"),
      ("multipart/form-data", nil), ("multipart/form-data; boundary=", nil),
      ("multipart/form-data; boundary=\"\"", nil),
      ("multipart/form-data; boundary=\"a\\\"b\"", nil),
      ("multipart/form-data; boundary=a; boundary=a", nil), ("multipart/mixed; boundary=a", nil),
      ("multipart/form-data; boundary=\"a \"", nil), ("multipart/form-data; boundary=\"a", nil),
      ("multipart/form-data; boundary=a b", nil), ("multipart/form-data boundary=a", nil),
      (
        "multipart/form-data; boundary=" + String(repeating: "a", count: 70),
        String(repeating: "a", count: 70)
      ),
      ("multipart/form-data; boundary=" + String(repeating: "a", count: 71), nil),
      ("application/json", nil), ("", nil),
    ] as [(String, String?)])
  func findsTheBoundary(_ type: String, _ expected: String?) {
    let bytes = Array(type.utf8)
    #expect(MultipartParser.boundary(of: bytes.span)?.text == expected)
  }
}
