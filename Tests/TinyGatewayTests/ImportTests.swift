// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store
import Testing
import Vendors

@testable import TinyGateway

struct ImportTests {
  private func name(_ number: Int64, _ product: ForeignProduct) -> String {
    ForeignChannelType.find(number, of: product)?.name.text ?? "none"
  }

  @Test func numbersMeanDifferentTypesInTheTwoProducts() {
    let oneAPI: [(Int64, String)] = [
      (1, "OpenAI"), (2, "API2D"), (4, "CloseAI"), (26, "Baichuan"), (27, "MiniMax"),
      (30, "Ollama"), (36, "DeepSeek"), (40, "Doubao"), (43, "Proxy"), (45, "xAI"),
      (51, "Gemini (OpenAI-compatible)"), (0, "none"), (52, "none"), (-1, "none"),
    ]
    for (number, expected) in oneAPI { #expect(name(number, .oneAPI) == expected) }
    let newAPI: [(Int64, String)] = [
      (1, "OpenAI"), (2, "Midjourney"), (4, "Ollama"), (6, "OpenAIMax"), (26, "Zhipu v4"),
      (34, "Cohere"), (36, "Suno"), (40, "SiliconFlow"), (43, "DeepSeek"), (48, "xAI"),
      (60, "New API"), (28, "none"), (30, "none"), (32, "none"), (61, "none"),
    ]
    for (number, expected) in newAPI { #expect(name(number, .newAPI) == expected) }
  }

  @Test func everyNumberHasATypeThatExistsAndAnAddressThatIsOne() {
    let gaps: Set<Int64> = [28, 29, 30, 32]
    for (product, last) in [(.oneAPI, 51), (.newAPI, 60)] as [(ForeignProduct, Int64)] {
      for number in 1...last where product == .oneAPI || !gaps.contains(number) {
        guard let type = ForeignChannelType.find(number, of: product) else {
          Issue.record("\(product) has no type \(number)")
          continue
        }
        if case .own(let slug) = type.service { #expect(VendorRegistry.find(slug) != nil) }
        if !type.baseURL.isEmpty { #expect(URL(type.baseURL) != nil, "\(type.name.text)") }
      }
    }
  }

  @Test func multipliesExactly() {
    func check(_ ratio: Int64, _ factor: String, _ expected: Int64?) {
      let result = OneAPIRatios.product(Ratio(millionths: ratio).text, ByteString(utf8: factor))
      #expect(result?.millionths == expected, "\(ratio) * \(factor)")
    }
    check(37_500_000, "1.3333333333333333", 50_000_000)
    check(1_000_000, "0.0000004", 0)
    check(1_000_000, "0.0000005", 1)
    check(1, "0.5", 1)
    check(Ratio.largestMillionths, "1", Ratio.largestMillionths)
    check(Ratio.largestMillionths, "1.000001", nil)
    check(Ratio.largestMillionths, "0.999999999999", 999_999_999_999)
    check(Ratio.largestMillionths, "9000000", nil)
    check(1_000_000, "-1", nil)
    check(1_000_000, "1e300", nil)
    check(1_000_000, "x", nil)
    check(0, "1e6", 0)
  }

  @Test func addsUpQuotas() {
    let largest = Micro.largestQuota
    func check(
      _ remaining: Int64, _ used: Int64, _ quota: Int64, _ usedHere: Int64, isCut: Bool = false
    ) {
      let result = Importer.quota(remaining: remaining, used: used)
      #expect(result == (quota, usedHere, isCut), "\(remaining) + \(used)")
    }
    check(700, 300, 1000, 300)
    check(-5, 300, 295, 300)
    check(-500, 300, 0, 300)
    check(0, -1, 0, 0)
    check(largest, 0, largest, 0)
    check(largest - 1, 1, largest, 1)
    check(largest, 1, largest, 1, isCut: true)
    check(5_000_000_000_000, 5_000_000_000_000, largest, 5_000_000_000_000, isCut: true)
    check(500_000_000_000_000, 7, largest, 7, isCut: true)
    check(.max, .max, largest, largest, isCut: true)
    check(-1, largest + 1, largest - 1, largest, isCut: true)
    check(.min, .min, 0, 0)
  }

  @Test func showsNothingOfShortSecrets() {
    #expect(AdminText.keyHint("sk-", "abcdefgh") == "sk-…")
    #expect(AdminText.keyHint("sk-", "abcdefghijklmnopqrstuvwxyz") == "sk-abcd…wxyz")
  }
}
