// SPDX-License-Identifier: MIT
import Platform
import Store

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

  /// What a request may cost.
  struct Demand: Equatable {
    /// For what it asks for: the prompt, and the longest completion that it names.
    let asked: Int64
    /// The same with the completion that is assumed when it names none; what is held back.
    let expected: Int64
  }

  /// Why nothing was reserved.
  struct Shortage: Error, Equatable {
    enum Owner: Equatable {
      case token
      case user
    }

    let owner: Owner
    /// What is not used and not held back for others; below 0 after a last, longer request.
    let left: Int64
    /// What the request needs.
    let needed: Int64
    /// Whether it would be admitted if no other request were under way.
    let isForNow: Bool
  }

  /// Holds back what a request is expected to cost, from token and user.
  ///
  /// What is asked for must fit into what is left of both. Where only the assumed part does not
  /// fit, the request is admitted as the only one: so a quota falls below zero by no more than
  /// the last request, however many run at once.
  static func reserve(
    _ demand: Demand, token: Token, user: User
  ) throws(Shortage) -> Reservation {
    try check(demand, .token, left: token.availableMicro, reserved: token.reservedMicro)
    try check(demand, .user, left: user.availableMicro, reserved: user.reservedMicro)
    // No overflow: thousands of requests at once, each of at most `Rate.largestCharge`.
    token.reservedMicro += demand.expected
    user.reservedMicro += demand.expected
    return Reservation(token: token, user: user, amount: demand.expected)
  }

  private static func check(
    _ demand: Demand, _ owner: Shortage.Owner, left: Int64?, reserved: Int64
  ) throws(Shortage) {
    guard let left else { return }
    guard left > 0, left >= demand.asked else {
      throw Shortage(
        owner: owner, left: left, needed: demand.asked,
        isForNow: left + reserved > 0 && left + reserved >= demand.asked)
    }
    guard left >= demand.expected || reserved == 0 else {
      throw Shortage(owner: owner, left: left, needed: demand.expected, isForNow: true)
    }
  }

  /// Holds back more when more of a request is known; never refuses, since it is under way.
  ///
  /// Returns the reservation in the place of the old one.
  static func raised(_ reservation: Reservation, to amount: Int64) -> Reservation {
    let more = amount - reservation.amount
    guard more > 0 else { return reservation }
    reservation.token.reservedMicro += more
    reservation.user.reservedMicro += more
    return Reservation(token: reservation.token, user: reservation.user, amount: amount)
  }

  /// Gives the reservation back and charges what was used instead; 0 for a failed request.
  static func settle(_ reservation: Reservation, charging used: Int64) {
    let charge = max(0, min(used, Rate.largestCharge))
    reservation.token.reservedMicro -= reservation.amount
    reservation.user.reservedMicro -= reservation.amount
    reservation.token.usedMicro = reservation.token.usedMicro.addingSaturated(charge)
    reservation.user.usedMicro = reservation.user.usedMicro.addingSaturated(charge)
  }
}
