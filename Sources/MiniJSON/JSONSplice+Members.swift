// SPDX-License-Identifier: MIT
import Platform

/// Edits of the members that a scanner has found.
extension JSONSplice {
  /// What became of the wish to get usage at the end of a stream.
  package enum UsageEdit: UInt8, Sendable {
    /// The client asks for it itself; nothing was changed.
    case alreadyIncluded
    /// The request asks for it now; the client did not, and must not be shown it.
    case added
    /// `stream_options` is no object, or longer than `JSONLimits.captureByteCount`, or the request
    /// has passed already; nothing was changed.
    case unusable
  }

  /// Adds a member at the end of the top-level object, with a comma when it needs one.
  ///
  /// - Parameters:
  ///   - key: the key, not yet escaped.
  ///   - value: JSON text.
  ///   - scanner: what has been scanned of the text.
  /// - Returns: false when the closing brace has not been seen, or has passed already.
  package mutating func insertMember(
    _ key: StaticString, _ value: ByteString, _ scanner: borrowing JSONScanner
  ) -> Bool {
    guard let offset = scanner.closingBraceOffset else { return false }
    let needsComma = scanner.hasMembers || hasInsertedMember
    let member = Self.member(key, value, commaBefore: needsComma)
    guard insert(member, at: offset) else { return false }
    hasInsertedMember = true
    return true
  }

  /// Puts a string in the place of a member's value, quoted and escaped.
  ///
  /// - Returns: false when the value has not ended, has passed already, or is edited already.
  package mutating func replaceString(_ string: ByteString, _ member: JSONMember) -> Bool {
    guard let range = member.range else { return false }
    return replace(range, with: JSONString.lexeme(string))
  }

  /// Puts another model name in the place of the `model` member's value.
  ///
  /// - Returns: false as for `replaceString`.
  package mutating func replaceModel(_ model: ByteString, _ member: JSONMember) -> Bool {
    replaceString(model, member)
  }

  /// Sees to it that the request asks for usage: `"stream_options":{"include_usage":true}`.
  ///
  /// Other stream options stay. The scanner must have seen the whole text, unless it has found
  /// `stream_options`.
  ///
  /// - Parameters:
  ///   - scanner: what has been scanned of the text.
  ///   - index: of `stream_options` in the scanner's `watching`.
  /// - Returns: what was done; the client did not ask for usage when it is `.added`.
  package mutating func includeUsage(
    _ scanner: borrowing JSONScanner, streamOptions index: Int
  ) -> UsageEdit {
    guard let member = scanner.member(index) else {
      let value: ByteString = "{\"include_usage\":true}"
      return insertMember("stream_options", value, scanner) ? .added : .unusable
    }
    guard let range = member.range else { return .unusable }
    if member.kind == .null {
      return replace(range, with: "{\"include_usage\":true}") ? .added : .unusable
    }
    guard member.kind == .object, let options = scanner.lexeme(index) else { return .unusable }
    return options.withBytes { includeUsage($0, at: range.lowerBound) }
  }

  private mutating func includeUsage(
    _ text: UnsafeRawBufferPointer, at offset: Int
  ) -> UsageEdit {
    var members = JSONMemberCursor(text)
    var isEmpty = true
    var isFound = false
    var result = UsageEdit.alreadyIncluded
    while members.advance() {
      isEmpty = false
      guard JSONQuery.equals(text, members.key, "include_usage") else { continue }
      isFound = true
      // Readers disagree on which of equal keys counts, so all are edited.
      if text[members.value.lowerBound] == UInt8(ascii: "t") { continue }
      let range = offset + members.value.lowerBound..<offset + members.value.upperBound
      guard replace(range, with: "true") else { return .unusable }
      result = .added
    }
    if isFound { return result }
    let usage = Self.member("include_usage", "true", commaBefore: !isEmpty)
    return insert(usage, at: offset + text.count - 1) ? .added : .unusable
  }

  private static func member(
    _ key: StaticString, _ value: ByteString, commaBefore: Bool
  ) -> ByteString {
    let buffer = Buffer()
    if commaBefore { buffer.append(JSONByte.comma) }
    JSONString.append(
      UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount), to: buffer)
    buffer.append(JSONByte.colon)
    buffer.append(value)
    return buffer.byteString
  }
}
