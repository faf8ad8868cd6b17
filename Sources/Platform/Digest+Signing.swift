// SPDX-License-Identifier: MIT
import CMbedTLS

/// What signatures of requests are made of.
extension Digest {
  /// HMAC-SHA-256 with the first message, whose result is the key for the next, and so on.
  ///
  /// `messages`: at least one.
  package static func hmacSHA256(key: ByteString, chain messages: [ByteString]) -> SHA256Digest {
    var digest = hmacSHA256(key: key, messages[0])
    for message in messages.dropFirst() {
      digest = digest.withBytes { key in message.withBytes { hmacSHA256(key: key, $0) } }
    }
    return digest
  }

  /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2), as RS256 in RFC 7518 §3.3.
  ///
  /// Takes tens of milliseconds on small processors; safe to call from any thread.
  ///
  /// `privateKey`: unencrypted PEM, PKCS #8 or PKCS #1, of 2048 to 4096 bits; nil for others.
  package static func rs256(privateKey: ByteString, _ message: ByteString) -> ByteString? {
    let size = Int(CM_RSA_SIGNATURE_SIZE)
    let signature = [UInt8](unsafeUninitializedCapacity: size) { target, filled in
      let count = privateKey.withBytes { key in
        message.withBytes { message in
          cm_rs256(
            start(of: key), key.count, start(of: message), message.count, target.baseAddress)
        }
      }
      filled = Int(max(0, count))
    }
    return signature.isEmpty ? nil : ByteString(signature)
  }
}
