// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// The table of models that serve for others: show, change.
enum ModelFallbackEndpoints {
  static let all: [Endpoint] = [
    Endpoint(method: .get, path: "/api/v1/model-fallbacks", access: .admin, run: .read(show)),
    Endpoint(
      method: .put, path: "/api/v1/model-fallbacks", access: .admin,
      fields: ["fallbacks", "offline"], run: .act(update)),
  ]

  @Sendable private static func show(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    request.gateway.modelFallbacks.write(to: &json)
  }

  @Sendable private static func update(_ request: AdminRequest) throws(AdminError) {
    let gateway = request.gateway
    try request.change(
      { () throws(AdminError) -> ModelFallbacks in
        var table = gateway.modelFallbacks
        do throws(FieldError) {
          try table.replace(
            fallbacks: request.body.value("fallbacks"), offline: request.body.value("offline"))
        } catch {
          throw AdminError(error)
        }
        return table
      },
      write: { (table, database) throws(StoreError) in
        try OptionTable.set(ModelFallbacks.optionName, to: table.text, in: database)
      },
      audit: { _, _ in AuditNote("model_fallbacks_change") },
      committed: { (table, _: Void) throws(AdminError) in
        gateway.modelFallbacks = table
        request.reply.succeed { json in table.write(to: &json) }
      })
  }
}
