// SPDX-License-Identifier: MIT
import CPlatform

/// Searches in string contents, a machine word at a time, or 16 bytes where the processor can.
///
/// Words are read with `loadUnaligned` as little endian, so that the lowest set flag belongs to the
/// first byte. A flag is the top bit of its byte. Subtracting without regard to borrows may set
/// flags wrongly, but only above a right one: the lowest flag is always right.
package enum JSONBytes {
  /// 0x01 in every byte.
  @inline(__always) static var ones: UInt { UInt.max / 255 }
  /// 0x80 in every byte.
  @inline(__always) static var highs: UInt { ones &* 0x80 }
  /// Bytes in a machine word: 8, or 4 on 32-bit processors.
  @inline(__always) static var wordByteCount: Int { MemoryLayout<UInt>.size }

  @inline(__always)
  static func word(_ base: UnsafeRawPointer, _ offset: Int) -> UInt {
    UInt(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt.self))
  }

  /// Flags for bytes that need attention in a string: quote, backslash, control, non-ASCII; only
  /// the top bits count.
  @inline(__always)
  static func stringFlags(_ word: UInt) -> UInt {
    let quotes = (word ^ (ones &* 0x22)) &- ones
    let backslashes = (word ^ (ones &* 0x5c)) &- ones
    let controls = word &- (ones &* 0x20)
    return word | quotes | backslashes | controls
  }

  /// Whether a byte needs attention in a string.
  @inline(__always)
  static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5c
  }

  /// Offset of the first byte in `start..<end` that is not plain ASCII text of a string; `end` when
  /// all are.
  @_optimize(speed)
  @inline(never)
  package static func plainEnd(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
    #if arch(x86_64)
      if end >= 16 { return firstFlag(base, start, end) { cp_string_flags($0) } }
    #endif
    return plainEndByWords(base, start, end)
  }

  #if arch(x86_64)
    /// Offset of the first byte in `start..<end` that is flagged among its 16; `end` when none is,
    /// `start` when that lies behind.
    ///
    /// `end`: 16 or more.
    @inline(__always)
    private static func firstFlag(
      _ base: UnsafeRawPointer, _ start: Int, _ end: Int, _ flags: (UnsafeRawPointer) -> UInt32
    ) -> Int {
      var index = start
      while end &- index >= 16 {
        let found = flags(base + index)
        if found != 0 { return index &+ found.trailingZeroBitCount }
        index &+= 16
      }
      if index >= end { return index }
      // The last bytes, without those before them.
      let found = flags(base + (end &- 16)) &>> UInt32(truncatingIfNeeded: 16 &- (end &- index))
      return found != 0 ? index &+ found.trailingZeroBitCount : end
    }
  #endif

  /// `plainEnd` for every processor.
  @_optimize(speed)
  static func plainEndByWords(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
    var index = start
    #if arch(arm)
      while index < end && UInt(bitPattern: base + index) % UInt(wordByteCount) != 0 {
        guard isPlain(base.load(fromByteOffset: index, as: UInt8.self)) else { return index }
        index &+= 1
      }
    #endif
    while end &- index >= 4 &* wordByteCount {
      let first = stringFlags(alignedWord(base, index))
      let second = stringFlags(alignedWord(base, index &+ wordByteCount))
      let third = stringFlags(alignedWord(base, index &+ 2 &* wordByteCount))
      let fourth = stringFlags(alignedWord(base, index &+ 3 &* wordByteCount))
      if (first | second | third | fourth) & highs != 0 { break }
      index &+= 4 &* wordByteCount
    }
    while end &- index >= wordByteCount {
      let flags = stringFlags(alignedWord(base, index)) & highs
      if flags != 0 { return index &+ flags.trailingZeroBitCount >> 3 }
      index &+= wordByteCount
    }
    while index < end, isPlain(base.load(fromByteOffset: index, as: UInt8.self)) { index &+= 1 }
    return index
  }

  /// A word of which `plainEnd` knows that it is aligned where that matters: ARM before version 6
  /// puts an unaligned word together from bytes.
  @inline(__always)
  private static func alignedWord(_ base: UnsafeRawPointer, _ offset: Int) -> UInt {
    #if arch(arm)
      return UInt(littleEndian: base.load(fromByteOffset: offset, as: UInt.self))
    #else
      return word(base, offset)
    #endif
  }

  /// Offset behind the well-formed multi-byte sequences of UTF-8 (RFC 3629 §4) that begin at
  /// `start`, as far as they can be read in words of four bytes.
  ///
  /// Overlong forms, surrogates and values above U+10FFFF end the run.
  @_optimize(speed)
  @inline(__always)
  static func multiByteEnd(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
    var index = start
    while end &- index >= 4 {
      if end &- index >= 8 {
        // Chinese, Japanese and Korean: two characters of three bytes at once.
        let bytes = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        if bytes & 0xc0_c0f0_c0c0f0 == 0x80_80e0_8080e0 && isThreeByteLead(bytes)
          && isThreeByteLead(bytes >> 24)
        {
          index &+= 6
          continue
        }
      }
      let bytes = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt32.self))
      if bytes & 0xc0c0f0 == 0x8080e0 {
        guard isThreeByteLead(UInt64(bytes)) else { break }
        index &+= 3
      } else if bytes & 0xc0e0 == 0x80c0 {
        // The lead bytes C0 and C1 would be overlong.
        if bytes & 0x1e == 0 { break }
        index &+= 2
      } else {
        // The bits of the character above 16 must be 1 to 16.
        let plane = (bytes & 7) << 2 | (bytes >> 12) & 3
        guard bytes & 0xc0c0_c0f8 == 0x8080_80f0, plane &- 1 < 16 else { break }
        index &+= 4
      }
    }
    return index
  }

  /// Whether the lowest two bytes are neither overlong (E0, second below A0) nor a surrogate (ED,
  /// second from A0 on).
  @inline(__always)
  private static func isThreeByteLead(_ bytes: UInt64) -> Bool {
    let lead = bytes & 0x200f
    return lead != 0 && lead != 0x200d
  }

  /// Offset of the first quote or backslash in `start..<end`; `end` when there is none.
  @_optimize(speed)
  static func quoteOrBackslash(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
    #if arch(x86_64)
      if end >= 16 { return firstFlag(base, start, end) { cp_quote_flags($0) } }
    #endif
    return quoteOrBackslashByWords(base, start, end)
  }

  /// `quoteOrBackslash` for every processor.
  @_optimize(speed)
  static func quoteOrBackslashByWords(
    _ base: UnsafeRawPointer, _ start: Int, _ end: Int
  ) -> Int {
    var index = start
    while end &- index >= wordByteCount {
      let bytes = word(base, index)
      let quotes = bytes ^ (ones &* 0x22)
      let backslashes = bytes ^ (ones &* 0x5c)
      let flags = (((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes)) & highs
      if flags != 0 { return index &+ flags.trailingZeroBitCount >> 3 }
      index &+= wordByteCount
    }
    while index < end {
      let byte = base.load(fromByteOffset: index, as: UInt8.self)
      if byte == JSONByte.quote || byte == JSONByte.backslash { break }
      index &+= 1
    }
    return index
  }
}
