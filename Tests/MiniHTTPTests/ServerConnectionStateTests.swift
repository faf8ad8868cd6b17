// SPDX-License-Identifier: MIT
import Testing

@testable import MiniHTTP

/// Every event in every phase.
struct ServerConnectionStateTests {
  private typealias State = ServerConnectionState
  private typealias Step = (action: State.Action, phase: State.Phase)

  private static let phases: [State.Phase] = [
    .handshaking, .idle, .readingHead, .readingBody, .answering, .flushing, .lingering, .closed,
  ]

  /// A connection that has come to that phase.
  private func state(_ phase: State.Phase) -> State {
    var state = State(isSecure: phase == .handshaking)
    if phase == .handshaking || phase == .idle { return state }
    if phase == .closed {
      _ = state.clientEnded()
      return state
    }
    _ = state.bytesArrived()
    switch phase {
    case .readingBody: _ = state.headArrived(hasBody: true)
    case .answering: _ = state.headArrived(hasBody: false)
    case .flushing: _ = state.framingBroke(status: 400)
    case .lingering:
      _ = state.framingBroke(status: 400)
      _ = state.outputSent()
    case .handshaking, .idle, .readingHead, .closed: break
    }
    return state
  }

  /// Checks what an event does in the phases named; in all others it must do nothing.
  private func check(
    _ expected: [(State.Phase, Step)], stopping: Bool = false,
    location: SourceLocation = #_sourceLocation, _ event: (inout State) -> State.Action
  ) {
    for phase in Self.phases {
      var state = state(phase)
      #expect(state.phase == phase, sourceLocation: location)
      if stopping { _ = state.stop(hasOutput: false) }
      let before = state.phase
      let action = event(&state)
      let step = expected.first { $0.0 == before }?.1 ?? (.wait, before)
      #expect(action == step.action, "in \(before)", sourceLocation: location)
      #expect(state.phase == step.phase, "in \(before)", sourceLocation: location)
    }
  }

  @Test func startsWithTheHandshakeOrTheFirstRequest() {
    #expect(State(isSecure: true).phase == .handshaking)
    #expect(State(isSecure: false).phase == .idle)
  }

  @Test func turnedAway() {
    check([(.idle, (.refuse(503), .flushing))]) { $0.turnedAway() }
  }

  @Test func handshakeEnded() {
    check([(.handshaking, (.wait, .idle))]) { $0.handshakeEnded() }
    check([], stopping: true) { $0.handshakeEnded() }
  }

  @Test func bytesArrived() {
    check([(.idle, (.parse, .readingHead)), (.readingHead, (.parse, .readingHead))]) {
      $0.bytesArrived()
    }
  }

  @Test func headArrived() {
    check([(.readingHead, (.begin, .readingBody))]) { $0.headArrived(hasBody: true) }
    check([(.readingHead, (.begin, .answering))]) { $0.headArrived(hasBody: false) }
  }

  @Test func framingBroke() {
    check([
      (.readingHead, (.refuse(431), .flushing)),
      (.readingBody, (.cancelAndRefuse(431), .flushing)),
    ]) { $0.framingBroke(status: 431) }
  }

  @Test func bodyArrived() {
    check([(.readingBody, (.endBody, .answering))]) { $0.bodyArrived() }
  }

  @Test func answerEnded() {
    check([(.answering, (.wait, .idle)), (.readingBody, (.wait, .flushing))]) {
      $0.answerEnded(keepsAlive: true)
    }
    check([(.answering, (.wait, .flushing)), (.readingBody, (.wait, .flushing))]) {
      $0.answerEnded(keepsAlive: false)
    }
  }

  @Test func answerEndedWhileStopping() {
    check(
      [(.answering, (.wait, .flushing)), (.readingBody, (.wait, .flushing))], stopping: true
    ) { $0.answerEnded(keepsAlive: true) }
  }

  @Test func outputSent() {
    check([(.flushing, (.endOutput, .lingering))]) { $0.outputSent() }
  }

  @Test func clientEnded() {
    check([
      (.handshaking, (.wait, .closed)), (.idle, (.wait, .closed)), (.readingHead, (.wait, .closed)),
      (.readingBody, (.cancel, .closed)), (.answering, (.cancel, .closed)),
      (.lingering, (.wait, .closed)),
    ]) { $0.clientEnded() }
  }

  @Test func outputBroke() {
    check([
      (.handshaking, (.wait, .closed)), (.idle, (.wait, .closed)), (.readingHead, (.wait, .closed)),
      (.readingBody, (.cancel, .closed)), (.answering, (.cancel, .closed)),
      (.flushing, (.wait, .closed)), (.lingering, (.wait, .closed)),
    ]) { $0.outputBroke() }
  }

  @Test func deadlinePassed() {
    check([
      (.handshaking, (.wait, .closed)), (.idle, (.wait, .closed)),
      (.readingHead, (.refuse(408), .flushing)),
      (.readingBody, (.cancelAndRefuse(408), .flushing)),
      (.answering, (.cancel, .closed)), (.flushing, (.wait, .closed)),
      (.lingering, (.wait, .closed)),
    ]) { $0.deadlinePassed() }
  }

  @Test func stop() {
    check([(.handshaking, (.wait, .closed)), (.idle, (.wait, .closed))]) {
      $0.stop(hasOutput: false)
    }
    for phase in Self.phases {
      var state = state(phase)
      #expect(!state.isStopping)
      _ = state.stop(hasOutput: false)
      #expect(state.isStopping)
    }
  }

  @Test func wantsNoInputOnceTheAnswerIsTheLast() {
    for phase in Self.phases {
      #expect(state(phase).wantsInput == (phase != .flushing && phase != .closed), "\(phase)")
    }
  }

  @Test func servesOneRequestAfterTheOther() {
    var state = State(isSecure: false)
    for hasBody in [false, true, false] {
      #expect(state.bytesArrived() == .parse)
      #expect(state.headArrived(hasBody: hasBody) == .begin)
      if hasBody { #expect(state.bodyArrived() == .endBody) }
      #expect(state.answerEnded(keepsAlive: true) == .wait)
      #expect(state.outputSent() == .wait)
      #expect(state.phase == .idle)
    }
  }
}
