// SPDX-License-Identifier: MIT
import Platform

/// Percent-encoding as signatures demand it (RFC 3986 §2.1 and §2.3).
package enum PercentEncoding {
  /// Appends text in which all but letters, digits and `-._~` is encoded.
  ///
  /// `keepsSlash`: for whole paths.
  package static func append(_ text: ByteString, keepsSlash: Bool = false, to buffer: Buffer) {
    let digits: StaticString = "0123456789ABCDEF"
    for byte in text.bytes {
      if isUnreserved(byte) || (keepsSlash && byte == UInt8(ascii: "/")) {
        buffer.append(byte)
      } else {
        buffer.append(UInt8(ascii: "%"))
        buffer.append(digits.utf8Start[Int(byte >> 4)])
        buffer.append(digits.utf8Start[Int(byte & 15)])
      }
    }
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    if ASCII.isLetter(byte) || ASCII.isDigit(byte) { return true }
    switch byte {
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): return true
    default: return false
    }
  }
}
