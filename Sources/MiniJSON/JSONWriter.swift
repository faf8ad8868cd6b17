// SPDX-License-Identifier: MIT
import Platform

/// Appends JSON to a buffer, with commas and escapes as needed; keeps no tree.
///
/// ```
/// json.beginObject()
/// json.member("id", 7)
/// json.key("tags")
/// json.beginArray()
/// json.string("a")
/// json.endArray()
/// json.endObject()
/// ```
///
/// Calls in an order that is not JSON are bugs of the caller; only unbalanced ends are noticed.
package struct JSONWriter {
  /// Where the text goes.
  package let buffer: Buffer
  /// One bit per open container, innermost lowest: whether a comma is due before the next item.
  private var commas: UInt64 = 0
  private var depth = 0
  private var isAfterKey = false

  /// Makes a writer at the end of a buffer.
  package init(_ buffer: Buffer) { self.buffer = buffer }

  /// Begins an object, at most 63 levels deep.
  package mutating func beginObject() { begin(JSONByte.openBrace) }

  /// Ends the innermost object.
  package mutating func endObject() { end(JSONByte.closeBrace) }

  /// Begins an array, at most 63 levels deep.
  package mutating func beginArray() { begin(JSONByte.openBracket) }

  /// Ends the innermost array.
  package mutating func endArray() { end(JSONByte.closeBracket) }

  /// Appends a member's key.
  package mutating func key(_ key: StaticString) {
    string(key)
    beginMemberValue()
  }

  /// Appends a member's key.
  @_disfavoredOverload
  package mutating func key(_ key: ByteString) {
    string(key)
    beginMemberValue()
  }

  /// Appends a string; ill-formed UTF-8 becomes U+FFFD.
  package mutating func string(_ text: UnsafeRawBufferPointer) {
    separate()
    JSONString.append(text, to: buffer)
  }

  /// Appends a string; ill-formed UTF-8 becomes U+FFFD.
  @_disfavoredOverload
  package mutating func string(_ text: ByteString) { string(text.bytes.span.rawBuffer) }

  /// Appends a string.
  package mutating func string(_ text: StaticString) {
    string(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Appends a string; for messages, not for the request path.
  package mutating func string(text: String) { string(ByteString(utf8: text)) }

  /// Appends a whole number.
  package mutating func integer(_ value: Int64) {
    separate()
    buffer.append(decimal: value)
  }

  /// Appends a multiple of 10⁻ᵈᵉᶜⁱᵐᵃˡˢ: 500,000 with 6 decimals is `0.5`.
  package mutating func fixedPoint(_ value: Int64, decimals: Int) {
    separate()
    JSONNumber.append(value, decimals: decimals, to: buffer)
  }

  /// Appends `true` or `false`.
  package mutating func bool(_ value: Bool) {
    separate()
    if value { buffer.append("true") } else { buffer.append("false") }
  }

  /// Appends `null`.
  package mutating func null() {
    separate()
    buffer.append("null")
  }

  /// Appends a value that is JSON already.
  package mutating func raw(_ lexeme: UnsafeRawBufferPointer) {
    separate()
    buffer.append(lexeme)
  }

  /// Appends a value that is JSON already.
  package mutating func raw(_ lexeme: ByteString) { raw(lexeme.bytes.span.rawBuffer) }

  /// Appends the comma that is due; not inlined, or every function above would hold a copy.
  @inline(never)
  private mutating func separate() {
    if isAfterKey {
      isAfterKey = false
      return
    }
    if commas & 1 != 0 { buffer.append(JSONByte.comma) }
    if depth > 0 { commas |= 1 }
  }

  private mutating func beginMemberValue() {
    buffer.append(JSONByte.colon)
    isAfterKey = true
  }

  private mutating func begin(_ bracket: UInt8) {
    precondition(depth < 63, "writes JSON nested too deep")
    separate()
    buffer.append(bracket)
    depth += 1
    commas <<= 1
  }

  private mutating func end(_ bracket: UInt8) {
    precondition(depth > 0, "ends more than was begun")
    buffer.append(bracket)
    depth -= 1
    commas >>= 1
  }
}

extension JSONWriter {
  /// Appends a member with a string.
  @_disfavoredOverload
  package mutating func member(_ key: StaticString, _ value: ByteString) {
    self.key(key)
    string(value)
  }

  /// Appends a member with a string.
  package mutating func member(_ key: StaticString, _ value: StaticString) {
    self.key(key)
    string(value)
  }

  /// Appends a member with a whole number.
  package mutating func member(_ key: StaticString, _ value: Int64) {
    self.key(key)
    integer(value)
  }

  /// Writes a member with a number, or null.
  package mutating func member(_ key: StaticString, _ value: Int64?) {
    self.key(key)
    if let value { integer(value) } else { null() }
  }

  /// Appends a member with `true` or `false`.
  package mutating func member(_ key: StaticString, _ value: Bool) {
    self.key(key)
    bool(value)
  }
}
