// SPDX-License-Identifier: MIT

/// One way over an object or array that lies whole in a slice and is as most are.
///
/// Most of a text lies below its top level, where nobody asks for members. There no state has to
/// be kept that could be taken up again, so that it stays in registers. The grammar is that of
/// `JSONScanner`, to which everything is left that is wrong, cut off, or rare.
struct JSONPassage {
  /// The longest string that is no data by any key, in bytes.
  static var stringByteCount: Int { 4_096 }

  /// How far the way has gone.
  private(set) var index: Int
  private(set) var asciiTextByteCount = 0
  private(set) var nonASCIITextByteCount = 0
  private(set) var arrayNumberCount = 0
  /// The innermost container is in the lowest bit; 1 is an object.
  private var containers: UInt64
  private var depth = 1
  private var keysLeft: Int
  private let depthLimit: Int
  private let numberByteCount: Int

  /// Begins behind an opening bracket; `depthLimit` counts its container.
  @inline(__always)
  init(behind start: Int, isObject: Bool, depthLimit: Int, _ limits: JSONLimits) {
    index = start
    containers = isObject ? 1 : 0
    self.depthLimit = depthLimit
    keysLeft = limits.keyCount
    numberByteCount = limits.numberByteCount
  }

  /// Goes to behind the closing bracket; false when that is not reached, and then nothing counts.
  @inline(__always)
  mutating func run(_ base: UnsafeRawPointer, _ end: Int) -> Bool {
    var isFirst = true
    while true {
      var byte = token(base, end)
      if isFirst && byte == closingBracket {
        if leave() { return true }
      } else {
        if containers & 1 != 0 {
          guard byte == JSONByte.quote, keysLeft > 0, takeString(base, end, isKey: true),
            token(base, end) == JSONByte.colon
          else { return false }
          keysLeft &-= 1
          byte = token(base, end)
        }
        if byte == JSONByte.quote {
          guard takeString(base, end, isKey: false) else { return false }
        } else if byte == JSONByte.openBrace || byte == JSONByte.openBracket {
          guard depth < depthLimit else { return false }
          depth &+= 1
          containers = containers &<< 1 | (byte == JSONByte.openBrace ? 1 : 0)
          isFirst = true
          continue
        } else {
          guard takeNumber(byte, base, end) || takeWord(byte, base, end) else { return false }
        }
      }
      isFirst = false
      while true {
        let separator = token(base, end)
        if separator == JSONByte.comma { break }
        guard separator == closingBracket else { return false }
        if leave() { return true }
      }
    }
  }

  @inline(__always)
  private var closingBracket: UInt8 {
    containers & 1 != 0 ? JSONByte.closeBrace : JSONByte.closeBracket
  }

  /// Leaves the innermost container; whether it was the outermost.
  @inline(__always)
  private mutating func leave() -> Bool {
    depth &-= 1
    containers = containers &>> 1
    return depth == 0
  }

  /// The next byte that is no white space, and goes behind it; 0 at the end.
  @inline(__always)
  private mutating func token(_ base: UnsafeRawPointer, _ end: Int) -> UInt8 {
    while index < end {
      let byte = base.load(fromByteOffset: index, as: UInt8.self)
      index &+= 1
      if byte > 0x20 || !JSONByte.isSpace(byte) { return byte }
    }
    return 0
  }

  /// Takes a string from behind its opening quote.
  @inline(__always)
  private mutating func takeString(_ base: UnsafeRawPointer, _ end: Int, isKey: Bool) -> Bool {
    let (stop, isWhole) = JSONScanner.plainStart(base, index, end)
    if isWhole {
      if !isKey { asciiTextByteCount &+= stop &- index }
      index = stop &+ 1
      return true
    }
    guard let text = JSONPassage.string(base, from: index, plainTo: stop, end) else { return false }
    if !isKey {
      asciiTextByteCount &+= text.ascii
      nonASCIITextByteCount &+= text.nonASCII
    }
    index = text.end
    return true
  }

  /// The offset behind a string whose contents begin at `start`, and its bytes of text.
  @_optimize(speed)
  @inline(never)
  private static func string(
    _ base: UnsafeRawPointer, from start: Int, plainTo stop: Int, _ end: Int
  ) -> (end: Int, ascii: Int, nonASCII: Int)? {
    let limit = min(end, start &+ stringByteCount &+ 1)
    var index = stop
    var nonASCII = 0
    var escapes = 0
    while true {
      index = JSONScanner.plainEnd(base, index, limit)
      guard index < limit else { return nil }
      let byte = base.load(fromByteOffset: index, as: UInt8.self)
      if byte == JSONByte.quote { break }
      if byte >= 0x80 {
        let runEnd = JSONBytes.multiByteEnd(base, index, limit)
        guard runEnd > index else { return nil }
        nonASCII &+= runEnd &- index
        index = runEnd
      } else {
        guard byte == JSONByte.backslash, index &+ 1 < limit,
          JSONString.simpleEscape(base.load(fromByteOffset: index &+ 1, as: UInt8.self)) != 0
        else { return nil }
        escapes &+= 1
        index &+= 2
      }
    }
    return (index &+ 1, index &- start &- nonASCII &- escapes, nonASCII)
  }

  /// Takes a number from behind its first byte.
  @inline(__always)
  private mutating func takeNumber(_ first: UInt8, _ base: UnsafeRawPointer, _ end: Int) -> Bool {
    guard first == JSONByte.minus || first &- 0x30 < 10 else { return false }
    var grammar = JSONNumberGrammar()
    grammar.begin(first)
    let limit = min(index &- 1 &+ numberByteCount, end)
    while index < limit {
      let byte = base.load(fromByteOffset: index, as: UInt8.self)
      guard JSONNumberGrammar.isPart(byte) else {
        if containers & 1 == 0 { arrayNumberCount &+= 1 }
        return grammar.isAccepting
      }
      guard grammar.advance(byte) else { return false }
      index &+= 1
    }
    return false
  }

  /// Takes `true`, `false` or `null` from behind its first byte.
  @inline(__always)
  private mutating func takeWord(_ first: UInt8, _ base: UnsafeRawPointer, _ end: Int) -> Bool {
    // The last of these bytes may be behind the word: a bracket is still to come.
    guard end &- index >= 4 else { return false }
    let rest = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt32.self))
    switch first {
    case 0x74 where rest & 0xff_ffff == 0x65_7572, 0x6e where rest & 0xff_ffff == 0x6c_6c75:
      index &+= 3
    case 0x66 where rest == 0x6573_6c61: index &+= 4
    default: return false
    }
    return true
  }
}
