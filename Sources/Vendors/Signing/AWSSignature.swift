// SPDX-License-Identifier: MIT
import Platform

/// Signs requests to AWS (Signature Version 4).
///
/// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html, read 2026-11.
package struct AWSSignature {
  /// What a channel's key holds: `ACCESS_KEY|SECRET_KEY|REGION`, `|SESSION_TOKEN` optional, or
  /// `ACCESS_KEY|SECRET_KEY` alone where the region is known otherwise.
  package struct Key {
    let accessKey: ByteString
    let secret: ByteString
    /// Such as `us-east-1`.
    package let region: ByteString
    let sessionToken: ByteString?

    /// Reads a channel's key.
    ///
    /// `region`: for keys that name none; may be empty.
    package init(_ text: ByteString, region known: ByteString = .empty) throws(SigningError) {
      let parts = try SigningKey.parts(
        text, (known.isEmpty ? 3 : 2)...4,
        "the key must be ACCESS_KEY|SECRET_KEY|REGION or …|REGION|SESSION_TOKEN")
      accessKey = parts[0]
      secret = parts[1]
      region = parts.count > 2 ? parts[2] : known
      sessionToken = parts.count > 3 ? parts[3] : nil
      for byte in region.bytes
      where !ASCII.isLetter(byte) && !ASCII.isDigit(byte) && byte != UInt8(ascii: "-") {
        throw SigningError(text: "the region in the key is not one: it looks like us-east-1")
      }
    }
  }

  /// One request without a query.
  package struct Request {
    let method: StaticString
    /// The `Host` header's value.
    let host: ByteString
    /// As it is sent, its parts percent-encoded.
    let path: ByteString
    /// The `Content-Type` header's value; nil for none.
    let contentType: ByteString?
    let bodyDigest: SHA256Digest

    /// Describes a request.
    package init(
      method: StaticString, host: ByteString, path: ByteString, contentType: ByteString?,
      bodyDigest: SHA256Digest
    ) {
      self.method = method
      self.host = host
      self.path = path
      self.contentType = contentType
      self.bodyDigest = bodyDigest
    }
  }

  let key: Key
  let request: Request
  private let time: ByteString
  private let scoped: ScopedSignature

  /// Prepares the signature of a request at a time in Unix seconds.
  package init(_ request: Request, service: StaticString = "bedrock", key: Key, at now: Int64) {
    self.key = key
    self.request = request
    time = UnixTime.compactTimestamp(now)
    scoped = ScopedSignature(
      algorithm: "AWS4-HMAC-SHA256", keyID: key.accessKey, secret: "AWS4" + key.secret, time: time,
      scope: [
        ByteString(Array(time.bytes[..<8])), key.region, ByteString(service), "aws4_request",
      ])
  }

  /// Appends `X-Amz-Date`, `X-Amz-Security-Token` where there is one, and `Authorization`.
  package func appendHeaders(to buffer: Buffer) {
    buffer.append("X-Amz-Date: ")
    buffer.append(time)
    buffer.append("\r\n")
    if let token = key.sessionToken {
      buffer.append("X-Amz-Security-Token: ")
      buffer.append(token)
      buffer.append("\r\n")
    }
    scoped.appendAuthorization(canonicalRequest, names: names, to: buffer)
  }

  var signature: ByteString { scoped.signature(canonicalRequest) }
  var stringToSign: ByteString { scoped.stringToSign(canonicalRequest) }

  var canonicalRequest: ByteString {
    let path = Buffer()
    // Every service but S3 wants the parts encoded once more: `%3A` becomes `%253A`.
    PercentEncoding.append(request.path, keepsSlash: true, to: path)
    let headers = Buffer()
    appendHeader("content-type:", request.contentType, to: headers)
    appendHeader("host:", request.host, to: headers)
    appendHeader("x-amz-date:", time, to: headers)
    appendHeader("x-amz-security-token:", key.sessionToken, to: headers)
    return ScopedSignature.canonicalRequest(
      method: request.method, path: path.byteString, headers: headers.byteString, names: names,
      bodyDigest: request.bodyDigest)
  }

  private var names: ByteString {
    (request.contentType == nil ? ByteString("") : "content-type;") + "host;x-amz-date"
      + (key.sessionToken == nil ? ByteString("") : ";x-amz-security-token")
  }

  private func appendHeader(_ name: StaticString, _ value: ByteString?, to buffer: Buffer) {
    guard let value else { return }
    buffer.append(name)
    buffer.append(value)
    buffer.append("\n")
  }
}
