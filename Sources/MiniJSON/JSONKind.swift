// SPDX-License-Identifier: MIT

/// What a JSON value is; the two booleans are kinds of their own.
package enum JSONKind: UInt8, Sendable {
  case object
  case array
  case string
  case number
  case `true`
  case `false`
  case null

  /// The kind of the value that begins with `byte`; nil when no value does.
  @inline(__always)
  package init?(firstByte byte: UInt8) {
    switch byte {
    case JSONByte.quote: self = .string
    case JSONByte.openBrace: self = .object
    case JSONByte.openBracket: self = .array
    case JSONByte.minus, 0x30...0x39: self = .number
    case 0x74: self = .true
    case 0x66: self = .false
    case 0x6e: self = .null
    default: return nil
    }
  }

  /// The spelling of `true`, `false` and `null`; empty for the other kinds.
  var literal: StaticString {
    switch self {
    case .true: "true"
    case .false: "false"
    case .null: "null"
    default: ""
    }
  }
}

/// The bytes that have a meaning in JSON's grammar.
enum JSONByte {
  @inline(__always) static var quote: UInt8 { 0x22 }
  @inline(__always) static var comma: UInt8 { 0x2c }
  @inline(__always) static var minus: UInt8 { 0x2d }
  @inline(__always) static var colon: UInt8 { 0x3a }
  @inline(__always) static var openBracket: UInt8 { 0x5b }
  @inline(__always) static var backslash: UInt8 { 0x5c }
  @inline(__always) static var closeBracket: UInt8 { 0x5d }
  @inline(__always) static var openBrace: UInt8 { 0x7b }
  @inline(__always) static var closeBrace: UInt8 { 0x7d }

  /// Whether a byte is one of the four kinds of white space (RFC 8259 §2).
  @inline(__always)
  static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
  }
}
