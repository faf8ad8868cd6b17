// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Numbers and texts brought into what a vendor takes.
extension ByteString {
  /// A number's lexeme, or the bound that it is beyond.
  @inline(never)
  package func limited(_ low: StaticString, _ high: StaticString) -> ByteString {
    guard let value = micros else { return self }
    let (low, high) = (ByteString(low), ByteString(high))
    if let bound = low.micros, value < bound { return low }
    if let bound = high.micros, value > bound { return high }
    return self
  }

  private var micros: Int64? { withBytes { JSONNumber.fixedPoint($0, decimals: 6) } }

  /// Whether there is nothing but white space in it.
  package var isBlank: Bool { bytes.allSatisfy { $0 <= 0x20 } }

  /// The text without white space at its end.
  var withoutTrailingSpace: ByteString {
    guard let last = bytes.lastIndex(where: { $0 > 0x20 }) else { return .empty }
    return ByteString(Array(bytes[...last]))
  }
}

extension JSONWriter {
  /// Appends the schema of an object: one without `type` gets it, a missing one takes anything.
  @inline(never)
  package mutating func rawObjectSchema(_ schema: ByteString) {
    if schema.isEmpty { return raw("{\"type\":\"object\",\"properties\":{}}") }
    if schema.withBytes({ JSONQuery.member("type", in: $0) == nil }) {
      let rest = ByteString(Array(schema.bytes.dropFirst())).trimmed
      return raw((rest == "}" ? "{\"type\":\"object\"" : "{\"type\":\"object\",") + rest)
    }
    raw(schema)
  }
}
