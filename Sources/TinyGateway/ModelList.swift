// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Vendors

/// `/v1/models`: what the caller may use.
///
/// Source: https://platform.openai.com/docs/api-reference/models, read 2026-11.
enum ModelList {
  /// Answers with all models of the caller.
  static func answer(
    _ caller: Caller, _ responder: Responder, _ gateway: Gateway, _ requestID: Int64
  ) {
    respond(responder, requestID) { json in
      json.beginObject()
      json.member("object", "list" as StaticString)
      json.key("data")
      json.beginArray()
      for name in models(caller, gateway) { write(name, gateway, &json) }
      json.endArray()
      json.endObject()
    }
  }

  /// Answers with one model.
  static func answer(
    _ name: ByteString, _ caller: Caller, _ responder: Responder, _ gateway: Gateway,
    _ requestID: Int64
  ) throws(RelayError) {
    let name = try served(name, caller, gateway)
    respond(responder, requestID) { json in write(name, gateway, &json) }
  }

  /// The same name, if a model of it is served to the caller.
  static func served(
    _ name: ByteString, _ caller: Caller, _ gateway: Gateway
  ) throws(RelayError) -> ByteString {
    let isServed = caller.channelGroups.contains { group in
      gateway.channels.rotation(for: name, group: group) != nil
    }
    guard ModelName.isValid(name), isServed, caller.token.allows(model: name) else {
      throw RelayError(
        404, "invalid_request_error", "model_not_found",
        "The model " + name + " does not exist here.", param: "model")
    }
    return name
  }

  /// Everything that the caller may use.
  static func models(_ caller: Caller, _ gateway: Gateway) -> [ByteString] {
    gateway.channels.models(inGroups: caller.channelGroups).filter {
      caller.token.allows(model: $0)
    }
  }

  private static func write(_ name: ByteString, _ gateway: Gateway, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("id", name)
    json.member("object", "model" as StaticString)
    json.member("created", gateway.startedAt)
    json.member("owned_by", owner(of: name, gateway))
    json.endObject()
  }

  /// Who serves a model: the first channel's vendor.
  static func owner(of name: ByteString, _ gateway: Gateway) -> ByteString {
    gateway.channels.serving(name).first.map { ByteString($0.vendor.slug) } ?? "tinygateway"
  }

  static func respond(
    _ responder: Responder, _ requestID: Int64, _ compose: (inout JSONWriter) -> Void
  ) {
    let body = Buffer()
    var json = JSONWriter(body)
    compose(&json)
    responder.respond(json: body, requestID: requestID)
  }
}
