// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store
import Vendors

/// Settings that only a channel's type has: an object of texts in its record's `config`, whose
/// members are the type's `VendorField`s.
enum ChannelConfig {
  /// Longest value; a secret may be a whole file, such as a service account's.
  private static let valueByteLimit = 256
  private static let secretByteLimit = 8192
  private static let largestCount = 32

  typealias Pairs = [(name: ByteString, value: ByteString)]

  // Stored.

  /// The settings of a record, as they are stored; none of a text that is no such object.
  static func pairs(_ text: ByteString) -> Pairs {
    var pairs: Pairs = []
    guard !text.isEmpty, let root = try? JSONDocument(text, requiresObject: true).root else {
      return pairs
    }
    for (name, value) in root.members {
      if let value = value.string { pairs.append((name, value)) }
    }
    return pairs
  }

  /// The stored form; empty without settings.
  static func text(_ pairs: Pairs) -> ByteString {
    if pairs.isEmpty { return .empty }
    let buffer = Buffer()
    var json = JSONWriter(buffer)
    json.beginObject()
    for (name, value) in pairs {
      json.key(name)
      json.string(value)
    }
    json.endObject()
    return buffer.byteString
  }

  /// Puts other values into a stored form.
  static func map(
    _ text: ByteString, _ change: (ByteString, ByteString) -> ByteString
  ) -> ByteString {
    if text.isEmpty { return text }
    return self.text(pairs(text).map { ($0.name, change($0.name, $0.value)) })
  }

  // In use.

  /// The settings in force, the type's defaults included; without those that are encrypted.
  static func values(of record: ChannelRecord, _ vendor: Vendor) -> [ByteString: ByteString] {
    var values: [ByteString: ByteString] = [:]
    for field in vendor.fields where !field.standard.isEmpty {
      values[field.name] = field.standard
    }
    for (name, value) in pairs(record.config) where !ChannelSecrets.isSealed(value) {
      values[name] = value
    }
    return values
  }

  /// The base URL with its `{name}`s filled in: of letters, digits, `-` and `_` only, so that no
  /// setting can lead elsewhere.
  ///
  /// Empty when there is none. Throws when a setting is missing or has other characters.
  static func baseURL(of record: ChannelRecord, _ vendor: Vendor) throws(FieldError) -> ByteString {
    let text = record.baseURL.isEmpty ? ByteString(vendor.defaultBaseURL) : record.baseURL
    guard text.bytes.contains(UInt8(ascii: "{")) else { return text }
    let values = values(of: record, vendor)
    let filled = Buffer()
    var rest = text
    while let (before, after) = rest.split(at: UInt8(ascii: "{")) {
      filled.append(before)
      guard let (name, behind) = after.split(at: UInt8(ascii: "}")) else {
        throw FieldError("base_url", "must close each { with }")
      }
      guard let value = values[name], !value.isEmpty, value.bytes.allSatisfy(isPlain) else {
        throw FieldError(
          "config", "must have " + name + ", of letters, digits, - and _, for the base URL")
      }
      filled.append(value)
      rest = behind
    }
    filled.append(rest)
    return filled.byteString
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: "_")
  }

  // From outside.

  /// Takes the body's settings over in place of the old ones; a secret given as its hint stays.
  ///
  /// Without any in the body, those stay that the type knows.
  ///
  /// - Returns: whether the record keeps a secret that the body did not give.
  static func apply(
    _ body: AdminBody, _ fields: [VendorField], _ record: inout ChannelRecord
  ) throws(AdminError) -> Bool {
    let old = pairs(record.config)
    let given = body.isNull("config") ? [] : try body.pairs("config", limit: largestCount)
    var keepsSecret = false
    var kept: Pairs = []
    if let given {
      for (name, text) in given {
        let field = try find(name, fields)
        var value = text
        if field.isSecret, let before = old.first(where: { $0.name == name })?.value,
          text == AdminText.hint(of: before)
        {
          value = before
          keepsSecret = true
        } else {
          try check(text, field)
        }
        if !value.isEmpty { kept.append((name, value)) }
      }
    } else {
      kept = old.filter { pair in fields.contains { $0.name == pair.name } }
      keepsSecret = kept.contains { VendorField.isSecret($0.name) }
    }
    for field in fields where field.isRequired && field.standard.isEmpty {
      guard kept.contains(where: { $0.name == field.name }) else {
        throw refusal(field.name, "is needed for this channel type")
      }
    }
    record.config = text(kept)
    return keepsSecret
  }

  private static func find(
    _ name: ByteString, _ fields: [VendorField]
  ) throws(AdminError) -> VendorField {
    if let field = fields.first(where: { $0.name == name }) { return field }
    throw AdminError(
      400, "unknown_field",
      "The field config." + AdminText.prefix(name, AdminText.quotedByteCount)
        + " is not known for this channel type.")
  }

  private static func check(_ value: ByteString, _ field: VendorField) throws(AdminError) {
    if value.isEmpty { return }
    if field.isSecret {
      guard value.count <= secretByteLimit, !ChannelSecrets.isSealed(value) else {
        throw refusal(field.name, "must be a text of at most 8192 bytes, not a sealed one")
      }
    } else if !field.choices.isEmpty {
      guard field.choices.contains(value) else {
        throw refusal(
          field.name, "must be one of " + AdminText.joined(field.choices, by: UInt8(ascii: "|")))
      }
    } else {
      guard value.count <= valueByteLimit, value.bytes.allSatisfy(ModelName.isCharacter) else {
        throw refusal(field.name, "must be 1 to 256 characters of A-Z a-z 0-9 . _ : / @ + -")
      }
    }
  }

  private static func refusal(_ name: ByteString, _ problem: ByteString) -> AdminError {
    AdminError(400, "invalid_field", "config." + name + " " + problem + ".")
  }
}
