// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniJSON

/// Numbers of vectors, compared with those that the standard library reads.
struct JSONNumberFloatTests {
  private func float(_ text: String) -> Float? {
    ByteString(utf8: text).withBytes { JSONNumber.float($0) }
  }

  @Test(arguments: [
    "0", "-0", "0.0", "1", "-1.5", "0.1", "1e-5", "1E+5", "123456789", "0.000000000000001234",
    "3.4028234663852886e38", "1.17549435e-38", "1e-45", "1e-60", "16777217", "0.333333333333333333",
    "12345678901234567890123", "0.00000000000000000000000000000000001234567890123456789",
    "-0.012345678918063641", "100000000000000000000000000000",
  ])
  func readsNumbers(_ text: String) {
    #expect(float(text)?.bitPattern == Float(text)?.bitPattern, "\(text)")
  }

  @Test func readsWhatServersPrint() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      let value = Float.random(in: -1...1, using: &generator)
      #expect(float("\(value)")?.bitPattern == value.bitPattern, "\(value)")
      let wide = Double(value)
      #expect(float("\(wide)")?.bitPattern == value.bitPattern, "\(wide)")
    }
  }

  @Test func goesToInfinityAndNoFurther() {
    #expect(float("1e39") == .infinity)
    #expect(float("-1e99999999999") == -.infinity)
    #expect(float("1e-99999999999") == 0)
  }

  @Test(arguments: ["", "-", "+1", ".5", "1.", "01", "1e", "1x", "null", " 1", "1 ", "NaN"])
  func refusesWhatIsNone(_ text: String) { #expect(float(text) == nil) }
}
