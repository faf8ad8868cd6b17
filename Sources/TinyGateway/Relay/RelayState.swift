// SPDX-License-Identifier: MIT

/// How far one forwarded request is, and what follows from each event.
///
/// A pure value: no socket, no clock. `Relay` performs the actions.
struct RelayState: Equatable, Sendable {
  enum Phase: Equatable, Sendable {
    /// The client's body, or the part of it that must be known before a channel is chosen.
    case readingRequest
    /// The answer's head from this attempt's channel, or enough of it to judge.
    case awaitingAnswer(attempt: Int)
    /// The time between two attempts.
    case resting(attempt: Int)
    /// The rest of an answer that the client already sees.
    case answering
    case finished
  }

  enum Action: Equatable, Sendable {
    case wait
    /// Choose a channel and send the request.
    case attempt(Int)
    /// The same after the retry interval.
    case rest(Int)
    /// Answer with the error at hand and give the quota back.
    case refuse
    /// The client has everything: charge and log.
    case settle
    /// The answer broke in the middle: tell the client as far as possible, charge what came.
    case breakOff
    /// Nobody listens any more: stop the upstream, charge what came.
    case abandon
  }

  private(set) var phase = Phase.readingRequest
  /// Attempts allowed in all: one and the retries.
  let attemptLimit: Int
  /// Whether a pause lies between two attempts.
  let rests: Bool

  init(attemptLimit: Int, rests: Bool) {
    self.attemptLimit = attemptLimit
    self.rests = rests
  }

  /// Enough of the request is known to send it.
  mutating func requestReady() -> Action {
    guard phase == .readingRequest else { return .wait }
    phase = .awaitingAnswer(attempt: 1)
    return .attempt(1)
  }

  /// The request cannot be served, for a reason that lies here or with the client.
  mutating func refused() -> Action {
    switch phase {
    case .readingRequest, .awaitingAnswer, .resting:
      phase = .finished
      return .refuse
    case .answering, .finished: return .wait
    }
  }

  /// The attempt failed before the client saw anything.
  ///
  /// `mayRetry`: the failure is of a kind that another channel may not have, the
  /// request is still held, and another channel is left.
  mutating func attemptFailed(mayRetry: Bool) -> Action {
    switch phase {
    case .awaitingAnswer(let attempt) where mayRetry && attempt < attemptLimit:
      phase = rests ? .resting(attempt: attempt + 1) : .awaitingAnswer(attempt: attempt + 1)
      return rests ? .rest(attempt + 1) : .attempt(attempt + 1)
    case .awaitingAnswer:
      phase = .finished
      return .refuse
    case .answering:  // The head has gone out: charge what was used, never retry.
      phase = .finished
      return .breakOff
    case .readingRequest, .resting, .finished: return .wait
    }
  }

  /// The pause between two attempts is over.
  mutating func rested() -> Action {
    guard case .resting(let attempt) = phase else { return .wait }
    phase = .awaitingAnswer(attempt: attempt)
    return .attempt(attempt)
  }

  /// The first bytes go to the client.
  mutating func answerBegan() -> Action {
    guard case .awaitingAnswer = phase else { return .wait }
    phase = .answering
    return .wait
  }

  /// The answer is complete.
  mutating func answerEnded() -> Action {
    switch phase {
    case .awaitingAnswer, .answering:
      phase = .finished
      return .settle
    case .readingRequest, .resting, .finished: return .wait
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
    case .readingRequest, .awaitingAnswer, .resting:
      phase = .finished
      return .refuse
    case .answering:
      phase = .finished
      return .breakOff
    case .finished: return .wait
    }
  }
}
