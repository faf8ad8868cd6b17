// SPDX-License-Identifier: MIT
import Platform

/// Keeps one address from filling the flash with accounts: five in any hour.
///
/// Memory is bounded: at `entryLimit` the address that registered longest ago is forgotten.
final class RegistrationGuard {
  static let accountLimit = 5
  static let windowMilliseconds: Int64 = 3_600_000
  static let entryLimit = 1024

  /// When each address, or IPv6 network, made its last accounts; the oldest first.
  private var entries: [LoginGuard.Key: [Instant]] = [:]

  /// Number of entries, for tests.
  var entryCount: Int { entries.count }

  /// Counts one more account from the address; nil when it may be made, else the milliseconds
  /// until another one may.
  func admit(_ address: IPAddress?, now: Instant) -> Int64? {
    let key = LoginGuard.key(address)
    var times = entries[key] ?? []
    if times.count >= RegistrationGuard.accountLimit {
      let again = times[0].advanced(byMilliseconds: RegistrationGuard.windowMilliseconds)
      if now < again { return again.milliseconds(since: now) + 1 }
      times.removeFirst()
    }
    times.append(now)
    if entries[key] == nil, entries.count >= RegistrationGuard.entryLimit { dropOldest() }
    entries[key] = times
    return nil
  }

  private func dropOldest() {
    var oldest: (key: LoginGuard.Key, last: Instant)?
    for (key, times) in entries {
      guard let last = times.last else { continue }
      if let oldest, oldest.last <= last { continue }
      oldest = (key, last)
    }
    if let oldest { entries[oldest.key] = nil }
  }
}
