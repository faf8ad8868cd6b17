// SPDX-License-Identifier: MIT
import Platform

/// One setting that the channels of a type have, in `config`.
///
/// A row writes it as `name|label|example|default|choices`, with `!` before the name of one that is
/// needed; what is empty at the end may be left out. Choices are separated by commas.
package struct VendorField: Sendable {
  package let name: ByteString
  /// For people.
  package let label: ByteString
  package let example: ByteString
  /// Used when the channel does not have it.
  package let standard: ByteString
  /// What it may be; empty for anything.
  package let choices: [ByteString]
  package let isRequired: Bool

  /// Reads a line of a row.
  package init(_ line: ByteString) {
    var parts: [ByteString] = []
    var rest = line
    while let (part, after) = rest.split(at: UInt8(ascii: "|")) {
      parts.append(part)
      rest = after
    }
    parts.append(rest)
    while parts.count < 5 { parts.append(.empty) }
    isRequired = parts[0].starts(with: "!")
    name = isRequired ? ByteString(Array(parts[0].bytes.dropFirst())) : parts[0]
    (label, example, standard) = (parts[1], parts[2], parts[3])
    choices = parts[4].list(separatedBy: UInt8(ascii: ","))
  }

  /// Whether the setting is a secret, by its name: stored encrypted, shown as a hint.
  package var isSecret: Bool { VendorField.isSecret(name) }

  /// Whether something of this name is a secret: a header of a channel, or a setting.
  package static func isSecret(_ name: ByteString) -> Bool {
    let lower = name.lowercased
    // An address where tokens are had is none.
    if lower == "token_url" { return false }
    let words: [StaticString] = [
      "key", "token", "secret", "auth", "cookie", "password", "signature",
    ]
    return words.contains { lower.bytes.span.firstIndex(of: $0) != nil }
  }
}
