// SPDX-License-Identifier: MIT
import Platform

/// Exact decimal numbers from text and to text, without floating point.
package enum JSONNumber {
  /// The whole number that a lexeme stands for: `1`, `1.0` and `1e2` are whole, `1.5` is not.
  ///
  /// - Returns: nil when the text is no number, not whole, or beyond `Int64`.
  package static func int64(_ lexeme: UnsafeRawBufferPointer) -> Int64? {
    guard let result = scaled(lexeme, decimals: 0), result.isExact else { return nil }
    return result.value
  }

  /// A number as a multiple of 10⁻ᵈᵉᶜⁱᵐᵃˡˢ: `0.5` with 6 decimals is 500,000.
  ///
  /// Rounds to the nearest, halves away from zero.
  ///
  /// - Returns: nil when the text is no number, or the result is beyond `Int64`.
  package static func fixedPoint(_ lexeme: UnsafeRawBufferPointer, decimals: Int) -> Int64? {
    scaled(lexeme, decimals: decimals)?.value
  }

  /// Most digits of `plain`, before and after the point together.
  private static var plainDigitCount: Int { 64 }

  /// A number in plain decimal digits, exactly: `1.20` stays, `-12.5e1` becomes `-125`.
  ///
  /// - Returns: nil when the text is no number, or needs more than 64 digits.
  package static func plain(_ lexeme: UnsafeRawBufferPointer) -> ByteString? {
    guard lexeme.count <= plainDigitCount, let parts = Parts(lexeme) else { return nil }
    if parts.digits.upperBound == lexeme.count { return ByteString(lexeme) }
    let digits = lexeme[parts.digits].filter { ASCII.isDigit($0) }
    let point = parts.integerDigitCount + parts.exponent
    guard point <= plainDigitCount, digits.count - point <= plainDigitCount else { return nil }
    let whole = (0..<max(point, 0)).map { $0 < digits.count ? digits[$0] : 0x30 }
    let fraction = (point..<max(point, digits.count)).map { $0 < 0 ? 0x30 : digits[$0] }
    let text = Buffer()
    if parts.isNegative { text.append(JSONByte.minus) }
    // No leading zeros but the one that stands for none.
    for byte in whole.drop(while: { $0 == 0x30 }) { text.append(byte) }
    if text.count == (parts.isNegative ? 1 : 0) { text.append(UInt8(ascii: "0")) }
    if !fraction.isEmpty { text.append(UInt8(ascii: ".")) }
    for byte in fraction { text.append(byte) }
    return text.byteString
  }

  /// Exponents beyond this are treated as this: the result is 0 or too large all the same.
  static var exponentBound: Int { 100_000 }

  private static func scaled(
    _ lexeme: UnsafeRawBufferPointer, decimals: Int
  ) -> (value: Int64, isExact: Bool)? {
    guard let parts = Parts(lexeme) else { return nil }
    var keep = parts.integerDigitCount + parts.exponent + decimals
    var magnitude: UInt64 = 0
    var isExact = true
    var roundsUp = false
    for byte in lexeme[parts.digits] where ASCII.isDigit(byte) {
      let digit = byte &- 0x30
      if keep > 0 {
        guard let next = shifted(magnitude, digit) else { return nil }
        magnitude = next
      } else if digit != 0 {
        isExact = false
        if keep == 0 && digit >= 5 { roundsUp = true }
      }
      keep -= 1
    }
    while keep > 0 && magnitude != 0 {
      guard let next = shifted(magnitude, 0) else { return nil }
      magnitude = next
      keep -= 1
    }
    if roundsUp { magnitude += 1 }
    guard let value = signed(magnitude, isNegative: parts.isNegative) else { return nil }
    return (value, isExact)
  }

  /// Ten times a magnitude and a digit; nil beyond what an `Int64` may need.
  private static func shifted(_ magnitude: UInt64, _ digit: UInt8) -> UInt64? {
    let (product, overflowed) = magnitude.multipliedReportingOverflow(by: 10)
    let (sum, carried) = product.addingReportingOverflow(UInt64(digit))
    return overflowed || carried || sum > UInt64(Int64.max) + 1 ? nil : sum
  }

  private static func signed(_ magnitude: UInt64, isNegative: Bool) -> Int64? {
    if magnitude <= UInt64(Int64.max) {
      let value = Int64(magnitude)
      return isNegative ? -value : value
    }
    return isNegative && magnitude == UInt64(Int64.max) + 1 ? Int64.min : nil
  }

  /// Where the parts of a well-formed number lie.
  private struct Parts {
    var isNegative = false
    /// The digits before the exponent, with the point among them.
    var digits = 0..<0
    var integerDigitCount = 0
    var exponent = 0

    init?(_ lexeme: UnsafeRawBufferPointer) {
      guard let first = lexeme.first, first == JSONByte.minus || ASCII.isDigit(first) else {
        return nil
      }
      var grammar = JSONNumberGrammar()
      grammar.begin(first)
      var point: Int?
      var exponentStart: Int?
      var index = 1
      while index < lexeme.count {
        let byte = lexeme[index]
        guard grammar.advance(byte) else { return nil }
        if byte == 0x2e { point = index }
        if byte | 0x20 == 0x65 { exponentStart = index }
        index += 1
      }
      guard grammar.isAccepting else { return nil }
      isNegative = first == JSONByte.minus
      let start = isNegative ? 1 : 0
      digits = start..<(exponentStart ?? lexeme.count)
      integerDigitCount = (point ?? digits.upperBound) - start
      if let exponentStart { exponent = Self.exponent(lexeme, exponentStart + 1) }
    }

    private static func exponent(_ lexeme: UnsafeRawBufferPointer, _ start: Int) -> Int {
      var exponent = 0
      for byte in lexeme[start...] where ASCII.isDigit(byte) {
        exponent = min(exponent * 10 + Int(byte &- 0x30), exponentBound)
      }
      return lexeme[start] == JSONByte.minus ? -exponent : exponent
    }
  }

  /// Appends a multiple of 10⁻ᵈᵉᶜⁱᵐᵃˡˢ (0 to 18) without needless zeros: 500,000 with 6 decimals
  /// is `0.5`.
  package static func append(_ value: Int64, decimals: Int, to buffer: Buffer) {
    precondition(decimals >= 0 && decimals <= 18, "a scale that an Int64 cannot hold")
    var unit: UInt64 = 1
    for _ in 0..<decimals { unit *= 10 }
    if value < 0 { buffer.append(JSONByte.minus) }
    buffer.append(decimal: value.magnitude / unit)
    var rest = value.magnitude % unit
    if rest == 0 { return }
    buffer.append(UInt8(ascii: "."))
    while rest > 0 {
      unit /= 10
      buffer.append(UInt8(truncatingIfNeeded: rest / unit) &+ 0x30)
      rest %= unit
    }
  }
}
