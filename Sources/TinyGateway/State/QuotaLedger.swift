// SPDX-License-Identifier: MIT
import Platform

/// Reserves quota before a request and settles it after: check and reservation are one step on
/// the loop's thread, so nothing can come between them.
///
/// Amounts are millionths of a quota unit, so that no part of a charge is ever lost.
enum QuotaLedger {
  /// Quota held back for one request.
  struct Reservation {
    fileprivate let token: Token
    fileprivate let user: User
    fileprivate let amount: Int64
  }

  /// Most that one request can be charged: usage from upstream is clamped to it.
  static let largestCharge: Int64 = 1_000_000_000 * Micro.perUnit

  /// Holds `amount` back; nil when token or user has less left.
  static func reserve(_ amount: Int64, token: Token, user: User) -> Reservation? {
    if let left = token.availableMicro, left < amount || left <= 0 { return nil }
    if let left = user.availableMicro, left < amount || left <= 0 { return nil }
    token.reservedMicro += amount
    user.reservedMicro += amount
    return Reservation(token: token, user: user, amount: amount)
  }

  /// Gives the reservation back and charges what was used instead; 0 for a failed request.
  static func settle(_ reservation: Reservation, charging used: Int64) {
    let charge = max(0, min(used, largestCharge))
    reservation.token.reservedMicro -= reservation.amount
    reservation.user.reservedMicro -= reservation.amount
    reservation.token.usedMicro += charge
    reservation.user.usedMicro += charge
  }
}
