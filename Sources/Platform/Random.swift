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

  /// Waits until the kernel has random numbers, which at boot takes a while.
  ///
  /// Linux from 5.4 on gathers them itself, but only while somebody waits inside getrandom, which
  /// has no time limit: so a thread does that, and ends with it or with the program.
  ///
  /// `waiting`: called once, before the first wait. False when there are none after so long.
  package static func wait(milliseconds: Int64, _ waiting: () -> Void) -> Bool {
    if cp_random_is_ready() != 0 { return true }
    waiting()
    do throws(SystemError) {
      try Thread.start("random") { _ = number() }
    } catch { return false }
    let end = Instant.now.advanced(byMilliseconds: milliseconds)
    while Instant.now < end {
      cp_sleep(100)
      if cp_random_is_ready() != 0 { return true }
    }
    return false
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
