// SPDX-License-Identifier: MIT
import Platform

/// An exact decimal factor of six places: what a token costs, or what a user group pays of it.
///
/// Kept as millionths, so that no price is ever a binary fraction.
package struct Ratio: Equatable, Sendable {
  /// Decimal places that a ratio may have.
  package static let placeCount = 6
  /// Millionths of 1; also the millionths of a quota unit, `Micro`.
  package static let one = Ratio(millionths: 1_000_000)
  /// The largest ratio: a million.
  package static let largestMillionths: Int64 = 1_000_000_000_000

  package let millionths: Int64

  /// Makes a ratio, brought into 0…1,000,000.
  package init(millionths: Int64) {
    self.millionths = min(max(millionths, 0), Ratio.largestMillionths)
  }

  /// Reads a decimal such as `0.5`, `12` or `0.000001`; nil for any other text, for more than
  /// six places, and above a million.
  package init?(_ text: ByteString) {
    var millionths: Int64 = 0
    var places = -1  // Digits behind the point; -1 before it.
    var digitCount = 0
    for byte in text.bytes {
      if byte == UInt8(ascii: "."), places < 0, digitCount > 0 {
        places = 0
        continue
      }
      guard ASCII.isDigit(byte), places < Ratio.placeCount else { return nil }
      digitCount += 1
      guard digitCount <= 14 else { return nil }
      millionths = millionths * 10 + Int64(byte &- UInt8(ascii: "0"))
      if places >= 0 { places += 1 }
    }
    guard digitCount > 0, places != 0 else { return nil }
    for _ in max(places, 0)..<Ratio.placeCount {
      let (product, overflowed) = millionths.multipliedReportingOverflow(by: 10)
      guard !overflowed else { return nil }
      millionths = product
    }
    guard millionths <= Ratio.largestMillionths else { return nil }
    self.millionths = millionths
  }

  /// The shortest decimal: `0.5`, `12`, `0.000001`.
  package var text: ByteString {
    let buffer = Buffer()
    buffer.append(decimal: millionths / 1_000_000)
    var rest = millionths % 1_000_000
    guard rest > 0 else { return buffer.byteString }
    buffer.append(UInt8(ascii: "."))
    var unit: Int64 = 100_000
    while rest > 0 {
      buffer.append(UInt8(ascii: "0") + UInt8(rest / unit))
      rest %= unit
      unit /= 10
    }
    return buffer.byteString
  }
}
