// SPDX-License-Identifier: MIT
import CPlatform
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

  /// `JSONBytes.plainEnd` with the first 16 bytes looked at in place.
  @inline(__always)
  static func plainEnd(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
    #if arch(arm)
      return JSONBytes.plainEnd(base, start, end)
    #else
      guard end &- start >= 16 else { return JSONBytes.plainEnd(base, start, end) }
      let index = firstPlainEnd(base, start)
      return index < start &+ 16 ? index : JSONBytes.plainEnd(base, index, end)
    #endif
  }

  #if arch(x86_64)
    /// Offset of the first byte from `start` on that is not plain, at most 16 bytes on.
    @inline(__always)
    private static func firstPlainEnd(_ base: UnsafeRawPointer, _ start: Int) -> Int {
      start &+ (cp_string_flags(base + start) | 0x10000).trailingZeroBitCount
    }
  #elseif !arch(arm)
    /// Offset of the first byte from `start` on that is not plain, at most 16 bytes on.
    @inline(__always)
    private static func firstPlainEnd(_ base: UnsafeRawPointer, _ start: Int) -> Int {
      let first = JSONBytes.stringFlags(JSONBytes.word(base, start)) & JSONBytes.highs
      if first != 0 { return start &+ first.trailingZeroBitCount >> 3 }
      let next = start &+ JSONBytes.wordByteCount
      let second = JSONBytes.stringFlags(JSONBytes.word(base, next)) & JSONBytes.highs
      return second != 0 ? next &+ second.trailingZeroBitCount >> 3 : start &+ 16
    }
  #endif

  /// How far plain text goes from `start` on, behind an opening quote: most strings are short, and
  /// need not be scanned as what may end anywhere.
  ///
  /// - Returns: an offset up to which all is plain, and whether it is that of the closing quote of
  ///   a string of fewer than 16 bytes; only then can 16 bytes be read from `start` on.
  @inline(__always)
  static func plainStart(
    _ base: UnsafeRawPointer, _ start: Int, _ end: Int
  ) -> (offset: Int, isWhole: Bool) {
    guard end &- start > 16 else { return (start, false) }
    #if arch(arm)
      let stop = JSONBytes.plainEnd(base, start, start &+ 16)
      guard stop &- start < 16 else { return (stop, false) }
    #else
      let stop = firstPlainEnd(base, start)
      guard stop < start &+ 16 else { return (stop, false) }
    #endif
    return (stop, base.load(fromByteOffset: stop, as: UInt8.self) == JSONByte.quote)
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
      keyByteCount = sliceOffset &+ index &- string.offset
      keyTail = keyTail(base, upTo: index)
      phase = .colon
      if topKey.isOpen { try endTopKey(base, index) }
      return
    }
    let offset = sliceOffset &+ index
    let count = offset &- string.offset
    if count > JSONPassage.stringByteCount && holdsData {
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
  private func keyTail(_ base: UnsafeRawPointer, upTo end: Int) -> UInt64 {
    let first = string.offset &- sliceOffset
    if first >= 0, end >= 8 {
      // The whole key lies in this slice, as nearly always.
      return base.loadUnaligned(fromByteOffset: end &- 8, as: UInt64.self).bigEndian
    }
    var tail = keyTail
    var index = max(first, 0, end &- 8)
    while index < end {
      tail = tail << 8 | UInt64(base.load(fromByteOffset: index, as: UInt8.self))
      index &+= 1
    }
    return tail
  }

  /// Whether the value to come stands under a key, or in an array under one, by which APIs take
  /// encoded pictures, recordings and files; the first of nine bytes is not looked at.
  private var holdsData: Bool {
    guard keyByteCount <= 9 else { return false }
    let own: UInt64 = keyByteCount >= 8 ? ~0 : (1 &<< UInt64(8 &* keyByteCount)) &- 1
    let tail = keyTail & own
    switch keyByteCount {
    case 3: return tail == 0x75_726c  // url
    case 4: return tail == 0x6461_7461  // data
    case 5: return tail == 0x69_6d61_6765  // image
    case 6: return tail == 0x696d_6167_6573  // images
    case 8: return tail == 0x6236_345f_6a73_6f6e  // b64_json
    case 9:
      return tail == 0x6d61_6765_5f75_726c  // image_url
        || tail == 0x696c_655f_6461_7461  // file_data
    default: return false
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
