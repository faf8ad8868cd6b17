// SPDX-License-Identifier: MIT
import Platform

extension JSONNumber {
  /// Digits that a 64-bit mantissa takes for sure.
  private static var mantissaDigitCount: Int { 18 }

  /// The number that a lexeme stands for, to the precision of 32-bit floating point; nil when the
  /// text is no number.
  ///
  /// For vectors, never for money. 18 digits count, which is twice as many as a `Float` has; where
  /// the exact value lies within 10⁻¹⁵ of half-way between two floats, either may come.
  package static func float(_ lexeme: UnsafeRawBufferPointer) -> Float? {
    guard let first = lexeme.first, first == JSONByte.minus || ASCII.isDigit(first) else {
      return nil
    }
    var grammar = JSONNumberGrammar()
    grammar.begin(first)
    var mantissa: UInt64 = 0
    var digitCount = 0
    var scale = 0
    var exponent = 0
    var isExponentNegative = false
    var isBehindPoint = false
    var isExponent = false
    for (index, byte) in lexeme.enumerated() {
      if index > 0, !grammar.advance(byte) { return nil }
      if !ASCII.isDigit(byte) {
        if byte == 0x2E { isBehindPoint = true }
        if byte | 0x20 == 0x65 { isExponent = true }
        if isExponent, byte == JSONByte.minus { isExponentNegative = true }
      } else if isExponent {
        exponent = min(exponent * 10 + Int(byte &- 0x30), exponentBound)
      } else if digitCount < mantissaDigitCount {
        mantissa = mantissa * 10 + UInt64(byte &- 0x30)
        if mantissa > 0 { digitCount += 1 }
        if isBehindPoint { scale -= 1 }
      } else if !isBehindPoint {
        scale += 1
      }
    }
    guard grammar.isAccepting else { return nil }
    let value = scaled(Double(mantissa), by: scale + (isExponentNegative ? -exponent : exponent))
    return Float(first == JSONByte.minus ? -value : value)
  }

  /// The value times a power of ten.
  private static func scaled(_ value: Double, by exponent: Int) -> Double {
    guard value != 0 else { return 0 }
    var value = value
    var left = min(abs(exponent), 400)
    while left > 0 {
      // Powers up to this one are exact, so that numbers of usual length are rounded once.
      let step = min(left, 22)
      var power = 1.0
      for _ in 0..<step { power *= 10 }
      value = exponent < 0 ? value / power : value * power
      left -= step
    }
    return value
  }
}
