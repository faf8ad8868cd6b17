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

/// Header fields that the stack itself looks at.
///
/// They are noted while parsing, so that asking for them costs no search. Their names differ in
/// length, which is what tells them apart, but for those of 14 bytes.
package enum KnownField: Int, CaseIterable, Sendable {
  case host, expect, apiKey, connection, retryAfter, contentType, authorization, contentLength
  case contentEncoding, transferEncoding
  /// The headers of nothing but a key that Azure's and Gemini's clients send.
  case azureKey, googleKey

  /// The field of that name, if it is one of these.
  init?(_ name: Span<UInt8>) {
    switch name.count {
    case 4: self = .host
    case 6: self = .expect
    case 7: self = .azureKey
    case 9: self = .apiKey
    case 10: self = .connection
    case 11: self = .retryAfter
    case 12: self = .contentType
    case 13: self = .authorization
    case 14: self = name[0] | 0x20 == UInt8(ascii: "x") ? .googleKey : .contentLength
    case 16: self = .contentEncoding
    case 17: self = .transferEncoding
    default: return nil
    }
    guard name.equalsIgnoringCase(self.name) else { return nil }
  }

  private var name: StaticString {
    switch self {
    case .host: "host"
    case .expect: "expect"
    case .apiKey: "x-api-key"
    case .connection: "connection"
    case .retryAfter: "retry-after"
    case .contentType: "content-type"
    case .authorization: "authorization"
    case .contentLength: "content-length"
    case .contentEncoding: "content-encoding"
    case .transferEncoding: "transfer-encoding"
    case .azureKey: "api-key"
    case .googleKey: "x-goog-api-key"
    }
  }
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

  /// How often each known field occurs, and the value of its first occurrence.
  private var knownCounts = InlineArray<12, Int>(repeating: 0)
  private var knownValues = InlineArray<12, Range<Int>>(repeating: 0..<0)

  init() {}

  final func reset(copying span: Span<UInt8>) {
    // Heads of one sender are mostly of one length: their bytes are copied at once.
    if bytes.count > span.count { bytes.removeLast(bytes.count - span.count) }
    while bytes.count < span.count { bytes.append(0) }
    bytes.withUnsafeMutableBytes { $0.copyMemory(from: span.rawBuffer) }
    fields.removeAll(keepingCapacity: true)
    knownCounts = InlineArray(repeating: 0)
  }

  /// `known`: which of these it is.
  final func append(_ field: Field, _ known: KnownField?) {
    fields.append(field)
    guard let known else { return }
    if knownCounts[known.rawValue] == 0 { knownValues[known.rawValue] = field.value }
    knownCounts[known.rawValue] += 1
  }

  /// Where the value of the first such field is.
  package final func range(of field: KnownField) -> Range<Int>? {
    knownCounts[field.rawValue] > 0 ? knownValues[field.rawValue] : nil
  }

  /// How many such fields there are.
  package final func count(of field: KnownField) -> Int { knownCounts[field.rawValue] }

  /// A copy of the value of the first such field.
  package final func value(of field: KnownField) -> ByteString? {
    range(of: field).map { ByteString(bytes.span.extracting($0)) }
  }

  /// Whether one of such comma-separated fields holds the token, in any case.
  package final func contains(token: StaticString, in field: KnownField) -> Bool {
    switch count(of: field) {
    case 0: return false
    case 1:
      let bytes = bytes
      return HeaderValue.contains(
        token: token, in: bytes.span.extracting(knownValues[field.rawValue]))
    default:
      let bytes = bytes
      for each in fields where KnownField(bytes.span.extracting(each.name)) == field {
        if HeaderValue.contains(token: token, in: bytes.span.extracting(each.value)) { return true }
      }
      return false
    }
  }

  /// Number of header fields.
  package var fieldCount: Int { fields.count }

  /// Where the value of the first field of that name is; the name in lower case.
  package final func range(of name: StaticString) -> Range<Int>? {
    for field in fields where field.name.count == name.utf8CodeUnitCount {
      if bytes.span.extracting(field.name).equalsIgnoringCase(name) { return field.value }
    }
    return nil
  }

  /// The values of all fields of that name as one comma-separated list (RFC 9110 §5.3).
  package final func joinedValues(of name: StaticString) -> ByteString? {
    var joined: ByteString?
    let bytes = bytes
    for field in fields where bytes.span.extracting(field.name).equalsIgnoringCase(name) {
      let value = ByteString(bytes.span.extracting(field.value))
      joined = joined.map { $0 + "," + value } ?? value
    }
    return joined
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
