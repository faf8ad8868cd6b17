// SPDX-License-Identifier: MIT
import Platform

/// Signs requests to Baidu's cloud (bce-auth-v1).
///
/// Source: https://cloud.baidu.com/doc/Reference/s/njwvz1yfu, read 2026-11.
package enum BaiduSignature {
  /// How long a signature is valid, in seconds.
  static let lifetimeSeconds: Int64 = 1800
  private static let names: StaticString = "host;x-bce-date"

  /// Appends `x-bce-date` and `Authorization` for a POST without a query, at a time in Unix
  /// seconds.
  ///
  /// `key`: `ACCESS_KEY|SECRET_KEY`.
  /// `path`: as it is sent, not encoded.
  package static func appendHeaders(
    host: ByteString, path: ByteString, key: ByteString, at now: Int64, to buffer: Buffer
  ) throws(SigningError) {
    let parts = try SigningKey.parts(key, 2...2, "the key must be ACCESS_KEY|SECRET_KEY")
    let prefix = prefix(accessKey: parts[0], at: now)
    buffer.append("x-bce-date: ")
    buffer.append(UnixTime.timestamp(now))
    buffer.append("\r\nAuthorization: ")
    buffer.append(prefix)
    buffer.append("/")
    buffer.append(names)
    buffer.append("/")
    buffer.append(
      Digest.hmacSHA256(
        key: signingKey(parts[1], prefix), canonicalRequest(host: host, path: path, at: now)
      ).hex)
    buffer.append("\r\n")
  }

  static func prefix(accessKey: ByteString, at now: Int64) -> ByteString {
    let text = Buffer()
    text.append("bce-auth-v1/")
    text.append(accessKey)
    text.append("/")
    text.append(UnixTime.timestamp(now))
    text.append("/")
    text.append(decimal: lifetimeSeconds)
    return text.byteString
  }

  /// The hexadecimal digits are the next key, not the bytes that they spell.
  static func signingKey(_ secret: ByteString, _ prefix: ByteString) -> ByteString {
    Digest.hmacSHA256(key: secret, prefix).hex
  }

  static func canonicalRequest(host: ByteString, path: ByteString, at now: Int64) -> ByteString {
    let text = Buffer()
    text.append("POST\n")
    PercentEncoding.append(path, keepsSlash: true, to: text)
    text.append("\n\nhost:")
    PercentEncoding.append(host, to: text)
    text.append("\nx-bce-date:")
    PercentEncoding.append(UnixTime.timestamp(now), to: text)
    return text.byteString
  }
}
