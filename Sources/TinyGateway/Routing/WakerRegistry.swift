// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

/// One request that waits for a machine; for `WakerRegistry.cancel`.
struct WaitID: Hashable, Sendable {
  fileprivate let channelID: Int64
  fileprivate let number: Int64
}

/// The machines that are being woken now, by channel; made on demand, removed when nobody waits.
final class WakerRegistry {
  /// UDP port of magic packets: "discard", where no program can be disturbed.
  static let packetPort = 9
  /// How long a machine may take to come up when its channel does not say, in milliseconds.
  static let timeoutMilliseconds: Int64 = 60_000

  private let gateway: Gateway
  private let schedule: WakeState.Schedule
  private let packetPort: Int
  private var wakers: [Int64: ChannelWaker] = [:]
  private var waitCount: Int64 = 0

  /// Makes an empty registry; tests choose another rhythm and port.
  init(
    gateway: Gateway, schedule: WakeState.Schedule = WakeState.Schedule(),
    packetPort: Int = WakerRegistry.packetPort
  ) {
    self.gateway = gateway
    self.schedule = schedule
    self.packetPort = packetPort
  }

  /// Channels that are being woken, and those that were given up a moment ago.
  var count: Int { wakers.count }

  /// Wakes a channel's machine, or joins those that wait for it already.
  ///
  /// `timeoutMilliseconds` counts from the first request that waits; 0 for the default. `done` is
  /// called once, by the loop and never within this call, unless the wait is cancelled before:
  /// true when the machine is up, false when it did not come up in time, or was given up so
  /// recently that it is not tried.
  func wait(
    for channel: Channel, mac: MACAddress, broadcast: IPAddress, timeoutMilliseconds: Int64,
    _ done: @escaping (Bool) -> Void
  ) -> WaitID {
    let now = gateway.loop.now
    wakers = wakers.filter { !$0.value.isForgettable(now: now) }
    let waker: ChannelWaker
    if let known = wakers[channel.id] {
      waker = known
    } else {
      waker = ChannelWaker(
        registry: self, gateway: gateway, schedule: schedule, packetPort: packetPort,
        machine: ChannelWaker.Machine(channel: channel, mac: mac, broadcast: broadcast))
      wakers[channel.id] = waker
    }
    waitCount += 1
    waker.wait(
      number: waitCount,
      machine: ChannelWaker.Machine(channel: channel, mac: mac, broadcast: broadcast),
      timeoutMilliseconds: timeoutMilliseconds > 0
        ? timeoutMilliseconds : WakerRegistry.timeoutMilliseconds, done)
    return WaitID(channelID: channel.id, number: waitCount)
  }

  /// The request does not wait any more; unknown when its `done` was called.
  func cancel(_ id: WaitID) { wakers[id.channelID]?.cancel(id.number) }

  /// Forgets a waker that nobody needs; another one of the same channel stays.
  func remove(_ waker: ChannelWaker) {
    if wakers[waker.channelID] === waker { wakers[waker.channelID] = nil }
  }
}
