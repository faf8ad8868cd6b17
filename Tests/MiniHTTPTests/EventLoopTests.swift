// SPDX-License-Identifier: MIT
import Glibc
import Platform
import Testing

@testable import MiniHTTP

/// A handler that notes what the loop asks of it.
private final class Probe: EventHandler {
  var descriptor: Int32 = -1
  var interest: Interest = .read
  /// What the loop is told when it asks for the first time.
  var firstDeadline: Instant?
  private var laterDeadline: Instant?
  var isFinished = false
  var readiness: [Interest] = []
  var settleCount = 0
  var deadlineCount = 0
  var dropCount = 0
  var whenReady: (() -> Void)?
  var whenSettled: (() -> Void)?
  var whenDeadlinePassed: (() -> Void)?
  var whenDropped: (() -> Void)?

  var deadline: Instant? {
    get {
      defer { firstDeadline = nil }
      return firstDeadline ?? laterDeadline
    }
    set { laterDeadline = newValue }
  }

  func ready(_ ready: Interest) {
    readiness.append(ready)
    whenReady?()
  }
  func settle() {
    settleCount += 1
    whenSettled?()
  }
  func deadlinePassed() {
    deadlineCount += 1
    whenDeadlinePassed?()
  }
  func dropped() {
    dropCount += 1
    whenDropped?()
  }
}

/// A loop with a pair of joined sockets, the first of them for a handler.
final class EventLoopTests {
  private let loop: EventLoop
  private var ends: [Int32]

  init() throws {
    loop = try EventLoop()
    ends = TLSPair.socketPair()
    loop.wakeAt = 0  // Turns do not wait.
  }

  deinit { for end in ends { close(end) } }

  private func makeProbe(_ interest: Interest = .read) -> Probe {
    let probe = Probe()
    probe.descriptor = ends[0]
    probe.interest = interest
    return probe
  }

  private func send(_ text: StaticString = "x") {
    #expect(write(ends[1], text.utf8Start, text.utf8CodeUnitCount) == text.utf8CodeUnitCount)
  }

  private func receive() {
    var bytes = [UInt8](repeating: 0, count: 100)
    #expect(read(ends[0], &bytes, bytes.count) > 0)
  }

  @Test func deliversReadiness() {
    let probe = makeProbe()
    loop.add(probe)
    loop.turn()
    #expect(probe.readiness.isEmpty)
    send()
    loop.turn()
    #expect(probe.readiness == [.read])
    probe.whenReady = { [self] in receive() }
    loop.turn()
    loop.turn()
    #expect(probe.readiness == [.read, .read])
  }

  @Test func watchesForWhatTheHandlerWantsNow() {
    let probe = makeProbe([])
    let id = loop.add(probe)
    send()
    loop.turn()
    loop.turn()
    #expect(probe.readiness.isEmpty)
    probe.interest = [.read, .write]
    loop.touch(id)
    loop.turn()
    #expect(probe.readiness == [[.read, .write]])
    probe.interest = .write
    loop.turn()
    loop.turn()
    #expect(probe.readiness.last == .write)
  }

  @Test func reportsAHangupToAnyHandler() {
    let probe = makeProbe([])
    loop.add(probe)
    loop.turn()
    close(ends[1])
    ends[1] = -1
    loop.turn()
    #expect(probe.readiness == [.hangup])
  }

  @Test func settlesTouchedHandlersOnly() {
    let probe = makeProbe()
    let id = loop.add(probe)
    loop.turn()
    #expect(probe.settleCount == 1)
    loop.turn()
    #expect(probe.settleCount == 1)
    loop.touch(id)
    loop.touch(id)
    loop.turn()
    #expect(probe.settleCount == 2)
  }

  @Test func doesNotSettleForEverWhoTouchesItself() {
    let probe = makeProbe()
    let id = loop.add(probe)
    probe.whenSettled = { [self] in loop.touch(id) }
    loop.turn()
    #expect(probe.settleCount == 1)
  }

  @Test func settlesSomeBeforeAllAreReady() {
    let count = Sizes.settledPerTurn * 2
    var (readyCount, settleCount) = (0, 0)
    var mostWaiting = 0
    for _ in 0..<count {
      let probe = makeProbe()
      probe.descriptor = dup(ends[0])
      ends.append(probe.descriptor)
      loop.add(probe)
      loop.turn()
      probe.whenReady = {
        readyCount += 1
        mostWaiting = max(mostWaiting, readyCount - settleCount)
      }
      probe.whenSettled = { settleCount += 1 }
    }
    send()
    loop.turn()
    #expect(readyCount == count && settleCount == count)
    #expect(mostWaiting == Sizes.settledPerTurn)
  }

  @Test func settlesWhomASettlingHandlerTouches() {
    let (first, second) = (makeProbe(), Probe())
    let firstID = loop.add(first)
    let secondID = loop.add(second)
    loop.turn()
    first.whenSettled = { [self] in loop.touch(secondID) }
    loop.touch(firstID)
    loop.turn()
    #expect(first.settleCount == 2)
    #expect(second.settleCount == 2)
  }

  @Test func dropsFinishedHandlersOnce() {
    let probe = makeProbe()
    let id = loop.add(probe)
    loop.turn()
    let count = loop.handlerCount
    probe.isFinished = true
    loop.turn()
    #expect(probe.dropCount == 0)
    loop.touch(id)
    loop.turn()
    #expect(probe.dropCount == 1)
    #expect(loop.handlerCount == count - 1)
    send()
    loop.touch(id)
    loop.turn()
    #expect(probe.dropCount == 1)
    #expect(probe.readiness.isEmpty)
  }

  @Test func doesNotMistakeANewHandlerForAnOldOne() {
    let old = makeProbe()
    let oldID = loop.add(old)
    loop.turn()
    old.isFinished = true
    loop.touch(oldID)
    loop.turn()
    let new = makeProbe()
    let newID = loop.add(new)
    loop.turn()
    #expect(oldID != newID)
    loop.touch(oldID)
    loop.descriptorChanged(oldID)
    loop.turn()
    #expect(new.settleCount == 1)
    #expect(old.settleCount == 2)
  }

  @Test func takesHandlersFromADroppedOne() {
    let probe = makeProbe()
    let next = Probe()
    probe.isFinished = true
    probe.whenDropped = { [self] in loop.add(next) }
    loop.add(probe)
    loop.turn()
    loop.turn()
    #expect(probe.dropCount == 1)
    #expect(next.settleCount == 1)
    #expect(next.dropCount == 0)
  }

  @Test func ignoresIdentifiersOfNoLoop() {
    loop.touch(.none)
    loop.descriptorChanged(.none)
    loop.touch(HandlerID(slot: 99, generation: 1))
    loop.turn()
    let id = HandlerID(slot: 7, generation: 0xFFFF_FFFF)
    #expect(HandlerID(token: id.token) == id)
    #expect(HandlerID(token: HandlerID.none.token) == .none)
  }

  @Test func watchesADescriptorThatComesLater() {
    let probe = Probe()
    let id = loop.add(probe)
    loop.turn()
    send()
    loop.turn()
    #expect(probe.readiness.isEmpty)
    probe.descriptor = ends[0]
    loop.descriptorChanged(id)
    loop.turn()
    loop.turn()
    #expect(probe.readiness.first == .read)
  }

  @Test func deliversDeadlinesOnce() {
    let (due, later, never) = (Probe(), Probe(), Probe())
    due.deadline = Instant.now
    due.whenDeadlinePassed = { due.deadline = nil }
    later.deadline = Instant.now.advanced(byMilliseconds: 3_600_000)
    for probe in [due, later, never] { loop.add(probe) }
    for _ in 0..<5 { loop.turn() }
    #expect(due.deadlineCount == 1)
    #expect(later.deadlineCount == 0)
    #expect(never.deadlineCount == 0)
  }

  @Test func asksAgainBeforeItDeliversADeadline() {
    let probe = Probe()
    probe.firstDeadline = Instant.now
    probe.deadline = Instant.now.advanced(byMilliseconds: 3_600_000)
    loop.add(probe)
    loop.turn()
    #expect(probe.deadlineCount == 0)
    #expect(probe.settleCount == 2)
  }

  @Test func runsTheEndOfEachTurn() {
    var count = 0
    loop.endOfTurn = { count += 1 }
    loop.turn()
    loop.turn()
    #expect(count == 2)
  }

  @Test func runsUntilStopped() {
    var count = 0
    loop.endOfTurn = { [loop] in
      count += 1
      if count == 3 { loop.stop() }
    }
    loop.run()
    #expect(count == 3)
  }

  @Test func runsCompletionsOfOtherThreads() throws {
    let worker = Worker(name: "test", mailbox: loop.mailbox)
    var isDone = false
    try worker.submit(Job(work: {}, completion: { isDone = true }))
    worker.drain()
    #expect(!isDone)
    loop.turn()
    #expect(isDone)
  }
}
