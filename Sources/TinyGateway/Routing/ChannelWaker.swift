// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform

/// Wakes the machine behind one channel, and tells all that wait for it when it is up.
///
/// `WakeState` decides; this class acts. It is a handler without a descriptor, for its deadline
/// only: the loop drops it as soon as nobody waits.
final class ChannelWaker: EventHandler {
  /// What is woken, and how.
  struct Machine {
    let channel: Channel
    let mac: MACAddress
    let broadcast: IPAddress
  }

  private struct Waiter {
    let number: Int64
    let done: (Bool) -> Void
  }

  private struct Ended {
    let waiter: Waiter
    let isUp: Bool
  }

  /// A machine that sleeps answers to nothing, so a poll does not wait as long as a request.
  private static let pollTimeouts = ClientTimeouts(
    connectMilliseconds: 2000, firstByteMilliseconds: 5000, idleMilliseconds: 5000)

  private let registry: WakerRegistry
  private let gateway: Gateway
  private let packetPort: Int
  /// As the latest request knows it: settings may change meanwhile.
  private var machine: Machine
  private var state: WakeState
  private var waiters: [Waiter] = []
  /// Those that are told at the end of this turn.
  private var ended: [Ended] = []
  private var packetCount = 0
  private var probe: UpstreamProbe?
  /// nil while the loop does not know this handler.
  private var handlerID: HandlerID?

  init(
    registry: WakerRegistry, gateway: Gateway, schedule: WakeState.Schedule, packetPort: Int,
    machine: Machine
  ) {
    self.registry = registry
    self.gateway = gateway
    self.packetPort = packetPort
    self.machine = machine
    state = WakeState(schedule: schedule)
  }

  var channelID: Int64 { machine.channel.id }

  /// Whether nobody waits and no pause has to be kept.
  func isForgettable(now: Instant) -> Bool {
    waiters.isEmpty && ended.isEmpty && state.isForgettable(now: now)
  }

  /// Adds a request that waits; the number is for `cancel`.
  func wait(
    number: Int64, machine: Machine, timeoutMilliseconds: Int64, _ done: @escaping (Bool) -> Void
  ) {
    self.machine = machine
    waiters.append(Waiter(number: number, done: done))
    perform(state.wanted(now: gateway.loop.now, timeoutMilliseconds: timeoutMilliseconds))
  }

  /// The request does not wait any more.
  func cancel(_ number: Int64) {
    waiters.removeAll { $0.number == number }
    ended.removeAll { $0.waiter.number == number }
    if waiters.isEmpty { perform(state.abandoned()) }
  }

  // What the loop asks and tells.

  var descriptor: Int32 { -1 }
  var interest: Interest { [] }
  var deadline: Instant? { state.wakeAt }
  var isFinished: Bool { state.wakeAt == nil && ended.isEmpty }
  func ready(_ ready: Interest) {}
  func deadlinePassed() { perform(state.timePassed(now: gateway.loop.now)) }

  func settle() {
    // One by one: a request that goes on may cancel another, or wait again.
    while !ended.isEmpty {
      let next = ended.removeFirst()
      next.waiter.done(next.isUp)
    }
    if isForgettable(now: gateway.loop.now) { registry.remove(self) }
  }

  func dropped() { handlerID = nil }

  // Acts.

  /// The only place where a waker acts on the world.
  private func perform(_ actions: [WakeState.Action]) {
    for action in actions {
      switch action {
      case .sendPacket: sendPacket()
      case .poll: poll()
      case .resume(let milliseconds):
        gateway.log.info("channel \(channelID): up after \(milliseconds) ms")
        end(isUp: true)
      case .giveUp(let milliseconds):
        gateway.log.warn("channel \(channelID): not up after \(milliseconds) ms, given up")
        end(isUp: false)
      case .refuse, .abandon: end(isUp: false)
      }
    }
    if let handlerID {
      gateway.loop.touch(handlerID)
    } else {
      handlerID = gateway.loop.add(self)
    }
  }

  private func end(isUp: Bool) {
    probe?.cancel()
    probe = nil
    packetCount = 0
    for waiter in waiters { ended.append(Ended(waiter: waiter, isUp: isUp)) }
    waiters = []
  }

  private func sendPacket() {
    let address = machine.broadcast.text.text
    packetCount += 1
    // What is repeated every few seconds is told once.
    let isFirst = packetCount == 1
    do throws(SystemError) {
      try Datagram.send(machine.mac.magicPacket, to: machine.broadcast, port: packetPort)
      gateway.log.write(isFirst ? .info : .debug) {
        $0.append(text: "channel \(channelID): magic packet sent to \(address)")
      }
    } catch {
      gateway.log.write(isFirst ? .warn : .debug) {
        $0.append(text: "channel \(channelID): no magic packet to \(address): \(error.text)")
      }
    }
  }

  private func poll() {
    // A connection that waited in the pool is from before the machine fell asleep.
    let made = UpstreamProbe.get(
      machine.channel.path(of: "/models"), machine.channel, gateway,
      timeouts: ChannelWaker.pollTimeouts, fresh: true
    ) { [self] outcome in
      probe = nil
      let isUp = outcome.status.map { ChannelWaker.isUp(status: $0, outcome.body) } ?? false
      let now = gateway.loop.now
      perform(isUp ? state.pollAnswered(now: now) : state.pollFailed(now: now))
    }
    // It may have failed within the call.
    if made.isPending { probe = made }
  }

  /// Whether an answer to GET /models shows that the machine can work, be it with an error.
  ///
  /// 500 and 503 are what servers say while they start, 502 and 504 what a proxy says for a
  /// machine that is not there. llama.cpp answers 503 while it loads its
  /// model, but builds from May 2025 on for some time answered 200 then, with `"meta":null` in
  /// place of the model's facts.
  /// Source: ggml-org/llama.cpp, tools/server and pull request 13535 (seen November 2026).
  static func isUp(status: Int, _ body: Buffer) -> Bool {
    switch status {
    case 500, 502, 503, 504: return false
    case 200: return !isLoading(body)
    default: return true
    }
  }

  private static func isLoading(_ body: Buffer) -> Bool {
    let document: JSONDocument
    do throws(JSONError) {
      document = try JSONDocument(body)
    } catch {
      return false
    }
    guard let model = document.root.member("data")?.element(0),
      let owner = model.member("owned_by")?.string, let meta = model.member("meta")
    else { return false }
    return owner == "llamacpp" && meta.isNull
  }
}
