// SPDX-License-Identifier: MIT
import Platform

/// AWS binary event streams (`application/vnd.amazon.eventstream`).
///
/// ```
/// total length · headers' length · CRC-32 of these · headers · payload · CRC-32 of all before
/// ```
///
/// Numbers are big-endian, of four bytes. Both checksums are compared. An event is named by its
/// `:event-type`; an exception by `exception:` and its type, an error by `error:` and its code.
/// Source: https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html, read 2026-11.
final class AmazonEventFramer: StreamFramer {
  private static let preludeByteCount = 12
  private static let checksumByteCount = 4

  private let buffer = Buffer()
  private var isBroken = false

  func read(_ piece: Span<UInt8>, into events: inout [StreamEvent]) -> Bool {
    guard !isBroken else { return false }
    buffer.append(piece)
    while true {
      switch buffer.withReadable({ AmazonEventFramer.next($0) }) {
      case .needMore: return true
      case .bad:
        isBroken = true
        buffer.release()
        return false
      case .event(let event, let byteCount):
        events.append(event)
        buffer.consume(byteCount)
      }
    }
  }

  func end(into events: inout [StreamEvent]) -> Bool { !isBroken && buffer.isEmpty }

  private enum Step {
    case needMore
    case bad
    case event(StreamEvent, byteCount: Int)
  }

  private static func next(_ bytes: Span<UInt8>) -> Step {
    guard bytes.count >= preludeByteCount else { return .needMore }
    let total = number(bytes, 0)
    let headers = number(bytes, 4)
    let overhead = UInt32(preludeByteCount + checksumByteCount)
    guard number(bytes, 8) == CRC32.of(bytes.extracting(0..<8)),
      total >= overhead, total <= UInt32(StreamFraming.eventByteLimit), headers <= total - overhead
    else { return .bad }
    let end = Int(total)
    guard bytes.count >= end else { return .needMore }
    let checked = end - checksumByteCount
    guard number(bytes, checked) == CRC32.of(bytes.extracting(0..<checked)) else { return .bad }
    let payload = preludeByteCount + Int(headers)
    guard let names = names(bytes.extracting(preludeByteCount..<payload)) else { return .bad }
    return .event(
      event(names, ByteString(bytes.extracting(payload..<checked))), byteCount: end)
  }

  /// The headers that say what an event is.
  private struct Names {
    var messageType = ByteString.empty
    var type = ByteString.empty
    /// `:error-message`, of errors, which have no payload.
    var message = ByteString.empty
  }

  private static func event(_ names: Names, _ payload: ByteString) -> StreamEvent {
    if names.messageType == "exception" {
      return StreamEvent(name: "exception:" + names.type, data: payload)
    }
    if names.messageType == "error" {
      return StreamEvent(name: "error:" + names.type, data: names.message)
    }
    return StreamEvent(name: names.type, data: payload)
  }

  /// Reads headers: a name, a type, and a value whose length the type tells; nil when one ends
  /// behind the last byte.
  private static func names(_ bytes: Span<UInt8>) -> Names? {
    var names = Names()
    var index = 0
    while index < bytes.count {
      let nameEnd = index + 1 + Int(bytes[index])
      guard nameEnd < bytes.count else { return nil }
      let name = bytes.extracting((index + 1)..<nameEnd)
      let type = bytes[nameEnd]
      index = nameEnd + 1
      guard let byteCount = valueByteCount(type, bytes, &index), index + byteCount <= bytes.count
      else { return nil }
      if type == 7 {
        let value = ByteString(bytes.extracting(index..<(index + byteCount)))
        if name.equals(":message-type") {
          names.messageType = value
        } else if name.equals(":event-type") || name.equals(":exception-type")
          || name.equals(":error-code")
        {
          names.type = value
        } else if name.equals(":error-message") {
          names.message = value
        }
      }
      index += byteCount
    }
    return names
  }

  /// The length of a value; moves on behind a length that is told.
  private static func valueByteCount(
    _ type: UInt8, _ bytes: Span<UInt8>, _ index: inout Int
  ) -> Int? {
    switch type {
    case 0, 1: return 0  // true, false
    case 2: return 1
    case 3: return 2
    case 4: return 4
    case 5, 8: return 8  // integer, time
    case 9: return 16  // UUID
    case 6, 7:  // bytes, text
      guard index + 2 <= bytes.count else { return nil }
      index += 2
      return Int(bytes[index - 2]) << 8 | Int(bytes[index - 1])
    default: return nil
    }
  }

  private static func number(_ bytes: Span<UInt8>, _ offset: Int) -> UInt32 {
    var value: UInt32 = 0
    for index in offset..<(offset + 4) { value = value << 8 | UInt32(bytes[index]) }
    return value
  }
}
