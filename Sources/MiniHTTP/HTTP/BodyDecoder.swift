// SPDX-License-Identifier: MIT
import Platform

/// Finds the body bytes of one message in a stream, by its framing (RFC 9112 §6, §7).
///
/// Pure: given bytes it says which of them are body; it copies nothing and may be cut anywhere.
package struct BodyDecoder: Sendable {
  package enum Step: Equatable, Sendable {
    /// Body bytes, as a range of the given bytes.
    case data(Range<Int>)
    /// All given bytes are used and the body goes on.
    case needMore
    /// The body has ended before this offset; the rest belongs to the next message.
    case end(Int)
    /// The framing is broken.
    case bad
  }

  private enum Phase: Equatable {
    case length(Int64)
    case untilClose
    /// Within a chunk-size line: the digits so far, and the length of the line.
    case size(value: Int64, digits: Int, line: Int)
    /// Behind the digits: `;extension`, or spaces that must lead to one.
    case sizeExtension(value: Int64, line: Int)
    case sizeLineFeed(Int64)
    case chunk(Int64)
    case chunkCarriageReturn
    case chunkLineFeed
    /// At the start of a trailer line or of the empty line that ends the message.
    case trailerStart(total: Int)
    /// Within a trailer line; `hasColon` once its name has ended.
    case trailer(total: Int, hasColon: Bool)
    case trailerLineFeed(total: Int)
    case lastLineFeed
    case ended
    case broken
  }

  private var phase: Phase
  /// Chunk extensions and trailers seen, bounded over the whole message.
  private var extensionByteCount = 0

  /// Starts at the first byte behind the head.
  package init(_ framing: BodyFraming) {
    switch framing {
    case .none: phase = .ended
    case .length(let count): phase = count > 0 ? .length(count) : .ended
    case .chunked: phase = .size(value: 0, digits: 0, line: 0)
    case .untilClose: phase = .untilClose
    }
  }

  /// Whether the whole body has been seen.
  package var isEnded: Bool { phase == .ended }

  /// Whether the connection's end completes the message.
  package var endsAtClose: Bool { phase == .untilClose }

  /// What comes next at `offset`, which moves on behind what the step covers.
  package mutating func next(_ bytes: Span<UInt8>, at offset: inout Int) -> Step {
    while true {
      switch phase {
      case .ended: return .end(offset)
      case .broken: return .bad
      case .length(let rest): return take(rest, bytes, &offset)
      case .chunk(let rest): return take(rest, bytes, &offset)
      case .untilClose:
        guard offset < bytes.count else { return .needMore }
        let range = offset..<bytes.count
        offset = bytes.count
        return .data(range)
      default:
        if skipSizeLine(bytes, &offset) { continue }
        guard offset < bytes.count else { return .needMore }
        phase = after(bytes[offset])
        offset += 1
      }
    }
  }

  /// Steps over a size line that lies whole in `bytes`, and over the end of the chunk before it.
  ///
  /// Nearly all come so; false where the bytes must be looked at one by one.
  private mutating func skipSizeLine(_ bytes: Span<UInt8>, _ offset: inout Int) -> Bool {
    // Room for a line end, eight digits and another line end.
    guard bytes.count - offset >= 12 else { return false }
    var position = offset
    switch phase {
    case .size(_, digits: 0, _): break
    case .chunkCarriageReturn:
      guard bytes[position] == 0x0D, bytes[position + 1] == 0x0A else { return false }
      position += 2
    default: return false
    }
    let digitsEnd = position + 8
    var size: UInt32 = 0
    while position < digitsEnd, let digit = ASCII.hexValue(bytes[position]) {
      size = size << 4 | UInt32(digit)
      position += 1
    }
    guard size > 0, bytes[position] == 0x0D, bytes[position + 1] == 0x0A else { return false }
    offset = position + 2
    phase = .chunk(Int64(size))
    return true
  }

  private mutating func take(_ rest: Int64, _ bytes: Span<UInt8>, _ offset: inout Int) -> Step {
    guard offset < bytes.count else { return .needMore }
    let count = Int(min(Int64(bytes.count - offset), rest))
    let range = offset..<(offset + count)
    offset += count
    let left = rest - Int64(count)
    if case .chunk = phase {
      phase = left > 0 ? .chunk(left) : .chunkCarriageReturn
    } else {
      phase = left > 0 ? .length(left) : .ended
    }
    return .data(range)
  }

  /// The phase behind one byte of chunk framing.
  private mutating func after(_ byte: UInt8) -> Phase {
    switch phase {
    case .size(let value, let digits, let line):
      return size(byte, value, digits, line)
    case .sizeExtension(let value, let line):
      if byte == 0x0D { return .sizeLineFeed(value) }
      extensionByteCount += 1
      guard HeadLines.isValueByte(byte), extensionByteCount <= Sizes.chunkLineByteCount else {
        return .broken
      }
      return .sizeExtension(value: value, line: line + 1)
    case .sizeLineFeed(let value):
      guard byte == 0x0A else { return .broken }
      return value > 0 ? .chunk(value) : .trailerStart(total: 0)
    case .chunkCarriageReturn: return byte == 0x0D ? .chunkLineFeed : .broken
    case .chunkLineFeed:
      return byte == 0x0A ? .size(value: 0, digits: 0, line: 0) : .broken
    case .trailerStart(let total):
      if byte == 0x0D { return .lastLineFeed }
      guard HeadLines.isToken(byte) else { return .broken }
      return .trailer(total: total + 1, hasColon: false)
    case .trailer(let total, let hasColon):
      return trailer(byte, total, hasColon)
    case .trailerLineFeed(let total):
      return byte == 0x0A ? .trailerStart(total: total) : .broken
    case .lastLineFeed: return byte == 0x0A ? .ended : .broken
    case .length, .untilClose, .chunk, .ended, .broken: return .broken
    }
  }

  /// RFC 9112 §7.1: 1 to 16 hexadecimal digits, then CR or an extension.
  private mutating func size(_ byte: UInt8, _ value: Int64, _ digits: Int, _ line: Int) -> Phase {
    if let digit = ASCII.hexValue(byte) {
      let (shifted, overflowed) = value.multipliedReportingOverflow(by: 16)
      guard digits < 16, !overflowed else { return .broken }
      return .size(value: shifted | Int64(digit), digits: digits + 1, line: line + 1)
    }
    guard digits > 0 else { return .broken }
    if byte == 0x0D { return .sizeLineFeed(value) }
    guard byte == UInt8(ascii: ";") else { return .broken }
    extensionByteCount += 1
    return .sizeExtension(value: value, line: line + 1)
  }

  private func trailer(_ byte: UInt8, _ total: Int, _ hasColon: Bool) -> Phase {
    guard total < Sizes.trailerByteCount else { return .broken }
    if byte == 0x0D { return hasColon ? .trailerLineFeed(total: total + 1) : .broken }
    if hasColon {
      return HeadLines.isValueByte(byte) ? .trailer(total: total + 1, hasColon: true) : .broken
    }
    if byte == UInt8(ascii: ":") { return .trailer(total: total + 1, hasColon: true) }
    return HeadLines.isToken(byte) ? .trailer(total: total + 1, hasColon: false) : .broken
  }
}
