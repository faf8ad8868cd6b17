// SPDX-License-Identifier: MIT
import Platform

/// How a body is cut into events.
package enum StreamFraming: Sendable {
  /// Server-Sent Events (WHATWG HTML §9.2.6).
  case events
  /// One JSON value a line.
  case lines
  /// AWS binary event stream.
  case amazonEvents
  /// WebSocket text messages: each piece given is one event.
  case messages
}

/// One event of a stream.
package struct StreamEvent {
  /// The event's type; empty without one.
  package var name = ByteString.empty
  /// The `data` lines, joined with LF.
  package var data = ByteString.empty
  /// Of lines: where it ends in the piece that completed it; 0 for what the body's end completes.
  package fileprivate(set) var end = 0

  /// Makes an event.
  package init(name: ByteString = .empty, data: ByteString) {
    self.name = name
    self.data = data
  }
}

/// Cuts a body that comes in pieces into events.
package protocol StreamFramer: AnyObject {
  /// Takes a piece and appends the events that it completes; false when the stream is broken or an
  /// event is longer than allowed.
  func read(_ piece: Span<UInt8>, into events: inout [StreamEvent]) -> Bool
  /// The body has ended: an event that needs no end mark is complete now; false when one is
  /// left unfinished.
  func end(into events: inout [StreamEvent]) -> Bool
}

extension StreamFraming {
  /// Longest event, in bytes.
  package static let eventByteLimit = 1024 * 1024

  /// Makes a framer for one body.
  package func makeFramer() -> any StreamFramer {
    switch self {
    case .events: LineFramer(isEvents: true)
    case .lines: LineFramer(isEvents: false)
    case .messages: MessageFramer()
    case .amazonEvents: AmazonEventFramer()
    }
  }
}

/// Server-Sent Events and lines of JSON.
///
/// Lines end with LF, CR or CRLF, cut anywhere; a byte order mark may come first; comments and
/// unknown fields are left out. A last event without its empty line counts at the end of the body.
/// A body that begins with a brace is no event stream but one JSON value, as vendors answer when
/// they refuse a stream: it becomes one event, however many lines it has.
final class LineFramer: StreamFramer {
  private let isEvents: Bool
  private let line = Buffer()
  private var event = StreamEvent(data: .empty)
  private var hasData = false
  private var endedWithCR = false
  private var isAtStart = true
  private var isOneValue = false

  /// - Parameter isEvents: false for one value a line.
  init(isEvents: Bool) { self.isEvents = isEvents }

  func read(_ piece: Span<UInt8>, into events: inout [StreamEvent]) -> Bool {
    var start = 0
    if endedWithCR, piece.count > 0 {
      endedWithCR = false
      if piece[0] == 0x0A { start = 1 }
    }
    var index = start
    while index < piece.count {
      let byte = piece[index]
      guard byte == 0x0A || byte == 0x0D else {
        index += 1
        continue
      }
      line.append(piece.extracting(start..<index))
      let count = events.count
      endLine(into: &events)
      index += 1
      if byte == 0x0D {
        if index == piece.count {
          endedWithCR = true
        } else if piece[index] == 0x0A {
          index += 1
        }
      }
      if events.count > count { events[count].end = index }
      start = index
    }
    line.append(piece.extracting(start..<piece.count))
    return line.count + event.data.count <= StreamFraming.eventByteLimit
  }

  func end(into events: inout [StreamEvent]) -> Bool {
    if !line.isEmpty { endLine(into: &events) }
    dispatch(into: &events)
    return true
  }

  private func endLine(into events: inout [StreamEvent]) {
    var text = line.byteString
    line.clear()
    if isAtStart {
      if text.starts(with: "\u{FEFF}") { text = ByteString(Array(text.bytes.dropFirst(3))) }
      let visible = text.trimmed
      if visible.isEmpty { return }
      isAtStart = false
      isOneValue = isEvents && visible.starts(with: "{")
    }
    if isOneValue {
      event.data.append(text)
      event.data.append("\n")
      hasData = true
      return
    }
    guard isEvents else {
      let value = text.trimmed
      if !value.isEmpty { events.append(StreamEvent(data: value)) }
      return
    }
    if text.isEmpty { return dispatch(into: &events) }
    if let value = LineFramer.value(of: "data", in: text) {
      if hasData { event.data.append("\n") }
      event.data.append(value)
      hasData = true
    } else if let value = LineFramer.value(of: "event", in: text) {
      event.name = value
    }
  }

  /// What comes behind a field's name and colon, without one space; nil for another field.
  private static func value(of field: StaticString, in line: ByteString) -> ByteString? {
    guard line.starts(with: field) else { return nil }
    let count = field.utf8CodeUnitCount
    if line.count == count { return .empty }
    guard line[count] == UInt8(ascii: ":") else { return nil }
    let skipped = line.count > count + 1 && line[count + 1] == 0x20 ? count + 2 : count + 1
    return ByteString(Array(line.bytes.dropFirst(skipped)))
  }

  private func dispatch(into events: inout [StreamEvent]) {
    if hasData { events.append(event) }
    event = StreamEvent(data: .empty)
    hasData = false
  }
}

/// Pieces that are events already.
final class MessageFramer: StreamFramer {
  func read(_ piece: Span<UInt8>, into events: inout [StreamEvent]) -> Bool {
    events.append(StreamEvent(data: ByteString(piece)))
    return piece.count <= StreamFraming.eventByteLimit
  }

  func end(into events: inout [StreamEvent]) -> Bool { true }
}
