// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Usage by day, model, user and token.
///
/// Users see their own only.
enum StatisticsEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .get, path: "/api/v1/stats", access: .user,
      parameters: ["group_by", "from", "until", "user_id", "token_id", "model"], run: .act(show)),
    Endpoint(
      method: .get, path: "/api/v1/stats/summary", access: .user, parameters: ["user_id"],
      run: .act(showSummary)),
  ]

  /// Groups in one answer.
  private static let groupLimit = 1000
  /// Days that an answer covers when it is not told which, today included.
  private static let usualDayCount: Int64 = 30

  @Sendable private static func show(_ request: AdminRequest) throws(AdminError) {
    let query = try query(request)
    try report(query, request) { report, json in
      let options = request.gateway.options
      json.beginObject()
      json.member("from", CalendarDate(days: query.firstDay).text)
      json.member("until", CalendarDate(days: query.lastDay).text)
      json.key("items")
      json.beginArray()
      for item in report.groups {
        json.beginObject()
        write(item.key, query, request.gateway, &json)
        write(item.sums, options, &json)
        json.endObject()
      }
      json.endArray()
      json.member("is_cut", report.isCut)
      json.key("total")
      json.beginObject()
      write(report.total, options, &json)
      json.endObject()
      Billing.writeCurrency(options, &json)
      json.endObject()
    }
  }

  @Sendable private static func showSummary(_ request: AdminRequest) throws(AdminError) {
    let today = today(request)
    var query = UsageQuery(firstDay: today - usualDayCount + 1, lastDay: today)
    query.userID = try LogQuery.userID(request)
    query.tellsDays = true
    try report(query, request) { report, json in
      let options = request.gateway.options
      let newest = report.groups.last { $0.key.day == today }
      json.beginObject()
      json.member("day", CalendarDate(days: today).text)
      json.key("today")
      json.beginObject()
      write(newest?.sums ?? UsageSums(), options, &json)
      json.endObject()
      json.key("last_30_days")
      json.beginObject()
      write(report.total, options, &json)
      json.endObject()
      Billing.writeCurrency(options, &json)
      json.endObject()
    }
  }

  /// Answers with what `write` makes of the usage, when it is the caller's turn to search.
  private static func report(
    _ query: UsageQuery, _ request: AdminRequest,
    _ write: @escaping (UsageSummary, inout JSONWriter) -> Void
  ) throws(AdminError) {
    try request.search { ended in
      request.gateway.batch.report(query, groupCount: groupLimit) { result in
        switch result {
        case .success(let report): request.reply.succeed { json in write(report, &json) }
        case .failure(let error): request.reply.fail(AdminError(error))
        }
        ended()
      }
    }
  }

  // Parameters.

  private static func query(_ request: AdminRequest) throws(AdminError) -> UsageQuery {
    let today = today(request)
    let last = try day("until", request) ?? today
    let first = try day("from", request) ?? min(today, last) - usualDayCount + 1
    guard first <= last else { throw LogQuery.invalid("from", "must not be after until") }
    var query = UsageQuery(firstDay: first, lastDay: last)
    query.userID = try LogQuery.userID(request)
    query.tokenID = try LogQuery.id("token_id", request)
    if let name = request.parameter("model") {
      query.modelID = LogQuery.modelID(name, request.gateway)
    }
    guard let names = request.parameter("group_by") else {
      query.tellsDays = true
      return query
    }
    var seen: Set<ByteString> = []
    for name in names.bytes.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      let name = ByteString(Array(name))
      guard seen.insert(name).inserted, query.tell(name) else {
        throw LogQuery.invalid(
          "group_by", "must be one or several of day, model, user and token, with commas")
      }
    }
    return query
  }

  private static func today(_ request: AdminRequest) -> Int64 {
    request.gateway.zone.day(at: UnixTime.seconds)
  }

  private static func day(
    _ name: StaticString, _ request: AdminRequest
  ) throws(AdminError) -> Int64? {
    guard let text = request.parameter(name) else { return nil }
    guard let date = CalendarDate(text) else {
      throw LogQuery.invalid(name, "must be a day such as 2026-11-25")
    }
    return date.days
  }

  // Answers.

  private static func write(
    _ key: UsageDayKey, _ query: UsageQuery, _ gateway: Gateway, _ json: inout JSONWriter
  ) {
    if query.tellsDays { json.member("day", CalendarDate(days: key.day).text) }
    if query.tellsModels { LogRow.write("model", gateway.batch.modelName(key.modelID), &json) }
    if query.tellsUsers {
      LogRow.write(id: key.userID, "user_id", &json)
      LogRow.write("username", gateway.accounts.user(key.userID)?.record.username, &json)
    }
    if query.tellsTokens {
      LogRow.write(id: key.tokenID, "token_id", &json)
      LogRow.write("token_name", gateway.accounts.token(key.tokenID)?.record.name, &json)
    }
  }

  private static func write(
    _ sums: UsageSums, _ options: Options, _ json: inout JSONWriter
  ) {
    json.member("requests", sums.requests)
    json.member("failures", sums.failures)
    json.member("prompt_tokens", sums.promptTokens)
    json.member("completion_tokens", sums.completionTokens)
    json.member("cached_tokens", sums.cachedTokens)
    json.member("quota", sums.charge / Micro.perUnit)
    json.member("quota_micro", sums.charge)
    json.member("cost", Billing.cost(sums.charge, options))
  }
}

extension UsageQuery {
  /// Tells apart what a name of `group_by` says; false for an unknown one.
  fileprivate mutating func tell(_ name: ByteString) -> Bool {
    if name == "day" {
      tellsDays = true
    } else if name == "model" {
      tellsModels = true
    } else if name == "user" {
      tellsUsers = true
    } else if name == "token" {
      tellsTokens = true
    } else {
      return false
    }
    return true
  }
}
