// SPDX-License-Identifier: MIT

/// Bytes as text and back: hexadecimal, base64 and base64url.
///
/// Decoding is strict: one text for each value, nothing ignored. A signature or key that has two
/// spellings is one that a filter misses.
extension Digest {
  /// Lower-case hexadecimal digits.
  package static func hex(_ bytes: UnsafeRawBufferPointer) -> ByteString {
    ByteString(
      [UInt8](unsafeUninitializedCapacity: bytes.count * 2) { target, filled in
        for byte in bytes {
          target[filled] = hexDigit(byte >> 4)
          target[filled + 1] = hexDigit(byte & 15)
          filled += 2
        }
      })
  }

  /// Lower-case hexadecimal digits.
  package static func hex(_ bytes: ByteString) -> ByteString { bytes.withBytes { hex($0) } }

  /// The bytes that hexadecimal digits of either case spell; nil for anything else.
  package static func unhex(_ text: ByteString) -> ByteString? {
    guard text.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 2)
    var index = 0
    while index < text.count {
      guard let high = ASCII.hexValue(text[index]), let low = ASCII.hexValue(text[index + 1])
      else { return nil }
      bytes.append(high << 4 | low)
      index += 2
    }
    return ByteString(bytes)
  }

  /// Base64 with padding (RFC 4648 §4).
  package static func base64(_ bytes: UnsafeRawBufferPointer) -> ByteString {
    encode(bytes, with: .standard)
  }

  /// Base64 with padding (RFC 4648 §4).
  package static func base64(_ bytes: ByteString) -> ByteString {
    bytes.withBytes { encode($0, with: .standard) }
  }

  /// Decodes padded base64; nil for missing padding, other characters or bits left over.
  package static func unbase64(_ text: ByteString) -> ByteString? {
    decode(text, with: .standard)
  }

  /// Base64 in the alphabet for URLs, without padding (RFC 4648 §5, RFC 7515 §2).
  package static func base64URL(_ bytes: UnsafeRawBufferPointer) -> ByteString {
    encode(bytes, with: .url)
  }

  /// Base64 in the alphabet for URLs, without padding (RFC 4648 §5, RFC 7515 §2).
  package static func base64URL(_ bytes: ByteString) -> ByteString {
    bytes.withBytes { encode($0, with: .url) }
  }

  /// Decodes unpadded base64url; nil for padding, other characters or bits left over.
  package static func unbase64URL(_ text: ByteString) -> ByteString? {
    decode(text, with: .url)
  }

  /// The last two characters of an alphabet, and whether groups are padded.
  private struct Alphabet {
    let character62: UInt8
    let character63: UInt8
    let isPadded: Bool

    static let standard = Alphabet(
      character62: UInt8(ascii: "+"), character63: UInt8(ascii: "/"), isPadded: true)
    static let url = Alphabet(
      character62: UInt8(ascii: "-"), character63: UInt8(ascii: "_"), isPadded: false)

    func character(_ value: UInt8) -> UInt8 {
      switch value {
      case 0..<26: return value + UInt8(ascii: "A")
      case 26..<52: return value - 26 + UInt8(ascii: "a")
      case 52..<62: return value - 52 + UInt8(ascii: "0")
      case 62: return character62
      default: return character63
      }
    }

    func value(_ character: UInt8) -> UInt8? {
      switch character {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): return character - UInt8(ascii: "A")
      case UInt8(ascii: "a")...UInt8(ascii: "z"): return character - UInt8(ascii: "a") + 26
      case UInt8(ascii: "0")...UInt8(ascii: "9"): return character - UInt8(ascii: "0") + 52
      case character62: return 62
      case character63: return 63
      default: return nil
      }
    }
  }

  private static let padding = UInt8(ascii: "=")

  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? value + UInt8(ascii: "0") : value - 10 + UInt8(ascii: "a")
  }

  private static func encode(
    _ bytes: UnsafeRawBufferPointer, with alphabet: Alphabet
  ) -> ByteString {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let count = min(3, bytes.count - index)
      var group: UInt32 = 0
      for offset in 0..<3 {
        group = group << 8 | (offset < count ? UInt32(bytes[index + offset]) : 0)
      }
      for position in 0...count {
        text.append(alphabet.character(UInt8(group >> UInt32(18 - 6 * position) & 63)))
      }
      if alphabet.isPadded {
        for _ in count..<3 { text.append(padding) }
      }
      index += count
    }
    return ByteString(text)
  }

  private static func decode(_ text: ByteString, with alphabet: Alphabet) -> ByteString? {
    var count = text.count
    if alphabet.isPadded {
      guard count % 4 == 0 else { return nil }
      var paddingCount = 0
      while count > 0, paddingCount < 2, text[count - 1] == padding {
        count -= 1
        paddingCount += 1
      }
    }
    guard count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count / 4 * 3 + 2)
    var bits: UInt32 = 0
    var bitCount: UInt32 = 0
    for index in 0..<count {
      guard let value = alphabet.value(text[index]) else { return nil }
      bits = bits << 6 | UInt32(value)
      bitCount += 6
      if bitCount >= 8 {
        bitCount -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
        bits &= (1 << bitCount) - 1
      }
    }
    return bits == 0 ? ByteString(bytes) : nil
  }
}
