// SPDX-License-Identifier: MIT
import Testing

@testable import MiniHTTP

/// Every event in every phase.
struct ClientConnectionStateTests {
  private typealias State = ClientConnectionState
  private typealias Step = (action: State.Action, phase: State.Phase)

  private static let phases: [State.Phase] = [
    .resolving, .connecting, .handshaking, .idle, .awaitingHead, .readingBody, .closed,
  ]

  /// A connection that has come to that phase; a reused one has waited in the pool before.
  private func state(_ phase: State.Phase, isSecure: Bool = false, isReused: Bool = false) -> State
  {
    var state = State(isSecure: isSecure || phase == .handshaking)
    if phase == .resolving { return state }
    if phase == .closed {
      state.cancelled()
      return state
    }
    _ = state.addressesArrived()
    if phase == .connecting { return state }
    _ = state.connected()
    if phase == .handshaking { return state }
    _ = state.handshakeEnded()
    if isReused || phase == .idle {
      _ = state.headArrived()
      _ = state.answerArrived(mayKeep: true)
      if phase == .idle { return state }
      _ = state.leased()
    }
    if phase == .readingBody { _ = state.headArrived() }
    return state
  }

  /// Checks what an event does in the phases named; in all others it must do nothing.
  private func check(
    _ expected: [(State.Phase, Step)], isSecure: Bool = false, isReused: Bool = false,
    location: SourceLocation = #_sourceLocation, _ event: (inout State) -> State.Action
  ) {
    for phase in Self.phases {
      var state = state(phase, isSecure: isSecure, isReused: isReused)
      #expect(state.phase == phase, sourceLocation: location)
      let action = event(&state)
      let step = expected.first { $0.0 == phase }?.1 ?? (.wait, phase)
      #expect(action == step.action, "in \(phase)", sourceLocation: location)
      #expect(state.phase == step.phase, "in \(phase)", sourceLocation: location)
    }
  }

  @Test func startsWithTheName() {
    #expect(State(isSecure: false).phase == .resolving)
    #expect(!State(isSecure: false).isReused)
  }

  @Test func addressesArrived() {
    check([(.resolving, (.wait, .connecting))]) { $0.addressesArrived() }
  }

  @Test func connected() {
    check([(.connecting, (.wait, .awaitingHead))]) { $0.connected() }
    check([(.connecting, (.handshake, .handshaking))], isSecure: true) { $0.connected() }
  }

  @Test func handshakeEnded() {
    check([(.handshaking, (.wait, .awaitingHead))]) { $0.handshakeEnded() }
  }

  @Test func leased() {
    check([(.idle, (.wait, .awaitingHead))]) { $0.leased() }
    var state = state(.idle)
    #expect(!state.isReused)
    _ = state.leased()
    #expect(state.isReused)
  }

  @Test func headArrived() {
    check([(.awaitingHead, (.wait, .readingBody))]) { $0.headArrived() }
  }

  @Test func answerArrived() {
    check([(.readingBody, (.finish(keep: true), .idle))]) { $0.answerArrived(mayKeep: true) }
    check([(.readingBody, (.finish(keep: false), .closed))]) { $0.answerArrived(mayKeep: false) }
  }

  @Test func connectionEnded() {
    let always: [(State.Phase, Step)] = [
      (.connecting, (.connectNext(.connect), .connecting)),
      (.handshaking, (.fail(.tls), .closed)), (.idle, (.wait, .closed)),
    ]
    check(
      always + [
        (.awaitingHead, (.fail(.reset), .closed)), (.readingBody, (.fail(.cut), .closed)),
      ]
    ) { $0.connectionEnded(hasInput: false, completesBody: false) }
    check(
      always + [
        (.awaitingHead, (.fail(.badAnswer), .closed)), (.readingBody, (.fail(.cut), .closed)),
      ]
    ) { $0.connectionEnded(hasInput: true, completesBody: false) }
    check(
      always + [
        (.awaitingHead, (.fail(.reset), .closed)),
        (.readingBody, (.finish(keep: false), .closed)),
      ]
    ) { $0.connectionEnded(hasInput: false, completesBody: true) }
  }

  @Test func connectionEndedAfterWaitingInThePool() {
    check(
      [
        (.connecting, (.connectNext(.connect), .connecting)),
        (.handshaking, (.fail(.tls), .closed)), (.idle, (.wait, .closed)),
        (.awaitingHead, (.fail(.stale), .closed)), (.readingBody, (.fail(.cut), .closed)),
      ], isReused: true
    ) { $0.connectionEnded(hasInput: false, completesBody: false) }
    var state = state(.awaitingHead, isReused: true)
    #expect(state.connectionEnded(hasInput: true, completesBody: false) == .fail(.badAnswer))
  }

  @Test func deadlinePassed() {
    check([
      (.resolving, (.fail(.resolve), .closed)),
      (.connecting, (.connectNext(.connectTimeout), .connecting)),
      (.handshaking, (.fail(.connectTimeout), .closed)), (.idle, (.wait, .closed)),
      (.awaitingHead, (.fail(.firstByteTimeout), .closed)),
      (.readingBody, (.fail(.idleTimeout), .closed)),
    ]) { $0.deadlinePassed() }
  }

  @Test func broke() {
    let failing: [State.Phase] = [
      .resolving, .connecting, .handshaking, .awaitingHead, .readingBody,
    ]
    check(failing.map { ($0, (.fail(.badAnswer), .closed)) } + [(.idle, (.wait, .closed))]) {
      $0.broke(.badAnswer)
    }
  }

  @Test func cancelled() {
    check(Self.phases.map { ($0, (.wait, .closed)) }) {
      $0.cancelled()
      return .wait
    }
  }

  @Test func servesOneExchangeAfterTheOther() {
    var state = state(.awaitingHead)
    for _ in 0..<3 {
      #expect(state.headArrived() == .wait)
      #expect(state.answerArrived(mayKeep: true) == .finish(keep: true))
      #expect(state.leased() == .wait)
    }
    #expect(state.isReused)
  }
}
