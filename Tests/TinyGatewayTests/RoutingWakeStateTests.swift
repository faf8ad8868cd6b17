// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// The waking of one machine: every event in every phase, at the times that matter.
struct RoutingWakeStateTests {
  private typealias Phase = WakeState.Phase
  private typealias Action = WakeState.Action

  private enum Event {
    case wanted, pollAnswered, pollFailed, timePassed, abandoned
  }

  private struct Row {
    let event: Event
    let now: Int64
    let actions: [Action]
    let next: Phase

    init(_ event: Event, at now: Int64, _ actions: [Action], _ next: Phase) {
      self.event = event
      self.now = now
      self.actions = actions
      self.next = next
    }
  }

  private static func at(_ milliseconds: Int64) -> Instant {
    Instant(nanoseconds: 1).advanced(byMilliseconds: milliseconds)
  }

  private static func waking(
    since start: Int64 = 0, nextPacket: Int64 = 5000, nextPoll: Int64, isPolling: Bool
  ) -> Phase {
    .waking(
      WakeState.Waking(
        startedAt: at(start), deadline: at(start + 60_000), nextPacket: at(nextPacket),
        nextPoll: at(nextPoll), isPolling: isPolling))
  }

  private static let asking = waking(nextPoll: 1000, isPolling: true)
  private static let between = waking(nextPoll: 1000, isPolling: false)
  private static let pausing = Phase.pausing(until: at(70_000))

  private func send(_ event: Event, at now: Int64, to state: inout WakeState) -> [Action] {
    let now = Self.at(now)
    switch event {
    case .wanted: return state.wanted(now: now, timeoutMilliseconds: 60_000)
    case .pollAnswered: return state.pollAnswered(now: now)
    case .pollFailed: return state.pollFailed(now: now)
    case .timePassed: return state.timePassed(now: now)
    case .abandoned: return state.abandoned()
    }
  }

  /// A state that has come to the phase by events.
  private func check(_ events: [(Event, Int64)], _ phase: Phase, _ rows: [Row]) {
    for row in rows {
      var state = WakeState()
      for (event, now) in events { _ = send(event, at: now, to: &state) }
      #expect(state.phase == phase)
      #expect(send(row.event, at: row.now, to: &state) == row.actions, "\(row)")
      #expect(state.phase == row.next, "\(row)")
    }
  }

  @Test func idleStartsWhenAMachineIsWanted() {
    check(
      [], .idle,
      [
        Row(.wanted, at: 0, [.sendPacket, .poll], Self.asking),
        Row(.pollAnswered, at: 0, [], .idle),
        Row(.pollFailed, at: 0, [], .idle),
        Row(.timePassed, at: 0, [], .idle),
        Row(.abandoned, at: 0, [], .idle),
      ])
  }

  @Test func whileAPollIsUnderWay() {
    let late = Self.waking(nextPacket: 10_000, nextPoll: 1000, isPolling: true)
    check(
      [(.wanted, 0)], Self.asking,
      [
        Row(.wanted, at: 100, [], Self.asking),
        Row(.pollAnswered, at: 1234, [.resume(afterMilliseconds: 1234)], .idle),
        Row(.pollAnswered, at: 60_000, [.resume(afterMilliseconds: 60_000)], .idle),
        Row(.pollFailed, at: 999, [], Self.between),
        Row(.pollFailed, at: 1000, [.poll], Self.waking(nextPoll: 2000, isPolling: true)),
        Row(.pollFailed, at: 3500, [.poll], Self.waking(nextPoll: 4500, isPolling: true)),
        Row(
          .pollFailed, at: 5000, [.sendPacket, .poll],
          Self.waking(nextPacket: 10_000, nextPoll: 6000, isPolling: true)),
        Row(.pollFailed, at: 60_000, [.giveUp(afterMilliseconds: 60_000)], Self.pausing),
        Row(.timePassed, at: 4999, [], Self.asking),
        Row(.timePassed, at: 5000, [.sendPacket], late),
        Row(
          .timePassed, at: 59_999, [.sendPacket],
          Self.waking(
            nextPacket: 64_999, nextPoll: 1000, isPolling: true)),
        Row(.timePassed, at: 60_000, [.giveUp(afterMilliseconds: 60_000)], Self.pausing),
        Row(
          .timePassed, at: 61_000, [.giveUp(afterMilliseconds: 61_000)],
          .pausing(until: Self.at(71_000))),
        Row(.abandoned, at: 100, [.abandon], .idle),
      ])
  }

  @Test func betweenTwoPolls() {
    check(
      [(.wanted, 0), (.pollFailed, 10)], Self.between,
      [
        Row(.wanted, at: 100, [], Self.between),
        Row(.pollAnswered, at: 100, [.resume(afterMilliseconds: 100)], .idle),
        Row(.pollFailed, at: 100, [], Self.between),
        Row(.timePassed, at: 999, [], Self.between),
        Row(.timePassed, at: 1000, [.poll], Self.waking(nextPoll: 2000, isPolling: true)),
        Row(
          .timePassed, at: 7000, [.sendPacket, .poll],
          Self.waking(nextPacket: 12_000, nextPoll: 8000, isPolling: true)),
        Row(.timePassed, at: 60_000, [.giveUp(afterMilliseconds: 60_000)], Self.pausing),
        Row(.abandoned, at: 100, [.abandon], .idle),
      ])
  }

  @Test func pausesAfterGivingUp() {
    check(
      [(.wanted, 0), (.timePassed, 60_000)], Self.pausing,
      [
        Row(.wanted, at: 60_000, [.refuse], Self.pausing),
        Row(.wanted, at: 69_999, [.refuse], Self.pausing),
        Row(
          .wanted, at: 70_000, [.sendPacket, .poll],
          Self.waking(since: 70_000, nextPacket: 75_000, nextPoll: 71_000, isPolling: true)),
        Row(.pollAnswered, at: 60_001, [], Self.pausing),
        Row(.pollFailed, at: 60_001, [], Self.pausing),
        Row(.timePassed, at: 80_000, [], Self.pausing),
        Row(.abandoned, at: 60_001, [], Self.pausing),
      ])
  }

  @Test func startsAgainAtOnceAfterSuccessOrWhenAbandoned() {
    for end in [Event.pollAnswered, .abandoned] {
      check(
        [(.wanted, 0), (end, 500)], .idle,
        [
          Row(
            .wanted, at: 500, [.sendPacket, .poll],
            Self.waking(since: 500, nextPacket: 5500, nextPoll: 1500, isPolling: true))
        ])
    }
  }

  @Test func wakesTheLoopOnlyWhileSomebodyWaits() {
    var state = WakeState()
    #expect(state.wakeAt == nil)
    _ = send(.wanted, at: 0, to: &state)
    #expect(state.wakeAt == Self.at(5000))
    _ = send(.pollFailed, at: 20, to: &state)
    #expect(state.wakeAt == Self.at(1000))
    _ = send(.timePassed, at: 1000, to: &state)
    #expect(state.wakeAt == Self.at(5000))
    _ = send(.timePassed, at: 58_000, to: &state)
    #expect(state.wakeAt == Self.at(60_000))
    _ = send(.timePassed, at: 60_000, to: &state)
    #expect(state.wakeAt == nil)
  }

  @Test func keepsADeadlineThatIsShorterThanItsRhythm() {
    var state = WakeState()
    _ = state.wanted(now: Self.at(0), timeoutMilliseconds: 300)
    #expect(state.wakeAt == Self.at(300))
    // The deadline of the first one counts.
    _ = state.wanted(now: Self.at(200), timeoutMilliseconds: 300)
    #expect(state.timePassed(now: Self.at(300)) == [.giveUp(afterMilliseconds: 300)])
  }

  @Test func isForgottenWhenItsPauseIsOver() {
    var state = WakeState()
    #expect(state.isForgettable(now: Self.at(0)))
    _ = send(.wanted, at: 0, to: &state)
    #expect(!state.isForgettable(now: Self.at(100_000)))
    _ = send(.timePassed, at: 60_000, to: &state)
    #expect(!state.isForgettable(now: Self.at(69_999)))
    #expect(state.isForgettable(now: Self.at(70_000)))
  }

  /// A machine that never answers, with polls that take that long to fail.
  @Test(arguments: [0, 1, 400, 1000, 2000, 7000, 1_000_000] as [Int64])
  func sendsTwelvePacketsAndNeverPollsTwiceAtOnce(pollMilliseconds: Int64) {
    var state = WakeState()
    var (packets, starts): ([Int64], [Int64]) = ([], [])
    var (pollEnd, end): (Int64?, Int64?) = (nil, nil)
    var now: Int64 = 0
    func note(_ actions: [Action]) {
      for action in actions {
        switch action {
        case .sendPacket: packets.append(now)
        case .poll:
          #expect(pollEnd == nil)
          starts.append(now)
          pollEnd = now + pollMilliseconds
        case .giveUp: end = now
        case .resume, .refuse, .abandon: Issue.record("\(action)")
        }
      }
    }
    note(send(.wanted, at: now, to: &state))
    while end == nil, let due = state.wakeAt {
      let wake = due.milliseconds(since: Self.at(0))
      if let pollEnded = pollEnd, pollEnded <= wake {
        (now, pollEnd) = (pollEnded, nil)
        note(send(.pollFailed, at: now, to: &state))
      } else {
        now = wake
        note(send(.timePassed, at: now, to: &state))
      }
    }
    #expect(end == 60_000)
    #expect(packets == Array(stride(from: 0, to: 60_000, by: 5000)))
    let distance = max(1000, pollMilliseconds)
    #expect(starts == Array(stride(from: 0, to: 60_000, by: Int(distance))).map { Int64($0) })
  }
}
