// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// The request log: pages, the whole as CSV, and its deletion.
///
/// Users see their own requests only.
enum LogEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .get, path: "/api/v1/logs", access: .user,
      parameters: LogQuery.parameters + ["format"], isList: true, run: .act(list)),
    Endpoint(
      method: .delete, path: "/api/v1/logs", access: .admin, parameters: ["until"],
      run: .act(delete)),
  ]

  /// Pages that may be asked for by number; further ones are found with a cursor.
  private static let pageLimit: Int64 = 1000

  @Sendable private static func list(_ request: AdminRequest) throws(AdminError) {
    let filter = try LogQuery.filter(request)
    guard let format = request.parameter("format") else {
      let page = try request.page()
      guard page.number <= pageLimit else {
        throw LogQuery.invalid(
          "page", "must be a whole number from 1 to 1000: go on with before, from next_before")
      }
      let user = try request.user()
      return try request.search { ended in
        LogPage(request, filter, page, user, ended).gather()
      }
    }
    guard format == "csv" else { throw LogQuery.invalid("format", "must be csv") }
    guard request.parameter("page") == nil, request.parameter("page_size") == nil else {
      throw LogQuery.invalid("format", "gives the whole log, without page and page_size")
    }
    let user = try request.user()
    guard request.gateway.admin.exports.take(for: user.id, isUser: user.record.role == .user)
    else {
      throw AdminError(
        503, "busy",
        "An export of yours or too many of others run already: try again when they are complete.",
        retryAfter: 5)
    }
    LogExport(request, filter, user).begin()
  }

  @Sendable private static func delete(_ request: AdminRequest) throws(AdminError) {
    guard let until = try LogQuery.time("until", request) else {
      throw LogQuery.invalid("until", "is missing: rows from before this Unix time are deleted")
    }
    // The audit row first: rows go in several steps, and none may go without it.
    try request.change(
      { () throws(AdminError) -> Int64 in until },
      write: { (_, _) throws(StoreError) in () },
      audit: { until, _ in AuditNote("logs_delete", "before " + ByteString(number: until)) },
      committed: { (until, _: Void) throws(AdminError) in
        request.gateway.batch.deleteLogs(before: until) { count, error in
          if let error { return request.reply.fail(AdminError(error)) }
          request.reply.succeed { json in
            json.beginObject()
            json.member("deleted", count)
            json.endObject()
          }
        }
      })
  }
}

/// One page of the log being gathered, slice by slice.
private final class LogPage {
  /// Matching rows that are counted for `total`.
  private static let countLimit: Int64 = 10_000
  /// When the page is full, rows looked at for the sake of `total` alone end here.
  private static let scanLimit: Int64 = 100_000

  private let request: AdminRequest
  private let search: LogSearch
  private let page: Store.Page
  private let user: User
  /// With a cursor the rows on its other side are not looked at, hence there is no total.
  private let hasTotal: Bool
  /// Lets the next search begin.
  private let ended: () -> Void
  private var rows: [LogRecord] = []
  private var matchCount: Int64 = 0

  init(
    _ request: AdminRequest, _ filter: LogFilter, _ page: Store.Page, _ user: User,
    _ ended: @escaping () -> Void
  ) {
    self.request = request
    self.ended = ended
    self.page = page
    self.user = user
    search = request.gateway.batch.search(filter)
    hasTotal = filter.before == nil && filter.after == nil
  }

  /// Rows to be found before the answer, one more than are shown: whether there is a next page.
  private var wantedCount: Int64 {
    let least = page.offset + page.size + 1
    return hasTotal ? max(least, LogPage.countLimit + 1) : least
  }

  private var isComplete: Bool {
    let isFull = Int64(rows.count) == page.size && matchCount > page.offset + page.size
    return search.isAtEnd || matchCount >= wantedCount
      || (isFull && search.scannedCount >= LogPage.scanLimit)
  }

  func gather() {
    let want = LogSearch.Want(
      skipped: max(0, page.offset - matchCount), kept: page.size - Int64(rows.count),
      counted: wantedCount - matchCount)
    search.step(want) { [self] result in
      if request.reply.isEnded { return ended() }
      switch result {
      case .success(let slice):
        rows += slice.rows
        matchCount += slice.matchCount
        guard isComplete else { return gather() }
        answer()
      case .failure(let error): request.reply.fail(AdminError(error))
      }
      ended()
    }
  }

  private func answer() {
    let writer = LogRow(request.gateway, for: user)
    request.reply.succeed { [self] json in
      json.beginObject()
      json.key("items")
      json.beginArray()
      for row in rows { writer.write(row, &json) }
      json.endArray()
      json.key("total")
      if hasTotal { json.integer(min(matchCount, LogPage.countLimit)) } else { json.null() }
      json.member("total_is_capped", hasTotal && isCapped)
      json.member("page", page.number)
      json.member("page_size", page.size)
      let hasMore = matchCount > page.offset + Int64(rows.count) || !search.isAtEnd
      LogRow.write(id: hasMore ? rows.last?.id ?? 0 : 0, "next_before", &json)
      Billing.writeCurrency(request.gateway.options, &json)
      json.endObject()
    }
  }

  private var isCapped: Bool { matchCount > LogPage.countLimit || !search.isAtEnd }
}
