// SPDX-License-Identifier: MIT
import Platform

/// Keys of clients that came lately, and their tokens: SHA-256 of a key takes ten times as long.
///
/// Only keys of tokens that exist are here, so strangers can neither fill it nor be told by its
/// time that a key is known without having it. It holds no keys but hashes of 128 bits under a
/// secret of this run. Whoever reads this memory reads that secret as well, and could check a
/// guessed key faster than by SHA-256; keys of 48 random characters cannot be guessed either way,
/// and memory holds the channels' keys in clear. Nothing of it is ever stored.
final class KnownKeys {
  private struct Entry {
    let mark: KeyedHash
    let token: Token
  }

  /// A power of two; each key has one place, the last one that came keeps it.
  private static let placeCount = 64
  /// Empty until the first key has come.
  private var entries: [Entry?] = []

  func token(_ mark: KeyedHash) -> Token? {
    guard !entries.isEmpty, let entry = entries[place(of: mark)], entry.mark == mark else {
      return nil
    }
    return entry.token
  }

  func note(_ token: Token, _ mark: KeyedHash) {
    if entries.isEmpty { entries = [Entry?](repeating: nil, count: KnownKeys.placeCount) }
    entries[place(of: mark)] = Entry(mark: mark, token: token)
  }

  /// Forgets all: a token is gone, and must not be found by its key.
  func removeAll() { entries = [] }

  private func place(of mark: KeyedHash) -> Int {
    Int(truncatingIfNeeded: mark.low) & (KnownKeys.placeCount - 1)
  }
}
