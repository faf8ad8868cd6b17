// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Makes base64 of the vectors in an answer as it passes: `"embedding":[0.1,…]` becomes
/// `"embedding":"zczMPQ=="`, little-endian floats of 32 bits.
///
/// OpenAI's own clients ask for base64 unless told otherwise, and many servers answer with numbers
/// all the same. Everything else passes byte for byte. Slices may be cut anywhere.
struct EmbeddingEncoder {
  private static let key: StaticString = "embedding"
  /// Longest number of a vector.
  private static let numberByteLimit = 64

  private enum Phase {
    case text, string, escape
    /// Behind the key, behind its colon, behind the bracket.
    case key, colon, bracket
    /// Before a number, within one, and behind one.
    case element, number, comma
  }

  private var phase = Phase.text
  /// Bytes of the key that the open string has so far; -1 when it is another string.
  private var matched = 0
  private var number: [UInt8] = []
  /// Bits that wait for the rest of their six, and how many bytes they are of.
  private var bits: UInt32 = 0
  private var bitByteCount = 0
  /// A vector held something else than numbers, so the answer is of no use.
  private(set) var isBroken = false

  /// Appends what becomes of the next bytes.
  mutating func read(_ bytes: Span<UInt8>, to output: Buffer) {
    var index = 0
    while index < bytes.count, !isBroken {
      switch phase {
      case .text: index = copyText(bytes, index, output)
      case .string: index = copyString(bytes, index, output)
      case .escape:
        output.append(bytes[index])
        phase = .string
        index += 1
      case .key: index += passSpace(bytes[index], or: UInt8(ascii: ":"), .colon, output)
      case .colon: index += openVector(bytes[index], output)
      case .bracket: index += beginVector(bytes[index], output)
      case .element, .number, .comma: index += readNumber(bytes[index], output)
      }
    }
  }

  private mutating func copyText(_ bytes: Span<UInt8>, _ start: Int, _ output: Buffer) -> Int {
    let quote = bytes.firstIndex(of: UInt8(ascii: "\""), from: start)
    let end = quote.map { $0 + 1 } ?? bytes.count
    output.append(bytes.extracting(start..<end))
    if quote != nil {
      phase = .string
      matched = 0
    }
    return end
  }

  private mutating func copyString(_ bytes: Span<UInt8>, _ start: Int, _ output: Buffer) -> Int {
    var index = start
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if byte == UInt8(ascii: "\"") {
        phase = matched == EmbeddingEncoder.key.utf8CodeUnitCount ? .key : .text
        break
      }
      if byte == UInt8(ascii: "\\") {
        matched = -1
        phase = .escape
        break
      }
      let isNext =
        matched >= 0 && matched < EmbeddingEncoder.key.utf8CodeUnitCount
        && EmbeddingEncoder.key.utf8Start[matched] == byte
      matched = isNext ? matched + 1 : -1
    }
    output.append(bytes.extracting(start..<index))
    return index
  }

  /// Passes white space, and goes on to `next` behind the byte that is expected; anything else
  /// is looked at again as ordinary text.
  ///
  /// - Returns: how many bytes were used.
  private mutating func passSpace(
    _ byte: UInt8, or expected: UInt8, _ next: Phase, _ output: Buffer
  ) -> Int {
    if byte == expected {
      phase = next
    } else if !EmbeddingEncoder.isSpace(byte) {
      phase = .text
      return 0
    }
    output.append(byte)
    return 1
  }

  private mutating func openVector(_ byte: UInt8, _ output: Buffer) -> Int {
    guard byte == UInt8(ascii: "[") else { return passSpace(byte, or: 0, .text, output) }
    phase = .bracket
    return 1
  }

  /// The first byte of an array says whether it is a vector.
  private mutating func beginVector(_ byte: UInt8, _ output: Buffer) -> Int {
    if EmbeddingEncoder.isSpace(byte) { return 1 }
    let isVector =
      ASCII.isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "]")
    output.append(isVector ? UInt8(ascii: "\"") : UInt8(ascii: "["))
    phase = isVector ? .element : .text
    return 0
  }

  private mutating func readNumber(_ byte: UInt8, _ output: Buffer) -> Int {
    if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") || EmbeddingEncoder.isSpace(byte) {
      if phase == .number { endNumber(output) }
      if byte == UInt8(ascii: ",") {
        phase = .element
      } else if byte == UInt8(ascii: "]") {
        endVector(output)
      }
    } else if phase == .comma || number.count >= EmbeddingEncoder.numberByteLimit {
      isBroken = true
    } else {
      phase = .number
      number.append(byte)
    }
    return 1
  }

  private mutating func endNumber(_ output: Buffer) {
    phase = .comma
    guard let value = number.withUnsafeBytes({ JSONNumber.float($0) }) else {
      isBroken = true
      return
    }
    number.removeAll(keepingCapacity: true)
    var pattern = value.bitPattern
    for _ in 0..<4 {
      bits = bits << 8 | pattern & 0xFF
      pattern >>= 8
      bitByteCount += 1
      if bitByteCount == 3 { flush(4, output) }
    }
  }

  private mutating func endVector(_ output: Buffer) {
    let rest = bitByteCount
    if rest > 0 {
      bits <<= UInt32(8 * (3 - rest))
      flush(rest + 1, output)
      for _ in rest..<3 { output.append(UInt8(ascii: "=")) }
    }
    output.append(UInt8(ascii: "\""))
    phase = .text
  }

  /// Appends so many of the four digits that the bits are.
  private mutating func flush(_ count: Int, _ output: Buffer) {
    let digits: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for index in 0..<count {
      output.append(digits.utf8Start[Int(bits >> UInt32(18 - 6 * index) & 63)])
    }
    bits = 0
    bitByteCount = 0
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }
}
