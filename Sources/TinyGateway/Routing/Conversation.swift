// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// What tells conversations apart, for groups that keep each on one channel so that the vendor's
/// prompt cache is hit.
enum Conversation {
  /// Messages looked at for the first one of the user.
  private static let messageLimit = 8

  /// A hash that stays the same while a conversation grows; nil when the body tells nothing.
  ///
  /// Of the token, and the first there is of: `prompt_cache_key`, `user`, the messages up to the
  /// user's first. `body`: JSON that a scanner has accepted, maybe without its end.
  static func hash(_ body: UnsafeRawBufferPointer, tokenID: Int64) -> UInt64? {
    var hash = FNV()
    hash.add(UInt64(bitPattern: tokenID))
    for key in ["prompt_cache_key", "user"] as [StaticString] {
      guard let range = JSONQuery.member(key, in: body) else { continue }
      let value = UnsafeRawBufferPointer(rebasing: body[range])
      guard let text = JSONString.unescaped(value), !text.isEmpty else { continue }
      text.withBytes { hash.add($0) }
      return hash.value
    }
    guard let range = JSONQuery.member("messages", in: body) else { return nil }
    let messages = UnsafeRawBufferPointer(rebasing: body[range])
    for index in 0..<messageLimit {
      guard let element = JSONQuery.element(index, in: messages) else { break }
      let message = UnsafeRawBufferPointer(rebasing: messages[element])
      hash.add(message)
      if JSONQuery.string(["role"], in: message) == "user" { return hash.value }
    }
    return nil
  }
}

/// The 64-bit hash FNV-1a: quick, and good enough to spread what nobody wants to forge.
///
/// Source: http://www.isthe.com/chongo/tech/comp/fnv/
private struct FNV {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
  }

  mutating func add(_ number: UInt64) {
    withUnsafeBytes(of: number.littleEndian) { add($0) }
  }
}
