// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Prices from One API's options `ModelRatio` and `CompletionRatio`.
///
/// There a completion token costs the product of both. It is taken exactly, from the digits, and
/// rounded half up to six places. What One API has and this gateway has not is left out and told:
/// names such as `model(33)`, which are for one type of channel, ratios below 0, and completion
/// ratios of models without a ratio.
struct OneAPIRatios {
  private(set) var prices: [PriceRecord] = []
  /// The entries that were left out.
  private(set) var skipped: [ByteString] = []

  /// Reads both objects; `completions` may be missing.
  ///
  /// Throws a 400 that names the first wrong entry.
  init(_ models: JSONValue, _ completions: JSONValue?) throws(AdminError) {
    try OneAPIRatios.check(models, "model_ratio")
    if let completions { try OneAPIRatios.check(completions, "completion_ratio") }
    let now = UnixTime.seconds
    var factors = try OneAPIRatios.numbers(completions)
    var seen: Set<ByteString> = []
    for (model, value) in models.members {
      guard seen.insert(model).inserted else {
        throw OneAPIRatios.wrong("model_ratio", model, "is there twice")
      }
      let factor = factors.removeValue(forKey: model)
      if OneAPIRatios.mustSkip(model, value.lexeme) || factor?.first == OneAPIRatios.minus {
        skipped.append(model)
        continue
      }
      guard PriceInput.isPattern(model) else {
        throw OneAPIRatios.wrong("model_ratio", model, "is no name of a model")
      }
      guard let prompt = OneAPIRatios.product(value.lexeme, "1") else {
        throw OneAPIRatios.wrong("model_ratio", model, "must be a number from 0 to 1000000")
      }
      var price = PriceRecord(model: model, prompt: prompt, createdAt: now)
      if let factor {
        price.completion = OneAPIRatios.product(value.lexeme, factor)
        if price.completion == nil {
          throw OneAPIRatios.wrong(
            "completion_ratio", model, "must be a number, and at most 1000000 with the model's")
        }
      }
      prices.append(price)
    }
    skipped += ByteString.sorted(Array(factors.keys))
  }

  private static let minus = UInt8(ascii: "-")

  private static func mustSkip(_ model: ByteString, _ lexeme: ByteString) -> Bool {
    lexeme.first == minus
      || model.bytes.last == UInt8(ascii: ")") && model.bytes.contains(UInt8(ascii: "("))
  }

  private static func check(_ value: JSONValue, _ field: StaticString) throws(AdminError) {
    guard value.kind == .object, value.count <= Prices.largestCount else {
      throw .field(
        field,
        "must be an object of at most " + ByteString(number: Int64(Prices.largestCount))
          + " numbers")
    }
  }

  private static func numbers(
    _ object: JSONValue?
  ) throws(AdminError) -> [ByteString: ByteString] {
    var numbers: [ByteString: ByteString] = [:]
    guard let object else { return numbers }
    for (model, value) in object.members {
      guard numbers[model] == nil else { throw wrong("completion_ratio", model, "is there twice") }
      guard value.kind == .number else {
        throw wrong("completion_ratio", model, "must be a number")
      }
      numbers[model] = value.lexeme
    }
    return numbers
  }

  private static func wrong(
    _ field: StaticString, _ model: ByteString, _ problem: ByteString
  ) -> AdminError {
    AdminError(
      400, "invalid_field",
      ByteString(field) + " entry " + AdminText.quoted(model) + ": " + problem + ".")
  }

  /// The exact product of two numbers as JSON writes them, rounded half up to six places; nil
  /// when one is no number, has more than 64 digits, or the product is no ratio.
  static func product(_ left: ByteString, _ right: ByteString) -> Ratio? {
    guard let left = Digits(left), let right = Digits(right) else { return nil }
    var sums = [Int](repeating: 0, count: left.digits.count + right.digits.count)
    for (i, a) in left.digits.enumerated() {
      for (j, b) in right.digits.enumerated() { sums[i + j + 1] += a * b }
    }
    var digits = [UInt8](repeating: 0, count: sums.count)
    var carry = 0
    for index in sums.indices.reversed() {
      let sum = sums[index] + carry
      digits[index] = UInt8(ascii: "0") + UInt8(sum % 10)
      carry = sum / 10
    }
    let text = Buffer()
    for digit in digits.drop(while: { $0 == UInt8(ascii: "0") }) { text.append(digit) }
    if text.isEmpty { return Ratio(millionths: 0) }
    text.append("e-")
    text.append(decimal: Int64(left.placeCount + right.placeCount))
    let millionths = text.byteString.withBytes {
      JSONNumber.fixedPoint($0, decimals: Ratio.placeCount)
    }
    guard let millionths, millionths <= Ratio.largestMillionths else { return nil }
    return Ratio(millionths: millionths)
  }

  /// A number that is not negative, as digits and how many of them are behind the point.
  private struct Digits {
    private(set) var digits: [Int] = []
    private(set) var placeCount = 0

    init?(_ lexeme: ByteString) {
      // What is 0 in any price, such as 5e-74, has too many digits to write out.
      let plain = lexeme.withBytes { text in
        JSONNumber.plain(text) ?? (JSONNumber.fixedPoint(text, decimals: 18) == 0 ? "0" : nil)
      }
      guard let plain, plain.first != minus else { return nil }
      var isFraction = false
      for byte in plain.bytes {
        if ASCII.isDigit(byte) {
          digits.append(Int(byte) - 0x30)
          if isFraction { placeCount += 1 }
        } else {
          isFraction = true
        }
      }
    }
  }
}

extension ByteString {
  fileprivate var first: UInt8? { bytes.first }
}
