// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Which price a model has.
struct StatePricesTests {
  private let prices = Prices()

  /// Takes prices whose prompt ratio is their id, in the order given.
  private func put(_ models: [ByteString]) {
    prices.replace(
      models.enumerated().map { index, model in
        let id = Int64(index + 1)
        return PriceRecord(id: id, model: model, prompt: Ratio(millionths: id))
      })
  }

  private func check(
    _ model: ByteString, _ id: Int64?, _ location: SourceLocation = #_sourceLocation
  ) {
    // Twice: the second time it is remembered.
    for _ in 0..<2 {
      #expect(prices.price(of: model)?.prompt == id, sourceLocation: location)
    }
  }

  @Test func prefersTheMostSpecific() {
    put(["*", "gpt-4*", "gpt-4o", "gpt-*-mini", "*-mini", "gpt-4o*"])
    check("gpt-4o", 3)
    check("gpt-4o-mini", 4)
    check("gpt-4o-2024", 6)
    check("gpt-4-turbo", 2)
    check("o1-mini", 5)
    check("claude", 1)
  }

  @Test func prefersTheOlderOfEqualPatterns() {
    put(["a*c", "ab*", "*bc"])
    check("abc", 1)
    check("abx", 2)
    check("xbc", 3)
  }

  @Test func findsNothingForOthers() {
    put(["gpt-4o", "claude-*"])
    check("gpt-4", nil)
    check("gpt-4o-mini", nil)
    check("GPT-4o", nil)
    check("claude-3", 2)
    put([])
    check("gpt-4o", nil)
  }

  @Test(
    arguments: [
      ("*", "", true), ("*", "abc", true), ("**", "a", true), ("a*", "a", true),
      ("a*", "ba", false), ("*a", "ba", true), ("*a", "ab", false), ("a*b*c", "aXbYc", true),
      ("a*b*c", "abc", true), ("a*b*c", "acb", false), ("*aab", "aaaab", true),
      ("a*a*a", "aa", false), ("*a*a*a*", "aaa", true), ("abc", "abc", true),
      ("abc", "abcd", false), ("abcd", "abc", false), ("", "", true), ("", "a", false),
    ] as [(ByteString, ByteString, Bool)])
  func matchesAnyNumberOfStars(_ pattern: ByteString, _ name: ByteString, _ fits: Bool) {
    #expect(Prices.matches(pattern, name) == fits)
  }

  /// The worst case of a matcher that tries every star again would not end in a lifetime.
  @Test func endsSoonForHostilePatterns() {
    let pattern = ByteString(utf8: String(repeating: "*a", count: 63) + "*b")
    #expect(!Prices.matches(pattern, ByteString(utf8: String(repeating: "a", count: 128))))
  }

  @Test func takesChangesOverAtOnce() {
    put(["gpt-*"])
    check("gpt-4o", 1)
    prices.put(PriceRecord(id: 2, model: "gpt-4*", prompt: Ratio(millionths: 2)))
    check("gpt-4o", 2)
    prices.put(PriceRecord(id: 2, model: "other", prompt: Ratio(millionths: 2)))
    check("gpt-4o", 1)
    prices.remove(1)
    check("gpt-4o", nil)
    check("other", 2)
    #expect(prices.all.map(\.id) == [2] && prices.find(2)?.model == "other")
    #expect(prices.find(1) == nil)
  }

  @Test func remembersWithinBounds() {
    put(["gpt-*"])
    for number in 0..<2000 { check("gpt-" + ByteString(number: Int64(number)), 1) }
    for number in 0..<2000 { check("x-" + ByteString(number: Int64(number)), nil) }
  }

  @Test func followsThePolicyForModelsWithoutAPrice() {
    put(["gpt-4o"])
    var options = Options()
    let half = Ratio(millionths: 500_000)
    let usage = Usage(promptTokens: 10, completionTokens: 10)
    func charge(_ model: ByteString) -> Int64? {
      prices.rate(of: model, group: half, options)?.charge(usage, images: 3)
    }
    #expect(charge("other") == 10_000_000)
    options.unpricedRatio = Ratio(millionths: 30_000_000)
    #expect(charge("other") == 300_000_000)
    options.unpricedModels = .free
    #expect(charge("other") == 0)
    #expect(prices.rate(of: "other", group: half, options)?.isFree == true)
    options.unpricedModels = .refuse
    #expect(charge("other") == nil)
    #expect(charge("gpt-4o") == 10)
  }

  @Test func fillsInWhatIsLeftOut() {
    let plain = Price(PriceRecord(model: "m", prompt: .one))
    #expect(plain == Price(everyToken: .one))
    #expect(plain.completion == 1_000_000 && plain.cached == 1_000_000 && plain.image == 0)
    let dear = Price(
      PriceRecord(model: "m", prompt: .one, completion: Ratio(millionths: 3_000_000)))
    #expect(dear.audioPrompt == 1_000_000 && dear.audioCompletion == 3_000_000)
  }
}
