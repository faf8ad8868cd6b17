// SPDX-License-Identifier: MIT
import Platform

@testable import MiniHTTP

/// One input of libFuzzer: two bytes choose where the stream is cut, the rest is the stream.
///
/// Besides not crashing: every cutting gives the same events, and they are those that a plain
/// walk over the lines finds.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 2 else { return 0 }
  let text = [UInt8](UnsafeBufferPointer(start: start + 2, count: count - 2))
  let steps = [1 + Int(start[0]) % 64, 1 + Int(start[1]) % 64]
  let whole = EventStreamFuzz.split(text, [text.count])
  precondition(EventStreamFuzz.split(text, steps) == whole, "cuts change the events")
  precondition(EventStreamFuzz.split(text, [1]) == whole, "single bytes change the events")
  precondition(EventStreamFuzz.walk(text) == whole, "not the events of the stream")
  for event in whole { EventStreamFuzz.checkData(event) }
  EventStreamFuzz.checkData(text)
  return 0
}

enum EventStreamFuzz {
  /// The whole events of a stream that arrives in slices.
  static func split(_ text: [UInt8], _ steps: [Int]) -> [[UInt8]] {
    var parser = EventStreamParser()
    let buffer = Buffer()
    var events: [[UInt8]] = []
    var index = 0
    var turn = 0
    while index < text.count {
      let end = min(index + steps[turn % steps.count], text.count)
      text[index..<end].withUnsafeBytes { buffer.append($0) }
      while let count = buffer.withReadable({ parser.nextEvent($0) }) {
        precondition(count > 0 && count <= buffer.count, "an event of a wrong length")
        let event = Array(buffer.readable[..<count])
        let known = parser.dataRange(event.span)
        precondition(known == EventStreamParser.dataRange(event.span), "other data")
        events.append(event)
        buffer.consume(count)
      }
      index = end
      turn += 1
    }
    return events
  }

  /// The same by looking at one line end after the other.
  static func walk(_ text: [UInt8]) -> [[UInt8]] {
    var events: [[UInt8]] = []
    var start = 0
    var index = 0
    var isBehindLineEnd = false
    while index < text.count {
      guard let end = lineEnd(text, index) else {
        isBehindLineEnd = false
        index += 1
        continue
      }
      if end > text.count { break }
      if isBehindLineEnd {
        events.append(Array(text[start..<end]))
        start = end
      }
      isBehindLineEnd = start != end
      index = end
    }
    return events
  }

  /// Behind the line end at `index`; beyond the text when a LF may still follow; nil for text.
  private static func lineEnd(_ text: [UInt8], _ index: Int) -> Int? {
    if text[index] == 0x0A { return index + 1 }
    guard text[index] == 0x0D else { return nil }
    if index + 1 == text.count { return text.count + 1 }
    return text[index + 1] == 0x0A ? index + 2 : index + 1
  }

  static func checkData(_ event: [UInt8]) {
    guard let range = EventStreamParser.dataRange(event.span) else { return }
    precondition(range.lowerBound >= 5 && range.upperBound <= event.count, "outside of the event")
    for index in range {
      precondition(event[index] != 0x0A && event[index] != 0x0D, "more than a line")
    }
  }
}
