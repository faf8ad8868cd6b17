// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Who changed what.
enum AuditEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .get, path: "/api/v1/audit", access: .admin,
      parameters: ["user_id", "action", "from", "until", "before"], isList: true, run: .act(list))
  ]

  @Sendable private static func list(_ request: AdminRequest) throws(AdminError) {
    let page = try request.page()
    var filter = AuditFilter()
    filter.userID = try request.positive("user_id", upTo: .max)
    filter.action = request.parameter("action")
    filter.from = try request.positive("from", upTo: .max)
    filter.until = try request.positive("until", upTo: .max)
    filter.before = try request.positive("before", upTo: .max)
    request.gateway.batch.listAudit(filter, page) { result in
      switch result {
      case .failure(let error): request.reply.fail(AdminError(error))
      case .success(let listing):
        request.reply.succeed { json in
          json.beginObject()
          json.key("items")
          json.beginArray()
          for row in listing.items { write(row, &json) }
          json.endArray()
          json.member("total", listing.total)
          json.member("page", page.number)
          json.member("page_size", page.size)
          json.endObject()
        }
      }
    }
  }

  private static func write(_ row: AuditRecord, _ json: inout JSONWriter) {
    let requestID = Buffer()
    RequestID.append(row.requestID, to: requestID)
    json.beginObject()
    json.member("id", row.id)
    json.member("time", row.time)
    json.member("user_id", row.userID)
    json.member("username", row.username)
    json.member("action", row.action)
    json.member("target", row.target)
    json.key("address")
    if let address = row.address { json.string(address.text) } else { json.null() }
    json.member("request_id", requestID.byteString)
    json.member("times", row.times)
    json.endObject()
  }
}
