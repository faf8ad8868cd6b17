// SPDX-License-Identifier: MIT
import Platform

/// Signs the URL of iFlytek Spark's WebSocket; the server accepts it for five minutes.
///
/// Source: https://www.xfyun.cn/doc/spark/general_url_authentication.html, read 2026-11.
package struct SparkSignature {
  /// What a channel's key holds: `APPID|APISecret|APIKey`.
  package struct Key {
    /// Goes into the request's header.
    package let appID: ByteString
    let secret: ByteString
    let apiKey: ByteString

    /// Reads a channel's key.
    package init(_ text: ByteString) throws(SigningError) {
      let parts = try SigningKey.parts(text, 3...3, "the key must be APPID|APISecret|APIKey")
      appID = parts[0]
      secret = parts[1]
      apiKey = parts[2]
    }
  }

  private let host: ByteString
  private let path: ByteString
  private let key: Key
  private let date: ByteString

  /// Prepares the signature of a GET at a time in Unix seconds.
  ///
  /// `path`: as it is sent, without a query.
  package init(host: ByteString, path: ByteString, key: Key, at now: Int64) {
    self.host = host
    self.path = path
    self.key = key
    let date = Buffer()
    UnixTime.appendHTTPDate(now, to: date)
    self.date = date.byteString
  }

  /// The path with the signing query.
  package var target: ByteString {
    let text = Buffer()
    text.append(path)
    text.append("?authorization=")
    PercentEncoding.append(authorization, to: text)
    text.append("&date=")
    PercentEncoding.append(date, to: text)
    text.append("&host=")
    PercentEncoding.append(host, to: text)
    return text.byteString
  }

  var authorization: ByteString {
    let text = Buffer()
    text.append("api_key=\"")
    text.append(key.apiKey)
    text.append("\", algorithm=\"hmac-sha256\", headers=\"host date request-line\", signature=\"")
    text.append(signature)
    text.append("\"")
    return Digest.base64(text.readable)
  }

  var signature: ByteString {
    Digest.hmacSHA256(key: key.secret, stringToSign).withBytes { Digest.base64($0) }
  }

  var stringToSign: ByteString {
    let text = Buffer()
    text.append("host: ")
    text.append(host)
    text.append("\ndate: ")
    text.append(date)
    text.append("\nGET ")
    text.append(path)
    text.append(" HTTP/1.1")
    return text.byteString
  }
}
