// SPDX-License-Identifier: MIT
// with: Sources/Vendors/Bedrock/AmazonEventFramer.swift Sources/Vendors/Chat/StreamFramer.swift
import MiniJSON
import Platform

/// One input of libFuzzer: two bytes choose the cuts, the rest is a stream whose checksums are put
/// right where its lengths allow, so that what lies behind them is reached.
///
/// Besides not crashing: every cutting gives the same events, and none is longer than the stream.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 2 else { return 0 }
  let text = [UInt8](UnsafeBufferPointer(start: start + 2, count: count - 2))
  let steps = [1 + Int(start[0]) % 64, 1 + Int(start[1]) % 64]
  for bytes in [text, AmazonEventFuzz.repaired(text)] {
    let whole = AmazonEventFuzz.read(bytes, [bytes.count])
    precondition(AmazonEventFuzz.read(bytes, steps) == whole, "cuts change the events")
    precondition(AmazonEventFuzz.read(bytes, [1]) == whole, "single bytes change the events")
  }
  return 0
}

enum AmazonEventFuzz {
  /// Names and payloads in turn; `broken` at the end of a stream that is.
  static func read(_ text: [UInt8], _ steps: [Int]) -> [ByteString] {
    let framer = AmazonEventFramer()
    var events: [StreamEvent] = []
    var isSound = true
    var index = 0
    var turn = 0
    while index < text.count {
      let end = min(index + steps[turn % steps.count], text.count)
      let slice = Array(text[index..<end])
      isSound = framer.read(slice.span, into: &events) && isSound
      index = end
      turn += 1
    }
    isSound = framer.end(into: &events) && isSound
    var report: [ByteString] = []
    for event in events {
      precondition(event.data.count <= text.count, "more than there is")
      report.append(event.name)
      report.append(event.data)
    }
    if !isSound { report.append("broken") }
    return report
  }

  /// The same stream with right checksums.
  static func repaired(_ text: [UInt8]) -> [UInt8] {
    var text = text
    var start = 0
    while start + 16 <= text.count {
      // Small frames: lengths of random bytes would all reach behind the end.
      text[start] = 0
      text[start + 1] = 0
      text[start + 2] &= 3
      let total = Int(text[start + 2]) << 8 | Int(text[start + 3])
      guard total >= 16, start + total <= text.count else { break }
      put(CRC32.of(text.span.extracting(start..<(start + 8))), at: start + 8, in: &text)
      let end = start + total - 4
      put(CRC32.of(text.span.extracting(start..<end)), at: end, in: &text)
      start += total
    }
    return text
  }

  private static func put(_ sum: UInt32, at offset: Int, in text: inout [UInt8]) {
    for index in 0..<4 { text[offset + index] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * index)) }
  }
}
