// SPDX-License-Identifier: MIT

/// Escapes in strings (RFC 8259 §7), resumable at every byte.
extension JSONScanner {
  /// Takes a `\uXXXX` at `index` that lies whole in the slice and is no surrogate.
  ///
  /// - Returns: false, with nothing changed, for anything else, and in keys at the top level.
  @inline(__always)
  func takeUnit(_ base: UnsafeRawPointer, _ index: Int, _ end: Int) -> Bool {
    guard end &- index >= 6, !topKey.isOpen,
      base.load(fromByteOffset: index &+ 1, as: UInt8.self) == JSONString.unicodeLetter
    else { return false }
    var unit: UInt32 = 0
    for position in 2..<6 {
      let byte = base.load(fromByteOffset: index &+ position, as: UInt8.self)
      guard let digit = ASCIIHex.value(byte) else { return false }
      unit = unit << 4 | digit
    }
    if unit & 0xf800 == 0xd800 { return false }
    endEscape(unit, rawByteCount: 6)
    return true
  }

  /// Scans on in an escape, from behind its backslash.
  @_optimize(speed)
  func scanEscape(
    _ base: UnsafeRawPointer, _ start: Int, _ end: Int
  ) throws(JSONError) -> Int {
    var index = start
    while index < end {
      let byte = base.load(fromByteOffset: index, as: UInt8.self)
      try advanceEscape(byte, at: sliceOffset &+ index)
      index &+= 1
      if phase == .string {
        topKey.runStart = index
        break
      }
    }
    return index
  }

  @inline(__always)
  private func advanceEscape(_ byte: UInt8, at offset: Int) throws(JSONError) {
    switch phase {
    case .hexDigits:
      guard let digit = ASCIIHex.value(byte) else { throw JSONError(.invalidHexDigit, at: offset) }
      string.unit = string.unit << 4 | digit
      string.digitsLeft &-= 1
      if string.digitsLeft == 0 { try endUnit(at: offset) }
    case .lowBackslash:
      guard byte == JSONByte.backslash else { throw JSONError(.loneSurrogate, at: offset) }
      phase = .lowLetter
    case .lowLetter:
      guard byte == JSONString.unicodeLetter else { throw JSONError(.loneSurrogate, at: offset) }
      beginUnit()
    default:
      if byte == JSONString.unicodeLetter {
        string.highSurrogate = 0
        beginUnit()
        return
      }
      let meaning = JSONString.simpleEscape(byte)
      if meaning == 0 { throw JSONError(.invalidEscape, at: offset) }
      endEscape(UInt32(meaning), rawByteCount: 2)
    }
  }

  @inline(__always)
  private func beginUnit() {
    string.unit = 0
    string.digitsLeft = 4
    phase = .hexDigits
  }

  /// Judges a UTF-16 unit after its last digit.
  @inline(__always)
  private func endUnit(at offset: Int) throws(JSONError) {
    let unit = string.unit
    if string.highSurrogate != 0 {
      guard unit & 0xfc00 == 0xdc00 else { throw JSONError(.loneSurrogate, at: offset) }
      endEscape(JSONString.scalar(string.highSurrogate, unit), rawByteCount: 12)
    } else if unit & 0xf800 != 0xd800 {
      endEscape(unit, rawByteCount: 6)
    } else if unit & 0xfc00 == 0xd800 {
      string.highSurrogate = unit
      phase = .lowBackslash
    } else {
      throw JSONError(.loneSurrogate, at: offset)
    }
  }

  /// Notes an escape that stands for `scalar`.
  @inline(__always)
  private func endEscape(_ scalar: UInt32, rawByteCount: Int) {
    phase = .string
    if scalar < 0x80 {
      string.notASCII &+= rawByteCount &- 1
    } else {
      string.notASCII &+= rawByteCount
      string.nonASCII &+= scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4
    }
    if topKey.isOpen { topKey.add(scalar) }
  }
}

/// Hexadecimal digits as numbers; `ASCII.hexValue` in this module, where it can be inlined.
enum ASCIIHex {
  /// The value of a digit; nil for any other byte.
  @inline(__always)
  static func value(_ byte: UInt8) -> UInt32? {
    let digit = byte &- 0x30
    if digit < 10 { return UInt32(digit) }
    let letter = (byte | 0x20) &- 0x61
    return letter < 6 ? UInt32(letter) &+ 10 : nil
  }
}
