// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Small texts of the management API.
enum AdminText {
  /// Longest text from outside that a sentence or an audit line repeats, in bytes.
  static let quotedByteCount = 64

  /// Text from outside in double quotes, shortened; quotes and line breaks are escaped.
  static func quoted(_ text: ByteString) -> ByteString {
    let buffer = Buffer()
    let shown = prefix(text, quotedByteCount)
    shown.withBytes { JSONString.append($0, to: buffer) }
    return buffer.byteString
  }

  /// The first bytes, cut between characters of UTF-8.
  static func prefix(_ text: ByteString, _ count: Int) -> ByteString {
    guard text.count > count else { return text }
    var end = count
    while end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
    return ByteString(Array(text.bytes[..<end]))
  }

  /// What is shown of a secret: `sk-…abcd`; nothing of a short or encrypted one.
  static func hint(of secret: ByteString) -> ByteString {
    guard secret.count >= 12, !ChannelSecrets.isSealed(secret) else { return "…" }
    let start: ByteString = secret.starts(with: "sk-") ? "sk-" : ""
    return start + "…" + ByteString(Array(secret.bytes.suffix(4)))
  }

  /// What is shown of a key that is never shown again, such as `sk-abcd…wxyz`; nothing of a secret
  /// so short that this would be a large part of it.
  static func keyHint(_ prefix: ByteString, _ secret: ByteString) -> ByteString {
    guard secret.count >= 24 else { return prefix + "…" }
    return prefix + ByteString(Array(secret.bytes.prefix(4))) + "…"
      + ByteString(Array(secret.bytes.suffix(4)))
  }

  /// Whether the text holds a control character; such a text would break lines apart.
  static func hasControls(_ text: ByteString) -> Bool {
    text.bytes.contains { $0 < 0x20 || $0 == 0x7F }
  }

  /// Whether the text holds the part, without regard to the case of ASCII letters.
  static func contains(_ text: ByteString, _ part: ByteString) -> Bool {
    guard text.count >= part.count else { return false }
    return (0...(text.count - part.count)).contains { start in
      (0..<part.count).allSatisfy {
        ASCII.lowercased(text[start + $0]) == ASCII.lowercased(part[$0])
      }
    }
  }

  /// Writes how many there are of something, such as `1 error` or `2 errors`.
  static func append(_ count: Int, _ noun: StaticString, to text: Buffer) {
    text.append(decimal: count)
    text.append(" ")
    text.append(noun)
    if count != 1 { text.append("s") }
  }

  /// The words with commas between them, for sentences.
  static func listed(_ words: [StaticString]) -> ByteString {
    let list = Buffer()
    for word in words {
      if !list.isEmpty { list.append(", ") }
      list.append(word)
    }
    return list.byteString
  }

  /// The texts with a separator between them.
  static func joined(_ texts: [ByteString], by separator: UInt8) -> ByteString {
    let buffer = Buffer()
    for text in texts {
      if !buffer.isEmpty { buffer.append(separator) }
      buffer.append(text)
    }
    return buffer.byteString
  }

  /// Text of an upstream's for people: without keys, line breaks and excess length.
  ///
  /// `secrets`: keys that must not be repeated.
  static func redacted(_ text: ByteString, hiding secrets: [ByteString]) -> ByteString {
    let source = Buffer()
    let bytes = text.bytes
    var position = 0
    while position < bytes.count {
      let secret = secrets.first {
        $0.count >= 4 && bytes[position...].starts(with: $0.bytes)
      }
      if let secret {
        source.append("***")
        position += secret.count
      } else {
        source.append(bytes[position])
        position += 1
      }
    }
    let target = Buffer()
    LogRedaction.append(source, from: 0, to: target)
    return prefix(target.byteString, 400)
  }
}
