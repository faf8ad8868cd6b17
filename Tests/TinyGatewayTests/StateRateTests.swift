// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// What requests are charged, to the millionth.
struct StateRateTests {
  private static let billion = Usage.largestCount

  private func ratio(_ text: ByteString) -> Ratio {
    Ratio(text) ?? Ratio(millionths: -1)
  }

  private func rate(
    _ prompt: ByteString, _ completion: ByteString? = nil, cached: ByteString? = nil,
    image: ByteString? = nil, audio: (ByteString, ByteString)? = nil, group: ByteString = "1"
  ) -> Rate {
    let record = PriceRecord(
      model: "m", prompt: ratio(prompt), completion: completion.map(ratio),
      cached: cached.map(ratio), image: image.map(ratio),
      audioPrompt: audio.map { ratio($0.0) }, audioCompletion: audio.map { ratio($0.1) })
    return Rate(price: Price(record), group: ratio(group))
  }

  private func check(
    _ rate: Rate, _ usage: Usage, images: Int64 = 0, _ expected: Int64,
    _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(rate.charge(usage, images: images) == expected, sourceLocation: location)
  }

  private func usage(
    _ prompt: Int64, _ completion: Int64 = 0, cached: Int64 = 0, audio: (Int64, Int64) = (0, 0)
  ) -> Usage {
    Usage(
      promptTokens: prompt, completionTokens: completion, cachedTokens: cached,
      audioPromptTokens: audio.0, audioCompletionTokens: audio.1)
  }

  @Test func chargesAUnitForEachTokenWithoutPrices() {
    check(.standard, usage(11, 5, cached: 4), 16_000_000)
    check(.standard, usage(0), 0)
    check(.standard, usage(0), images: 9, 0)
  }

  @Test func multipliesEachKindWithItsOwnRatio() {
    check(rate("2"), usage(10, 5), 30_000_000)
    check(rate("2", "3"), usage(10, 5), 35_000_000)
    check(rate("2", "3", cached: "0.5"), usage(10, 5, cached: 4), 29_000_000)
    check(rate("2", "3", cached: "0"), usage(10, 5, cached: 10), 15_000_000)
    check(rate("2", "3"), usage(10, 5, cached: 4), 35_000_000)
    check(rate("0", image: "40000"), usage(9, 9), images: 3, 120_000_000_000)
    check(rate("1", image: "100"), usage(50, 50), images: 2, 300_000_000)
  }

  @Test func chargesSoundByItself() {
    let dear = rate("1", "4", cached: "0.5", audio: ("20", "40"))
    check(dear, usage(100, 50, cached: 10, audio: (30, 20)), 1_585_000_000)
    // 60·1 + 10·0.5 + 30·20 + 30·4 + 20·40
    check(rate("1", "4"), usage(100, 50, audio: (30, 20)), 300_000_000)
  }

  @Test func isExactToTheMillionth() {
    check(rate("0.333333"), usage(1), 333_333)
    check(rate("0.333333"), usage(3), 999_999)
    check(rate("0.333333", "0.000001"), usage(3, 1), 1_000_000)
    check(rate("0.000001"), usage(1), 1)
  }

  @Test func roundsOnceAndHalfUp() {
    check(rate("0.333333", group: "0.7"), usage(1), 233_333)  // 233333.1
    check(rate("0.333333", group: "0.7"), usage(5), 1_166_666)  // 1166665.5
    check(rate("0.000001", group: "0.5"), usage(1), 1)
    check(rate("0.000001", group: "0.499999"), usage(1), 0)
    check(rate("0.000001", group: "0.5"), usage(3), 2)  // Not 3, as rounding each token gives.
    check(rate("1", "3", group: "0.7"), usage(11, 5), 18_200_000)
    check(rate("15", "30", group: "1000"), usage(1000, 1000), 45_000_000_000_000)
  }

  @Test func costsNothingInAFreeGroup() {
    check(rate("15", "30", image: "9", group: "0"), usage(1000, 1000), images: 5, 0)
    #expect(rate("15", group: "0").isFree)
    #expect(rate("0").isFree && rate("0", "0", cached: "0").isFree)
    for costly in [rate("0", "1"), rate("0", cached: "1"), rate("0", image: "0.000001")] {
      #expect(!costly.isFree)
    }
    #expect(!Rate.standard.isFree)
  }

  @Test func bringsCountsIntoWhatTheyArePartOf() {
    let odd = rate("1", "1", cached: "100", audio: ("10", "10"))
    check(odd, usage(10, cached: 50), 1_000_000_000)
    check(odd, usage(10, cached: -50), 10_000_000)
    check(odd, usage(10, audio: (50, 50)), 100_000_000)
    check(odd, usage(10, cached: 6, audio: (9, 0)), 640_000_000)  // 6·100 + 4·10
    check(odd, usage(-5, -5, cached: -5, audio: (-5, -5)), images: -5, 0)
    check(odd, usage(.min, .min, cached: .min, audio: (.min, .min)), images: .min, 0)
  }

  @Test func staysWithinTheLargestCharge() {
    let largest = Rate.largestCharge
    check(.standard, usage(Self.billion, Self.billion), largest)
    check(.standard, usage(.max, .max, cached: .max, audio: (.max, .max)), images: .max, largest)
    check(rate("1000000", "1000000", image: "1000000", group: "1000"), usage(.max, .max), largest)
    // The sum before the group's ratio stays at 64 bits.
    check(rate("1000000", group: "0.000001"), usage(Self.billion), 9_223_372_036_855)
    check(rate("1", group: "0.5"), usage(1_999_999), 999_999_500_000)
    check(rate("1", group: "1"), usage(Self.billion), largest)
    check(rate("0.999999"), usage(Self.billion), 999_999_000_000_000)
  }

  /// The sum of parts and the parts of a sum differ by rounding only, and never in the millionths
  /// that are counted: what two ledgers add up is the same.
  @Test func isTheSameEachTime() {
    var dice = FixedDice(7)
    for _ in 0..<10_000 {
      let sample = Rate(
        price: Price(
          PriceRecord(
            model: "m", prompt: Ratio(millionths: Int64(dice.next() % 2_000_000_000)),
            completion: Ratio(millionths: Int64(dice.next() % 2_000_000_000)))),
        group: Ratio(millionths: Int64(dice.next() % 1_000_000)))
      let (prompt, completion) = (Int64(dice.next() % 200_000), Int64(dice.next() % 20_000))
      let sum =
        prompt * sample.price.prompt + completion * sample.price.completion
      // Long multiplication by the digits of the ratio, from the highest.
      var expected: Int64 = 0
      var rest: Int64 = 0
      for bit in (0..<20).reversed() {
        expected *= 2
        rest *= 2
        if sample.group.millionths >> Int64(bit) & 1 == 1 {
          expected += sum / 1_000_000
          rest += sum % 1_000_000
        }
        expected += rest / 1_000_000
        rest %= 1_000_000
      }
      if rest >= 500_000 { expected += 1 }
      #expect(sample.charge(usage(prompt, completion)) == min(expected, Rate.largestCharge))
    }
  }
}
