// SPDX-License-Identifier: MIT
import CPlatform

extension Span where Element == UInt8 {
  /// The same memory as a raw region; valid only while the span is.
  @inline(__always)
  package var rawBuffer: UnsafeRawBufferPointer {
    withUnsafeBufferPointer { UnsafeRawBufferPointer($0) }
  }

  /// Whether the bytes are those of the literal.
  package func equals(_ literal: StaticString) -> Bool {
    guard count == literal.utf8CodeUnitCount else { return false }
    return withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return true }
      return cp_compare(base, literal.utf8Start, count) == 0
    }
  }

  /// Whether the bytes are those of the other span.
  package func equals(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    guard let own = rawBuffer.baseAddress, let others = other.rawBuffer.baseAddress else {
      return true
    }
    return cp_compare(own, others, count) == 0
  }

  /// Whether the bytes start with the literal.
  package func starts(with literal: StaticString) -> Bool {
    count >= literal.utf8CodeUnitCount
      && extracting(first: literal.utf8CodeUnitCount).equals(literal)
  }

  /// Whether the bytes are those of the literal, ASCII letters compared in lower case.
  ///
  /// `literal`: must be lower case itself.
  package func equalsIgnoringCase(_ literal: StaticString) -> Bool {
    guard count == literal.utf8CodeUnitCount else { return false }
    return withUnsafeBufferPointer {
      cp_equals_lower($0.baseAddress, literal.utf8Start, count) != 0
    }
  }

  /// Number of bytes from `start` on that may stand in a token (RFC 9110 §5.6.2).
  package func tokenByteCount(from start: Int) -> Int {
    withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress, start < count else { return 0 }
      return cp_token_count(base + start, count - start)
    }
  }

  /// Offset of the first `byte` at or after `start`; nil when there is none.
  package func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
    guard start < count else { return nil }
    let found = withUnsafeBufferPointer { bytes -> Int64 in
      guard let base = bytes.baseAddress else { return -1 }
      return cp_find_byte(base + start, byte, count - start)
    }
    return found < 0 ? nil : start + Int(found)
  }

  /// Offset of the first occurrence of the literal at or after `start`.
  package func firstIndex(of literal: StaticString, from start: Int = 0) -> Int? {
    guard start < count else { return nil }
    let found = withUnsafeBufferPointer { bytes -> Int64 in
      guard let base = bytes.baseAddress else { return -1 }
      return cp_find(
        base + start, count - start, literal.utf8Start, literal.utf8CodeUnitCount)
    }
    return found < 0 ? nil : start + Int(found)
  }

  /// Offset of the first CR or LF at or after `start`; the end when there is none.
  package func lineEnd(from start: Int) -> Int {
    guard start < count else { return count }
    return withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return 0 }
      return start + cp_line_count(base + start, count - start)
    }
  }

  /// Offset of the first quote at or after `start` that one of the letters follows; nil when there
  /// is none.
  ///
  /// `letters`: bit 0 means `a`.
  package func firstName(letters: UInt32, from start: Int) -> Int? {
    guard start < count else { return nil }
    let found = withUnsafeBufferPointer { bytes -> Int64 in
      guard let base = bytes.baseAddress else { return -1 }
      return cp_find_name(base + start, count - start, letters)
    }
    return found < 0 ? nil : start + Int(found)
  }

  /// The unsigned decimal number that the whole span spells; nil otherwise or above Int64.
  package var decimal: Int64? {
    guard count > 0, count <= 19 else { return nil }
    var value: Int64 = 0
    for index in indices {
      guard ASCII.isDigit(self[index]) else { return nil }
      let (scaled, overflowed) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflowedAgain) = scaled.addingReportingOverflow(Int64(self[index] &- 0x30))
      if overflowed || overflowedAgain { return nil }
      value = sum
    }
    return value
  }
}

extension StaticString {
  /// Whether both literals have the same bytes.
  package func equals(_ other: StaticString) -> Bool {
    UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount).span.equals(other)
  }
}
