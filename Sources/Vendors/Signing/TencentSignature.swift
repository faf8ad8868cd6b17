// SPDX-License-Identifier: MIT
import Platform

/// Signs requests to Tencent Cloud's API 3.0 (TC3-HMAC-SHA256).
///
/// Source: https://cloud.tencent.com/document/api/1729/101842, read 2026-11.
package struct TencentSignature {
  /// What a channel's key holds: `SECRET_ID|SECRET_KEY`, or the same behind an `APPID|`.
  package struct Key {
    let secretID: ByteString
    let secret: ByteString

    /// Reads a channel's key.
    package init(_ text: ByteString) throws(SigningError) {
      let parts = try SigningKey.parts(
        text, 2...3, "the key must be SECRET_ID|SECRET_KEY or APPID|SECRET_ID|SECRET_KEY")
      secretID = parts[parts.count - 2]
      secret = parts[parts.count - 1]
    }
  }

  /// What is signed of every request, and sent with it.
  package static let contentType: StaticString = "application/json"

  private let action: StaticString
  private let host: ByteString
  private let service: StaticString
  private let bodyDigest: SHA256Digest
  private let time: ByteString
  private let scoped: ScopedSignature
  private let names: ByteString = "content-type;host;x-tc-action"

  /// Prepares the signature of a POST at a time in Unix seconds.
  ///
  /// `action`: the call's name, such as `ChatCompletions`.
  package init(
    action: StaticString, host: ByteString, service: StaticString = "hunyuan",
    bodyDigest: SHA256Digest, key: Key, at now: Int64
  ) {
    self.action = action
    self.host = host
    self.service = service
    self.bodyDigest = bodyDigest
    let seconds = Buffer()
    seconds.append(decimal: now)
    time = seconds.byteString
    scoped = ScopedSignature(
      algorithm: "TC3-HMAC-SHA256", keyID: key.secretID, secret: "TC3" + key.secret, time: time,
      scope: [
        CalendarDate(days: now / UnixTime.secondsPerDay).text, ByteString(service), "tc3_request",
      ])
  }

  /// Appends `X-TC-Action`, `X-TC-Timestamp` and `Authorization`.
  package func appendHeaders(to buffer: Buffer) {
    buffer.append("X-TC-Action: ")
    buffer.append(action)
    buffer.append("\r\nX-TC-Timestamp: ")
    buffer.append(time)
    buffer.append("\r\n")
    scoped.appendAuthorization(canonicalRequest, names: names, to: buffer)
  }

  var signature: ByteString { scoped.signature(canonicalRequest) }
  var stringToSign: ByteString { scoped.stringToSign(canonicalRequest) }

  var canonicalRequest: ByteString {
    let headers = Buffer()
    headers.append("content-type:")
    headers.append(TencentSignature.contentType)
    headers.append("\nhost:")
    headers.append(host.lowercased)
    headers.append("\nx-tc-action:")
    headers.append(ByteString(action).lowercased)
    headers.append("\n")
    return ScopedSignature.canonicalRequest(
      method: "POST", path: "/", headers: headers.byteString, names: names,
      bodyDigest: bodyDigest)
  }
}
