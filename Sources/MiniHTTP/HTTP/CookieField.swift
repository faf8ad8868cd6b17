// SPDX-License-Identifier: MIT
import Platform

/// Reads one cookie out of a request (RFC 6265 §4.2).
package enum CookieField: Equatable {
  case missing
  /// It is there twice, in several `Cookie` fields, or its value has characters that none may have.
  case unclear
  case found(ByteString)

  /// Longest value that is taken, in bytes.
  package static let valueByteCount = 256

  /// The cookie of that name in a request's only `Cookie` field.
  package static func find(_ name: StaticString, in head: RequestHead) -> CookieField {
    switch head.count(of: "cookie") {
    case 0: return .missing
    case 1:
      guard let range = head.range(of: "cookie") else { return .missing }
      return head.withBytes(range) { find(name, in: $0) }
    default: return .unclear
    }
  }

  /// The cookie of that name in `a=b; c=d`.
  ///
  /// What other programs on the same host have set does not matter, however it is spelled.
  package static func find(_ name: StaticString, in field: Span<UInt8>) -> CookieField {
    var result = CookieField.missing
    var start = 0
    while start <= field.count {
      let end = field.firstIndex(of: UInt8(ascii: ";"), from: start) ?? field.count
      let pair = HeaderValue.trimmed(field, start..<end)
      let equals = field.firstIndex(of: UInt8(ascii: "="), from: pair.lowerBound) ?? field.count
      let nameRange = HeaderValue.trimmed(
        field, pair.lowerBound..<min(equals, pair.upperBound))
      if field.extracting(nameRange).equals(name) {
        guard result == .missing, equals < pair.upperBound else { return .unclear }
        result = value(field.extracting((equals + 1)..<pair.upperBound))
        if result == .unclear { return result }
      }
      start = end + 1
    }
    return result
  }

  /// Letters, digits, `-` and `_`: what base64url and hexadecimal digits are made of.
  private static func value(_ bytes: Span<UInt8>) -> CookieField {
    guard bytes.count > 0, bytes.count <= valueByteCount else { return .unclear }
    for index in bytes.indices {
      let byte = bytes[index]
      guard
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "-")
          || byte == UInt8(ascii: "_")
      else { return .unclear }
    }
    return .found(ByteString(bytes))
  }
}
