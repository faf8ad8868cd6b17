// SPDX-License-Identifier: MIT
import Testing

@testable import TinyGateway

/// The life of a forwarded request: every event in every phase.
struct RelayStateTests {
  private typealias Phase = RelayState.Phase
  private typealias Action = RelayState.Action

  private enum Event: CaseIterable {
    case requestReady, refused, failed, failedRetryably, rested, answerBegan, answerEnded
    case clientGone, deadlinePassed
  }

  private struct Row {
    let phase: Phase
    let event: Event
    let action: Action
    let next: Phase

    init(_ phase: Phase, _ event: Event, _ action: Action, _ next: Phase) {
      self.phase = phase
      self.event = event
      self.action = action
      self.next = next
    }
  }

  private func send(_ event: Event, to state: inout RelayState) -> Action {
    switch event {
    case .requestReady: state.requestReady()
    case .refused: state.refused()
    case .failed: state.attemptFailed(mayRetry: false)
    case .failedRetryably: state.attemptFailed(mayRetry: true)
    case .rested: state.rested()
    case .answerBegan: state.answerBegan()
    case .answerEnded: state.answerEnded()
    case .clientGone: state.clientGone()
    case .deadlinePassed: state.deadlinePassed()
    }
  }

  /// A state that has come to the phase by events.
  private func state(in phase: Phase, limit: Int, rests: Bool) throws -> RelayState {
    var state = RelayState(attemptLimit: limit, rests: rests)
    func advance(to attempt: Int) {
      _ = state.requestReady()
      while case .awaitingAnswer(let current) = state.phase, current < attempt {
        _ = state.attemptFailed(mayRetry: true)
        guard state.phase != .resting(attempt: attempt) || phase != state.phase else { return }
        _ = state.rested()
      }
    }
    switch phase {
    case .readingRequest: break
    case .awaitingAnswer(let attempt), .resting(let attempt): advance(to: attempt)
    case .answering:
      advance(to: 1)
      _ = state.answerBegan()
    case .finished: _ = state.clientGone()
    }
    try #require(state.phase == phase)
    return state
  }

  /// Sends every event in every phase; those without a row must change nothing.
  private func check(_ rows: [Row], phases: [Phase], limit: Int, rests: Bool) throws {
    for phase in phases {
      let start = try state(in: phase, limit: limit, rests: rests)
      for event in Event.allCases {
        let row = rows.first { $0.phase == phase && $0.event == event }
        var state = start
        #expect(send(event, to: &state) == row?.action ?? .wait, "\(phase) \(event)")
        #expect(state.phase == row?.next ?? phase, "\(phase) \(event)")
      }
    }
  }

  private static let first = Phase.awaitingAnswer(attempt: 1)
  private static let second = Phase.awaitingAnswer(attempt: 2)
  private static let third = Phase.awaitingAnswer(attempt: 3)
  private static let secondRest = Phase.resting(attempt: 2)

  /// What holds in every phase that waits for an answer.
  private static func awaiting(_ phase: Phase) -> [Row] {
    [
      Row(phase, .refused, .refuse, .finished), Row(phase, .failed, .refuse, .finished),
      Row(phase, .answerBegan, .wait, .answering), Row(phase, .answerEnded, .settle, .finished),
      Row(phase, .clientGone, .abandon, .finished),
      Row(phase, .deadlinePassed, .refuse, .finished),
    ]
  }

  private static let common: [Row] =
    [
      Row(.readingRequest, .requestReady, .attempt(1), first),
      Row(.readingRequest, .refused, .refuse, .finished),
      Row(.readingRequest, .clientGone, .abandon, .finished),
      Row(.readingRequest, .deadlinePassed, .refuse, .finished),
      Row(.answering, .failed, .breakOff, .finished),
      Row(.answering, .failedRetryably, .breakOff, .finished),
      Row(.answering, .answerEnded, .settle, .finished),
      Row(.answering, .clientGone, .abandon, .finished),
      Row(.answering, .deadlinePassed, .breakOff, .finished),
    ] + awaiting(first) + awaiting(second) + awaiting(third)

  private static let phases = [.readingRequest, first, second, third, .answering, .finished]

  @Test func answersEveryEventInEveryPhase() throws {
    let rows =
      Self.common + [
        Row(Self.first, .failedRetryably, .attempt(2), Self.second),
        Row(Self.second, .failedRetryably, .attempt(3), Self.third),
        Row(Self.third, .failedRetryably, .refuse, .finished),
      ]
    try check(rows, phases: Self.phases, limit: 3, rests: false)
  }

  @Test func restsBetweenAttempts() throws {
    let rows =
      Self.common + [
        Row(Self.first, .failedRetryably, .rest(2), Self.secondRest),
        Row(Self.second, .failedRetryably, .rest(3), .resting(attempt: 3)),
        Row(Self.third, .failedRetryably, .refuse, .finished),
        Row(Self.secondRest, .rested, .attempt(2), Self.second),
        Row(Self.secondRest, .refused, .refuse, .finished),
        Row(Self.secondRest, .clientGone, .abandon, .finished),
        Row(Self.secondRest, .deadlinePassed, .refuse, .finished),
      ]
    try check(rows, phases: Self.phases + [Self.secondRest], limit: 3, rests: true)
  }

  @Test func neverRetriesWithOneAttempt() throws {
    for rests in [false, true] {
      var state = try state(in: Self.first, limit: 1, rests: rests)
      #expect(state.attemptFailed(mayRetry: true) == .refuse)
      #expect(state.phase == .finished)
    }
  }

  @Test func makesExactlyTheAttemptsAllowed() {
    for limit in 1...5 {
      var state = RelayState(attemptLimit: limit, rests: false)
      var attempts = 0
      var action = state.requestReady()
      while case .attempt(let number) = action {
        attempts += 1
        #expect(number == attempts)
        action = state.attemptFailed(mayRetry: true)
      }
      #expect(attempts == limit)
      #expect(action == .refuse)
    }
  }

  /// Whatever comes in whatever order, quota is given back or charged once.
  @Test func endsExactlyOnce() {
    let endings: [Action] = [.refuse, .settle, .breakOff, .abandon]
    var sequences: [[Event]] = [[]]
    for _ in 0..<4 { sequences = sequences.flatMap { old in Event.allCases.map { old + [$0] } } }
    for events in sequences {
      var state = RelayState(attemptLimit: 2, rests: true)
      var count = 0
      for event in events {
        if endings.contains(send(event, to: &state)) { count += 1 }
      }
      #expect(count == (state.phase == .finished ? 1 : 0), "\(events)")
    }
  }
}
