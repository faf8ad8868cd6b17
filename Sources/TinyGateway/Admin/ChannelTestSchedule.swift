// SPDX-License-Identifier: MIT
import Platform

/// When timed tests run, and of which channel; `ChannelTestTimer` acts.
///
/// In each interval a round: every channel of it once, one after the other.
struct ChannelTestSchedule {
  /// 0 for never.
  private(set) var intervalMilliseconds: Int64 = 0
  private var nextRound: Instant?
  private var isInRound = false
  /// Channels that the round still has to test, the next one last.
  private var waiting: [Int64] = []

  /// When the next round is due; nil for never, and while one is under way.
  var deadline: Instant? { isInRound ? nil : nextRound }

  /// Changes the interval: the next round comes one interval from now.
  ///
  /// With 0 the round under way ends with the test that runs.
  mutating func setInterval(milliseconds: Int64, now: Instant) {
    guard milliseconds != intervalMilliseconds else { return }
    intervalMilliseconds = milliseconds
    nextRound = milliseconds > 0 ? now.advanced(byMilliseconds: milliseconds) : nil
    if milliseconds == 0 { waiting = [] }
  }

  /// Begins a round.
  ///
  /// - Returns: the channel to test first; nil when there is none.
  mutating func begin(_ channels: [Int64], now: Instant) -> Int64? {
    nextRound = now.advanced(byMilliseconds: intervalMilliseconds)
    waiting = channels.reversed()
    return next()
  }

  /// The channel to test after the one that is done; nil at the end of the round.
  mutating func next() -> Int64? {
    let channel = waiting.popLast()
    isInRound = channel != nil
    return channel
  }
}
