// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// The members of a request's JSON object, each read with its limits.
///
/// Every violation is a 400 that names the field and the limit.
struct AdminBody {
  private let root: JSONValue?

  /// A body without members.
  init() { root = nil }

  /// Parses a body; it may have only the known members.
  ///
  /// Throws `invalid_json`, also for a key that occurs twice, and `unknown_field`.
  init(_ text: Buffer, knowing fields: [StaticString]) throws(AdminError) {
    let document: JSONDocument
    do throws(JSONError) {
      document = try JSONDocument(text, refusesDuplicates: true, requiresObject: true)
    } catch {
      throw AdminError(400, "invalid_json", "The request body is " + error.message + ".")
    }
    for (name, _) in document.root.members where !fields.contains(where: { name == $0 }) {
      throw AdminError(
        400, "unknown_field", "The field " + AdminText.quoted(name) + " is not known here.")
    }
    root = document.root
  }

  /// An object from the database, which may have any members.
  init(stored object: JSONValue) { root = object }

  /// An object inside a body; it may have only the known members.
  init(_ object: JSONValue, knowing fields: [StaticString]) throws(AdminError) {
    guard object.kind == .object else {
      throw AdminError(400, "invalid_field", "must be an object.")
    }
    for (name, _) in object.members where !fields.contains(where: { name == $0 }) {
      throw AdminError(
        400, "unknown_field", "has the field " + AdminText.quoted(name) + ", which is not known.")
    }
    root = object
  }

  /// Whether the body has the member, null included.
  func has(_ field: StaticString) -> Bool { root?.member(field) != nil }

  /// Whether the member is there and null.
  func isNull(_ field: StaticString) -> Bool { root?.member(field)?.isNull ?? false }

  /// The member as it is; nil when it is missing.
  func value(_ field: StaticString) -> JSONValue? { root?.member(field) }

  /// A text of so many bytes without control characters; nil when the member is missing.
  @inline(never)
  func text(_ field: StaticString, _ length: ClosedRange<Int>) throws(AdminError) -> ByteString? {
    guard let value = root?.member(field) else { return nil }
    guard let text = value.string else { throw .field(field, "must be a text") }
    try AdminBody.check(text, field, length)
    return text
  }

  /// Throws unless the text has so many bytes and no control character.
  @inline(never)
  static func check(
    _ text: ByteString, _ field: StaticString, _ length: ClosedRange<Int>
  ) throws(AdminError) {
    guard length.contains(text.count), !AdminText.hasControls(text) else {
      throw .field(
        field,
        "must have " + ByteString(number: Int64(length.lowerBound)) + " to "
          + ByteString(number: Int64(length.upperBound)) + " bytes and no control characters")
    }
  }

  /// A text that must be there.
  func requiredText(
    _ field: StaticString, _ length: ClosedRange<Int>
  ) throws(AdminError) -> ByteString {
    guard let text = try text(field, length) else { throw .field(field, "is missing") }
    return text
  }

  /// A whole number in the range; nil when the member is missing.
  @inline(never)
  func number(
    _ field: StaticString, _ range: ClosedRange<Int64>
  ) throws(AdminError) -> Int64? {
    guard let value = root?.member(field) else { return nil }
    guard let number = value.int64, range.contains(number) else {
      throw .field(
        field,
        "must be a whole number from " + ByteString(number: range.lowerBound) + " to "
          + ByteString(number: range.upperBound))
    }
    return number
  }

  /// A decimal of at most six places from 0 to `limit`, as a text, so that it is exact; nil when
  /// the member is missing.
  @inline(never)
  func ratio(_ field: StaticString, upTo limit: Int64) throws(AdminError) -> Ratio? {
    guard let value = root?.member(field) else { return nil }
    guard let text = value.string, let ratio = Ratio(text),
      ratio.millionths <= limit * Ratio.one.millionths
    else {
      throw .field(
        field,
        "must be a decimal in quotes, such as \"0.5\", from 0 to " + ByteString(number: limit)
          + " with at most 6 places")
    }
    return ratio
  }

  /// `true` or `false`; nil when the member is missing.
  func boolean(_ field: StaticString) throws(AdminError) -> Bool? {
    guard let value = root?.member(field) else { return nil }
    guard let bool = value.bool else { throw .field(field, "must be true or false") }
    return bool
  }

  /// Which of the texts it is, counted from 0; nil when the member is missing.
  func choice(_ field: StaticString, _ texts: [StaticString]) throws(AdminError) -> Int64? {
    guard let value = root?.member(field) else { return nil }
    if let text = value.string, let index = texts.firstIndex(where: { text == $0 }) {
      return Int64(index)
    }
    throw .field(field, "must be one of " + AdminText.listed(texts))
  }

  /// A list of different ids; nil when the member is missing.
  func ids(_ field: StaticString, limit: Int) throws(AdminError) -> [Int64]? {
    guard let value = root?.member(field) else { return nil }
    var ids: [Int64] = []
    guard value.kind == .array, value.count <= limit else {
      throw .field(
        field, "must be a list of at most " + ByteString(number: Int64(limit)) + " ids")
    }
    for element in value.elements {
      guard let id = element.int64, id > 0, !ids.contains(id) else {
        throw .field(field, "must be a list of ids, each once")
      }
      ids.append(id)
    }
    return ids
  }

  /// A list of texts, each checked; nil when the member is missing.
  ///
  /// `limit`: the most entries.
  /// `expected`: what an entry must be, for the sentence.
  func list(
    _ field: StaticString, limit: Int, expected: StaticString, _ isValid: (ByteString) -> Bool
  ) throws(AdminError) -> [ByteString]? {
    guard let texts = try texts(field, limit: limit, expected) else { return nil }
    guard texts.allSatisfy(isValid) else { throw AdminBody.wrongEntry(field, expected) }
    return texts
  }

  /// A list of different texts; apart from the above, which is compiled for each check.
  private func texts(
    _ field: StaticString, limit: Int, _ expected: StaticString
  ) throws(AdminError) -> [ByteString]? {
    guard let value = root?.member(field) else { return nil }
    guard value.kind == .array else { throw .field(field, "must be a list of texts") }
    guard value.count <= limit else {
      throw .field(field, "must have at most " + ByteString(number: Int64(limit)) + " entries")
    }
    var texts: [ByteString] = []
    var seen: Set<ByteString> = []
    for element in value.elements {
      guard let text = element.string else { throw AdminBody.wrongEntry(field, expected) }
      guard seen.insert(text).inserted else {
        throw .field(field, "has an entry twice")
      }
      texts.append(text)
    }
    return texts
  }

  private static func wrongEntry(
    _ field: StaticString, _ expected: StaticString
  ) -> AdminError {
    .field(field, "must be a list whose entries are " + ByteString(expected))
  }

  /// The members of an object whose values are texts; nil when the member is missing.
  func pairs(
    _ field: StaticString, limit: Int
  ) throws(AdminError) -> [(key: ByteString, value: ByteString)]? {
    guard let value = root?.member(field) else { return nil }
    guard value.kind == .object else { throw .field(field, "must be an object of texts") }
    guard value.count <= limit else {
      throw .field(field, "must have at most " + ByteString(number: Int64(limit)) + " members")
    }
    var pairs: [(key: ByteString, value: ByteString)] = []
    var seen: Set<ByteString> = []
    for (key, element) in value.members {
      guard let text = element.string else { throw .field(field, "must be an object of texts") }
      guard seen.insert(key).inserted else { throw .field(field, "has a member twice") }
      pairs.append((key, text))
    }
    return pairs
  }

  /// `enabled` or `disabled`; nil when the member is missing.
  func isEnabled(_ field: StaticString) throws(AdminError) -> Bool? {
    guard let value = root?.member(field) else { return nil }
    if let text = value.string {
      if text == "enabled" { return true }
      if text == "disabled" { return false }
    }
    throw .field(field, "must be enabled or disabled")
  }
}
