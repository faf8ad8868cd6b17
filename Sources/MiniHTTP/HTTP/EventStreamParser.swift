// SPDX-License-Identifier: MIT
import Platform

/// Splits a stream of Server-Sent Events into whole events, cut at any byte.
///
/// Source: WHATWG HTML §9.2.6: lines end with LF, CR or CRLF; an empty line ends an event; a
/// byte order mark may come first. The parser finds boundaries only; `dataRange` and friends
/// look into an event.
package struct EventStreamParser: Sendable {
  /// Bytes of the event under way already searched for its end.
  private var searched = 0
  /// Where the first line of the event under way, or of the one found last, ends.
  private var firstLineEnd: Int?

  /// Starts at the beginning of a stream.
  package init() {}

  /// The length of the first whole event in `bytes`, the empty line included; nil when it is
  /// not complete.
  ///
  /// The caller removes those bytes before it asks again.
  ///
  /// A CR as the last byte is not yet an end, since a LF may follow and belongs to it.
  package mutating func nextEvent(_ bytes: Span<UInt8>) -> Int? {
    var position = searched
    if position == 0 { firstLineEnd = nil }
    while position < bytes.count {
      let byte = bytes[position]
      if byte == 0x0A || byte == 0x0D {
        firstLineEnd = firstLineEnd ?? position
        guard let next = lineEnd(bytes, at: position) else { break }
        if next < bytes.count, bytes[next] == 0x0A || bytes[next] == 0x0D {
          guard let end = lineEnd(bytes, at: next) else { break }
          searched = 0
          return end
        }
        if next == bytes.count { break }
        position = next
      } else {
        position = bytes.lineEnd(from: position)
      }
    }
    searched = max(0, min(position, bytes.count))
    return nil
  }

  /// Behind the line end at `position`; nil when a CR is the last byte.
  private func lineEnd(_ bytes: Span<UInt8>, at position: Int) -> Int? {
    if bytes[position] == 0x0A { return position + 1 }
    guard position + 1 < bytes.count else { return nil }
    return bytes[position + 1] == 0x0A ? position + 2 : position + 1
  }

  /// Where the value of the only `data` line of an event is; nil without one.
  ///
  /// Chat vendors send one `data` line an event; of several the first is taken.
  package static func dataRange(_ event: Span<UInt8>) -> Range<Int>? {
    dataRange(event, firstLineEnd: event.lineEnd(from: 0))
  }

  /// As the static one, for the event that `nextEvent` has just found.
  package func dataRange(_ event: Span<UInt8>) -> Range<Int>? {
    EventStreamParser.dataRange(event, firstLineEnd: firstLineEnd ?? 0)
  }

  private static func dataRange(_ event: Span<UInt8>, firstLineEnd: Int) -> Range<Int>? {
    var start = 0
    var end = firstLineEnd
    if event.count >= 3, event[0] == 0xEF, event[1] == 0xBB, event[2] == 0xBF { start = 3 }
    while start < event.count {
      if end - start >= 5, event.extracting(start..<(start + 5)).equals("data:") {
        let value = start + 5
        return value < end && event[value] == 0x20 ? (value + 1)..<end : value..<end
      }
      start = end + 1
      end = event.lineEnd(from: start)
    }
    return nil
  }
}
