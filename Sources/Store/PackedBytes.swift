// SPDX-License-Identifier: MIT
import Platform

/// Writes numbers as LEB128: seven bits a byte, the lowest first, so that small ones take one.
package struct PackedWriter {
  package private(set) var bytes: [UInt8] = []

  /// Makes a writer without bytes.
  package init() {}

  /// Forgets the bytes; their memory is kept.
  mutating func clear() { bytes.removeAll(keepingCapacity: true) }

  /// Appends an unsigned number.
  package mutating func append(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Appends a count; a negative one, which would be a defect, as 0.
  package mutating func append(count: Int64) { append(UInt64(max(count, 0))) }

  /// Appends a signed number, small in magnitude for either sign ("zigzag").
  mutating func append(signed value: Int64) {
    append(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  /// Appends a byte as it is.
  mutating func append(byte: UInt8) { bytes.append(byte) }
}

/// Reads what `PackedWriter` wrote; behind the end every number is 0.
package struct PackedReader {
  private let bytes: UnsafeRawBufferPointer
  /// Bytes read so far.
  package private(set) var position = 0

  /// Reads from memory that outlives the reader.
  package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  package var isAtEnd: Bool { position >= bytes.count }

  /// The next unsigned number; bits above the 64th are lost.
  package mutating func number() -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if shift < 64 { value |= UInt64(byte & 0x7F) << shift }
      shift += 7
      if byte < 0x80 { break }
    }
    return value
  }

  /// The next count; above `Int64.max`, which none can reach, that.
  package mutating func count() -> Int64 { Int64(clamping: number()) }

  /// The next signed number.
  mutating func signed() -> Int64 {
    let value = number()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// The next `count` bytes; nil when there are fewer.
  package mutating func raw(_ count: Int) -> UnsafeRawBufferPointer? {
    guard count >= 0, bytes.count - position >= count else { return nil }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }
}
