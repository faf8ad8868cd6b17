// SPDX-License-Identifier: MIT

/// How far one forwarded request is, and what follows from each event.
///
/// A pure value: no socket, no clock. `Relay` performs the actions; where a request may go next is
/// `Route`'s business.
struct RelayState: Equatable, Sendable {
  enum Phase: Equatable, Sendable {
    /// The client's body, or the part of it that must be known before a channel is chosen.
    case readingRequest
    /// The answer's head from this attempt's channel, or enough of it to judge.
    case awaitingAnswer
    /// A channel that takes one request more.
    case queued
    /// The end of the pause between two attempts.
    case resting
    /// The channel's machine, which was asleep.
    case waking
    /// The rest of an answer that the client already sees.
    case answering
    case finished
  }

  enum Action: Equatable, Sendable {
    case wait
    /// Choose a channel and send the request.
    case attempt
    /// The same after so many milliseconds.
    case rest(milliseconds: Int64)
    /// Wait for a busy channel.
    case queue
    /// Wake the channel's machine and wait for it.
    case wake
    /// Answer with the error at hand and give the quota back.
    case refuse
    /// The client has everything: charge and log.
    case settle
    /// The answer broke in the middle: tell the client as far as possible, charge what came.
    case breakOff
    /// Nobody listens any more: stop the upstream, charge what came.
    case abandon
  }

  /// What may follow a failed attempt.
  enum Next: Equatable, Sendable {
    /// The failure is final, or nothing is left to try.
    case nothing
    case attempt
    case rest(milliseconds: Int64)
    case wake
  }

  private(set) var phase = Phase.readingRequest

  /// Enough of the request is known to send it.
  mutating func requestReady() -> Action {
    guard phase == .readingRequest else { return .wait }
    phase = .awaitingAnswer
    return .attempt
  }

  /// The request cannot be served, for a reason that lies here or with the client.
  mutating func refused() -> Action {
    switch phase {
    case .readingRequest, .awaitingAnswer, .queued, .resting, .waking:
      phase = .finished
      return .refuse
    case .answering, .finished: return .wait
    }
  }

  /// Every channel that is left takes no more requests at once.
  mutating func foundBusy() -> Action {
    guard phase == .awaitingAnswer else { return .wait }
    phase = .queued
    return .queue
  }

  /// Every channel rests, but not for long.
  mutating func foundResting(milliseconds: Int64) -> Action {
    guard phase == .awaitingAnswer else { return .wait }
    phase = .resting
    return .rest(milliseconds: milliseconds)
  }

  /// The attempt failed before the client saw any content, or in the middle of an answer.
  mutating func attemptFailed(next: Next) -> Action {
    switch phase {
    case .awaitingAnswer:
      switch next {
      case .nothing:
        phase = .finished
        return .refuse
      case .attempt: return .attempt
      case .rest(let milliseconds):
        phase = .resting
        return .rest(milliseconds: milliseconds)
      case .wake:
        phase = .waking
        return .wake
      }
    case .answering:  // Content has gone out: charge what was used, never retry.
      phase = .finished
      return .breakOff
    case .readingRequest, .queued, .resting, .waking, .finished: return .wait
    }
  }

  /// What was waited for has come: a free channel, the end of a pause, the machine, or the end of
  /// the patience with any of them.
  mutating func resumed() -> Action {
    switch phase {
    case .queued, .resting, .waking:
      phase = .awaitingAnswer
      return .attempt
    case .readingRequest, .awaitingAnswer, .answering, .finished: return .wait
    }
  }

  /// The first content goes to the client.
  mutating func answerBegan() -> Action {
    guard phase == .awaitingAnswer else { return .wait }
    phase = .answering
    return .wait
  }

  /// The answer is complete.
  mutating func answerEnded() -> Action {
    switch phase {
    case .awaitingAnswer, .answering:
      phase = .finished
      return .settle
    case .readingRequest, .queued, .resting, .waking, .finished: return .wait
    }
  }

  mutating func clientGone() -> Action {
    guard phase != .finished else { return .wait }
    phase = .finished
    return .abandon
  }

  /// The whole request takes longer than allowed.
  mutating func deadlinePassed() -> Action {
    switch phase {
    case .readingRequest, .awaitingAnswer, .queued, .resting, .waking:
      phase = .finished
      return .refuse
    case .answering:
      phase = .finished
      return .breakOff
    case .finished: return .wait
    }
  }
}
