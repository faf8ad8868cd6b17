// SPDX-License-Identifier: MIT
import Platform

/// Why a text is not acceptable JSON, and where.
package struct JSONError: Error, Sendable, Equatable {
  /// The rule that was broken.
  package enum Kind: UInt8, Sendable {
    case unexpectedEnd
    case notAnObject
    case byteOrderMark
    case expectedValue
    case expectedKey
    case expectedColon
    case expectedCommaOrBracket
    case expectedCommaOrBrace
    case trailingBytes
    case invalidLiteral
    case invalidNumber
    case numberTooLong
    case lineBreakInString
    case controlCharacter
    case invalidUTF8
    case invalidEscape
    case invalidHexDigit
    case loneSurrogate
    case tooDeep
    case tooManyKeys
    case duplicateKey
    case tooManyValues
    case tooLong
  }

  /// The rule that was broken.
  package let kind: Kind
  /// Offset of the byte that broke it, from the start of the text; for `.unexpectedEnd` the length
  /// of the text, for `.duplicateKey` the opening quote of the second key.
  package let offset: Int

  /// Makes an error.
  package init(_ kind: Kind, at offset: Int) {
    self.kind = kind
    self.offset = offset
  }

  /// The broken rule in words, without the place.
  package var reason: StaticString {
    switch kind {
    case .unexpectedEnd: "the text ends in the middle of a value"
    case .notAnObject: "the text must be an object, beginning with '{'"
    case .byteOrderMark: "the text begins with a byte order mark"
    case .expectedValue: "a value is expected here"
    case .expectedKey: "a key in double quotes is expected here"
    case .expectedColon: "a colon is expected after a key"
    case .expectedCommaOrBracket: "a comma or ']' is expected here"
    case .expectedCommaOrBrace: "a comma or '}' is expected here"
    case .trailingBytes: "there is more text behind the end of the value"
    case .invalidLiteral: "only true, false and null may stand without quotes"
    case .invalidNumber: "a number is not written as JSON demands"
    case .numberTooLong: "a number has too many characters"
    case .lineBreakInString: "a string contains a raw line break"
    case .controlCharacter: "a string contains a raw control character"
    case .invalidUTF8: "a string is not valid UTF-8"
    case .invalidEscape: "a backslash is followed by a character that has no meaning there"
    case .invalidHexDigit: "\\u must be followed by four hexadecimal digits"
    case .loneSurrogate: "a \\u escape is half of a surrogate pair"
    case .tooDeep: "objects and arrays are nested too deep"
    case .tooManyKeys: "an object has too many members"
    case .duplicateKey: "a key occurs twice in the outermost object"
    case .tooManyValues: "there are too many values"
    case .tooLong: "the text is too long"
    }
  }

  /// Appends a sentence for people, such as "invalid JSON at byte 17: …".
  package func append(to buffer: Buffer) {
    buffer.append("invalid JSON at byte ")
    buffer.append(decimal: offset)
    buffer.append(": ")
    buffer.append(reason)
  }

  /// The sentence of `append(to:)`.
  package var message: ByteString {
    let buffer = Buffer()
    append(to: buffer)
    return buffer.byteString
  }
}
