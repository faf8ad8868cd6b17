// SPDX-License-Identifier: MIT
import CPlatform

/// Random numbers from the kernel, for secrets and for choices.
package enum Random {
  /// Fills memory with random bytes; the program cannot go on without a source of them.
  package static func fill(_ bytes: UnsafeMutableRawBufferPointer) {
    guard cp_random(bytes.baseAddress, bytes.count) == 0 else {
      fatalError("no source of random numbers: neither getrandom nor /dev/urandom works")
    }
  }

  /// That many random bytes.
  package static func bytes(_ count: Int) -> ByteString {
    var bytes = [UInt8](repeating: 0, count: count)
    bytes.withUnsafeMutableBytes { fill($0) }
    return ByteString(bytes)
  }

  /// A random 64-bit number.
  package static func number() -> UInt64 {
    var value: UInt64 = 0
    withUnsafeMutableBytes(of: &value) { fill($0) }
    return value
  }

  /// That many random characters of `0-9A-Za-z`, each equally likely.
  package static func base62(_ count: Int) -> ByteString {
    let alphabet: StaticString = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    var text: [UInt8] = []
    text.reserveCapacity(count)
    while text.count < count {
      // 248 = 4 · 62: larger bytes would favour the first letters.
      for byte in bytes(count - text.count).bytes where byte < 248 {
        text.append(alphabet.utf8Start[Int(byte % 62)])
      }
    }
    return ByteString(text)
  }
}
