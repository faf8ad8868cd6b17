// SPDX-License-Identifier: MIT
import Platform

/// AWS Signature Version 4, and Tencent's TC3, which is the same with other names: the key is
/// derived from secret, day and service, and signs a digest of the request.
struct ScopedSignature {
  /// Such as `AWS4-HMAC-SHA256`.
  let algorithm: StaticString
  let keyID: ByteString
  /// The secret with the scheme's prefix.
  let secret: ByteString
  /// The time as the string to sign has it.
  let time: ByteString
  /// Day, region and service as the scheme has them, outermost first.
  let scope: [ByteString]

  /// What is signed of a request without a query.
  ///
  /// `path`: as the scheme wants it.
  /// `headers`: lines `name:value` in the order of their names, each with its LF.
  /// `names`: the names of these with `;` between them.
  static func canonicalRequest(
    method: StaticString, path: ByteString, headers: ByteString, names: ByteString,
    bodyDigest: SHA256Digest
  ) -> ByteString {
    let text = Buffer()
    text.append(method)
    text.append("\n")
    text.append(path)
    text.append("\n\n")
    text.append(headers)
    text.append("\n")
    text.append(names)
    text.append("\n")
    text.append(bodyDigest.hex)
    return text.byteString
  }

  func stringToSign(_ canonicalRequest: ByteString) -> ByteString {
    let text = Buffer()
    text.append(algorithm)
    text.append("\n")
    text.append(time)
    text.append("\n")
    appendScope(to: text)
    text.append("\n")
    text.append(Digest.sha256(canonicalRequest).hex)
    return text.byteString
  }

  /// Appends the `Authorization` line.
  func appendAuthorization(
    _ canonicalRequest: ByteString, names: ByteString, to buffer: Buffer
  ) {
    buffer.append("Authorization: ")
    buffer.append(algorithm)
    buffer.append(" Credential=")
    buffer.append(keyID)
    buffer.append("/")
    appendScope(to: buffer)
    buffer.append(", SignedHeaders=")
    buffer.append(names)
    buffer.append(", Signature=")
    buffer.append(signature(canonicalRequest))
    buffer.append("\r\n")
  }

  /// The signature in hexadecimal digits.
  func signature(_ canonicalRequest: ByteString) -> ByteString {
    Digest.hmacSHA256(key: secret, chain: scope + [stringToSign(canonicalRequest)]).hex
  }

  private func appendScope(to buffer: Buffer) {
    for (index, part) in scope.enumerated() {
      if index > 0 { buffer.append("/") }
      buffer.append(part)
    }
  }
}
