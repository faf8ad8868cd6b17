// SPDX-License-Identifier: MIT
import CPlatform
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
    let end = bytes.withUnsafeBufferPointer {
      cp_head_end($0.baseAddress, $0.count, start, max(start, checked))
    }
    return end == 0 ? .needMore : end < 0 ? .malformed : .end(Int(end))
  }

  /// Parses header lines up to the empty line into `head`.
  ///
  /// - Returns: nil when all is well, else why not.
  static func parseFields(
    _ head: MessageHead, from start: Int, limits: HeadLimits
  ) -> ParseFailure? {
    var position = start
    var line = cp_field()
    let text = head.bytes
    let bytes = text.span
    while position < bytes.count {
      if bytes[position] == 0x0D {
        // RFC 9112 §2.2: a bare CR is no line end.
        return position + 1 < bytes.count && bytes[position + 1] == 0x0A ? nil : .malformed
      }
      let isLine = bytes.withUnsafeBufferPointer {
        cp_field_line($0.baseAddress, $0.count, position, &line)
      }
      guard isLine != 0 else { return .malformed }
      if line.end - position > limits.headerLineByteCount { return .headTooLarge }
      guard head.fieldCount < limits.headerFieldCount else { return .headTooLarge }
      let name = position..<line.name_end
      // RFC 9112 §5.1 and §5.2: no space before the colon, no folded line: both are not tokens.
      let known = KnownField(bytes.extracting(name))
      guard known != nil || !name.isEmpty && bytes.tokenByteCount(from: position) == name.count
      else { return .malformed }
      head.append(MessageHead.Field(name: name, value: line.value_start..<line.value_end), known)
      position = line.end + 2
    }
    return .malformed
  }

  /// Whether every byte may stand in a value.
  static func isValue(_ bytes: Span<UInt8>) -> Bool {
    bytes.withUnsafeBufferPointer { cp_value_count($0.baseAddress, $0.count) == $0.count }
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
