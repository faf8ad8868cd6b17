// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// Whether a token's quota starts again: decided when it is asked for, by no timer.
enum QuotaRenewal: Equatable {
  /// The period goes on.
  case none
  /// Another period has begun: nothing of its quota is used.
  case renew
  /// The clock went back: the present period has begun, with what is used already. So a clock that
  /// is wrong for a while gives no quota away and does not hold the next renewal back.
  case adopt

  /// What is due.
  ///
  /// `start`: Unix time at which the period began, or 0.
  /// `isClockPlausible`: while it is not, nothing is renewed.
  static func due(
    _ period: QuotaPeriod, begunAt start: Int64, now: Int64, isClockPlausible: Bool,
    in zone: TimeZone
  ) -> QuotaRenewal {
    guard period != .none, isClockPlausible else { return .none }
    if start > now { return .adopt }
    let isOver =
      switch period {
      case .none: false
      case .daily: zone.day(at: now) > zone.day(at: start)
      case .monthly: zone.month(at: now) > zone.month(at: start)
      }
    return isOver ? .renew : .none
  }

  /// The Unix time at which the period after the present one begins; nil without a period.
  static func next(_ period: QuotaPeriod, after now: Int64, in zone: TimeZone) -> Int64? {
    switch period {
    case .none: nil
    case .daily: zone.startOfNextDay(after: now)
    case .monthly: zone.startOfNextMonth(after: now)
    }
  }
}

/// The periods of tokens' quotas.
extension Gateway {
  /// What is due for a token now.
  private func renewal(of token: Token, at now: Int64) -> QuotaRenewal {
    QuotaRenewal.due(
      token.record.quotaPeriod, begunAt: token.periodStart, now: now,
      isClockPlausible: UnixTime.isPlausible, in: zone)
  }

  /// Begins the token's next period when it is time; what was reserved before is charged to it.
  func renewQuota(of token: Token) {
    guard token.record.quotaPeriod != .none else { return }
    let seconds = UnixTime.seconds
    // Nearly always: the calendar is asked once a period.
    if token.periodStart <= seconds, seconds < token.periodEnd { return }
    // After a restore the id may be another token's.
    guard accounts.token(token.id) === token else { return }
    let due = renewal(of: token, at: seconds)
    token.periodEnd = quotaResetsAt(token) ?? 0
    guard due != .none else { return }
    token.periodStart = seconds
    batch.startPeriod(token: token.id, at: seconds, now: loop.now)
    if due == .renew {
      token.usedMicro = 0
    } else {
      batch.addUsage(user: 0, token: token.id, charge: token.usedMicro, now: loop.now)
    }
  }

  /// Millionths of a unit that the token has used in the present period; changes nothing.
  func usedMicro(of token: Token) -> Int64 {
    renewal(of: token, at: UnixTime.seconds) == .renew ? 0 : token.usedMicro
  }

  /// The same in whole units.
  func usedQuota(of token: Token) -> Int64 { usedMicro(of: token) / Micro.perUnit }

  /// When the token's quota starts again, in Unix seconds; nil without a period, and while the
  /// clock is wrong.
  func quotaResetsAt(_ token: Token) -> Int64? {
    guard UnixTime.isPlausible else { return nil }
    return QuotaRenewal.next(token.record.quotaPeriod, after: UnixTime.seconds, in: zone)
  }
}
