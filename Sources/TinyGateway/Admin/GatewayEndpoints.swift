// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform

/// The gateway itself.
enum GatewayEndpoints {
  static let all: [Endpoint] = [
    Endpoint(method: .get, path: "/api/v1/health", access: .anyone, run: .read(health)),
    Endpoint(
      method: .get, path: "/api/v1/status", access: .admin, run: .act(StatusEndpoint.show)),
  ]

  /// Liveness only: that the loop turns and answers, and whether the medium takes writes.
  @Sendable private static func health(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    json.beginObject()
    json.member("status", "ok" as StaticString)
    json.member("storage", request.gateway.isStorageFailing ? "failing" : "ok" as StaticString)
    json.endObject()
  }
}
