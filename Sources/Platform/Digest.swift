// SPDX-License-Identifier: MIT
import CMbedTLS

/// A SHA-256 value, stored in place so that tables keyed by it need no array.
package struct SHA256Digest: Hashable, Sendable {
  /// Number of bytes of a digest.
  package static let byteCount = 32

  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  /// Takes the bytes of a digest made earlier; nil unless there are 32.
  package init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count == SHA256Digest.byteCount else { return nil }
    withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: bytes) }
  }

  /// Lets `body` write the 32 bytes.
  fileprivate init(filledBy body: (UnsafeMutablePointer<UInt8>) -> Void) {
    withUnsafeMutableBytes(of: &words) { raw in
      if let base = raw.bindMemory(to: UInt8.self).baseAddress { body(base) }
    }
  }

  /// Calls `body` with the 32 bytes.
  package func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    withUnsafeBytes(of: words, body)
  }

  /// The first eight bytes, for tables.
  package var start: UInt64 { words.0 }

  /// A copy of the 32 bytes.
  package var bytes: ByteString { withBytes { ByteString($0) } }

  /// The 32 bytes as 64 lower-case hexadecimal digits.
  package var hex: ByteString { withBytes { Digest.hex($0) } }

  /// Whether two digests are equal; ends at the first difference, so not for secrets.
  package static func == (left: SHA256Digest, right: SHA256Digest) -> Bool {
    left.words == right.words
  }

  /// Feeds one word: the bytes are as good as random, one is enough to choose a slot.
  package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

/// Digests and keyed digests over bytes in memory.
///
/// Safe to call from any thread; none of them keeps state.
package enum Digest {
  /// SHA-256 (FIPS 180-4); no allocation.
  package static func sha256(_ message: UnsafeRawBufferPointer) -> SHA256Digest {
    SHA256Digest { cm_sha256(start(of: message), message.count, $0) }
  }

  /// SHA-256 of a byte string.
  package static func sha256(_ message: ByteString) -> SHA256Digest {
    message.withBytes { sha256($0) }
  }

  /// SHA-1 (FIPS 180-4), 20 bytes, for protocols that name it; never for secrets.
  package static func sha1(_ message: ByteString) -> ByteString {
    ByteString(
      [UInt8](unsafeUninitializedCapacity: 20) { target, filled in
        message.withBytes { cm_sha1(start(of: $0), $0.count, target.baseAddress) }
        filled = 20
      })
  }

  /// HMAC with SHA-256 (RFC 2104); no allocation.
  package static func hmacSHA256(
    key: UnsafeRawBufferPointer, _ message: UnsafeRawBufferPointer
  ) -> SHA256Digest {
    SHA256Digest {
      cm_hmac_sha256(start(of: key), key.count, start(of: message), message.count, $0)
    }
  }

  /// HMAC with SHA-256 of a byte string.
  package static func hmacSHA256(key: ByteString, _ message: ByteString) -> SHA256Digest {
    key.withBytes { key in message.withBytes { hmacSHA256(key: key, $0) } }
  }

  /// Derives a key from a password with PBKDF2 and HMAC-SHA-256 (RFC 8018 §5.2).
  ///
  /// Takes a quarter of a second and more by intent: never on the loop's thread.
  ///
  /// `rounds`: iterations, 1 or more.
  /// `byteCount`: length of the result.
  package static func pbkdf2(
    password: ByteString, salt: ByteString, rounds: Int,
    byteCount: Int = SHA256Digest.byteCount
  ) -> ByteString {
    let count = max(0, byteCount)
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { target, filled in
      password.withBytes { password in
        salt.withBytes { salt in
          cm_pbkdf2_sha256(
            start(of: password), password.count, start(of: salt), salt.count,
            UInt32(clamping: rounds), target.baseAddress, count)
        }
      }
      filled = count
    }
    return ByteString(bytes)
  }

  /// Whether two regions hold the same bytes, in a time that depends on the length alone.
  package static func constantTimeEquals(
    _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
  ) -> Bool {
    left.count == right.count && cm_equal(start(of: left), start(of: right), left.count) == 1
  }

  /// Whether two byte strings are equal, in a time that depends on the length alone.
  package static func constantTimeEquals(_ left: ByteString, _ right: ByteString) -> Bool {
    left.withBytes { left in right.withBytes { constantTimeEquals(left, $0) } }
  }

  /// Whether two digests are equal, in a time that does not depend on them.
  package static func constantTimeEquals(_ left: SHA256Digest, _ right: SHA256Digest) -> Bool {
    left.withBytes { left in right.withBytes { constantTimeEquals(left, $0) } }
  }

  /// The first byte as C wants it.
  static func start(of bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
    bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
  }
}

/// Bytes encrypted and authenticated with AES-256-GCM, for secrets at rest.
package enum SealedBytes {
  /// Length of a key in bytes.
  package static let keyByteCount = Int(CM_SEAL_KEY_SIZE)
  /// How much longer the sealed form is: nonce and tag.
  package static let overheadByteCount = Int(CM_SEAL_OVERHEAD)

  /// Encrypts under a random nonce; nil if the key has another length or no random bytes come.
  ///
  /// `label`: bound to the result and needed again to open it, such as a row's id; so
  /// a sealed secret cannot be moved to another row.
  package static func seal(
    _ plain: ByteString, key: ByteString, label: ByteString
  ) -> ByteString? {
    transform(
      plain, key: key, label: label, count: plain.count + overheadByteCount, with: cm_seal)
  }

  /// Decrypts; nil if anything was altered or key or label are others.
  package static func open(
    _ sealed: ByteString, key: ByteString, label: ByteString
  ) -> ByteString? {
    guard sealed.count >= overheadByteCount else { return nil }
    return transform(
      sealed, key: key, label: label, count: sealed.count - overheadByteCount, with: cm_open)
  }

  private typealias Transform = (
    UnsafePointer<UInt8>?, UnsafePointer<UInt8>?, Int, UnsafePointer<UInt8>?, Int,
    UnsafeMutablePointer<UInt8>?
  ) -> Int32

  private static func transform(
    _ input: ByteString, key: ByteString, label: ByteString, count: Int, with call: Transform
  ) -> ByteString? {
    guard key.count == keyByteCount else { return nil }
    var result: Int32 = -1
    let output = [UInt8](unsafeUninitializedCapacity: max(count, 1)) { target, filled in
      key.bytes.withUnsafeBufferPointer { key in
        label.bytes.withUnsafeBufferPointer { label in
          input.bytes.withUnsafeBufferPointer { input in
            result = call(
              key.baseAddress, label.baseAddress, label.count, input.baseAddress, input.count,
              target.baseAddress)
          }
        }
      }
      filled = result == 0 ? count : 0
    }
    return result == 0 ? ByteString(output) : nil
  }
}
