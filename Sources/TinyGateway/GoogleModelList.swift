// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform

/// `/v1beta/models`: what the caller may use, as Google's clients read it; `/v1/models` too when
/// its key comes in Google's way, since their SDK asks there.
///
/// Source: https://ai.google.dev/api/models, read 2026-11.
enum GoogleModelList {
  /// Whether a request for `/v1/models` is one of Google's clients.
  static func isAsked(_ head: RequestHead) -> Bool {
    head.count(of: .googleKey) > 0 || head.query != nil && head.queryValue(of: "key") != nil
  }

  /// The model that a path names, empty for all; nil for another path.
  static func name(_ path: ByteString, isGoogle: Bool) -> ByteString? {
    let base: StaticString = isGoogle && path.starts(with: "/v1/") ? "/v1/models" : "/v1beta/models"
    guard path.starts(with: base) else { return nil }
    let count = base.utf8CodeUnitCount
    if path.count == count { return .empty }
    guard path[count] == UInt8(ascii: "/"), path.count > count + 1 else { return nil }
    return ByteString(Array(path.bytes.dropFirst(count + 1)))
  }

  /// Answers with one model, or with all.
  static func answer(
    _ name: ByteString, _ caller: Caller, _ responder: Responder, _ gateway: Gateway,
    _ requestID: Int64
  ) throws(RelayError) {
    if !name.isEmpty {
      _ = try ModelList.served(name, caller, gateway)
      return ModelList.respond(responder, requestID) { json in write(name, &json) }
    }
    ModelList.respond(responder, requestID) { json in
      json.beginObject()
      json.key("models")
      json.beginArray()
      for name in ModelList.models(caller, gateway) { write(name, &json) }
      json.endArray()
      json.endObject()
    }
  }

  private static func write(_ name: ByteString, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("name", "models/" + name)
    json.member("displayName", name)
    json.key("supportedGenerationMethods")
    json.beginArray()
    json.string("generateContent" as StaticString)
    json.string("countTokens" as StaticString)
    json.endArray()
    json.endObject()
  }
}
