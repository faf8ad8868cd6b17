// SPDX-License-Identifier: MIT
import Platform

/// Where a watched member of the top-level object lies.
package struct JSONMember: Sendable {
  package let kind: JSONKind
  /// Offset of the key's opening quote.
  package let keyOffset: Int
  /// Offset of the value's first byte.
  package let valueOffset: Int
  /// Offset behind the value's last byte; -1 while it has not ended.
  package let endOffset: Int

  /// The bytes of the value; nil while it has not ended.
  package var range: Range<Int>? { endOffset < 0 ? nil : valueOffset..<endOffset }
}

extension JSONScanner {
  /// What is kept of a watched member.
  struct Record: Sendable {
    var kind = JSONKind.null
    /// -1 until the member is found.
    var keyOffset = -1
    var valueOffset = 0
    var endOffset = -1
    /// Its copy in `captured`; a count of -1 says that it is too long.
    var captureStart = 0
    var captureCount = 0
  }

  /// What is known of the key at the top level that was read last, and of its value.
  struct TopKeyState: Sendable {
    /// The longest key that can be watched.
    static var longestByteCount: Int { 32 }

    /// From the opening to the closing quote.
    var isOpen = false
    var offset = 0
    /// Where in the slice the bytes begin that are not added yet.
    var runStart = 0
    /// Of the unescaped key's whole words of eight bytes, and the bytes behind them.
    private var hash: UInt64 = 0
    private var tail: UInt64 = 0
    /// The whole words, as far as watched keys can be long.
    private var words = InlineArray<4, UInt64>(repeating: 0)
    private(set) var byteCount = 0
    var seen = JSONKeySet()
    /// Index of the watched key that has just been read, -1 for none.
    var matched = -1
    /// Index of the watched member whose value has begun and not ended, -1 for none.
    var openRecord = -1

    mutating func reset() {
      isOpen = false
      matched = -1
      openRecord = -1
      seen.removeAll()
    }

    @inline(__always)
    mutating func begin(at offset: Int, runStart: Int, seed: UInt64) {
      isOpen = true
      self.offset = offset
      self.runStart = runStart
      hash = seed
      tail = 0
      byteCount = 0
    }

    /// Takes a whole key without escapes, of fewer than 16 bytes; as many can be read.
    @inline(__always)
    mutating func take(
      _ base: UnsafeRawPointer, at start: Int, byteCount: Int, offset: Int, seed: UInt64
    ) {
      self.offset = offset
      self.byteCount = byteCount
      hash = seed
      tail = base.loadUnaligned(fromByteOffset: start, as: UInt64.self).littleEndian
      if byteCount & 8 != 0 {
        endWord()
        tail = base.loadUnaligned(fromByteOffset: start &+ 8, as: UInt64.self).littleEndian
      }
      tail &= (1 &<< UInt64(8 &* (byteCount & 7))) &- 1
    }

    /// Adds the raw bytes up to `end`, which hold no escapes.
    mutating func add(_ base: UnsafeRawPointer, upTo end: Int) {
      if byteCount & 7 == 0, end >= 8 {
        while end &- runStart >= 8 {
          tail = base.loadUnaligned(fromByteOffset: runStart, as: UInt64.self).littleEndian
          byteCount &+= 8
          runStart &+= 8
          endWord()
        }
        let rest = end &- runStart
        if rest > 0 {
          // The last eight bytes of the slice so far; those before the rest go.
          let last = base.loadUnaligned(fromByteOffset: end &- 8, as: UInt64.self).littleEndian
          tail = last &>> UInt64(64 &- 8 &* rest)
          byteCount &+= rest
        }
        runStart = end
      }
      while runStart < end {
        add(base.load(fromByteOffset: runStart, as: UInt8.self))
        runStart &+= 1
      }
    }

    /// Adds the UTF-8 of an escaped character.
    mutating func add(_ scalar: UInt32) {
      JSONString.forEachByte(of: scalar) { add($0) }
    }

    @inline(__always)
    private mutating func add(_ byte: UInt8) {
      tail |= UInt64(byte) &<< UInt64(8 &* (byteCount & 7))
      byteCount &+= 1
      if byteCount & 7 == 0 { endWord() }
    }

    @inline(__always)
    private mutating func endWord() {
      if byteCount <= TopKeyState.longestByteCount { words[byteCount &>> 3 &- 1] = tail }
      hash = JSONKeySet.hash(hash, adding: tail)
      tail = 0
    }

    /// The hash of the whole key, however it was cut or escaped.
    @inline(__always)
    var wholeHash: UInt64 {
      JSONKeySet.hash(JSONKeySet.hash(hash, adding: tail), adding: UInt64(byteCount))
    }

    static func hash(of name: StaticString) -> UInt64 {
      var key = TopKeyState()
      key.begin(at: 0, runStart: 0, seed: JSONKeySet.seed)
      key.add(UnsafeRawPointer(name.utf8Start), upTo: name.utf8CodeUnitCount)
      return key.wholeHash
    }

    func equals(_ name: StaticString) -> Bool {
      guard byteCount == name.utf8CodeUnitCount, byteCount <= TopKeyState.longestByteCount else {
        return false
      }
      let text = UnsafeRawPointer(name.utf8Start)
      var index = 0
      while byteCount &- index >= 8 {
        let word = text.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
        if word != words[index &>> 3] { return false }
        index &+= 8
      }
      var rest = tail
      while index < byteCount {
        if UInt8(truncatingIfNeeded: rest) != name.utf8Start[index] { return false }
        rest = rest &>> 8
        index &+= 1
      }
      return true
    }
  }

  /// The member at an index of `watching`; nil when its value has not begun.
  package func member(_ index: Int) -> JSONMember? {
    let record = records[index]
    if record.keyOffset < 0 { return nil }
    return JSONMember(
      kind: record.kind, keyOffset: record.keyOffset, valueOffset: record.valueOffset,
      endOffset: record.endOffset)
  }

  /// Calls `body` with the raw text of a watched value; nil when it is absent, has not ended, or
  /// is longer than `JSONLimits.captureByteCount`.
  package func withLexeme<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> R?) -> R? {
    let record = records[index]
    if record.endOffset < 0 || record.captureCount < 0 { return nil }
    let start = record.captureStart
    return body(
      UnsafeRawBufferPointer(rebasing: captured.readable[start..<start + record.captureCount]))
  }

  /// A copy of the raw text of a watched value; nil as for `withLexeme`.
  package func lexeme(_ index: Int) -> ByteString? { withLexeme(index) { ByteString($0) } }

  /// A watched string, unescaped; nil as for `withLexeme`, or when it is not a string.
  package func string(_ index: Int) -> ByteString? {
    withLexeme(index) { JSONString.unescaped($0) }
  }

  /// Whether a watched value is a string that is written with just these bytes, none of which may
  /// be a quote or a backslash; false as well where `withLexeme` is nil.
  package func isPlain(_ index: Int, _ contents: ByteString) -> Bool {
    withLexeme(index) { lexeme in
      lexeme.count == contents.count + 2 && lexeme[0] == JSONByte.quote
        && UnsafeRawBufferPointer(rebasing: lexeme[1...contents.count]).bindMemory(to: UInt8.self)
          .span.equals(contents.bytes.span)
    } ?? false
  }

  /// A watched number that is a whole one; nil as for `withLexeme`, or when it is anything else.
  package func int64(_ index: Int) -> Int64? {
    withLexeme(index) { $0.bindMemory(to: UInt8.self).span.decimal ?? JSONNumber.int64($0) }
  }

  /// Ends a key of the top-level object with the quote at `index`.
  func endTopKey(_ base: UnsafeRawPointer, _ index: Int) throws(JSONError) {
    topKey.add(base, upTo: index)
    topKey.isOpen = false
    try judgeTopKey()
  }

  /// Takes a whole key of the top-level object; see `TopKeyState.take`.
  ///
  /// `offset`: of its opening quote.
  func takeTopKey(
    _ base: UnsafeRawPointer, _ start: Int, byteCount: Int, at offset: Int
  ) throws(JSONError) {
    topKey.matched = -1
    // Keys of answers need not differ, and few have as many bytes as a watched one.
    guard refusesDuplicates || watchedCounts &>> UInt64(byteCount) & 1 == 1 else { return }
    topKey.take(base, at: start, byteCount: byteCount, offset: offset, seed: seed)
    try judgeTopKey()
  }

  /// Looks whether the key that has been read is there a second time, and whether it is watched.
  private func judgeTopKey() throws(JSONError) {
    let hash = topKey.wholeHash
    if refusesDuplicates && !topKey.seen.insert(hash) {
      throw JSONError(.duplicateKey, at: topKey.offset)
    }
    topKey.matched = -1
    let count = topKey.byteCount
    guard count <= TopKeyState.longestByteCount, watchedCounts >> UInt64(count) & 1 == 1 else {
      return
    }
    for candidate in watchedHashes.indices
    where watchedHashes[candidate] == hash && topKey.equals(watching[candidate]) {
      if records[candidate].keyOffset < 0 { topKey.matched = candidate }
      return
    }
  }

  /// Begins the value of the watched key that has just been read.
  func beginMember(_ kind: JSONKind, at offset: Int) {
    let index = topKey.matched
    topKey.matched = -1
    topKey.openRecord = index
    records[index] = Record(
      kind: kind, keyOffset: topKey.offset, valueOffset: offset, captureStart: captured.count)
  }

  /// Ends the value of a watched key before the byte at `offset`.
  @inline(never)
  func endMember(_ base: UnsafeRawPointer, at offset: Int) {
    records[topKey.openRecord].endOffset = offset
    capture(base, offset &- sliceOffset)
    topKey.openRecord = -1
  }

  /// Keeps the part of the open value that lies before `end` in this slice, unless it is too long.
  func capture(_ base: UnsafeRawPointer, _ end: Int) {
    let index = topKey.openRecord
    let record = records[index]
    if record.captureCount < 0 { return }
    let start = max(record.valueOffset &- sliceOffset, 0)
    let count = record.captureCount &+ end &- start
    if count > limits.captureByteCount {
      captured.truncate(to: captured.count &- record.captureCount)
      records[index].captureCount = -1
      return
    }
    captured.append(UnsafeRawBufferPointer(start: base + start, count: end &- start))
    records[index].captureCount = count
  }
}
