// SPDX-License-Identifier: MIT
import Platform

@testable import MiniHTTP

/// One input of libFuzzer: two bytes choose the framing and the cuts, the rest is the body.
///
/// Besides not crashing: every cutting gives the same body, and what is written comes back.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 2 else { return 0 }
  let text = [UInt8](UnsafeBufferPointer(start: start + 2, count: count - 2))
  let steps = [1 + Int(start[0]) % 64, 1 + Int(start[1]) % 64]
  let framing: BodyFraming =
    switch start[0] >> 5 & 3 {
    case 0, 1: .chunked
    case 2: .length(Int64(start[1]) * 8)
    default: .untilClose
    }
  ChunkedFuzz.checkCuts(text, steps, framing)
  ChunkedFuzz.checkRoundTrip(text, steps)
  return 0
}

enum ChunkedFuzz {
  private struct Report: Equatable {
    var body: [UInt8] = []
    /// Bytes used when the body ended; nil while it goes on.
    var end: Int?
    var isBad = false
  }

  static func checkCuts(_ text: [UInt8], _ steps: [Int], _ framing: BodyFraming) {
    let whole = decode(text, [text.count], framing)
    precondition(decode(text, steps, framing) == whole, "cuts change the result")
    precondition(decode(text, [1], framing) == whole, "single bytes change the result")
    if let end = whole.end { precondition(end <= text.count, "ends behind what there is") }
    precondition(whole.body.count <= text.count, "more than there is")
  }

  /// Decodes slices whose lengths go round through `steps`, each in memory of its own.
  private static func decode(_ text: [UInt8], _ steps: [Int], _ framing: BodyFraming) -> Report {
    var decoder = BodyDecoder(framing)
    var report = Report()
    var index = 0
    var turn = 0
    while index < text.count, report.end == nil, !report.isBad {
      let sliceEnd = min(index + steps[turn % steps.count], text.count)
      let slice = Array(text[index..<sliceEnd])
      read(slice, at: index, &decoder, &report)
      index = sliceEnd
      turn += 1
    }
    return report
  }

  private static func read(
    _ slice: [UInt8], at start: Int, _ decoder: inout BodyDecoder, _ report: inout Report
  ) {
    var offset = 0
    while true {
      let before = offset
      switch decoder.next(slice.span, at: &offset) {
      case .data(let range):
        precondition(!range.isEmpty && range.lowerBound >= before, "no progress")
        precondition(range.upperBound <= offset, "bytes not covered")
        report.body += slice[range]
        if decoder.isEnded, case .end(let end) = decoder.next(slice.span, at: &offset) {
          report.end = start + end
          return
        }
      case .needMore: return precondition(offset == slice.count, "bytes left over")
      case .end(let end):
        report.end = start + end
        return
      case .bad:
        report.isBad = true
        return
      }
    }
  }

  static func checkRoundTrip(_ body: [UInt8], _ steps: [Int]) {
    let buffer = Buffer()
    var index = 0
    while index < body.count {
      let end = min(index + steps[0], body.count)
      body[index..<end].withUnsafeBytes { MessageWriter.appendChunk($0, to: buffer) }
      index = end
    }
    MessageWriter.appendLastChunk(to: buffer)
    let report = decode(buffer.byteString.bytes, [steps[1]], .chunked)
    precondition(report.body == body && report.end == buffer.count, "does not come back")
  }
}
