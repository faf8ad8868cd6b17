// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Redemption codes: list, show, make, change, delete.
///
/// They are read from the database when asked for: no request of a client needs them.
enum RedemptionEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .get, path: "/api/v1/redemptions", access: .admin, parameters: ["status", "name"],
      isList: true, run: .act(list)),
    Endpoint(
      method: .post, path: "/api/v1/redemptions", access: .admin,
      fields: ["name", "quota", "count", "expires_at"], run: .act(create)),
    Endpoint(method: .get, path: "/api/v1/redemptions/{id}", access: .admin, run: .act(show)),
    Endpoint(
      method: .put, path: "/api/v1/redemptions/{id}", access: .admin,
      fields: ["name", "status", "expires_at"], run: .act(update)),
    Endpoint(method: .delete, path: "/api/v1/redemptions/{id}", access: .admin, run: .act(delete)),
  ]

  /// By their numbers, from 1.
  private static let statusNames: [StaticString] = ["unused", "disabled", "used", "expired"]
  private static let nameByteCounts = 1...64
  private static let counts: ClosedRange<Int64> = 1...100
  /// Codes in all.
  private static let largestCodeCount: Int64 = 100_000
  private static let codeCharacterCount = 32

  /// The present for questions of expiry; 0 while the clock is not known to be right.
  static var now: Int64 { UnixTime.isPlausible ? UnixTime.seconds : 0 }

  // Reading.

  @Sendable private static func list(_ request: AdminRequest) throws(AdminError) {
    let page = try request.page()
    let now = now
    let status = try request.choice("status", statusNames)
    let filter = RedemptionFilter(
      status: status.flatMap { RedemptionStatus(rawValue: $0 + 1) },
      name: try request.searchText("name") ?? .empty, now: now)
    read(
      request,
      { (database) throws(StoreError) in try RedemptionTable.list(filter, page, in: database) },
      { listing in
        request.reply.succeed { json in
          json.beginObject()
          json.key("items")
          json.beginArray()
          for code in listing.items { write(code, now, &json) }
          request.endPage(page, itemCount: Int(listing.total), &json)
          json.endObject()
        }
      })
  }

  @Sendable private static func show(_ request: AdminRequest) throws(AdminError) {
    let id = request.id
    read(
      request,
      { (database) throws(StoreError) in try RedemptionTable.find(id, in: database) },
      { code in answer(request, code) })
  }

  private static func answer(_ request: AdminRequest, _ code: RedemptionRecord?) {
    guard let code else { return request.reply.fail(.notFound) }
    request.reply.succeed { json in write(code, now, &json) }
  }

  private static func read<Result>(
    _ request: AdminRequest, _ work: @escaping (Database) throws(StoreError) -> Result,
    _ done: @escaping (Result) -> Void
  ) {
    request.gateway.storage.perform(work) { result in
      switch result {
      case .success(let value): done(value)
      case .failure(let error): request.reply.fail(AdminError(error))
      }
    }
  }

  private static func write(_ code: RedemptionRecord, _ now: Int64, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("id", code.id)
    json.member("name", code.name)
    json.member("code_hint", code.codeHint)
    json.member("quota", code.quota)
    json.member("expires_at", code.expiresAt)
    json.member("status", statusNames[Int(code.status(at: now).rawValue) - 1])
    json.member("used_by", code.usedBy)
    json.member("used_at", code.usedAt)
    json.member("created_at", code.createdAt)
    json.endObject()
  }

  // Changing.

  @Sendable private static func create(_ request: AdminRequest) throws(AdminError) {
    let body = request.body
    let name = try body.requiredText("name", nameByteCounts)
    guard let quota = try body.number("quota", 1...Micro.largestQuota) else {
      throw .field("quota", "is missing")
    }
    let expiresAt = body.isNull("expires_at") ? nil : try body.number("expires_at", times)
    var codes: [ByteString] = []
    var records: [RedemptionRecord] = []
    for _ in 0..<(try body.number("count", counts) ?? 1) {
      let secret = Random.base62(codeCharacterCount)
      let code = "tgc-" + secret
      codes.append(code)
      records.append(
        RedemptionRecord(
          name: name, codeHash: Digest.sha256(code).bytes,
          codeHint: AdminText.keyHint("tgc-", secret), quota: quota,
          expiresAt: expiresAt, createdAt: UnixTime.seconds))
    }
    try store(records, codes, request)
  }

  private static func store(
    _ records: [RedemptionRecord], _ codes: [ByteString], _ request: AdminRequest
  ) throws(AdminError) {
    try request.change(
      { () throws(AdminError) -> [RedemptionRecord] in records },
      write: { (records, database) throws(StoreError) -> [RedemptionRecord] in
        let count = try RedemptionTable.count(in: database) + Int64(records.count)
        guard count <= largestCodeCount else { return [] }
        var stored = records
        for index in stored.indices {
          stored[index].id = try RedemptionTable.insert(stored[index], in: database)
        }
        return stored
      },
      audit: { _, stored in
        guard let first = stored.first, let last = stored.last else { return nil }
        return AuditNote(
          "redemption_create",
          "redemptions " + ByteString(number: first.id) + "-" + ByteString(number: last.id) + " "
            + first.name + " +" + ByteString(number: first.quota))
      },
      committed: { (_, stored) throws(AdminError) in
        guard !stored.isEmpty else { throw tooMany }
        request.reply.succeed { json in
          json.beginObject()
          json.key("items")
          json.beginArray()
          for code in stored { write(code, now, &json) }
          json.endArray()
          ChannelEndpoints.write("codes", codes, &json)
          json.endObject()
        }
      })
  }

  private static let tooMany = AdminError(
    409, "conflict", "There may be at most 100000 redemption codes: delete old ones first.")

  @Sendable private static func update(_ request: AdminRequest) throws(AdminError) {
    let id = request.id
    let wanted = try edit(request.body)
    try request.change(
      { () throws(AdminError) -> RedemptionEdit in wanted },
      write: { (edit, database) throws(StoreError) -> RedemptionRecord in
        try RedemptionTable.update(id, edit, in: database)
      },
      audit: { _, _ in AuditNote("redemption_change", "redemption " + ByteString(number: id)) },
      committed: { (_, code) throws(AdminError) in answer(request, code) })
  }

  private static func edit(_ body: AdminBody) throws(AdminError) -> RedemptionEdit {
    var edit = RedemptionEdit()
    edit.name = try body.text("name", nameByteCounts)
    if let index = try body.choice("status", ["unused", "disabled"]) {
      edit.status = index == 0 ? .unused : .disabled
    }
    edit.changesExpiry = body.has("expires_at")
    edit.expiresAt = body.isNull("expires_at") ? nil : try body.number("expires_at", times)
    return edit
  }

  @Sendable private static func delete(_ request: AdminRequest) throws(AdminError) {
    try request.change(
      { () throws(AdminError) -> Int64 in request.id },
      write: { (id, database) throws(StoreError) in try RedemptionTable.delete(id, in: database) },
      audit: { id, _ in AuditNote("redemption_delete", "redemption " + ByteString(number: id)) },
      committed: { (_, _: Void) throws(AdminError) in
        request.reply.succeed { $0.null() }
      })
  }

  private static var times: ClosedRange<Int64> { TokenInput.times }
}
