// SPDX-License-Identifier: MIT
import Platform

/// The head of one request: line and header fields.
package final class RequestHead: MessageHead {
  package internal(set) var method = Method.get
  /// Minor version: 0 or 1.
  package internal(set) var minorVersion = 1
  package internal(set) var framing = BodyFraming.none
  /// Whether the connection may serve another request after this one (RFC 9112 §9.3).
  package internal(set) var keepsAlive = true
  /// RFC 9110 §10.1.1: the client waits for `100 Continue`.
  package internal(set) var expectsContinue = false
  /// An expectation other than `100-continue`: 417.
  package internal(set) var hasUnknownExpectation = false
  /// The percent-decoded path without dot segments; routes and rights are decided on it alone.
  package internal(set) var path: [UInt8] = []
  /// Whether the path stood in the request as it is.
  var hasPlainPath = false
  /// Where the query is in `bytes`, without its question mark.
  package internal(set) var query: Range<Int>?
  /// The address of the socket's peer; nil only in tests.
  package internal(set) var peerAddress: IPAddress?
  /// Whether the request came over TLS.
  package internal(set) var isSecure = false

  /// Makes an empty head for a parser to fill.
  package override init() { super.init() }

  /// Whether the path is that of the literal.
  package func isPath(_ literal: StaticString) -> Bool {
    let path = path
    return path.span.equals(literal)
  }

  /// Whether the path is that of a target which needs no decoding.
  func isPath(_ target: Span<UInt8>) -> Bool {
    let path = path
    return path.span.equals(target)
  }

  /// Whether the path starts with the literal.
  package func hasPathPrefix(_ literal: StaticString) -> Bool {
    let path = path
    return path.count >= literal.utf8CodeUnitCount
      && path.span.extracting(first: literal.utf8CodeUnitCount).equals(literal)
  }

  /// The decoded value of the first query parameter of that name; nil when it is missing.
  package func queryValue(of name: StaticString) -> ByteString? {
    guard let query else { return nil }
    let bytes = bytes.span
    var start = query.lowerBound
    while start < query.upperBound {
      var end = start
      while end < query.upperBound, bytes[end] != UInt8(ascii: "&") { end += 1 }
      var equals = start
      while equals < end, bytes[equals] != UInt8(ascii: "=") { equals += 1 }
      if bytes.extracting(start..<equals).equals(name) {
        let value = equals < end ? bytes.extracting((equals + 1)..<end) : bytes.extracting(0..<0)
        return PercentCoding.decoded(value, plusIsSpace: true).map { ByteString($0) }
      }
      start = end + 1
    }
    return nil
  }

  /// Every name in the query, for refusing unknown ones.
  package var queryNames: [ByteString] {
    guard let query else { return [] }
    return ByteString(bytes.span.extracting(query)).list(separatedBy: UInt8(ascii: "&")).map {
      $0.split(at: UInt8(ascii: "="))?.before ?? $0
    }
  }
}

/// Percent-encoding (RFC 3986 §2.1).
enum PercentCoding {
  /// The decoded bytes; nil for a broken escape, `%00` or a control character.
  static func decoded(_ bytes: Span<UInt8>, plusIsSpace: Bool = false) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    guard append(bytes, plusIsSpace: plusIsSpace, to: &result) else { return nil }
    return result
  }

  /// Appends the decoded bytes; false for a broken escape, `%00` or a control character.
  static func append(
    _ bytes: Span<UInt8>, plusIsSpace: Bool = false, to result: inout [UInt8]
  ) -> Bool {
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "%") {
        guard index + 2 < bytes.count, let high = ASCII.hexValue(bytes[index + 1]),
          let low = ASCII.hexValue(bytes[index + 2])
        else { return false }
        let decoded = high << 4 | low
        guard decoded >= 0x20, decoded != 0x7F else { return false }
        result.append(decoded)
        index += 3
      } else {
        result.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
        index += 1
      }
    }
    return true
  }

  /// Whether every escape of a query is whole and none is `%00`, and no fragment follows.
  static func isValid(_ query: Span<UInt8>) -> Bool {
    var index = 0
    while index < query.count {
      if query[index] == UInt8(ascii: "#") { return false }
      if query[index] == UInt8(ascii: "%") {
        guard index + 2 < query.count, let high = ASCII.hexValue(query[index + 1]),
          let low = ASCII.hexValue(query[index + 2]), high | low != 0
        else { return false }
        index += 2
      }
      index += 1
    }
    return true
  }

  /// RFC 3986 §5.2.4: removes `.` and `..` segments; nil when they lead above the root.
  static func removingDotSegments(_ path: [UInt8]) -> [UInt8]? {
    guard path.span.firstIndex(of: "/.") != nil else { return path }
    var segments: [ArraySlice<UInt8>] = []
    let parts = path.dropFirst().split(
      separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      let isLast = index == parts.count - 1
      // No array literals: of two in one function, Embedded Swift 6.3 takes one for the other.
      let isDots = part.count <= 2 && !part.isEmpty && part.allSatisfy { $0 == 0x2E }
      if isDots, part.count == 1 {
        if isLast { segments.append([]) }
      } else if isDots {
        guard segments.popLast() != nil else { return nil }
        if isLast { segments.append([]) }
      } else {
        segments.append(part)
      }
    }
    var result: [UInt8] = []
    for segment in segments {
      result.append(UInt8(ascii: "/"))
      result.append(contentsOf: segment)
    }
    return result.isEmpty ? [UInt8(ascii: "/")] : result
  }
}
