// SPDX-License-Identifier: MIT
import Platform

/// How the end of a body is found (RFC 9112 §6.3).
package enum BodyFraming: Equatable, Sendable {
  case none
  case length(Int64)
  case chunked
  /// Answers only: everything until the connection closes.
  case untilClose
}

/// The header fields of one message, over a copy of its head.
///
/// One object serves every message of its owner: parsing clears and refills it, so a head costs
/// no allocation. What must outlive the message is copied out as a `ByteString`.
package class MessageHead {
  struct Field {
    let name: Range<Int>
    let value: Range<Int>
  }

  /// The bytes of the head, request or status line first.
  package private(set) var bytes: [UInt8] = []
  private(set) var fields: [Field] = []

  init() {}

  final func reset(copying span: Span<UInt8>) {
    bytes.removeAll(keepingCapacity: true)
    span.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    fields.removeAll(keepingCapacity: true)
  }

  final func append(_ field: Field) { fields.append(field) }

  /// Number of header fields.
  package var fieldCount: Int { fields.count }

  /// Where the value of the first field of that name is; the name in lower case.
  package final func range(of name: StaticString) -> Range<Int>? {
    for field in fields where field.name.count == name.utf8CodeUnitCount {
      if bytes.span.extracting(field.name).equalsIgnoringCase(name) { return field.value }
    }
    return nil
  }

  /// How many fields have that name.
  package final func count(of name: StaticString) -> Int {
    var count = 0
    for field in fields where bytes.span.extracting(field.name).equalsIgnoringCase(name) {
      count += 1
    }
    return count
  }

  /// A copy of the value of the first field of that name.
  package final func value(of name: StaticString) -> ByteString? {
    range(of: name).map { ByteString(bytes.span.extracting($0)) }
  }

  /// Calls `body` with bytes of the head.
  package final func withBytes<R>(_ range: Range<Int>, _ body: (Span<UInt8>) -> R) -> R {
    body(bytes.span.extracting(range))
  }

  /// Whether a comma-separated field holds the token, in any case.
  package final func contains(token: StaticString, in name: StaticString) -> Bool {
    for field in fields where bytes.span.extracting(field.name).equalsIgnoringCase(name) {
      if HeaderValue.contains(token: token, in: bytes.span.extracting(field.value)) { return true }
    }
    return false
  }
}

/// Reading of header values.
enum HeaderValue {
  /// Whether a comma-separated list holds the token, in any case.
  static func contains(token: StaticString, in value: Span<UInt8>) -> Bool {
    var start = 0
    while start <= value.count {
      let end = value.firstIndex(of: UInt8(ascii: ","), from: start) ?? value.count
      let part = trimmed(value, start..<end)
      if value.extracting(part).equalsIgnoringCase(token) { return true }
      start = end + 1
    }
    return false
  }

  /// The range without spaces and tabs at both ends.
  static func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
    while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
    return start..<end
  }
}
