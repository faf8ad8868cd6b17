// SPDX-License-Identifier: MIT
import Testing

@testable import TinyGateway

/// The life of a forwarded request: every event in every phase.
struct RelayStateTests {
  private typealias Phase = RelayState.Phase
  private typealias Action = RelayState.Action

  private enum Event: CaseIterable {
    case requestReady, refused, foundBusy, foundResting, resumed
    case failedForGood, failed, failedWithPause, failedAsleep
    case answerBegan, answerEnded, clientGone, deadlinePassed
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
    case .foundBusy: state.foundBusy()
    case .foundResting: state.foundResting(milliseconds: 7)
    case .resumed: state.resumed()
    case .failedForGood: state.attemptFailed(next: .nothing)
    case .failed: state.attemptFailed(next: .attempt)
    case .failedWithPause: state.attemptFailed(next: .rest(milliseconds: 250))
    case .failedAsleep: state.attemptFailed(next: .wake)
    case .answerBegan: state.answerBegan()
    case .answerEnded: state.answerEnded()
    case .clientGone: state.clientGone()
    case .deadlinePassed: state.deadlinePassed()
    }
  }

  private static let phases: [Phase] = [
    .readingRequest, .awaitingAnswer, .queued, .resting, .waking, .answering, .finished,
  ]

  /// The events that lead to a phase.
  private func path(to phase: Phase) -> [Event] {
    switch phase {
    case .readingRequest: []
    case .awaitingAnswer: [.requestReady]
    case .queued: [.requestReady, .foundBusy]
    case .resting: [.requestReady, .foundResting]
    case .waking: [.requestReady, .failedAsleep]
    case .answering: [.requestReady, .answerBegan]
    case .finished: [.clientGone]
    }
  }

  private func state(in phase: Phase) throws -> RelayState {
    var state = RelayState()
    for event in path(to: phase) { _ = send(event, to: &state) }
    try #require(state.phase == phase)
    return state
  }

  private static let rows: [Row] = [
    Row(.readingRequest, .requestReady, .attempt, .awaitingAnswer),
    Row(.readingRequest, .refused, .refuse, .finished),
    Row(.readingRequest, .clientGone, .abandon, .finished),
    Row(.readingRequest, .deadlinePassed, .refuse, .finished),

    Row(.awaitingAnswer, .refused, .refuse, .finished),
    Row(.awaitingAnswer, .foundBusy, .queue, .queued),
    Row(.awaitingAnswer, .foundResting, .rest(milliseconds: 7), .resting),
    Row(.awaitingAnswer, .failedForGood, .refuse, .finished),
    Row(.awaitingAnswer, .failed, .attempt, .awaitingAnswer),
    Row(.awaitingAnswer, .failedWithPause, .rest(milliseconds: 250), .resting),
    Row(.awaitingAnswer, .failedAsleep, .wake, .waking),
    Row(.awaitingAnswer, .answerBegan, .wait, .answering),
    Row(.awaitingAnswer, .answerEnded, .settle, .finished),
    Row(.awaitingAnswer, .clientGone, .abandon, .finished),
    Row(.awaitingAnswer, .deadlinePassed, .refuse, .finished),

    Row(.answering, .failedForGood, .breakOff, .finished),
    Row(.answering, .failed, .breakOff, .finished),
    Row(.answering, .failedWithPause, .breakOff, .finished),
    Row(.answering, .failedAsleep, .breakOff, .finished),
    Row(.answering, .answerEnded, .settle, .finished),
    Row(.answering, .clientGone, .abandon, .finished),
    Row(.answering, .deadlinePassed, .breakOff, .finished),
  ]

  /// What holds in every phase that waits for the next attempt.
  private static func pausing(_ phase: Phase) -> [Row] {
    [
      Row(phase, .resumed, .attempt, .awaitingAnswer), Row(phase, .refused, .refuse, .finished),
      Row(phase, .clientGone, .abandon, .finished),
      Row(phase, .deadlinePassed, .refuse, .finished),
    ]
  }

  /// Events without a row must change nothing.
  @Test func answersEveryEventInEveryPhase() throws {
    let rows =
      Self.rows + Self.pausing(.queued) + Self.pausing(.resting) + Self.pausing(.waking)
    for phase in Self.phases {
      let start = try state(in: phase)
      for event in Event.allCases {
        let found = rows.filter { $0.phase == phase && $0.event == event }
        try #require(found.count <= 1, "\(phase) \(event)")
        var state = start
        #expect(send(event, to: &state) == found.first?.action ?? .wait, "\(phase) \(event)")
        #expect(state.phase == found.first?.next ?? phase, "\(phase) \(event)")
      }
    }
  }

  @Test func triesAsLongAsSomethingIsLeft() {
    var state = RelayState()
    #expect(state.requestReady() == .attempt)
    for _ in 0..<20 { #expect(state.attemptFailed(next: .attempt) == .attempt) }
    #expect(state.attemptFailed(next: .nothing) == .refuse)
  }

  /// A channel that turns out busy after a pause, a second wake, and so on.
  @Test func waitsAgainAfterEveryWait() {
    var state = RelayState()
    _ = state.requestReady()
    for _ in 0..<3 {
      #expect(state.foundBusy() == .queue)
      #expect(state.resumed() == .attempt)
      #expect(state.foundResting(milliseconds: 1) == .rest(milliseconds: 1))
      #expect(state.resumed() == .attempt)
      #expect(state.attemptFailed(next: .wake) == .wake)
      #expect(state.resumed() == .attempt)
    }
    #expect(state.answerEnded() == .settle)
  }

  /// Once the client has seen content no further attempt begins, whatever happens.
  @Test func neverTriesAgainAfterContent() throws {
    for first in Event.allCases {
      for second in Event.allCases {
        var state = try state(in: .answering)
        for event in [first, second] {
          let action = send(event, to: &state)
          #expect([.wait, .settle, .breakOff, .abandon].contains(action), "\(first) \(second)")
        }
      }
    }
  }

  /// Whatever comes in whatever order, quota is given back or charged once.
  @Test func endsExactlyOnce() throws {
    let endings: [Action] = [.refuse, .settle, .breakOff, .abandon]
    var sequences: [[Event]] = [[]]
    for _ in 0..<3 { sequences = sequences.flatMap { old in Event.allCases.map { old + [$0] } } }
    for phase in Self.phases where phase != .finished {
      let start = try state(in: phase)
      for events in sequences {
        var state = start
        var count = 0
        for event in events where endings.contains(send(event, to: &state)) { count += 1 }
        guard count != (state.phase == .finished ? 1 : 0) else { continue }
        Issue.record("\(count) endings in \(phase) by \(events)")
      }
    }
  }
}
