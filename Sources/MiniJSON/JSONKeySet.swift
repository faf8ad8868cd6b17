// SPDX-License-Identifier: MIT
import Platform

/// Which keys an object has had, as 64-bit hashes under a secret seed.
///
/// Equal keys always have equal hashes, so no duplicate is missed. Two different keys share one by
/// chance with probability 2⁻⁶⁴, or when a sender takes pains over it, and then only their own
/// request is refused. The seed keeps probe sequences short for hostile keys. Memory: 512 bytes for
/// up to 32 keys, 128 kB at the limit of 10,000.
struct JSONKeySet: Sendable {
  /// Hashes in open addressing, 0 is a free slot; a power of two, at most half full.
  private var slots: [UInt64] = []
  private var count = 0

  /// Where hashing starts; differs between runs of the program.
  static let seed = Random.number()
  private static let smallestSlotCount = 64

  /// The hash after eight more bytes of a key.
  @inline(__always)
  static func hash(_ hash: UInt64, adding word: UInt64) -> UInt64 {
    let product = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
    let folded = (product ^ (product >> 32)) &* 0xd6e8_feb8_6659_fd93
    return folded ^ (folded >> 32)
  }

  /// Forgets all keys; keeps a small table, frees a large one.
  mutating func removeAll() {
    if count == 0 { return }
    count = 0
    if slots.count > 4 * Self.smallestSlotCount {
      slots = []
    } else {
      slots.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    }
  }

  /// Adds a key; false when it was there.
  mutating func insert(_ hash: UInt64) -> Bool {
    if slots.count < 2 * (count + 1) { grow() }
    let wanted = Self.mixed(hash)
    let index = position(of: wanted)
    if slots[index] == wanted { return false }
    slots[index] = wanted
    count += 1
    return true
  }

  private func position(of hash: UInt64) -> Int {
    let mask = slots.count - 1
    var index = Int(truncatingIfNeeded: hash >> 32) & mask
    while slots[index] != 0 && slots[index] != hash { index = (index + 1) & mask }
    return index
  }

  private mutating func grow() {
    let old = slots
    slots = [UInt64](repeating: 0, count: max(Self.smallestSlotCount, old.count * 2))
    for hash in old where hash != 0 { slots[position(of: hash)] = hash }
  }

  /// The hash with every bit spread over all others; never 0.
  private static func mixed(_ hash: UInt64) -> UInt64 {
    var value = (hash ^ (hash >> 32)) &* 0xd6e8_feb8_6659_fd93
    value = (value ^ (value >> 32)) &* 0xd6e8_feb8_6659_fd93
    value ^= value >> 32
    return value == 0 ? 1 : value
  }
}
