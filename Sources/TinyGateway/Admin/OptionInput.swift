// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Run-time options as JSON: what the management API takes and shows, and what is stored.
enum OptionInput {
  /// Where the JSON text is stored.
  static let optionName: ByteString = "settings"
  static let fields: [StaticString] = Field.allCases.map { $0.name }

  /// The members, in the order in which they are shown.
  private enum Field: CaseIterable {
    case quotaPerUnit, currency, unpricedModels, unpricedRatio, assumedCompletionTokens
    case registration, newUserQuota, newUserGroup, logDays, statisticsDays

    var name: StaticString {
      switch self {
      case .quotaPerUnit: "quota_per_unit"
      case .currency: "currency"
      case .unpricedModels: "unpriced_models"
      case .unpricedRatio: "unpriced_ratio"
      case .assumedCompletionTokens: "assumed_completion_tokens"
      case .registration: "registration"
      case .newUserQuota: "new_user_quota"
      case .newUserGroup: "new_user_group"
      case .logDays: "log_days"
      case .statisticsDays: "statistics_days"
      }
    }
  }

  /// By their numbers, from 0.
  private static let policies: [StaticString] = ["free", "ratio", "refuse"]
  static let quotasPerUnit: ClosedRange<Int64> = 1...1_000_000_000
  private static let currencyByteCount = 3
  private static let assumedTokens: ClosedRange<Int64> = 0...1_000_000
  private static let largestDayCount: Int64 = 3650

  /// The options with the body's members put over them.
  ///
  /// Throws a 400 that names field and limit.
  static func apply(
    _ body: AdminBody, to old: Options, _ groups: UserGroupDirectory
  ) throws(AdminError) -> Options {
    var options = old
    for field in Field.allCases { try apply(field, body, &options, groups) }
    return options
  }

  /// Takes one member over; a member that is missing or wrong changes nothing.
  private static func apply(
    _ field: Field, _ body: AdminBody, _ options: inout Options, _ groups: UserGroupDirectory
  ) throws(AdminError) {
    let name = field.name
    switch field {
    case .quotaPerUnit:
      if let quota = try body.number(name, quotasPerUnit) { options.quotaPerUnit = quota }
    case .currency:
      if let code = try currency(body, name) { options.currency = code }
    case .unpricedModels:
      if let index = try body.choice(name, policies),
        let policy = Options.UnpricedModels(rawValue: index)
      {
        options.unpricedModels = policy
      }
    case .unpricedRatio:
      if let ratio = try unpricedRatio(body, name) { options.unpricedRatio = ratio }
    case .assumedCompletionTokens:
      if let count = try body.number(name, assumedTokens) {
        options.assumedCompletionTokens = count
      }
    case .registration:
      if let isOpen = try body.boolean(name) { options.isRegistrationOpen = isOpen }
    case .newUserQuota:
      if body.isNull(name) {
        options.newUserQuota = nil
      } else if let quota = try body.number(name, 0...Micro.largestQuota) {
        options.newUserQuota = quota
      }
    case .newUserGroup:
      if let group = try UserInput.group(body, name, groups) { options.newUserGroup = group }
    case .logDays:
      if let days = try body.number(name, 0...largestDayCount) { options.logDays = days }
    case .statisticsDays:
      if let days = try body.number(name, 1...largestDayCount) { options.statisticsDays = days }
    }
  }

  private static func currency(
    _ body: AdminBody, _ name: StaticString
  ) throws(AdminError) -> ByteString? {
    guard let value = body.value(name) else { return nil }
    guard let text = value.string, text.count == currencyByteCount,
      text.bytes.allSatisfy({ $0 &- 0x41 < 26 })
    else { throw .field(name, "must be three capital letters such as USD") }
    return text
  }

  private static func unpricedRatio(
    _ body: AdminBody, _ name: StaticString
  ) throws(AdminError) -> Ratio? {
    guard let value = body.value(name) else { return nil }
    guard let text = value.string, let ratio = Ratio(text) else {
      throw .field(
        name, "must be a decimal in quotes such as \"0.5\", up to 1000000 with at most 6 places")
    }
    return ratio
  }

  /// Writes all options as one object.
  static func write(_ options: Options, _ json: inout JSONWriter) {
    json.beginObject()
    writeMembers(options, &json)
    json.endObject()
  }

  private static func writeMembers(_ options: Options, _ json: inout JSONWriter) {
    json.member("quota_per_unit", options.quotaPerUnit)
    json.member("currency", options.currency)
    json.member("unpriced_models", policies[Int(options.unpricedModels.rawValue)])
    json.member("unpriced_ratio", options.unpricedRatio.text)
    json.member("assumed_completion_tokens", options.assumedCompletionTokens)
    json.member("registration", options.isRegistrationOpen)
    json.member("new_user_quota", options.newUserQuota)
    json.member("new_user_group", options.newUserGroup)
    json.member("log_days", options.logDays)
    json.member("statistics_days", options.statisticsDays)
  }

  /// The text to store: these, and what another version had stored beside them.
  static func text(_ options: Options) -> ByteString {
    let buffer = Buffer()
    var json = JSONWriter(buffer)
    json.beginObject()
    writeMembers(options, &json)
    for member in options.others {
      json.key(member.name)
      json.raw(member.value)
    }
    json.endObject()
    return buffer.byteString
  }

  /// Reads a stored text, member by member, so that one that does not fit spoils no other.
  ///
  /// Such a member has its default, but for `unpriced_models`: what was to be refused must not be
  /// served because it cannot be read. `problems` are sentences for the log.
  static func load(
    _ text: ByteString, _ groups: UserGroupDirectory
  ) -> (options: Options, problems: [ByteString]) {
    var options = Options()
    let root: JSONValue
    do throws(JSONError) {
      root = try JSONDocument(text, requiresObject: true).root
    } catch {
      options.unpricedModels = .refuse
      return (options, ["they are " + error.message])
    }
    var problems: [ByteString] = []
    let body = AdminBody(stored: root)
    for field in Field.allCases {
      do throws(AdminError) {
        try apply(field, body, &options, groups)
      } catch {
        if case .unpricedModels = field { options.unpricedModels = .refuse }
        problems.append(error.message)
      }
    }
    for (name, value) in root.members where !fields.contains(where: { name == $0 }) {
      options.others.append(Options.Other(name: name, value: value.lexeme))
    }
    return (options, problems)
  }
}
