// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Options that change at run time: show, change.
enum OptionEndpoints {
  static let all: [Endpoint] = [
    Endpoint(method: .get, path: "/api/v1/options", access: .admin, run: .read(show)),
    Endpoint(
      method: .put, path: "/api/v1/options", access: .admin, fields: OptionInput.fields,
      run: .act(update)),
  ]

  @Sendable private static func show(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    OptionInput.write(request.gateway.options, &json)
  }

  @Sendable private static func update(_ request: AdminRequest) throws(AdminError) {
    let gateway = request.gateway
    try request.change(
      { () throws(AdminError) -> Options in
        try OptionInput.apply(request.body, to: gateway.options, gateway.userGroups)
      },
      write: { (options, database) throws(StoreError) in
        try OptionTable.set(OptionInput.optionName, to: OptionInput.text(options), in: database)
      },
      audit: { _, _ in AuditNote("options_change") },
      committed: { (options, _: Void) throws(AdminError) in
        gateway.options = options
        request.reply.succeed { json in OptionInput.write(options, &json) }
      })
  }
}
