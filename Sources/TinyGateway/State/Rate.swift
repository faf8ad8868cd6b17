// SPDX-License-Identifier: MIT
import Platform
import Store

/// What one token of each kind and one image cost, in millionths of a quota unit.
struct Price: Equatable, Sendable {
  let prompt: Int64
  let completion: Int64
  let cached: Int64
  let image: Int64
  let audioPrompt: Int64
  let audioCompletion: Int64

  /// Fills in what a record leaves out.
  init(_ record: PriceRecord) {
    prompt = record.prompt.millionths
    completion = (record.completion ?? record.prompt).millionths
    cached = (record.cached ?? record.prompt).millionths
    image = record.image?.millionths ?? 0
    audioPrompt = (record.audioPrompt ?? record.prompt).millionths
    audioCompletion = (record.audioCompletion ?? record.completion ?? record.prompt).millionths
  }

  /// The same for each token, and nothing for an image: models without a price of their own.
  init(everyToken ratio: Ratio) { self.init(PriceRecord(model: .empty, prompt: ratio)) }

  /// Nothing costs anything.
  var isFree: Bool {
    prompt == 0 && completion == 0 && cached == 0 && image == 0 && audioPrompt == 0
      && audioCompletion == 0
  }
}

/// What one request is charged by: a model's price times the ratio of the user's group, both as
/// they were when the request was admitted.
///
/// Exact: whole numbers of millionths, rounded once, half up, at the end. Nothing overflows: sums
/// beyond 64 bits stay at the limit of the type, and a charge at `largestCharge`.
struct Rate: Equatable, Sendable {
  /// Most that one request can be charged, in millionths: a thousand million units.
  static let largestCharge: Int64 = 1_000_000_000 * Micro.perUnit

  let price: Price
  let group: Ratio

  /// A unit for each token, as without any price.
  static let standard = Rate(price: Price(everyToken: .one), group: .one)

  /// Whether no request costs anything.
  var isFree: Bool { group.millionths == 0 || price.isFree }

  /// The charge in millionths of a quota unit.
  ///
  /// Counts come from outside: they are brought into 0…`Usage.largestCount`, cached and audio
  /// tokens into the counts that they are part of.
  func charge(_ usage: Usage, images: Int64 = 0) -> Int64 {
    let prompt = Rate.clamped(usage.promptTokens)
    let cached = min(Rate.clamped(usage.cachedTokens), prompt)
    let audioPrompt = min(Rate.clamped(usage.audioPromptTokens), prompt - cached)
    let completion = Rate.clamped(usage.completionTokens)
    let audioCompletion = min(Rate.clamped(usage.audioCompletionTokens), completion)
    var sum = Rate.product(prompt - cached - audioPrompt, price.prompt)
    sum = sum.addingSaturated(Rate.product(cached, price.cached))
    sum = sum.addingSaturated(Rate.product(audioPrompt, price.audioPrompt))
    sum = sum.addingSaturated(Rate.product(completion - audioCompletion, price.completion))
    sum = sum.addingSaturated(Rate.product(audioCompletion, price.audioCompletion))
    sum = sum.addingSaturated(Rate.product(Rate.clamped(images), price.image))
    return min(Rate.scaled(sum, by: group), Rate.largestCharge)
  }

  private static func clamped(_ count: Int64) -> Int64 { max(0, min(count, Usage.largestCount)) }

  /// The product of numbers that are not negative; saturates.
  private static func product(_ left: Int64, _ right: Int64) -> Int64 {
    let (product, overflowed) = left.multipliedReportingOverflow(by: right)
    return overflowed ? .max : product
  }

  /// `sum` times the ratio, rounded half up.
  ///
  /// In two parts, of which the lower one cannot overflow: their product would need 128 bits,
  /// which ARMv7 cannot divide.
  private static func scaled(_ sum: Int64, by ratio: Ratio) -> Int64 {
    let factor = ratio.millionths
    if factor == Ratio.one.millionths { return sum }
    let (whole, rest) = sum.quotientAndRemainder(dividingBy: 1_000_000)
    let low = (product(rest, factor).addingSaturated(500_000)) / 1_000_000
    return product(whole, factor).addingSaturated(low)
  }
}
