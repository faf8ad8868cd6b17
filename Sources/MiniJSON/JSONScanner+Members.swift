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
    /// Where in the slice the bytes begin that `hash` lacks.
    var runStart = 0
    var hash: UInt64 = 0
    /// The unescaped key, as far as watched keys can be long.
    var bytes = InlineArray<32, UInt8>(repeating: 0)
    var byteCount = 0
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
    mutating func begin(at offset: Int, runStart: Int) {
      isOpen = true
      self.offset = offset
      self.runStart = runStart
      hash = JSONKeySet.seed
      byteCount = 0
    }

    /// Adds the raw bytes up to `end`, which hold no escapes.
    mutating func add(_ base: UnsafeRawPointer, upTo end: Int) {
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
      hash = JSONKeySet.hash(hash, adding: byte)
      if byteCount < bytes.count { bytes[byteCount] = byte }
      byteCount &+= 1
    }

    func equals(_ name: StaticString) -> Bool {
      guard byteCount == name.utf8CodeUnitCount, byteCount <= bytes.count else { return false }
      for index in 0..<byteCount where bytes[index] != name.utf8Start[index] { return false }
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
    return captured.withUnsafeBytes { bytes in
      body(UnsafeRawBufferPointer(rebasing: bytes[start..<start + record.captureCount]))
    }
  }

  /// A copy of the raw text of a watched value; nil as for `withLexeme`.
  package func lexeme(_ index: Int) -> ByteString? { withLexeme(index) { ByteString($0) } }

  /// A watched string, unescaped; nil as for `withLexeme`, or when it is not a string.
  package func string(_ index: Int) -> ByteString? {
    withLexeme(index) { JSONString.unescaped($0) }
  }

  /// A watched number that is a whole one; nil as for `withLexeme`, or when it is anything else.
  package func int64(_ index: Int) -> Int64? { withLexeme(index) { JSONNumber.int64($0) } }

  /// Ends a key of the top-level object with the quote at `index`.
  mutating func endTopKey(_ base: UnsafeRawPointer, _ index: Int) throws(JSONError) {
    topKey.add(base, upTo: index)
    topKey.isOpen = false
    if refusesDuplicates && !topKey.seen.insert(topKey.hash) {
      throw JSONError(.duplicateKey, at: topKey.offset)
    }
    topKey.matched = -1
    let count = topKey.byteCount
    guard count <= TopKeyState.longestByteCount, watchedCounts >> UInt64(count) & 1 == 1 else {
      return
    }
    for candidate in watching.indices where topKey.equals(watching[candidate]) {
      if records[candidate].keyOffset < 0 { topKey.matched = candidate }
      return
    }
  }

  /// Begins the value of the watched key that has just been read.
  mutating func beginMember(_ kind: JSONKind, at offset: Int) {
    let index = topKey.matched
    topKey.matched = -1
    topKey.openRecord = index
    records[index].kind = kind
    records[index].keyOffset = topKey.offset
    records[index].valueOffset = offset
    records[index].captureStart = captured.count
  }

  /// Ends the value of a watched key before the byte at `offset`.
  mutating func endMember(_ base: UnsafeRawPointer, at offset: Int) {
    records[topKey.openRecord].endOffset = offset
    capture(base, offset &- sliceOffset)
    topKey.openRecord = -1
  }

  /// Keeps the part of the open value that lies before `end` in this slice, unless it is too long.
  mutating func capture(_ base: UnsafeRawPointer, _ end: Int) {
    let index = topKey.openRecord
    let record = records[index]
    if record.captureCount < 0 { return }
    let start = max(record.valueOffset &- sliceOffset, 0)
    let count = record.captureCount &+ end &- start
    if count > limits.captureByteCount {
      captured.removeLast(record.captureCount)
      records[index].captureCount = -1
      return
    }
    captured.append(contentsOf: UnsafeRawBufferPointer(start: base + start, count: end &- start))
    records[index].captureCount = count
  }
}
