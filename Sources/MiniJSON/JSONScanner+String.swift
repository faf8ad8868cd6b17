// SPDX-License-Identifier: MIT
import Platform

extension JSONScanner {
  /// What is known of the string being scanned.
  struct StringState: Sendable {
    /// From the opening to the closing quote.
    var isOpen = false
    var isKey = false
    /// Offset of the first byte behind the opening quote.
    var offset = 0
    /// Raw bytes that are not ASCII text: non-ASCII, and the surplus of escapes over their meaning.
    var notASCII = 0
    /// Bytes of non-ASCII text, raw or escaped.
    var nonASCII = 0
    /// Hexadecimal digits of an escape still to come, and the value of those that came.
    var digitsLeft: UInt8 = 0
    var unit: UInt32 = 0
    /// The first half of a surrogate pair, 0 for none.
    var highSurrogate: UInt32 = 0
    /// The UTF-8 sequence being read.
    var sequence = UTF8Sequence()

    @inline(__always)
    mutating func begin(at offset: Int, isKey: Bool) {
      isOpen = true
      self.isKey = isKey
      self.offset = offset
      notASCII = 0
      nonASCII = 0
    }
  }

  /// Strings above this many bytes are data where the key says that they may be.
  private static var dataByteCount: Int { 4_096 }

  /// Scans string contents from `start` to behind the closing quote, or to `end`, or to where
  /// another phase takes over; returns where.
  @_optimize(speed)
  func scanString(
    _ base: UnsafeRawPointer, _ start: Int, _ end: Int
  ) throws(JSONError) -> Int {
    var index = start
    while true {
      index = JSONScanner.plainEnd(base, index, end)
      if index == end { return end }
      let byte = base.load(fromByteOffset: index, as: UInt8.self)
      if byte == JSONByte.quote {
        try endString(base, index)
        return index &+ 1
      }
      if byte >= 0x80 {
        let runEnd = JSONBytes.multiByteEnd(base, index, end)
        if runEnd > index {
          string.notASCII &+= runEnd &- index
          string.nonASCII &+= runEnd &- index
          index = runEnd
        } else {
          index = try scanSequence(base, index, end)
          if phase != .string { return index }
        }
      } else if byte == JSONByte.backslash {
        if topKey.isOpen { topKey.add(base, upTo: index) }
        if index &+ 1 < end && isSimpleEscape(base, index &+ 1) {
          string.notASCII &+= 1
          index &+= 2
        } else if takeUnit(base, index, end) {
          index &+= 6
        } else {
          phase = .escape
          return index &+ 1
        }
      } else {
        let isLineBreak = byte == 0x0a || byte == 0x0d
        throw JSONError(
          isLineBreak ? .lineBreakInString : .controlCharacter, at: sliceOffset &+ index)
      }
    }
  }

  /// `JSONBytes.plainEnd` with the first two words looked at in place: most strings are short.
  @inline(__always)
  private static func plainEnd(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
    #if arch(arm)
      return JSONBytes.plainEnd(base, start, end)
    #endif
    let wordByteCount = JSONBytes.wordByteCount
    guard end &- start >= 2 &* wordByteCount else { return JSONBytes.plainEnd(base, start, end) }
    let first = JSONBytes.stringFlags(JSONBytes.word(base, start)) & JSONBytes.highs
    if first != 0 { return start &+ first.trailingZeroBitCount >> 3 }
    let next = start &+ wordByteCount
    let second = JSONBytes.stringFlags(JSONBytes.word(base, next)) & JSONBytes.highs
    if second != 0 { return next &+ second.trailingZeroBitCount >> 3 }
    return JSONBytes.plainEnd(base, next &+ wordByteCount, end)
  }

  /// Whether one character follows the backslash; only keys at the top level need its meaning and
  /// take the long way.
  @inline(__always)
  private func isSimpleEscape(_ base: UnsafeRawPointer, _ index: Int) -> Bool {
    if topKey.isOpen { return false }
    return JSONString.simpleEscape(base.load(fromByteOffset: index, as: UInt8.self)) != 0
  }

  @inline(__always)
  private func endString(_ base: UnsafeRawPointer, _ index: Int) throws(JSONError) {
    string.isOpen = false
    if string.isKey {
      let count = sliceOffset &+ index &- string.offset
      holdsData =
        count >= 3 && count <= 9 && JSONScanner.namesData(keyTail(base, upTo: index), count)
      phase = .colon
      if topKey.isOpen { try endTopKey(base, index) }
      return
    }
    let offset = sliceOffset &+ index
    let count = offset &- string.offset
    if holdsData && count > JSONScanner.dataByteCount {
      dataStringCount &+= 1
    } else {
      asciiTextByteCount &+= Int64(count &- string.notASCII)
      nonASCIITextByteCount &+= Int64(string.nonASCII)
    }
    endValue(base, at: offset &+ 1)
  }

  /// Does what cannot wait when a slice ends within a string.
  func suspendString(_ base: UnsafeRawPointer, _ count: Int) {
    if topKey.isOpen && (phase == .string || phase == .continuation) {
      topKey.add(base, upTo: count)
      topKey.runStart = 0
    }
    if string.isKey { keyTail = keyTail(base, upTo: count) }
  }

  /// The last eight bytes of the key so far, with those of this slice.
  @inline(__always)
  private func keyTail(_ base: UnsafeRawPointer, upTo end: Int) -> UInt64 {
    let first = string.offset &- sliceOffset
    if first >= 0, end >= 8 {
      // The whole key lies in this slice, as nearly always.
      let count = end &- first
      let bytes = base.loadUnaligned(fromByteOffset: end &- 8, as: UInt64.self).bigEndian
      return count >= 8 ? bytes : bytes & ((1 &<< UInt64(8 &* count)) &- 1)
    }
    var tail = keyTail
    var index = max(first, 0, end &- 8)
    while index < end {
      tail = tail << 8 | UInt64(base.load(fromByteOffset: index, as: UInt8.self))
      index &+= 1
    }
    return tail
  }

  /// Whether a key of so many bytes with this end is one under which APIs take encoded pictures,
  /// recordings and files; the first of nine bytes is not looked at.
  @inline(__always)
  private static func namesData(_ tail: UInt64, _ count: Int) -> Bool {
    switch count {
    case 3: tail == 0x75_726c  // url
    case 4: tail == 0x6461_7461  // data
    case 5: tail == 0x69_6d61_6765  // image
    case 6: tail == 0x696d_6167_6573  // images
    case 8: tail == 0x6236_345f_6a73_6f6e  // b64_json
    case 9:
      tail == 0x6d61_6765_5f75_726c  // image_url
        || tail == 0x696c_655f_6461_7461  // file_data
    default: false
    }
  }

  /// Scans one UTF-8 sequence byte by byte (RFC 3629 §4).
  private func scanSequence(
    _ base: UnsafeRawPointer, _ index: Int, _ end: Int
  ) throws(JSONError) -> Int {
    guard string.sequence.begin(base.load(fromByteOffset: index, as: UInt8.self)) else {
      throw JSONError(.invalidUTF8, at: sliceOffset &+ index)
    }
    string.notASCII &+= 1
    string.nonASCII &+= 1
    phase = .continuation
    return try scanContinuation(base, index &+ 1, end)
  }

  /// Scans the continuation bytes of a sequence whose lead byte has been seen.
  func scanContinuation(
    _ base: UnsafeRawPointer, _ start: Int, _ end: Int
  ) throws(JSONError) -> Int {
    var index = start
    while index < end {
      guard string.sequence.accept(base.load(fromByteOffset: index, as: UInt8.self)) else {
        throw JSONError(.invalidUTF8, at: sliceOffset &+ index)
      }
      string.notASCII &+= 1
      string.nonASCII &+= 1
      index &+= 1
      if string.sequence.isComplete {
        phase = .string
        break
      }
    }
    return index
  }
}
