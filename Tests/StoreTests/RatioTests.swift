// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct RatioTests {
  @Test(
    arguments: [
      ("0", 0, "0"), ("1", 1_000_000, "1"), ("0.5", 500_000, "0.5"), ("12", 12_000_000, "12"),
      ("0.000001", 1, "0.000001"), ("1.250000", 1_250_000, "1.25"), ("007.1", 7_100_000, "7.1"),
      ("1000000", 1_000_000_000_000, "1000000"),
      ("999999.999999", 999_999_999_999, "999999.999999"),
    ] as [(String, Int64, String)])
  func readsAndWritesDecimals(text: String, millionths: Int64, written: String) {
    let ratio = Ratio(ByteString(utf8: text))
    #expect(ratio?.millionths == millionths)
    #expect(ratio?.text == ByteString(utf8: written))
  }

  @Test(arguments: [
    "", ".", ".5", "5.", "-1", "+1", "1e3", "1,5", " 1", "1 ", "0.0000001", "1.2.3", "NaN",
    "1000000.000001", "99999999999999", "999999999999999999999999",
  ])
  func refusesOtherTexts(text: String) {
    #expect(Ratio(ByteString(utf8: text)) == nil)
  }

  @Test func staysWithinItsRange() {
    #expect(Ratio(millionths: -1).millionths == 0)
    #expect(Ratio(millionths: .max).millionths == Ratio.largestMillionths)
  }
}
