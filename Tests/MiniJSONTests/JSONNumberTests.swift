// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniJSON

struct JSONNumberTests {
  private func check(_ lexeme: ByteString, _ expected: Int64?) {
    #expect(lexeme.withBytes { JSONNumber.int64($0) } == expected, "\(lexeme.text)")
  }

  private func check(_ lexeme: ByteString, decimals: Int, _ expected: Int64?) {
    let value = lexeme.withBytes { JSONNumber.fixedPoint($0, decimals: decimals) }
    #expect(value == expected, "\(lexeme.text)")
  }

  @Test func readsWholeNumbers() {
    check("0", 0)
    check("-0", 0)
    check("7", 7)
    check("-120", -120)
    check("1.0", 1)
    check("1.500e1", 15)
    check("1e2", 100)
    check("1E+2", 100)
    check("1200e-2", 12)
    check("0.000001e6", 1)
    check("-2.50e1", -25)
    check("0e99999999999999999999", 0)
    check("0.0e-99999999999999999999", 0)
    check("9223372036854775807", .max)
    check("-9223372036854775808", .min)
    check("9223372036854775807.000", .max)
    check("922337203685477580700e-2", .max)
    check("00000", nil)
  }

  @Test func refusesWhatIsNotWholeOrTooLarge() {
    for text: ByteString in [
      "1.5", "1e-1", "0.1", "123e-3", "9223372036854775808", "-9223372036854775809",
      "18446744073709551616", "99999999999999999999999999", "1e19", "1e999999999999999999999",
      "1e-999999999999999999999", "9223372036854775807.5",
    ] {
      check(text, nil)
    }
  }

  @Test func refusesWhatIsNoNumber() {
    for text: ByteString in [
      "", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "1 ", " 1", "NaN",
    ] {
      check(text, nil)
      check(text, decimals: 6, nil)
    }
  }

  @Test func readsFixedPoint() {
    check("0.5", decimals: 6, 500_000)
    check("-0.5", decimals: 6, -500_000)
    check("2", decimals: 6, 2_000_000)
    check("0.0000005", decimals: 6, 1)
    check("0.00000049999", decimals: 6, 0)
    check("-0.0000005", decimals: 6, -1)
    check("1.23456789", decimals: 6, 1_234_568)
    check("1.5e-3", decimals: 6, 1_500)
    check("15e-1", decimals: 0, 2)
    check("0.049", decimals: 1, 0)
    check("0.05", decimals: 1, 1)
    check("0.95", decimals: 1, 10)
    check("9223372036854.775807", decimals: 6, .max)
    check("9223372036854.7758075", decimals: 6, nil)
    check("9223372036854.775808", decimals: 6, nil)
    check("-9223372036854.775808", decimals: 6, .min)
    check("1e-400", decimals: 6, 0)
    check("1e400", decimals: 6, nil)
  }

  @Test func writesPlainDigits() {
    func check(_ lexeme: ByteString, _ expected: ByteString?) {
      #expect(lexeme.withBytes { JSONNumber.plain($0) } == expected, "\(lexeme.text)")
    }
    for text: ByteString in ["0", "110.00", "-0.5", "49.58894", "123456789012345678901234567890"] {
      check(text, text)
    }
    check("1e2", "100")
    check("1.25e1", "12.5")
    check("1.25e2", "125")
    check("1.25E+4", "12500")
    check("-12.5e1", "-125")
    check("1.5e-7", "0.00000015")
    check("-15e-1", "-1.5")
    check("0e5", "0")
    check("0.0e-2", "0.000")
    check("-0e1", "-0")
    check("0.05e1", "0.5")
    check("0.05e2", "5")
    check("1e63", ByteString([0x31] + [UInt8](repeating: 0x30, count: 63)))
    for text: ByteString in [
      "", "x", "\"1\"", "1.", "01", "null", "1e64", "1e-65", "1e999999999999999999999",
      "1e-999999999999999999999", ByteString([UInt8](repeating: 0x31, count: 65)),
    ] {
      check(text, nil)
    }
  }

  @Test func printsFixedPoint() {
    func check(_ value: Int64, _ decimals: Int, _ expected: ByteString) {
      let buffer = Buffer()
      JSONNumber.append(value, decimals: decimals, to: buffer)
      #expect(buffer.byteString == expected)
    }
    check(500_000, 6, "0.5")
    check(-500_000, 6, "-0.5")
    check(0, 6, "0")
    check(2_000_000, 6, "2")
    check(1, 6, "0.000001")
    check(1_234_567, 6, "1.234567")
    check(42, 0, "42")
    check(.max, 6, "9223372036854.775807")
    check(.min, 18, "-9.223372036854775808")
  }
}
