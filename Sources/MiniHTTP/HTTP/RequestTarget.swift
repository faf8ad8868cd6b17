// SPDX-License-Identifier: MIT
import Platform

/// Reads request targets (RFC 9112 §3.2): origin-form, absolute-form, `*` for OPTIONS.
enum RequestTarget {
  /// Fills path and query of `head` from its target; false when the target breaks a rule.
  static func parse(_ head: RequestHead, _ range: Range<Int>) -> Bool {
    head.query = nil
    let bytes = head.bytes.span
    // Most requests go where the one before went.
    if head.hasPlainPath, head.isPath(bytes.extracting(range)) { return true }
    head.path.removeAll(keepingCapacity: true)
    head.hasPlainPath = isPlainPath(bytes, range)
    if head.hasPlainPath {
      for index in range { head.path.append(bytes[index]) }
      return true
    }
    for index in range where bytes[index] <= 0x20 || bytes[index] >= 0x7F { return false }
    var start = range.lowerBound
    if bytes[start] == UInt8(ascii: "*") {
      guard range.count == 1, head.method == .options else { return false }
      head.path.append(UInt8(ascii: "*"))
      return true
    }
    if bytes[start] != UInt8(ascii: "/") {
      guard let pathStart = authorityEnd(bytes, range) else { return false }
      start = pathStart
    }
    var end = start
    while end < range.upperBound, bytes[end] != UInt8(ascii: "?") {
      if bytes[end] == UInt8(ascii: "#") { return false }
      end += 1
    }
    if end < range.upperBound {
      let query = (end + 1)..<range.upperBound
      guard PercentCoding.isValid(bytes.extracting(query)) else { return false }
      head.query = query
    }
    if start == end {
      head.path.append(UInt8(ascii: "/"))
      return true
    }
    guard PercentCoding.append(bytes.extracting(start..<end), to: &head.path) else { return false }
    guard let normalized = PercentCoding.removingDotSegments(head.path) else { return false }
    head.path = normalized
    return true
  }

  /// Whether the target is a path that needs no decoding and has no segments to remove, as most.
  private static func isPlainPath(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard bytes[range.lowerBound] == UInt8(ascii: "/") else { return false }
    for index in range {
      let byte = bytes[index]
      guard
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "/")
          || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
      else { return false }
    }
    return true
  }

  /// Where the path of `http://authority/path` begins; nil for anything else.
  private static func authorityEnd(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
    let target = bytes.extracting(range)
    let schemeLength: Int
    if target.count > 7, target.extracting(0..<7).equalsIgnoringCase("http://") {
      schemeLength = 7
    } else if target.count > 8, target.extracting(0..<8).equalsIgnoringCase("https://") {
      schemeLength = 8
    } else {
      return nil
    }
    var end = range.lowerBound + schemeLength
    while end < range.upperBound, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") {
      end += 1
    }
    let authority = (range.lowerBound + schemeLength)..<end
    return !authority.isEmpty && isHost(bytes, authority) ? end : nil
  }

  /// Whether the range is a host name, IPv4 or bracketed IPv6, with an optional port.
  ///
  /// Source: RFC 3986 §3.2.2; RFC 9110 §4.2.1 wants a host that is not empty.
  static func isHost(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard range.count <= 255 else { return false }
    var index = range.lowerBound
    if index < range.upperBound, bytes[index] == UInt8(ascii: "[") {
      index += 1
      let first = index
      while index < range.upperBound, bytes[index] != UInt8(ascii: "]") {
        let byte = bytes[index]
        guard ASCII.hexValue(byte) != nil || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
        else { return false }
        index += 1
      }
      guard index < range.upperBound, index > first else { return false }
      index += 1
    } else {
      let first = index
      while index < range.upperBound, bytes[index] != UInt8(ascii: ":") {
        let byte = bytes[index]
        guard
          ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        else { return false }
        index += 1
      }
      guard index > first else { return false }
    }
    if index == range.upperBound { return true }
    guard bytes[index] == UInt8(ascii: ":"), range.upperBound - index <= 6 else { return false }
    for position in (index + 1)..<range.upperBound where !ASCII.isDigit(bytes[position]) {
      return false
    }
    return true
  }
}
