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
      // What needs no change is copied as a whole.
      var copied = 0
      var index = start
      while index < bytes.count {
        let byte = bytes[index]
        if byte < 0x20 || byte == 0x7F {
          target.append(bytes.extracting(copied..<index))
          target.append(UInt8(ascii: " "))
          index += 1
          copied = index
        } else if let end = secretEnd(in: bytes, at: index, byte) {
          target.append(bytes.extracting(copied..<min(index + shownKeyByteCount, end)))
          target.append("***")
          index = end
          copied = index
        } else {
          index += 1
        }
      }
      target.append(bytes.extracting(copied..<bytes.count))
    }
  }

  /// Where the secret that starts at `index` with `byte` ends; nil when none starts there.
  private static func secretEnd(in bytes: Span<UInt8>, at index: Int, _ byte: UInt8) -> Int? {
    var end = index
    switch byte {
    case UInt8(ascii: "t"):
      if matches(bytes, at: index, "tg_session=") {
        end += 11
      } else if matches(bytes, at: index, "tgm-") || matches(bytes, at: index, "tgc-") {
        end += 4
      }
    case UInt8(ascii: "s"): if matches(bytes, at: index, "sk-") { end += 3 }
    case UInt8(ascii: "B"): if matches(bytes, at: index, "Bearer ") { end += 7 }
    case UInt8(ascii: "k"), UInt8(ascii: "K"):
      if matches(bytes, at: index + 1, "ey=") { end += 4 }
    default: return nil
    }
    guard end > index else { return nil }
    // The minus of a key: it must not go on a word.
    if bytes[end - 1] == UInt8(ascii: "-") && index > 0 && isKeyByte(bytes[index - 1]) {
      return nil
    }
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
