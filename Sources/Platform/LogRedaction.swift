// SPDX-License-Identifier: MIT
import CPlatform

/// Masks what must not reach a log: keys that look like `sk-…` and `tgm-…`, redemption codes
/// (`tgc-…`), bearer credentials, session cookies, line breaks.
package enum LogRedaction {
  /// Longest part of a key that stays readable.
  private static let shownKeyByteCount = 7

  /// Appends `source` from offset `start` to `target`, masked.
  package static func append(_ source: Buffer, from start: Int, to target: Buffer) {
    source.withReadable { (bytes: Span<UInt8>) in
      for index in 0..<min(start, bytes.count) { target.append(bytes[index]) }
      var index = start
      while index < bytes.count {
        if let end = secretEnd(in: bytes, at: index) {
          for shown in index..<min(index + shownKeyByteCount, end) { target.append(bytes[shown]) }
          target.append("***")
          index = end
        } else {
          let byte = bytes[index]
          target.append(byte < 0x20 || byte == 0x7F ? UInt8(ascii: " ") : byte)
          index += 1
        }
      }
    }
  }

  /// Where the secret that starts at `index` ends; nil when none starts there.
  private static func secretEnd(in bytes: Span<UInt8>, at index: Int) -> Int? {
    let isOurs = matches(bytes, at: index, "tgm-") || matches(bytes, at: index, "tgc-")
    let isKey = isOurs || matches(bytes, at: index, "sk-")
    let isBearer = matches(bytes, at: index, "Bearer ")
    let isSession = matches(bytes, at: index, "tg_session=")
    let isParameter = matches(bytes, at: index, "key=") || matches(bytes, at: index, "Key=")
    guard isKey || isBearer || isParameter || isSession else { return nil }
    if isKey && index > 0 && isKeyByte(bytes[index - 1]) { return nil }
    var end = index + (isSession ? 11 : isBearer ? 7 : isKey && !isOurs ? 3 : 4)
    let first = end
    while end < bytes.count && isKeyByte(bytes[end]) { end += 1 }
    return end - first >= 8 ? end : nil
  }

  private static func matches(
    _ bytes: Span<UInt8>, at index: Int, _ literal: StaticString
  ) -> Bool {
    guard bytes.count - index >= literal.utf8CodeUnitCount,
      bytes[index] == literal.utf8Start[0]
    else { return false }
    return bytes.extracting(index..<(index + literal.utf8CodeUnitCount)).equals(literal)
  }

  private static func isKeyByte(_ byte: UInt8) -> Bool {
    ASCII.isDigit(byte) || ASCII.isLetter(byte) || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
  }
}
