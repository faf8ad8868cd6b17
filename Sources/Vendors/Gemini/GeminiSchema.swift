// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Schemas in Google's two forms: a part of OpenAPI's, and JSON Schema.
///
/// Source: https://ai.google.dev/api/caching#Schema, read 2026-11.
enum GeminiSchema {
  /// Writes a JSON schema under the name of the form that can hold it; nothing for one that
  /// allows no members.
  static func write(
    _ schema: ByteString, plain: StaticString, full: StaticString, _ json: inout JSONWriter
  ) {
    guard let root = try? JSONDocument(schema, requiresObject: true).root, root.count > 0 else {
      return
    }
    let type = root.member("type")?.string ?? "object"
    if type == "object", root.count <= 2, root.member("properties")?.count ?? 0 == 0,
      root.count == 1 || root.member("properties") != nil
    {
      return
    }
    json.key(isPlain(root) ? plain : full)
    json.raw(schema)
  }

  /// Members that it has, but for those that hold schemas.
  private static let words: [StaticString] = [
    "title", "description", "nullable", "required", "minItems", "maxItems", "minLength",
    "maxLength", "minProperties", "maxProperties", "minimum", "maximum", "pattern",
    "propertyOrdering",
  ]

  /// Whether the part of OpenAPI's schemas that Google has can express it.
  private static func isPlain(_ schema: JSONValue) -> Bool {
    guard schema.kind == .object, let type = schema.member("type")?.string else { return false }
    if type == "object", schema.member("properties")?.count ?? 0 == 0 { return false }
    if type == "array", schema.member("items") == nil { return false }
    for (key, value) in schema.members {
      if key == "type" || words.contains(where: { key == $0 }) { continue }
      if key == "items" {
        guard isPlain(value) else { return false }
      } else if key == "properties" {
        for (_, inner) in value.members where !isPlain(inner) { return false }
      } else if key == "anyOf" {
        for inner in value.elements where !isPlain(inner) { return false }
      } else if key == "enum" {
        guard type == "string" else { return false }
        for word in value.elements where word.string?.isEmpty ?? true { return false }
      } else {
        return false
      }
    }
    return true
  }

  /// A client's schema in Google's form as JSON Schema: types in small letters, `nullable` as a
  /// type.
  static func standard(_ schema: JSONValue) -> ByteString {
    let output = Buffer()
    var json = JSONWriter(output)
    writeStandard(schema, &json)
    return output.byteString
  }

  /// Members whose own members are names of schemas.
  private static let names: [StaticString] = ["properties", "patternProperties", "$defs", "defs"]

  /// `isNamed`: the members are names, not words of schemas.
  private static func writeStandard(
    _ value: JSONValue, isNamed: Bool = false, _ json: inout JSONWriter
  ) {
    switch value.kind {
    case .object:
      json.beginObject()
      let isNullable = value.member("nullable")?.bool ?? false
      for (key, inner) in value.members {
        if isNamed {
          json.key(key)
          writeStandard(inner, &json)
          continue
        }
        if key == "nullable" || key == "propertyOrdering" || key == "property_ordering" { continue }
        json.key(key)
        if key == "type", let type = inner.string {
          write(type: type.lowercased, isNullable, &json)
        } else {
          writeStandard(inner, isNamed: names.contains { key == $0 }, &json)
        }
      }
      json.endObject()
    case .array:
      json.beginArray()
      for inner in value.elements { writeStandard(inner, &json) }
      json.endArray()
    default: json.raw(value.lexeme)
    }
  }

  private static func write(type: ByteString, _ isNullable: Bool, _ json: inout JSONWriter) {
    guard isNullable else { return json.string(type) }
    json.beginArray()
    json.string(type)
    json.string("null" as StaticString)
    json.endArray()
  }
}
