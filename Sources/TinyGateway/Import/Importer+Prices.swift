// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Prices of models and of user groups.
extension Importer {
  /// Numbers of an option, as they are written.
  private typealias Lexemes = [(name: ByteString, lexeme: ByteString)]

  // Prices.

  func readPrices() throws(StoreError) {
    guard try hasOptions() else { return }
    let prompts = try numbers("ModelRatio")
    let completions = try factors("CompletionRatio")
    let cached = product == .newAPI ? try factors("CacheRatio") : [:]
    if prompts.isEmpty {
      report.task(
        "The database holds no ModelRatio, so the prices built into ", ByteString(product.name),
        " were in force and are not taken over: set your own before users are charged")
    }
    var known = target.pricedModels
    var guessedCount: Int64 = 0
    for (model, lexeme) in prompts {
      guard Importer.isPriced(model) else {
        report.leave(.price, nil, model, "its name is none of a model, or is for one channel type")
        continue
      }
      guard let prompt = Importer.ratio(lexeme) else {
        report.leave(.price, nil, model, "its ratio is not between 0 and a million")
        continue
      }
      guard known.insert(model).inserted else {
        report.keep(.price)
        continue
      }
      let completion = product(of: lexeme, completions[model], model)
      if completion == nil { guessedCount += 1 }
      plan.prices.append(
        ImportedPrice(
          model: model, prompt: prompt, completion: completion,
          cached: product(of: lexeme, cached[model], model)))
      report.carry(.price)
    }
    noteGuesses(guessedCount)
    try notePricesPerCall()
  }

  private func noteGuesses(_ count: Int64) {
    guard count > 0 else { return }
    report.task(
      "", ByteString(number: count),
      """
       models have a ModelRatio and no CompletionRatio in the database: what was built in for \
      them is not known, so a completion token costs what a prompt token does; look at them
      """)
  }

  /// New API's ModelPrice is money for each request, which does not exist here.
  private func notePricesPerCall() throws(StoreError) {
    guard product == .newAPI else { return }
    for (model, _) in try numbers("ModelPrice") {
      report.leave(.price, nil, model, "it is for each request, and here prices are for tokens")
    }
  }

  private static func isPriced(_ model: ByteString) -> Bool {
    guard model.bytes.last == UInt8(ascii: "*") else { return ModelName.isValid(model) }
    return ModelName.isValid(ByteString(model.bytes.dropLast()))
  }

  private func factors(_ option: StaticString) throws(StoreError) -> [ByteString: ByteString] {
    var factors: [ByteString: ByteString] = [:]
    for (name, lexeme) in try numbers(option) { factors[name] = lexeme }
    return factors
  }

  /// A ratio of its own from one that is a factor on the prompt's; nil without one.
  private func product(of prompt: ByteString, _ factor: ByteString?, _ model: ByteString) -> Ratio?
  {
    guard let factor else { return nil }
    let result = OneAPIRatios.product(prompt, factor)
    if result == nil {
      report.note(.price, nil, model, "loses a factor that is not between 0 and a million")
    }
    return result
  }

  /// A number as a ratio, rounded half up at six places; nil below 0 and above a million.
  private static func ratio(_ lexeme: ByteString) -> Ratio? { OneAPIRatios.product(lexeme, "1") }

  // Groups.

  /// User groups from GroupRatio, each with the channel group of its name.
  func readGroupRatios() throws(StoreError) {
    guard try hasOptions() else { return }
    for (name, lexeme) in try numbers("GroupRatio") {
      guard GroupInput.isName(name) else {
        report.leave(.userGroup, nil, name, "it has no valid name")
        continue
      }
      needUserGroup(name)
      guard let ratio = Importer.ratio(lexeme) else {
        report.note(
          .userGroup, nil, name, "has the ratio 1: its own is not between 0 and a million")
        continue
      }
      guard let index = indexOfUserGroup(name), userGroups[index].ratio != ratio else { continue }
      if index < target.userGroups.count, userGroups[index].ratio != .one {
        report.note(.userGroup, nil, name, "keeps the ratio that it has here")
      } else {
        userGroups[index].ratio = ratio
      }
    }
  }

  // Options.

  /// Whether the database has options at all.
  func hasOptions() throws(StoreError) -> Bool {
    guard try ForeignTable.exists("options", in: source) else { return false }
    guard try ForeignTable.has(column: "key", in: "options", of: source) else { return false }
    return try ForeignTable.has(column: "value", in: "options", of: source)
  }

  /// The members of an option that is an object of numbers; reports what is none.
  private func numbers(_ option: StaticString) throws(StoreError) -> Lexemes {
    guard let text = try ForeignTable.option(option, in: source), !text.trimmed.isEmpty else {
      return []
    }
    guard let root = try? JSONDocument(text, requiresObject: true).root else {
      report.leave(.setting, nil, ByteString(option), "it is no JSON object")
      return []
    }
    var numbers: Lexemes = []
    for (name, value) in root.members {
      if value.kind == .number {
        numbers.append((name, value.lexeme))
      } else {
        report.leave(.setting, nil, ByteString(option) + " " + name, "it is no number")
      }
    }
    return numbers
  }
}
