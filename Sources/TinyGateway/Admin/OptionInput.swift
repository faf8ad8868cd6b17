// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Run-time options as JSON: what the management API takes and shows, and what is stored.
enum OptionInput {
  /// Where the JSON text is stored.
  static let optionName: ByteString = "settings"
  static let fields: [StaticString] = [
    "quota_per_unit", "currency", "unpriced_models", "unpriced_ratio", "assumed_completion_tokens",
    "registration", "new_user_quota", "new_user_group", "log_days", "statistics_days",
  ]

  /// By their numbers, from 0.
  private static let policies: [StaticString] = ["free", "ratio", "refuse"]
  private static let quotasPerUnit: ClosedRange<Int64> = 1...1_000_000_000
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
    try applyMoney(body, &options)
    if let isOpen = try body.boolean("registration") { options.isRegistrationOpen = isOpen }
    if body.isNull("new_user_quota") {
      options.newUserQuota = nil
    } else if let quota = try body.number("new_user_quota", 0...Micro.largestQuota) {
      options.newUserQuota = quota
    }
    if let name = try UserInput.group(body, "new_user_group", groups) {
      options.newUserGroup = name
    }
    if let days = try body.number("log_days", 0...largestDayCount) { options.logDays = days }
    if let days = try body.number("statistics_days", 1...largestDayCount) {
      options.statisticsDays = days
    }
    return options
  }

  private static func applyMoney(
    _ body: AdminBody, _ options: inout Options
  ) throws(AdminError) {
    if let quota = try body.number("quota_per_unit", quotasPerUnit) { options.quotaPerUnit = quota }
    if let value = body.value("currency") {
      guard let text = value.string, text.count == currencyByteCount,
        text.bytes.allSatisfy({ $0 &- 0x41 < 26 })
      else { throw .field("currency", "must be three capital letters such as USD") }
      options.currency = text
    }
    if let index = try body.choice("unpriced_models", policies),
      let policy = Options.UnpricedModels(rawValue: index)
    {
      options.unpricedModels = policy
    }
    if let value = body.value("unpriced_ratio") {
      guard let text = value.string, let ratio = Ratio(text) else {
        throw .field(
          "unpriced_ratio",
          "must be a decimal in quotes such as \"0.5\", up to 1000000 with at most 6 places")
      }
      options.unpricedRatio = ratio
    }
    if let count = try body.number("assumed_completion_tokens", assumedTokens) {
      options.assumedCompletionTokens = count
    }
  }

  /// Writes all options as one object.
  static func write(_ options: Options, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("quota_per_unit", options.quotaPerUnit)
    json.member("currency", options.currency)
    json.member("unpriced_models", policies[Int(options.unpricedModels.rawValue)])
    json.member("unpriced_ratio", options.unpricedRatio.text)
    json.member("assumed_completion_tokens", options.assumedCompletionTokens)
    json.member("registration", options.isRegistrationOpen)
    json.key("new_user_quota")
    if let quota = options.newUserQuota { json.integer(quota) } else { json.null() }
    json.member("new_user_group", options.newUserGroup)
    json.member("log_days", options.logDays)
    json.member("statistics_days", options.statisticsDays)
    json.endObject()
  }

  /// The text to store.
  static func text(_ options: Options) -> ByteString {
    let buffer = Buffer()
    var json = JSONWriter(buffer)
    write(options, &json)
    return buffer.byteString
  }

  /// Reads a stored text.
  ///
  /// Throws what is wrong with it.
  static func options(
    stored text: ByteString, _ groups: UserGroupDirectory
  ) throws(AdminError) -> Options {
    let buffer = Buffer()
    buffer.append(text)
    return try apply(try AdminBody(buffer, knowing: fields), to: Options(), groups)
  }
}
