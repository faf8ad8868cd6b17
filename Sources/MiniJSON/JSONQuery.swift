// SPDX-License-Identifier: MIT
import Platform

/// Finds single values in text that a `JSONScanner` has accepted, without a table of nodes.
///
/// Values that are not asked for are skipped, not checked. On any other text the answers mean
/// nothing, but nothing outside the text is read and nothing recurses. Of equal keys the first
/// counts. Ranges are offsets into the text given.
package enum JSONQuery {
  /// What the value at the beginning of the text is; nil when it is none.
  package static func kind(of text: UnsafeRawBufferPointer) -> JSONKind? {
    let start = skipSpace(text, 0)
    return start < text.count ? JSONKind(firstByte: text[start]) : nil
  }

  /// The value of a member of the object that the text is.
  package static func member(_ key: StaticString, in text: UnsafeRawBufferPointer) -> Range<Int>? {
    var members = JSONMemberCursor(text)
    while members.advance() {
      if equals(text, members.key, key) { return members.value }
    }
    return nil
  }

  /// An element of the array that the text is, counted from 0.
  package static func element(_ index: Int, in text: UnsafeRawBufferPointer) -> Range<Int>? {
    var elements = JSONElementCursor(text)
    var left = index
    while elements.advance() {
      if left == 0 { return elements.value }
      left -= 1
    }
    return nil
  }

  /// The value at a path of keys through nested objects.
  package static func find(
    _ path: [StaticString], in text: UnsafeRawBufferPointer
  ) -> Range<Int>? {
    var range = 0..<text.count
    for key in path {
      guard let found = member(key, in: UnsafeRawBufferPointer(rebasing: text[range])) else {
        return nil
      }
      range = range.lowerBound + found.lowerBound..<range.lowerBound + found.upperBound
    }
    return range
  }

  /// The whole number at a path of keys; nil when there is none or it is anything else.
  package static func int64(_ path: [StaticString], in text: UnsafeRawBufferPointer) -> Int64? {
    find(path, in: text).flatMap { JSONNumber.int64(UnsafeRawBufferPointer(rebasing: text[$0])) }
  }

  /// The unescaped string at a path of keys; nil when there is none or it is anything else.
  package static func string(
    _ path: [StaticString], in text: UnsafeRawBufferPointer
  ) -> ByteString? {
    find(path, in: text).flatMap {
      JSONString.unescaped(UnsafeRawBufferPointer(rebasing: text[$0]))
    }
  }

  /// Whether the string lexeme at `range` stands for the literal.
  static func equals(
    _ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ key: StaticString
  ) -> Bool {
    let lexeme = UnsafeRawBufferPointer(rebasing: text[range])
    let contents = UnsafeRawBufferPointer(rebasing: lexeme.dropFirst().dropLast())
    if contents.bindMemory(to: UInt8.self).span.equals(key) { return true }
    guard contents.count > key.utf8CodeUnitCount,
      contents.bindMemory(to: UInt8.self).span.firstIndex(of: JSONByte.backslash) != nil
    else { return false }
    return JSONString.unescaped(lexeme).map { $0 == key } ?? false
  }

  /// Offset of the first byte from `start` on that is not white space.
  @inline(__always)
  static func skipSpace(_ text: UnsafeRawBufferPointer, _ start: Int) -> Int {
    // Machines write no space.
    if start < text.count && text[start] > 0x20 { return start }
    return skipSpaces(text, start)
  }

  @inline(never)
  private static func skipSpaces(_ text: UnsafeRawBufferPointer, _ start: Int) -> Int {
    var index = start
    while index < text.count && JSONByte.isSpace(text[index]) { index += 1 }
    return index
  }

  /// Offset behind the string whose opening quote is at `start`; nil when it does not end.
  static func skipString(_ text: UnsafeRawBufferPointer, _ start: Int) -> Int? {
    guard let base = text.baseAddress else { return nil }
    var index = start + 1
    while true {
      index = JSONBytes.quoteOrBackslash(base, index, text.count)
      guard index < text.count else { return nil }
      if text[index] == JSONByte.quote { return index + 1 }
      guard text.count - index >= 2 else { return nil }
      index += 2
    }
  }

  /// Offset behind the value that begins at `start`; nil when it does not end.
  static func skipValue(_ text: UnsafeRawBufferPointer, _ start: Int) -> Int? {
    var index = start
    var depth = 0
    while index < text.count {
      switch text[index] {
      case JSONByte.quote:
        guard let next = skipString(text, index) else { return nil }
        index = next
        if depth == 0 { return index }
        continue
      case JSONByte.openBrace, JSONByte.openBracket: depth += 1
      case JSONByte.closeBrace, JSONByte.closeBracket:
        if depth == 0 { return index }
        depth -= 1
        if depth == 0 { return index + 1 }
      case JSONByte.comma, 0x20, 0x0a, 0x0d, 0x09:
        if depth == 0 { return index }
      default: break
      }
      index += 1
    }
    return depth == 0 ? index : nil
  }
}
