// SPDX-License-Identifier: MIT
import Platform
import Store

/// The prices of models in memory, found by a model's public name.
///
/// An exact name comes before every pattern, and of patterns the one with the most characters
/// that are no `*`, then the one with the lowest id.
final class Prices {
  /// Prices in all: they are kept in memory, and imported in one request.
  static let largestCount = 2000
  /// Models that are remembered with what patterns gave.
  private static let rememberedCount = 512

  private struct Pattern {
    let text: ByteString
    let literalCount: Int
    let price: Price
  }

  /// What was found for a model that has no price of its own.
  private enum Finding {
    case none
    case price(Price)
  }

  /// All prices by id.
  private(set) var all: [PriceRecord] = []
  private var exact: [ByteString: Price] = [:]
  /// The most specific first.
  private var patterns: [Pattern] = []
  /// Names come from requests, so there is an end to it.
  private var remembered: [ByteString: Finding] = [:]

  func find(_ id: Int64) -> PriceRecord? { all.first { $0.id == id } }

  /// The price of a model; nil when neither its name nor a pattern has one.
  func price(of model: ByteString) -> Price? {
    if let price = exact[model] { return price }
    if patterns.isEmpty { return nil }
    if let finding = remembered[model] {
      switch finding {
      case .none: return nil
      case .price(let price): return price
      }
    }
    let price = patterns.first { Prices.matches($0.text, model) }?.price
    if remembered.count >= Prices.rememberedCount { remembered.removeAll() }
    remembered[model] = price.map { .price($0) } ?? Finding.none
    return price
  }

  /// What a request for a model costs somebody of a group; nil when it is to be refused.
  func rate(of model: ByteString, group: Ratio, _ options: Options) -> Rate? {
    if let price = price(of: model) { return Rate(price: price, group: group) }
    switch options.unpricedModels {
    case .free: return Rate(price: Price(everyToken: Ratio(millionths: 0)), group: group)
    case .ratio: return Rate(price: Price(everyToken: options.unpricedRatio), group: group)
    case .refuse: return nil
    }
  }

  /// Takes a record over: a new price, or the new fields of a known one.
  func put(_ record: PriceRecord) {
    var records = all.filter { $0.id != record.id }
    records.append(record)
    replace(records)
  }

  func remove(_ id: Int64) { replace(all.filter { $0.id != id }) }

  /// Takes a whole list over.
  func replace(_ records: [PriceRecord]) {
    all = records.sorted { $0.id < $1.id }
    exact = [:]
    patterns = []
    remembered = [:]
    for record in all {
      guard record.model.bytes.contains(Prices.wildcard) else {
        exact[record.model] = Price(record)
        continue
      }
      let literals = record.model.bytes.count { $0 != Prices.wildcard }
      let index = patterns.firstIndex { $0.literalCount < literals } ?? patterns.count
      patterns.insert(
        Pattern(text: record.model, literalCount: literals, price: Price(record)), at: index)
    }
  }

  static let wildcard = UInt8(ascii: "*")

  /// Whether a name fits a pattern in which each `*` stands for any text, also none.
  ///
  /// Only the last `*` is tried again, so the time is bounded by the product of both lengths.
  static func matches(_ pattern: ByteString, _ name: ByteString) -> Bool {
    let (pattern, name) = (pattern.bytes, name.bytes)
    var (at, of) = (0, 0)
    var retry: (pattern: Int, name: Int)?
    while of < name.count {
      if at < pattern.count, pattern[at] == wildcard {
        at += 1
        retry = (at, of)
      } else if at < pattern.count, pattern[at] == name[of] {
        at += 1
        of += 1
      } else if let last = retry {
        at = last.pattern
        of = last.name + 1
        retry = (at, of)
      } else {
        return false
      }
    }
    return pattern[at...].allSatisfy { $0 == wildcard }
  }
}
