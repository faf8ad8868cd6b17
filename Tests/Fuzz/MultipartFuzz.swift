// SPDX-License-Identifier: MIT
import Platform

@testable import MiniHTTP

/// One input of libFuzzer: two bytes choose where the form is cut, the rest is the form, with the
/// boundary `b`; and all of it as a `Content-Type`.
///
/// Besides not crashing: every cutting gives the same, and a form that is accepted has the fields
/// that a plain search for its boundary finds.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 2 else { return 0 }
  let text = [UInt8](UnsafeBufferPointer(start: start + 2, count: count - 2))
  if let boundary = MultipartParser.boundary(of: text.span) {
    precondition(1...70 ~= boundary.count, "a boundary of a wrong length")
  }
  let whole = MultipartFuzz.run(text, [text.count])
  for steps in [[1 + Int(start[0]) % 64, 1 + Int(start[1]) % 64], [1]] {
    let cut = MultipartFuzz.run(text, steps)
    precondition(cut.error == whole.error, "cuts change the error")
    precondition(whole.error != nil || cut == whole, "cuts change the form")
  }
  if whole.error == nil { MultipartFuzz.check(text, whole) }
  return 0
}

enum MultipartFuzz {
  /// What is known of a form at its end.
  struct Report: Equatable {
    var value: ByteString?
    var offsets: [Int64] = []
    var counts: [Int64] = []
    var error: MultipartError?
  }

  static func run(_ text: [UInt8], _ steps: [Int]) -> Report {
    var parser = MultipartParser(boundary: "b", watching: ["m"])
    var report = Report()
    var index = 0
    var turn = 0
    do throws(MultipartError) {
      while index < text.count {
        let end = min(index + steps[turn % steps.count], text.count)
        try parser.scan(text.span.extracting(index..<end))
        index = end
        turn += 1
      }
      try parser.finish()
      precondition(parser.hasEnded, "accepted without its end")
    } catch {
      report.error = error
    }
    report.value = parser.value(0)
    report.offsets = [parser.field(0).valueOffset, parser.field(0).endOffset]
    report.counts = [
      parser.fileCount, parser.asciiTextByteCount, parser.nonASCIITextByteCount, parser.byteCount,
    ]
    return report
  }

  /// The field is what lies between its header lines and the next boundary.
  static func check(_ text: [UInt8], _ report: Report) {
    precondition(report.counts[3] == Int64(text.count), "bytes were lost")
    guard let value = report.value else { return }
    let start = Int(report.offsets[0])
    let end = Int(report.offsets[1])
    let mark: StaticString = "\r\n--b"
    precondition(start >= 4 && end <= text.count, "outside of the form")
    precondition(text.span.firstIndex(of: mark, from: start) == end - 5, "not the next boundary")
    precondition(value == ByteString(Array(text[start..<(end - 5)])), "not what lies between")
    precondition(
      text.span.extracting((start - 4)..<start).equals("\r\n\r\n"), "not behind an empty line")
  }
}
