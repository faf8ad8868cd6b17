// SPDX-License-Identifier: MIT
import Platform

/// Walks over the members of an object in text that a `JSONScanner` has accepted.
///
/// On any other text the answers mean nothing, but nothing outside the text is read.
package struct JSONMemberCursor {
  private let whole: UnsafeRawBufferPointer
  private var index: Int
  /// The key's lexeme, with its quotes.
  package private(set) var key = 0..<0
  /// The value's lexeme.
  package private(set) var value = 0..<0

  /// Begins before the first member; an empty walk when the text is no object.
  package init(_ text: UnsafeRawBufferPointer) {
    whole = text
    index = JSONQuery.skipSpace(text, 0)
    let isObject = index < text.count && text[index] == JSONByte.openBrace
    index = isObject ? index + 1 : text.count
  }

  /// Goes to the next member; false when there is none.
  package mutating func advance() -> Bool {
    let text = whole
    let start = JSONQuery.skipSpace(text, index)
    guard start < text.count, text[start] == JSONByte.quote,
      let keyEnd = JSONQuery.skipString(text, start)
    else { return false }
    let colon = JSONQuery.skipSpace(text, keyEnd)
    guard colon < text.count, text[colon] == JSONByte.colon else { return false }
    let valueStart = JSONQuery.skipSpace(text, colon + 1)
    guard let valueEnd = JSONQuery.skipValue(text, valueStart), valueEnd > valueStart else {
      return false
    }
    key = start..<keyEnd
    value = valueStart..<valueEnd
    index = JSONQuery.skipSpace(text, valueEnd)
    if index < text.count && text[index] == JSONByte.comma {
      index += 1
    } else {
      index = text.count
    }
    return true
  }

  /// Whether the present member has this key, written without escapes.
  @inline(__always)
  package func isKey(_ name: StaticString) -> Bool {
    guard key.count == name.utf8CodeUnitCount + 2 else { return false }
    return whole.bindMemory(to: UInt8.self).span.extracting(key).extracting(
      1..<key.count - 1
    ).equals(name)
  }

  /// The lexeme of the present member's value.
  package var text: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: whole[value]) }
}

/// Walks over the elements of an array in text that a `JSONScanner` has accepted.
struct JSONElementCursor {
  private let text: UnsafeRawBufferPointer
  private var index: Int
  /// The element's lexeme.
  private(set) var value = 0..<0

  /// Begins before the first element; an empty walk when the text is no array.
  init(_ text: UnsafeRawBufferPointer) {
    self.text = text
    index = JSONQuery.skipSpace(text, 0)
    let isArray = index < text.count && text[index] == JSONByte.openBracket
    index = isArray ? index + 1 : text.count
  }

  /// Goes to the next element; false when there is none.
  mutating func advance() -> Bool {
    let start = JSONQuery.skipSpace(text, index)
    guard start < text.count, let end = JSONQuery.skipValue(text, start), end > start else {
      return false
    }
    value = start..<end
    index = JSONQuery.skipSpace(text, end)
    if index < text.count && text[index] == JSONByte.comma {
      index += 1
    } else {
      index = text.count
    }
    return true
  }
}
