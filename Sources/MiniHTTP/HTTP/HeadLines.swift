// SPDX-License-Identifier: MIT
import Platform

/// What the lines of requests' and answers' heads have in common (RFC 9112 §2, §5).
enum HeadLines {
  /// Where a head ends, or why it cannot.
  enum Scan: Equatable {
    case needMore
    /// Offset behind the empty line.
    case end(Int)
    /// A line break that is not CRLF, or a control character.
    case malformed
  }

  /// Looks for the empty line that ends a head.
  ///
  /// `checked`: bytes already known to hold no end, so that a head that drips in is
  /// not scanned again from its start.
  static func scan(_ bytes: Span<UInt8>, from start: Int, checked: Int) -> Scan {
    var position = max(start, checked)
    while let lineFeed = bytes.firstIndex(of: 0x0A, from: position) {
      // RFC 9112 §2.2: a lone LF could be read as a line end by others: refuse.
      guard lineFeed > start, bytes[lineFeed - 1] == 0x0D else { return .malformed }
      if lineFeed >= start + 3, bytes[lineFeed - 2] == 0x0A, bytes[lineFeed - 3] == 0x0D {
        return .end(lineFeed + 1)
      }
      position = lineFeed + 1
    }
    return .needMore
  }

  /// Parses header lines up to the empty line into `head`.
  ///
  /// - Returns: nil when all is well, else why not.
  static func parseFields(
    _ head: MessageHead, from start: Int, limits: HeadLimits
  ) -> ParseFailure? {
    var position = start
    let text = head.bytes
    let bytes = text.span
    while true {
      guard let carriageReturn = bytes.firstIndex(of: 0x0D, from: position) else {
        return .malformed
      }
      guard carriageReturn + 1 < bytes.count, bytes[carriageReturn + 1] == 0x0A else {
        return .malformed  // RFC 9112 §2.2: a bare CR
      }
      if carriageReturn == position { return nil }
      if carriageReturn - position > limits.headerLineByteCount { return .headTooLarge }
      guard head.fieldCount < limits.headerFieldCount else { return .headTooLarge }
      guard let (field, known) = field(in: bytes, position..<carriageReturn) else {
        return .malformed
      }
      head.append(field, known)
      position = carriageReturn + 2
    }
  }

  /// Splits `name: value`; nil when the line breaks a rule.
  @inline(__always)
  private static func field(
    in bytes: Span<UInt8>, _ line: Range<Int>
  ) -> (MessageHead.Field, KnownField?)? {
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":"), from: line.lowerBound),
      colon > line.lowerBound, colon < line.upperBound
    else { return nil }
    let name = line.lowerBound..<colon
    // RFC 9112 §5.1 and §5.2: no space before the colon, no folded line: both are not tokens.
    let known = KnownField(bytes.extracting(name))
    guard known != nil || bytes.tokenByteCount(from: line.lowerBound) == name.count else {
      return nil
    }
    var value = (colon + 1)..<line.upperBound
    if value.count > 1, bytes[value.lowerBound] == 0x20, bytes[value.lowerBound + 1] > 0x20,
      bytes[value.upperBound - 1] > 0x20
    {
      // One space in front, as nearly always.
      value = (value.lowerBound + 1)..<value.upperBound
    } else {
      value = HeaderValue.trimmed(bytes, value)
    }
    guard isValue(bytes.extracting(value)) else { return nil }
    return (MessageHead.Field(name: name, value: value), known)
  }

  /// Whether every byte may stand in a value; eight at a time while there are eight.
  static func isValue(_ bytes: Span<UInt8>) -> Bool {
    let raw = bytes.rawBuffer
    var index = 0
    while raw.count >= 8, index < raw.count {
      // The last eight overlap those before them.
      index = min(index, raw.count - 8)
      let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      // High bit of a lane: below 0x20, or 0x7F. Rare lanes (tabs, obs-text) go byte by byte.
      let low = (word &- 0x2020_2020_2020_2020) & ~word
      let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
      let isDelete = (delete &- 0x0101_0101_0101_0101) & ~delete
      if (low | isDelete) & 0x8080_8080_8080_8080 != 0 {
        for lane in index..<(index + 8) where !isValueByte(raw[lane]) { return false }
      }
      index += 8
    }
    while index < raw.count {
      if !isValueByte(raw[index]) { return false }
      index += 1
    }
    return true
  }

  /// RFC 9110 §5.6.2: `tchar`.
  @inline(__always)
  static func isToken(_ byte: UInt8) -> Bool {
    // One bit per byte below 128: letters, digits and !#$%&'*+-.^_`|~
    if byte < 64 { return (0x03FF_6CFA_0000_0000 as UInt64) >> UInt64(byte) & 1 == 1 }
    if byte < 128 { return (0x57FF_FFFF_C7FF_FFFE as UInt64) >> UInt64(byte - 64) & 1 == 1 }
    return false
  }

  /// RFC 9110 §5.5: visible characters, space, tab and obs-text.
  @inline(__always)
  static func isValueByte(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte != 0x7F || byte == 0x09
  }
}

/// Why a head cannot be accepted.
package enum ParseFailure: Equatable, Sendable {
  case malformed
  case requestLineTooLong
  case headTooLarge
  case unknownMethod
  case refusedMethod
  case unsupportedVersion
  case unsupportedTransferCoding
  case conflictingLength

  /// The status that tells it.
  package var status: Status {
    switch self {
    case .malformed, .conflictingLength: .badRequest
    case .requestLineTooLong: Status(414)
    case .headTooLarge: Status(431)
    case .unknownMethod: Status(501)
    case .refusedMethod: Status(405)
    case .unsupportedVersion: Status(505)
    case .unsupportedTransferCoding: Status(501)
    }
  }

  /// A sentence for the sender.
  package var sentence: StaticString {
    switch self {
    case .malformed: "The request is not valid HTTP/1.1."
    case .requestLineTooLong: "The request line is too long."
    case .headTooLarge: "The request headers are too large."
    case .unknownMethod: "This request method is not known here."
    case .refusedMethod: "This request method is not allowed."
    case .unsupportedVersion: "Only HTTP/1.0 and HTTP/1.1 are supported."
    case .unsupportedTransferCoding: "Only the transfer coding chunked is supported."
    case .conflictingLength: "The length of the request body is not clear."
    }
  }
}
