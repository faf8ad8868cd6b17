// SPDX-License-Identifier: MIT
import CPlatform

/// Bytes consumed at the front and appended at the back.
///
/// ```
/// base            start             end          capacity
///  |   consumed    |     readable    |    spare     |
/// ```
///
/// An empty buffer keeps no memory after `release()`; a connection that waits costs only the
/// object. Growth doubles, so that appending is linear in total.
package final class Buffer {
  private var base: UnsafeMutableRawPointer?
  private var capacity = 0
  private var start = 0
  private var end = 0

  /// Makes an empty buffer without memory.
  package init() {}

  deinit { cp_free(base) }

  /// Number of readable bytes.
  @inline(__always)
  package var count: Int { end - start }

  @inline(__always)
  package var isEmpty: Bool { start == end }

  /// Bytes of memory held.
  package var reservedByteCount: Int { capacity }

  /// The readable bytes; valid until the buffer changes.
  package var readable: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base.map { UnsafeRawPointer($0 + start) }, count: end - start)
  }

  /// Calls `body` with the readable bytes.
  package func withReadable<R, E: Error>(
    _ body: (Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    try body(readable.bindMemory(to: UInt8.self).span)
  }

  /// Removes `count` bytes at the front.
  package func consume(_ count: Int) {
    precondition(count >= 0 && count <= end - start, "consumes more than there is")
    start += count
    if start == end {
      start = 0
      end = 0
    }
  }

  /// Removes all bytes from offset `count` on.
  package func truncate(to count: Int) {
    precondition(count >= 0 && count <= end - start, "truncates to more than there is")
    end = start + count
  }

  /// Forgets the bytes, keeps the memory.
  package func clear() {
    start = 0
    end = 0
  }

  /// Forgets the bytes and gives the memory back.
  package func release() {
    cp_free(base)
    base = nil
    capacity = 0
    clear()
  }

  /// Makes room for `extra` more bytes behind the readable ones.
  @inline(__always)
  package func reserve(_ extra: Int) {
    if capacity - end < extra { makeRoom(extra) }
  }

  @inline(never)
  private func makeRoom(_ extra: Int) {
    precondition(extra >= 0, "reserves a negative amount")
    let used = end - start
    if let base, start > 0, capacity - used >= extra, start >= used {
      cp_copy(base, base + start, used)
      start = 0
      end = used
      return
    }
    // The first block fits what is known, rounded up; from then on it doubles.
    var wanted = capacity == 0 ? (max(extra, 192) + 63) & ~63 : capacity
    while wanted - used < extra {
      let (doubled, overflowed) = wanted.multipliedReportingOverflow(by: 2)
      precondition(!overflowed, "a buffer larger than memory")
      wanted = doubled
    }
    base = moved(used, to: wanted)
    capacity = wanted
    start = 0
    end = used
  }

  /// The readable bytes at the front of a larger block.
  ///
  /// Large blocks grow in place; small ones come from the cache of such (cross/malloc_cache.c), of
  /// which `realloc` knows nothing.
  private func moved(_ used: Int, to capacity: Int) -> UnsafeMutableRawPointer {
    let isLarge = capacity > Buffer.movedByteCount
    if let base, isLarge, start > 0 { cp_move(base, base + start, used) }
    guard let grown = isLarge ? cp_reallocate(base, capacity) : cp_allocate(capacity) else {
      fatalError("out of memory")
    }
    if let base, !isLarge {
      cp_copy(grown, base + start, used)
      cp_free(base)
    }
    return grown
  }

  /// Largest block that is copied when it grows.
  private static let movedByteCount = 32 * 1024

  /// Lets `body` write up to `minimum` or more bytes behind the readable ones.
  ///
  /// `body`: returns how many bytes it wrote; a negative count is passed through.
  package func appendUsing(minimum: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
    reserve(minimum)
    guard let base else { return 0 }
    let written = body(UnsafeMutableRawBufferPointer(start: base + end, count: capacity - end))
    if written > 0 { end += min(written, capacity - end) }
    return written
  }

  /// Appends one byte.
  @inline(__always)
  package func append(_ byte: UInt8) {
    reserve(1)
    guard let base else { return }
    (base + end).storeBytes(of: byte, as: UInt8.self)
    end += 1
  }

  /// Appends a memory region.
  package func append(_ raw: UnsafeRawBufferPointer) {
    guard let from = raw.baseAddress, raw.count > 0 else { return }
    reserve(raw.count)
    guard let base else { return }
    cp_copy(base + end, from, raw.count)
    end += raw.count
  }

  /// Appends the bytes of a span.
  package func append(_ span: Span<UInt8>) { append(span.rawBuffer) }

  /// Appends a literal.
  package func append(_ literal: StaticString) {
    append(UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
  }

  /// Appends a byte string; literals prefer the overload above.
  @_disfavoredOverload
  package func append(_ string: ByteString) { append(string.bytes.span.rawBuffer) }

  /// Appends the UTF-8 of a string; for messages, not for the request path.
  package func append(text: String) {
    for byte in text.utf8 { append(byte) }
  }

  /// Appends the readable bytes of another buffer.
  package func append(contentsOf other: Buffer) { append(other.readable) }

  /// Appends a signed decimal number.
  package func append(decimal value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    append(decimal: value.magnitude)
  }

  /// Appends an unsigned decimal number.
  package func append(decimal value: UInt64) {
    reserve(20)
    guard let base else { return }
    var digits = 1
    var limit = value / 10
    while limit > 0 {
      digits += 1
      limit /= 10
    }
    var rest = value
    var position = end + digits
    while position > end {
      position -= 1
      (base + position).storeBytes(of: UInt8(truncatingIfNeeded: rest % 10) &+ 0x30, as: UInt8.self)
      rest /= 10
    }
    end += digits
  }

  /// Appends a decimal number.
  package func append(decimal value: Int) { append(decimal: Int64(value)) }

  /// Appends a number below 100 with two digits.
  package func append(twoDigits value: Int) {
    append(UInt8(truncatingIfNeeded: value / 10 % 10) &+ 0x30)
    append(UInt8(truncatingIfNeeded: value % 10) &+ 0x30)
  }

  /// Appends an unsigned number in lower-case hexadecimal without leading zeros.
  package func append(hexadecimal value: UInt64) {
    var shift = (63 - (value | 1).leadingZeroBitCount) & ~3
    while shift >= 0 {
      append(hexDigit: UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15)
      shift -= 4
    }
  }

  /// Appends an unsigned number as 16 lower-case hexadecimal digits.
  package func append(hexadecimal16 value: UInt64) {
    reserve(16)
    guard let base else { return }
    for half in 0..<2 {
      // The digits of four bytes as eight bytes, the first one in the highest bits.
      var digits = UInt64(truncatingIfNeeded: value >> UInt64(32 - 32 * half)) & 0xffff_ffff
      digits = (digits | digits << 16) & 0x0000_ffff_0000_ffff
      digits = (digits | digits << 8) & 0x00ff_00ff_00ff_00ff
      digits = (digits | digits << 4) & 0x0f0f_0f0f_0f0f_0f0f
      // 1 in each byte whose digit is a letter: 39 lies between 9 and a.
      let letters = (digits &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
      digits = digits &+ 0x3030_3030_3030_3030 &+ letters &* 39
      (base + end + 8 * half).storeBytes(of: digits.bigEndian, as: UInt64.self)
    }
    end += 16
  }

  /// Appends the lower-case hexadecimal digit of a value below 16.
  package func append(hexDigit value: UInt8) {
    append(value < 10 ? value &+ 0x30 : value &+ 0x57)
  }

  /// A copy of the readable bytes.
  package var byteString: ByteString { ByteString(readable) }
}
