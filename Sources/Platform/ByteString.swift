// SPDX-License-Identifier: MIT
import CPlatform

/// Bytes by value, compared and hashed as bytes.
///
/// Keys, header values, paths and model names are byte strings: `String` compares by canonical
/// equivalence, which equates different bytes and links 60 kB of Unicode tables.
package struct ByteString: Hashable, Sendable {
  /// The bytes themselves.
  package private(set) var bytes: [UInt8]

  /// Wraps an array of bytes.
  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Copies the bytes of a span.
  package init(_ span: Span<UInt8>) {
    self.init(span.rawBuffer)
  }

  /// Copies the bytes of a memory region.
  package init(_ raw: UnsafeRawBufferPointer) {
    bytes = [UInt8](unsafeUninitializedCapacity: raw.count) { memory, count in
      if let to = memory.baseAddress, let from = raw.baseAddress {
        cp_copy(to, from, raw.count)
      }
      count = raw.count
    }
  }

  /// Copies a literal.
  package init(_ literal: StaticString) {
    bytes = literal.withUTF8Buffer { [UInt8]($0) }
  }

  /// Copies the UTF-8 of a string.
  package init(utf8 text: String) { bytes = [UInt8](text.utf8) }

  /// Copies a NUL-terminated C string; nil for a null pointer.
  package init?(cString: UnsafePointer<CChar>?) {
    guard let cString else { return nil }
    var count = 0
    while cString[count] != 0 { count += 1 }
    bytes = [UInt8](UnsafeRawBufferPointer(start: cString, count: count))
  }

  /// No bytes at all.
  package static let empty = ByteString([])

  package var count: Int { bytes.count }
  package var isEmpty: Bool { bytes.isEmpty }
  package subscript(index: Int) -> UInt8 { bytes[index] }

  /// Feeds a hash of the bytes: an array would feed them one by one.
  package func hash(into hasher: inout Hasher) { hasher.combine(_rawHashValue(seed: 0)) }

  /// What tables ask for: in a third of the time that a `Hasher` takes for a few bytes.
  package func _rawHashValue(seed: Int) -> Int {
    bytes.withUnsafeBytes { KeyedHash.ofTable($0, seed: seed) }
  }

  /// The bytes as text for messages and paths; invalid UTF-8 is replaced.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Calls `body` with the bytes.
  package func withBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    let span = bytes.span
    return try body(span.rawBuffer)
  }

  /// Calls `body` with a NUL-terminated copy, for C calls.
  package func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
    var terminated = bytes
    terminated.append(0)
    return terminated.withUnsafeBytes { raw in
      guard let base = raw.bindMemory(to: CChar.self).baseAddress else {
        preconditionFailure("a terminated string has a first byte")
      }
      return body(base)
    }
  }

  /// Whether the bytes are those of the literal.
  package static func == (left: ByteString, right: StaticString) -> Bool {
    left.bytes.span.equals(right)
  }

  /// Whether the bytes start with the literal.
  package func starts(with prefix: StaticString) -> Bool {
    bytes.span.starts(with: prefix)
  }

  /// The same bytes with ASCII letters in lower case.
  package var lowercased: ByteString { ByteString(bytes.map(ASCII.lowercased)) }

  /// The bytes before and after the first `separator`; nil when there is none.
  package func split(at separator: UInt8) -> (before: ByteString, after: ByteString)? {
    guard let index = bytes.firstIndex(of: separator) else { return nil }
    return (ByteString(Array(bytes[..<index])), ByteString(Array(bytes[(index + 1)...])))
  }

  /// The pieces between separators, empty ones left out, spaces around each removed.
  package func list(separatedBy separator: UInt8) -> [ByteString] {
    bytes.split(separator: separator).map { ByteString(Array($0)).trimmed }.filter { !$0.isEmpty }
  }

  /// The bytes without spaces and tabs at both ends.
  package var trimmed: ByteString {
    guard let first = bytes.firstIndex(where: { $0 != 0x20 && $0 != 0x09 }),
      let last = bytes.lastIndex(where: { $0 != 0x20 && $0 != 0x09 })
    else { return .empty }
    return ByteString(Array(bytes[first...last]))
  }

  /// Appends bytes in place: joining many texts with `+` would copy the first ones every time.
  @inline(never)
  package mutating func append(_ other: ByteString) {
    // The first text is shared, not copied.
    if isEmpty { self = other } else { bytes.append(contentsOf: other.bytes) }
  }

  /// Appends bytes behind a separator; the first ones have none.
  @inline(never)
  package mutating func append(_ other: ByteString, behind separator: StaticString) {
    if !isEmpty { append(ByteString(separator)) }
    append(other)
  }

  /// Concatenates two byte strings.
  package static func + (left: ByteString, right: ByteString) -> ByteString {
    ByteString(left.bytes + right.bytes)
  }

  /// The texts in the order of their bytes; one copy of the sort for all callers.
  @inline(never)
  package static func sorted(_ texts: [ByteString]) -> [ByteString] {
    texts.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }

  /// The unsigned decimal number that the whole string spells; nil otherwise or above Int64.
  package var decimal: Int64? { bytes.span.decimal }
}

extension ByteString: ExpressibleByStringLiteral {
  package init(stringLiteral value: StaticString) { self.init(value) }
}

/// Questions about single ASCII bytes.
package enum ASCII {
  /// The lower-case form of an ASCII letter, any other byte unchanged.
  @inline(__always)
  package static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
  }

  @inline(__always)
  package static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  @inline(__always)
  package static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

  /// The value of a hexadecimal digit; nil for any other byte.
  @inline(__always)
  package static func hexValue(_ byte: UInt8) -> UInt8? {
    if isDigit(byte) { return byte &- 0x30 }
    let letter = (byte | 0x20) &- 0x61
    return letter < 6 ? letter &+ 10 : nil
  }
}

extension ByteString {
  /// The decimal digits of a number, for sentences.
  package init(number: Int64) {
    let buffer = Buffer()
    buffer.append(decimal: number)
    self = buffer.byteString
  }
}
