// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// The JSON Web Token that Zhipu takes in the place of a key, valid for an hour.
///
/// Source: https://docs.bigmodel.cn, HTTP API, read 2026-11.
package enum ZhipuToken {
  /// How long a token is valid, in seconds.
  static let lifetimeSeconds: Int64 = 3600
  private static let header: StaticString = #"{"alg":"HS256","sign_type":"SIGN"}"#

  /// The token for a channel's key `ID.SECRET` at a time in Unix seconds; nil for a key without
  /// exactly one dot, which cannot sign.
  package static func make(key: ByteString, at now: Int64) -> ByteString? {
    guard let (id, secret) = key.split(at: UInt8(ascii: ".")), !id.isEmpty, !secret.isEmpty,
      !secret.bytes.contains(UInt8(ascii: "."))
    else { return nil }
    let payload = Buffer()
    var json = JSONWriter(payload)
    json.beginObject()
    json.member("api_key", id)
    json.member("exp", (now + lifetimeSeconds) * 1000)
    json.member("timestamp", now * 1000)
    json.endObject()
    let signed = Digest.base64URL(ByteString(header)) + "." + Digest.base64URL(payload.readable)
    let signature = Digest.hmacSHA256(key: secret, signed)
    return signed + "." + signature.withBytes { Digest.base64URL($0) }
  }
}
