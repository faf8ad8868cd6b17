// SPDX-License-Identifier: MIT
import Platform

/// String contents in and out of their escaped form (RFC 8259 §7).
package enum JSONString {
  /// The letter that begins a numeric escape.
  @inline(__always) static var unicodeLetter: UInt8 { 0x75 }

  /// What a backslash and `byte` stand for; 0 when nothing.
  @inline(__always)
  static func simpleEscape(_ byte: UInt8) -> UInt8 {
    switch byte {
    case 0x22, 0x5c, 0x2f: byte
    case 0x6e: 0x0a
    case 0x74: 0x09
    case 0x72: 0x0d
    case 0x62: 0x08
    case 0x66: 0x0c
    default: 0
    }
  }

  /// The character of a surrogate pair.
  @inline(__always)
  static func scalar(_ high: UInt32, _ low: UInt32) -> UInt32 {
    0x10000 &+ ((high & 0x3ff) << 10 | low & 0x3ff)
  }

  /// Calls `body` with the bytes of a character in UTF-8.
  @inline(__always)
  static func forEachByte(of scalar: UInt32, _ body: (UInt8) -> Void) {
    if scalar < 0x80 { return body(UInt8(truncatingIfNeeded: scalar)) }
    if scalar < 0x800 {
      body(0xc0 | UInt8(truncatingIfNeeded: scalar >> 6))
    } else {
      if scalar < 0x10000 {
        body(0xe0 | UInt8(truncatingIfNeeded: scalar >> 12))
      } else {
        body(0xf0 | UInt8(truncatingIfNeeded: scalar >> 18))
        body(0x80 | UInt8(truncatingIfNeeded: scalar >> 12) & 0x3f)
      }
      body(0x80 | UInt8(truncatingIfNeeded: scalar >> 6) & 0x3f)
    }
    body(0x80 | UInt8(truncatingIfNeeded: scalar) & 0x3f)
  }

  /// The contents of a string lexeme without quotes and escapes.
  ///
  /// - Parameter lexeme: a string with its quotes, as a scanner has accepted it.
  /// - Returns: nil when the lexeme is not a string or an escape is wrong.
  package static func unescaped(_ lexeme: UnsafeRawBufferPointer) -> ByteString? {
    guard let base = lexeme.baseAddress, lexeme.count >= 2, lexeme[0] == JSONByte.quote,
      lexeme[lexeme.count - 1] == JSONByte.quote
    else { return nil }
    let end = lexeme.count - 1
    var index = JSONBytes.quoteOrBackslash(base, 1, end)
    if index == end {
      return ByteString(UnsafeRawBufferPointer(start: base + 1, count: end - 1))
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(end)
    var start = 1
    while true {
      bytes.append(contentsOf: UnsafeRawBufferPointer(start: base + start, count: index - start))
      if index == end { return ByteString(bytes) }
      guard let next = unescape(lexeme, index, end, &bytes) else { return nil }
      start = next
      index = JSONBytes.quoteOrBackslash(base, start, end)
    }
  }

  /// Appends what the escape at `index` stands for; returns the offset behind it, nil when it is
  /// none.
  private static func unescape(
    _ lexeme: UnsafeRawBufferPointer, _ index: Int, _ end: Int, _ bytes: inout [UInt8]
  ) -> Int? {
    guard end - index >= 2, lexeme[index] == JSONByte.backslash else { return nil }
    let meaning = simpleEscape(lexeme[index + 1])
    if meaning != 0 {
      bytes.append(meaning)
      return index + 2
    }
    guard let unit = unit(lexeme, index, end) else { return nil }
    if unit & 0xf800 != 0xd800 {
      forEachByte(of: unit) { bytes.append($0) }
      return index + 6
    }
    guard unit & 0xfc00 == 0xd800, let low = self.unit(lexeme, index + 6, end),
      low & 0xfc00 == 0xdc00
    else { return nil }
    forEachByte(of: scalar(unit, low)) { bytes.append($0) }
    return index + 12
  }

  /// The UTF-16 unit of the `\uXXXX` at `index`.
  private static func unit(_ lexeme: UnsafeRawBufferPointer, _ index: Int, _ end: Int) -> UInt32? {
    guard end - index >= 6, lexeme[index] == JSONByte.backslash,
      lexeme[index + 1] == unicodeLetter
    else { return nil }
    var unit: UInt32 = 0
    for offset in 2..<6 {
      guard let digit = ASCIIHex.value(lexeme[index + offset]) else { return nil }
      unit = unit << 4 | digit
    }
    return unit
  }

  /// Appends text as a JSON string with its quotes.
  ///
  /// Quotes, backslashes and control characters are escaped, DEL and non-ASCII text is not. Each
  /// maximal part of an ill-formed UTF-8 sequence becomes one U+FFFD (Unicode 16 §3.9).
  package static func append(_ text: UnsafeRawBufferPointer, to buffer: Buffer) {
    buffer.append(JSONByte.quote)
    if let base = text.baseAddress { appendContents(base, text.count, to: buffer) }
    buffer.append(JSONByte.quote)
  }

  /// Text as a JSON string with its quotes, as `append` writes it.
  package static func lexeme(_ text: ByteString) -> ByteString {
    let buffer = Buffer()
    append(text.bytes.span.rawBuffer, to: buffer)
    return buffer.byteString
  }

  private static func appendContents(_ base: UnsafeRawPointer, _ end: Int, to buffer: Buffer) {
    var start = 0
    var index = 0
    while true {
      index = JSONBytes.plainEnd(base, index, end)
      if index < end && base.load(fromByteOffset: index, as: UInt8.self) >= 0x80 {
        let (sequenceEnd, isValid) = sequence(base, index, end)
        if isValid {
          index = sequenceEnd
          continue
        }
        buffer.append(UnsafeRawBufferPointer(start: base + start, count: index - start))
        buffer.append("\u{fffd}")
        start = sequenceEnd
        index = sequenceEnd
        continue
      }
      buffer.append(UnsafeRawBufferPointer(start: base + start, count: index - start))
      if index == end { return }
      appendEscape(base.load(fromByteOffset: index, as: UInt8.self), to: buffer)
      index += 1
      start = index
    }
  }

  private static func appendEscape(_ byte: UInt8, to buffer: Buffer) {
    switch byte {
    case 0x0a: buffer.append("\\n")
    case 0x0d: buffer.append("\\r")
    case 0x09: buffer.append("\\t")
    case JSONByte.quote: buffer.append("\\\"")
    case JSONByte.backslash: buffer.append("\\\\")
    default:
      buffer.append("\\u00")
      buffer.append(hexDigit: byte >> 4)
      buffer.append(hexDigit: byte & 15)
    }
  }

  /// Offset behind the UTF-8 sequences at `index`, or behind the maximal part of an ill-formed one.
  private static func sequence(
    _ base: UnsafeRawPointer, _ index: Int, _ end: Int
  ) -> (end: Int, isValid: Bool) {
    let runEnd = JSONBytes.multiByteEnd(base, index, end)
    if runEnd > index { return (runEnd, true) }
    var sequence = UTF8Sequence()
    guard sequence.begin(base.load(fromByteOffset: index, as: UInt8.self)) else {
      return (index + 1, false)
    }
    var next = index + 1
    while next < end {
      guard sequence.accept(base.load(fromByteOffset: next, as: UInt8.self)) else {
        return (next, false)
      }
      next += 1
      if sequence.isComplete { return (next, true) }
    }
    return (next, false)
  }
}
