// SPDX-License-Identifier: MIT

/// Recognises one multi-byte sequence of UTF-8, byte by byte (RFC 3629 §4).
///
/// Overlong forms, surrogates and values above U+10FFFF are not accepted.
package struct UTF8Sequence: Sendable {
  private var missingByteCount: UInt8 = 0
  private var lowest: UInt8 = 0x80
  private var highest: UInt8 = 0xbf

  /// Between two sequences.
  @inline(__always)
  package init() {}

  /// Whether no byte is missing.
  @inline(__always)
  package var isComplete: Bool { missingByteCount == 0 }

  /// Takes the first byte; false when no sequence begins with it.
  @inline(__always)
  package mutating func begin(_ lead: UInt8) -> Bool {
    lowest = 0x80
    highest = 0xbf
    switch lead {
    case 0xc2...0xdf: missingByteCount = 1
    case 0xe0...0xef:
      missingByteCount = 2
      if lead == 0xe0 { lowest = 0xa0 }
      if lead == 0xed { highest = 0x9f }
    case 0xf0...0xf4:
      missingByteCount = 3
      if lead == 0xf0 { lowest = 0x90 }
      if lead == 0xf4 { highest = 0x8f }
    default: return false
    }
    return true
  }

  /// Takes the next byte; false when it cannot stand there.
  @inline(__always)
  package mutating func accept(_ byte: UInt8) -> Bool {
    guard byte >= lowest, byte <= highest else { return false }
    lowest = 0x80
    highest = 0xbf
    missingByteCount &-= 1
    return true
  }
}

extension Span where Element == UInt8 {
  /// Whether the bytes are well-formed UTF-8 from the first to the last.
  package var isUTF8: Bool {
    var sequence = UTF8Sequence()
    for index in indices {
      let byte = self[index]
      if !sequence.isComplete {
        guard sequence.accept(byte) else { return false }
      } else if byte >= 0x80 {
        guard sequence.begin(byte) else { return false }
      }
    }
    return sequence.isComplete
  }
}
