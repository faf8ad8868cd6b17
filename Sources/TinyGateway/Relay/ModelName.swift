// SPDX-License-Identifier: MIT
import Platform

/// What a model may be called.
enum ModelName {
  /// 1 to 128 characters of `A-Za-z0-9._:/@+-`.
  static func isValid(_ name: ByteString) -> Bool {
    !name.isEmpty && name.count <= 128 && name.bytes.allSatisfy(isCharacter)
  }

  /// Whether a name may have this character.
  static func isCharacter(_ byte: UInt8) -> Bool {
    ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: ".")
      || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "/")
      || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
  }
}
