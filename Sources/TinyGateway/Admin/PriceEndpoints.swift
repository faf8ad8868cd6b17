// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Prices of models: list, show, create, change, delete, export, import; what a user pays.
enum PriceEndpoints {
  /// Room for 2000 prices with the longest names.
  private static let importByteCount = 768 * 1024

  static let all: [Endpoint] = [
    Endpoint(method: .get, path: "/api/v1/prices", access: .admin, isList: true, run: .read(list)),
    Endpoint(
      method: .post, path: "/api/v1/prices", access: .admin, fields: PriceInput.fields,
      run: .act(save)),
    Endpoint(method: .get, path: "/api/v1/prices/{id}", access: .admin, run: .read(show)),
    Endpoint(
      method: .put, path: "/api/v1/prices/{id}", access: .admin, fields: PriceInput.fields,
      run: .act(save)),
    Endpoint(method: .delete, path: "/api/v1/prices/{id}", access: .admin, run: .act(delete)),
    Endpoint(method: .get, path: "/api/v1/prices/export", access: .admin, run: .read(export)),
    Endpoint(
      method: .post, path: "/api/v1/prices/import", access: .admin,
      fields: ["prices", "replace", "model_ratio", "completion_ratio"],
      bodyByteCount: importByteCount, run: .act(importList)),
    Endpoint(
      method: .get, path: "/api/v1/users/self/prices", access: .user, isList: true,
      run: .read(listForUser)),
  ]

  @Sendable private static func list(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    json.beginObject()
    try request.writePage(of: request.gateway.prices.all, &json) { price, json in
      write(price, &json)
    }
    json.endObject()
  }

  @Sendable private static func show(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    guard let price = request.gateway.prices.find(request.id) else { throw .notFound }
    write(price, &json)
  }

  /// Creates a price, or changes the one in the path.
  @Sendable private static func save(_ request: AdminRequest) throws(AdminError) {
    let prices = request.gateway.prices
    try request.change(
      { () throws(AdminError) -> PriceRecord in
        if request.id == 0 {
          try checkCount(prices.all.count + 1)
          return try PriceInput.apply(request.body, to: nil)
        }
        guard let old = prices.find(request.id) else { throw .notFound }
        return try PriceInput.apply(request.body, to: old)
      },
      write: { (record, database) throws(StoreError) -> Int64 in
        if record.id == 0 { return try PriceTable.insert(record, in: database) }
        try PriceTable.update(record, in: database)
        return record.id
      },
      audit: { record, id in
        AuditNote(
          record.id == 0 ? "price_create" : "price_change",
          "price " + ByteString(number: id) + " " + record.model)
      },
      committed: { (record, id) throws(AdminError) in
        var record = record
        record.id = id
        prices.put(record)
        request.reply.succeed { json in write(record, &json) }
      })
  }

  @Sendable private static func delete(_ request: AdminRequest) throws(AdminError) {
    let prices = request.gateway.prices
    try request.change(
      { () throws(AdminError) -> Int64 in
        guard let price = prices.find(request.id) else { throw .notFound }
        return price.id
      },
      write: { (id, database) throws(StoreError) in try PriceTable.delete(id, in: database) },
      audit: { id, _ in AuditNote("price_delete", "price " + ByteString(number: id)) },
      committed: { (id, _: Void) throws(AdminError) in
        prices.remove(id)
        request.reply.succeed { $0.null() }
      })
  }

  private static func checkCount(_ count: Int) throws(AdminError) {
    guard count > Prices.largestCount else { return }
    throw AdminError(
      409, "conflict",
      "There would be more than " + ByteString(number: Int64(Prices.largestCount))
        + " prices: delete some, or use patterns such as gpt-4*.")
  }

  // Whole lists.

  @Sendable private static func export(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    json.beginObject()
    json.key("prices")
    json.beginArray()
    for price in request.gateway.prices.all {
      json.beginObject()
      writeFields(price, showsNull: false, &json)
      json.endObject()
    }
    json.endArray()
    json.member("replace", true)
    json.endObject()
  }

  /// What an import puts in.
  private struct Import {
    let prices: [PriceRecord]
    let skipped: [ByteString]
    let replacing: Bool
  }

  @Sendable private static func importList(_ request: AdminRequest) throws(AdminError) {
    let prices = request.gateway.prices
    try request.change(
      { () throws(AdminError) -> Import in
        let new = try importContents(request.body)
        var models = Set(new.prices.map { $0.model })
        if !new.replacing { for price in prices.all { models.insert(price.model) } }
        try checkCount(models.count)
        return new
      },
      write: { (new, database) throws(StoreError) -> [PriceRecord] in
        try PriceTable.put(new.prices, replacing: new.replacing, in: database)
      },
      audit: { new, _ in
        AuditNote("prices_import", ByteString(number: Int64(new.prices.count)) + " prices")
      },
      committed: { (new, all) throws(AdminError) in
        prices.replace(all)
        request.reply.succeed { json in
          json.beginObject()
          json.member("imported", Int64(new.prices.count))
          json.member("total", Int64(all.count))
          ChannelEndpoints.write("skipped", new.skipped, &json)
          json.endObject()
        }
      })
  }

  private static func importContents(_ body: AdminBody) throws(AdminError) -> Import {
    let replacing = try body.boolean("replace") ?? false
    guard let models = body.value("model_ratio") else {
      guard let list = body.value("prices") else { throw .field("prices", "is missing") }
      if body.has("completion_ratio") {
        throw .field("completion_ratio", "needs model_ratio beside it")
      }
      return Import(prices: try PriceInput.list(list), skipped: [], replacing: replacing)
    }
    if body.has("prices") { throw .field("prices", "cannot stand beside model_ratio") }
    let ratios = try OneAPIRatios(models, body.value("completion_ratio"))
    return Import(prices: ratios.prices, skipped: ratios.skipped, replacing: replacing)
  }

  /// The prices with the ratio that the caller's group pays of them.
  @Sendable private static func listForUser(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    let gateway = request.gateway
    let group = try request.user().record.userGroup
    json.beginObject()
    json.member("group", group)
    json.member("ratio", (gateway.userGroups.find(group)?.record.ratio ?? .one).text)
    try request.writePage(of: gateway.prices.all, &json) { price, json in
      json.beginObject()
      writeFields(price, showsNull: true, &json)
      json.endObject()
    }
    json.endObject()
  }

  // Writing.

  private static func write(_ price: PriceRecord, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("id", price.id)
    writeFields(price, showsNull: true, &json)
    json.member("created_at", price.createdAt)
    json.endObject()
  }

  private static func writeFields(
    _ price: PriceRecord, showsNull: Bool, _ json: inout JSONWriter
  ) {
    json.member("model", price.model)
    json.member("prompt", price.prompt.text)
    let others: [(StaticString, Ratio?)] = [
      ("completion", price.completion), ("cached", price.cached), ("image", price.image),
      ("audio_prompt", price.audioPrompt), ("audio_completion", price.audioCompletion),
    ]
    for (name, ratio) in others {
      if let ratio {
        json.member(name, ratio.text)
      } else if showsNull {
        json.key(name)
        json.null()
      }
    }
  }
}
