// SPDX-License-Identifier: MIT

/// Recognises a number byte by byte (RFC 8259 §6).
struct JSONNumberGrammar: Sendable {
  /// What has been read so far.
  private enum State: UInt8 {
    case minus, zero, integer, point, fraction, exponent, exponentSign, exponentDigits

    /// Whether digits change nothing: in `integer`, `fraction` and `exponentDigits`.
    @inline(__always)
    var takesDigits: Bool { 0b1001_0100 >> rawValue & 1 != 0 }
  }

  private var state = State.minus

  /// Whether the bytes so far are a number: in `zero`, `integer`, `fraction`, `exponentDigits`.
  @inline(__always)
  var isAccepting: Bool {
    0b1001_0110 >> state.rawValue & 1 != 0
  }

  /// Whether any number of digits may follow.
  @inline(__always)
  var takesDigits: Bool { state.takesDigits }

  /// Whether a byte can occur in a number at all; any other byte ends it.
  @inline(__always)
  static func isPart(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || byte == 0x2e || byte | 0x20 == 0x65 || byte == 0x2b || byte == 0x2d
  }

  /// Takes the first byte, which is a minus sign or a digit.
  @inline(__always)
  mutating func begin(_ byte: UInt8) {
    state = byte == JSONByte.minus ? .minus : byte == 0x30 ? .zero : .integer
  }

  /// Takes another byte; false when it cannot stand there.
  @inline(__always)
  mutating func advance(_ byte: UInt8) -> Bool {
    if byte &- 0x30 < 10 {
      if state.takesDigits { return true }
      switch state {
      case .integer, .fraction, .exponentDigits: return true
      case .minus: state = byte == 0x30 ? .zero : .integer
      case .zero: return false
      case .point: state = .fraction
      case .exponent, .exponentSign: state = .exponentDigits
      }
      return true
    }
    switch byte {
    case 0x2e where state == .zero || state == .integer: state = .point
    case 0x45 where isBeforeExponent, 0x65 where isBeforeExponent: state = .exponent
    case 0x2b where state == .exponent, 0x2d where state == .exponent: state = .exponentSign
    default: return false
    }
    return true
  }

  @inline(__always)
  private var isBeforeExponent: Bool {
    state == .zero || state == .integer || state == .fraction
  }
}
