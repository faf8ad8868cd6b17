// SPDX-License-Identifier: MIT

/// SipHash: a hash under a secret, of which who does not know the secret can tell nothing.
///
/// The secret is made at start and never leaves the process. Source: Aumasson, Bernstein, "SipHash:
/// a fast short-input PRF", 2012; the result of 128 bits is that of the authors' reference code.
package struct KeyedHash: Equatable, Sendable {
  package let low: UInt64
  package let high: UInt64

  /// Of this run of the program.
  private static let secret = (Random.number(), Random.number())

  /// A hash of 128 bits by SipHash-2-4, which stands for the bytes themselves.
  package init(_ bytes: UnsafeRawBufferPointer) {
    self.init(bytes, KeyedHash.secret)
  }

  /// `key`: the two halves of the secret.
  init(_ bytes: UnsafeRawBufferPointer, _ key: (UInt64, UInt64)) {
    (low, high) = KeyedHash.hash(bytes, key, isLong: true)
  }

  /// A hash of 64 bits for a table by SipHash-1-3, as Swift's own, in half the time.
  ///
  /// `seed`: of the table.
  static func ofTable(_ bytes: UnsafeRawBufferPointer, seed: Int) -> Int {
    let (low, high) = secret
    let key = (low ^ UInt64(truncatingIfNeeded: seed), high)
    return Int(truncatingIfNeeded: hash(bytes, key, isLong: false).0)
  }

  /// Whether two hashes are equal, in a time that does not depend on them.
  package static func == (left: KeyedHash, right: KeyedHash) -> Bool {
    (left.low ^ right.low) | (left.high ^ right.high) == 0
  }

  @inline(never)
  private static func hash(
    _ bytes: UnsafeRawBufferPointer, _ key: (UInt64, UInt64), isLong: Bool
  ) -> (UInt64, UInt64) {
    var state = SipState(key.0, key.1)
    if isLong { state.v1 ^= 0xee }
    var index = 0
    var isLast = false
    repeat {
      isLast = bytes.count &- index < 8
      let word = isLast ? last(bytes, index) : whole(bytes, index)
      state.v3 ^= word
      state.mix(rounds: isLong ? 2 : 1)
      state.v0 ^= word
      index &+= 8
    } while !isLast
    state.v2 ^= isLong ? 0xee : 0xff
    state.mix(rounds: isLong ? 4 : 3)
    let low = state.folded
    guard isLong else { return (low, 0) }
    state.v1 ^= 0xdd
    state.mix(rounds: 4)
    return (low, state.folded)
  }

  @inline(__always)
  private static func whole(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt64 {
    bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
  }

  /// The bytes from `index` on, fewer than eight, and the number of all.
  @inline(__always)
  private static func last(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt64 {
    var last = UInt64(truncatingIfNeeded: bytes.count) &<< 56
    if index > 0 {
      // The last eight bytes, without those that have gone in already.
      let tail = whole(bytes, bytes.count &- 8)
      let count = UInt64(truncatingIfNeeded: bytes.count &- index)
      return count == 0 ? last : last | tail &>> (64 &- 8 &* count)
    }
    for position in index..<bytes.count {
      last |= UInt64(bytes[position]) &<< UInt64(8 &* (position &- index))
    }
    return last
  }
}

/// The state of SipHash while words go in.
private struct SipState {
  var v0, v1, v2, v3: UInt64

  init(_ low: UInt64, _ high: UInt64) {
    v0 = low ^ 0x736f_6d65_7073_6575
    v1 = high ^ 0x646f_7261_6e64_6f6d
    v2 = low ^ 0x6c79_6765_6e65_7261
    v3 = high ^ 0x7465_6462_7974_6573
  }

  var folded: UInt64 { v0 ^ v1 ^ v2 ^ v3 }

  @inline(__always)
  private static func rotated(_ value: UInt64, _ count: UInt64) -> UInt64 {
    value &<< count | value &>> (64 &- count)
  }

  @inline(__always)
  mutating func mix(rounds: Int) {
    for _ in 0..<rounds {
      v0 = v0 &+ v1
      v2 = v2 &+ v3
      v1 = SipState.rotated(v1, 13) ^ v0
      v3 = SipState.rotated(v3, 16) ^ v2
      v0 = SipState.rotated(v0, 32)
      v2 = v2 &+ v1
      v0 = v0 &+ v3
      v1 = SipState.rotated(v1, 17) ^ v2
      v3 = SipState.rotated(v3, 21) ^ v0
      v2 = SipState.rotated(v2, 32)
    }
  }
}

/// A number that the gateway gave itself, such as a row's, as a key of tables: in half the time of
/// an `Int64`.
package struct RecordKey: Hashable, Sendable, ExpressibleByIntegerLiteral {
  package let id: Int64

  package init(_ id: Int64) { self.id = id }

  package init(integerLiteral id: Int64) { self.id = id }

  /// What tables ask for; the numbers are our own.
  package func _rawHashValue(seed: Int) -> Int { TableHash.of(id, 0, seed: seed) }
}

/// Hashes of numbers that the gateway gave itself, so that nobody can choose them to collide.
package enum TableHash {
  /// Splitmix64's finisher over two numbers.
  ///
  /// `seed`: of the table, or of the numbers before these.
  @inline(never)
  package static func of(_ first: Int64, _ second: Int64, seed: Int) -> Int {
    var mixed = UInt64(bitPattern: first) &* 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ mixed >> 29 ^ UInt64(bitPattern: second)) &+ UInt64(truncatingIfNeeded: seed)
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return Int(truncatingIfNeeded: mixed ^ mixed >> 31)
  }
}
