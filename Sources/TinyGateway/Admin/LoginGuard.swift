// SPDX-License-Identifier: MIT
import Platform

/// Slows down who guesses passwords: per address and per account, five free failures, then a
/// delay that doubles from one second to fifteen minutes.
///
/// Memory is bounded: at `entryLimit` the entry that failed longest ago goes. One verification
/// at a time takes long enough that an attacker cannot push an entry out before its delay is over.
final class LoginGuard {
  static let freeFailures = 5
  static let firstDelayMilliseconds: Int64 = 1_000
  static let longestDelayMilliseconds: Int64 = 15 * 60_000
  /// An entry without further failures is forgotten after its delay and this time.
  static let forgottenMilliseconds: Int64 = 15 * 60_000
  static let entryLimit = 4096

  /// Who is counted.
  enum Key: Hashable {
    /// An IPv4 address, or the /64 of an IPv6 address.
    case network(high: UInt64, low: UInt64)
    case unknownNetwork
    case account(ByteString)
  }

  private struct Entry {
    var failures = 0
    var blockedUntil: Instant
    var failedAt: Instant
  }

  private var entries: [Key: Entry] = [:]

  /// Number of entries, for tests.
  var entryCount: Int { entries.count }

  /// Milliseconds until the next try is allowed; nil when it is allowed now.
  func delay(address: IPAddress?, account: ByteString, now: Instant) -> Int64? {
    var longest: Int64 = 0
    for key in [LoginGuard.key(address), .account(account)] {
      guard let entry = entries[key], entry.blockedUntil > now else { continue }
      longest = max(longest, entry.blockedUntil.milliseconds(since: now) + 1)
    }
    return longest > 0 ? longest : nil
  }

  /// Counts a wrong password.
  func failed(address: IPAddress?, account: ByteString, now: Instant) {
    for key in [LoginGuard.key(address), .account(account)] { count(key, now) }
  }

  /// Forgets the account's failures; the address keeps its own, or one's own account would
  /// reset the count for guessing others'.
  func succeeded(account: ByteString) { entries[.account(account)] = nil }

  private func count(_ key: Key, _ now: Instant) {
    var entry = entries[key] ?? Entry(blockedUntil: now, failedAt: now)
    let forgottenAt = max(entry.blockedUntil, entry.failedAt)
      .advanced(byMilliseconds: LoginGuard.forgottenMilliseconds)
    if now >= forgottenAt { entry.failures = 0 }
    entry.failures = min(entry.failures + 1, 64)
    entry.failedAt = now
    let doublings = entry.failures - LoginGuard.freeFailures
    if doublings >= 0 {
      // 20 doublings of a second are past the limit by far.
      let delay = LoginGuard.firstDelayMilliseconds << Int64(min(doublings, 20))
      entry.blockedUntil = now.advanced(
        byMilliseconds: min(delay, LoginGuard.longestDelayMilliseconds))
    }
    if entries[key] == nil, entries.count >= LoginGuard.entryLimit { dropOldest() }
    entries[key] = entry
  }

  private func dropOldest() {
    var oldest: (key: Key, failedAt: Instant)?
    for (key, entry) in entries {
      if let oldest, oldest.failedAt <= entry.failedAt { continue }
      oldest = (key, entry.failedAt)
    }
    if let oldest { entries[oldest.key] = nil }
  }

  /// What an address counts as.
  static func key(_ address: IPAddress?) -> Key {
    guard let address else { return .unknownNetwork }
    if address.isIPv4 { return .network(high: 0, low: address.low) }
    return .network(high: address.high, low: 0)
  }
}
