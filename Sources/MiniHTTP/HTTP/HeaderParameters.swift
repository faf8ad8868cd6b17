// SPDX-License-Identifier: MIT
import Platform

/// Walks over the parameters of a header value such as `form-data; name="file"` (RFC 9110 §5.6.6).
///
/// Strict: tokens, `=` without spaces around it, quoted strings that end. What breaks a rule ends
/// the walk and sets `isBroken`.
struct HeaderParameters {
  private let bytes: [UInt8]
  private var index = 0
  /// The value up to the first parameter, in lower case.
  let kind: ByteString
  /// The present parameter's name, in lower case.
  private(set) var name = ByteString.empty
  /// Its value, without quotes and escapes.
  private(set) var value = ByteString.empty
  /// Whether the value had a backslash, which readers understand differently.
  private(set) var hasEscape = false
  private(set) var isBroken = false

  /// Begins before the first parameter.
  init(_ value: Span<UInt8>) {
    let whole = ByteString(value)
    bytes = whole.bytes
    let end = value.firstIndex(of: UInt8(ascii: ";")) ?? value.count
    kind = ByteString(value.extracting(0..<end)).trimmed.lowercased
    index = end
  }

  /// Goes to the next parameter; false at the end, or where a rule is broken.
  mutating func advance() -> Bool {
    skipSpace()
    guard index < bytes.count, !isBroken else { return false }
    isBroken = true
    guard bytes[index] == UInt8(ascii: ";") else { return false }
    index += 1
    skipSpace()
    name = token().lowercased
    guard !name.isEmpty, index + 1 < bytes.count, bytes[index] == UInt8(ascii: "=") else {
      return false
    }
    index += 1
    hasEscape = false
    if bytes[index] == UInt8(ascii: "\"") {
      guard readQuoted() else { return false }
    } else {
      value = token()
      guard !value.isEmpty else { return false }
    }
    isBroken = false
    return true
  }

  private mutating func readQuoted() -> Bool {
    var text: [UInt8] = []
    index += 1
    while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
      if bytes[index] == UInt8(ascii: "\\") {
        hasEscape = true
        index += 1
        guard index < bytes.count else { return false }
      }
      text.append(bytes[index])
      index += 1
    }
    guard index < bytes.count else { return false }
    index += 1
    value = ByteString(text)
    return true
  }

  private mutating func token() -> ByteString {
    let start = index
    while index < bytes.count, HeadLines.isToken(bytes[index]) { index += 1 }
    return ByteString(Array(bytes[start..<index]))
  }

  private mutating func skipSpace() {
    while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
  }
}
