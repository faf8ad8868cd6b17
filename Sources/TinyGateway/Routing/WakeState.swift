// SPDX-License-Identifier: MIT
import Platform

/// How far the waking of one machine is, and what follows from each event.
///
/// A pure value: no socket, no clock. `ChannelWaker` performs the actions.
struct WakeState: Equatable, Sendable {
  /// The rhythm, in milliseconds.
  struct Schedule: Equatable, Sendable {
    /// From one magic packet to the next: one may get lost, or come while the card is still
    /// negotiating its link.
    var packetMilliseconds: Int64 = 5000
    /// From the start of one poll to the start of the next.
    var pollMilliseconds: Int64 = 1000
    /// After a machine was given up, so that a broken one does not hold every request until its
    /// deadline.
    var pauseMilliseconds: Int64 = 10_000
  }

  /// The times of a machine that is being woken.
  struct Waking: Equatable, Sendable {
    let startedAt: Instant
    let deadline: Instant
    var nextPacket: Instant
    /// The earliest start of the next poll; it also waits for the end of the one under way.
    var nextPoll: Instant
    var isPolling: Bool
  }

  enum Phase: Equatable, Sendable {
    /// Nobody wants the machine, or it is awake.
    case idle
    case waking(Waking)
    /// It did not come up; nobody waits until then.
    case pausing(until: Instant)
  }

  enum Action: Equatable, Sendable {
    case sendPacket
    /// Ask the machine whether it is up.
    case poll
    /// It is up: let all go on that wait.
    case resume(afterMilliseconds: Int64)
    /// It did not come up in time: stop asking, fail all that wait.
    case giveUp(afterMilliseconds: Int64)
    /// It was given up a moment ago: fail the one that came, at once.
    case refuse
    /// Nobody waits any more: stop asking.
    case abandon
  }

  private(set) var phase = Phase.idle
  let schedule: Schedule

  init(schedule: Schedule = Schedule()) { self.schedule = schedule }

  /// When `timePassed` is due; nil while nobody waits.
  var wakeAt: Instant? {
    switch phase {
    case .idle, .pausing: return nil
    case .waking(let waking):
      let next = min(waking.nextPacket, waking.deadline)
      return waking.isPolling ? next : min(next, waking.nextPoll)
    }
  }

  /// Whether nothing has to be remembered any more.
  func isForgettable(now: Instant) -> Bool {
    switch phase {
    case .idle: return true
    case .waking: return false
    case .pausing(let until): return now >= until
    }
  }

  /// A request needs the machine.
  ///
  /// `timeoutMilliseconds`: how long it may take to come up, from the first such request on.
  mutating func wanted(now: Instant, timeoutMilliseconds: Int64) -> [Action] {
    switch phase {
    case .waking: return []
    case .pausing(let until) where now < until: return [.refuse]
    case .idle, .pausing:
      phase = .waking(
        Waking(
          startedAt: now, deadline: now.advanced(byMilliseconds: timeoutMilliseconds),
          nextPacket: now.advanced(byMilliseconds: schedule.packetMilliseconds),
          nextPoll: now.advanced(byMilliseconds: schedule.pollMilliseconds), isPolling: true))
      return [.sendPacket, .poll]
    }
  }

  /// The machine answered and can work.
  mutating func pollAnswered(now: Instant) -> [Action] {
    switch phase {
    case .waking(let waking):
      phase = .idle
      return [.resume(afterMilliseconds: now.milliseconds(since: waking.startedAt))]
    case .idle, .pausing: return []
    }
  }

  /// No answer, or one that says that the machine is not ready.
  mutating func pollFailed(now: Instant) -> [Action] {
    switch phase {
    case .waking(var waking):
      waking.isPolling = false
      return proceed(waking, now)
    case .idle, .pausing: return []
    }
  }

  /// It is `wakeAt`, or any other time: too early changes nothing.
  mutating func timePassed(now: Instant) -> [Action] {
    switch phase {
    case .waking(let waking): return proceed(waking, now)
    case .idle, .pausing: return []
    }
  }

  /// The last request that waited is gone.
  mutating func abandoned() -> [Action] {
    switch phase {
    case .waking:
      phase = .idle
      return [.abandon]
    case .idle, .pausing: return []
    }
  }

  private mutating func proceed(_ waking: Waking, _ now: Instant) -> [Action] {
    guard now < waking.deadline else {
      phase = .pausing(until: now.advanced(byMilliseconds: schedule.pauseMilliseconds))
      return [.giveUp(afterMilliseconds: now.milliseconds(since: waking.startedAt))]
    }
    var waking = waking
    var actions: [Action] = []
    if now >= waking.nextPacket {
      waking.nextPacket = now.advanced(byMilliseconds: schedule.packetMilliseconds)
      actions.append(.sendPacket)
    }
    if !waking.isPolling, now >= waking.nextPoll {
      waking.nextPoll = now.advanced(byMilliseconds: schedule.pollMilliseconds)
      waking.isPolling = true
      actions.append(.poll)
    }
    phase = .waking(waking)
    return actions
  }
}
