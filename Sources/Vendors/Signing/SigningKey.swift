// SPDX-License-Identifier: MIT
import Platform

/// Why a channel's key cannot sign; never holds a part of the key.
package struct SigningError: Error {
  /// One sentence for the owner.
  package let text: StaticString
}

/// The parts of a channel's key that is several secrets in one text, such as `ID|SECRET`.
enum SigningKey {
  /// The parts between vertical bars.
  ///
  /// Refused are empty parts, and bytes that are not visible ASCII: they would end up in headers.
  ///
  /// - Throws: `text` when the number of parts is not in `counts`.
  static func parts(
    _ key: ByteString, _ counts: ClosedRange<Int>, _ text: StaticString
  ) throws(SigningError) -> [ByteString] {
    let parts = key.trimmed.bytes.split(separator: separator, omittingEmptySubsequences: false)
    guard counts.contains(parts.count) else { throw SigningError(text: text) }
    var found: [ByteString] = []
    for part in parts {
      let part = ByteString(Array(part)).trimmed
      guard !part.isEmpty, isVisible(part) else { throw SigningError(text: text) }
      found.append(part)
    }
    return found
  }

  /// Whether all bytes are visible ASCII.
  static func isVisible(_ text: ByteString) -> Bool {
    text.bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F }
  }

  private static let separator = UInt8(ascii: "|")
}
