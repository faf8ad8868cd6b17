// SPDX-License-Identifier: MIT
import CPlatform
import Platform

/// One thread that waits for descriptors and lets their handlers act.
///
/// A turn: wait, deliver readiness, deliver deadlines, then settle every touched handler (send,
/// change its registration, drop it when it is finished). Only touched handlers are looked at,
/// so a turn costs what happened in it and not what is connected. A turn with many events settles
/// in between, so that what is to be sent does not wait for all that is still to be read.
package final class EventLoop {
  private struct Slot {
    var handler: (any EventHandler)?
    var generation: UInt32 = 0
    var registered: Interest = []
    var isTouched = false
    /// Taken out of the poller: a hang-up is reported for ever to who does not read.
    var isMuted = false
    /// Nanoseconds; `.max` means never.
    var deadline = Int64.max
  }

  private let poller: Poller
  private var slots: [Slot] = []
  private var freeSlots: [Int32] = []
  private var touched: [Int32] = []
  /// No deadline is due before this, in nanoseconds; may be too early, never too late.
  private var nextDeadline = Int64.max
  private var isStopping = false

  /// The time at which this turn began.
  package private(set) var now = Instant.now
  /// Where every handler reads to; its content is nobody's after the handler returns.
  package let scratch: UnsafeMutableRawBufferPointer
  /// Completions of jobs on other threads.
  package let mailbox: Mailbox
  /// Called once a turn, after everything else; the owner's own bookkeeping.
  package var endOfTurn: (() -> Void)?
  /// When `endOfTurn` wants to be called at the latest; nanoseconds, `.max` means never.
  package var wakeAt = Int64.max

  /// Throws when the kernel refuses epoll or an eventfd.
  package init() throws(SystemError) {
    poller = try Poller()
    mailbox = try Mailbox()
    scratch = .allocate(byteCount: Sizes.scratchByteCount, alignment: 16)
    add(MailboxHandler(mailbox))
  }

  deinit { scratch.deallocate() }

  /// Number of handlers, the mailbox's included.
  package var handlerCount: Int { slots.count - freeSlots.count }

  /// Takes a handler over; it is registered at the end of this turn.
  @discardableResult
  package func add(_ handler: any EventHandler) -> HandlerID {
    let slot: Int32
    if let free = freeSlots.popLast() {
      slot = free
    } else {
      slot = Int32(slots.count)
      slots.append(Slot())
    }
    slots[Int(slot)].handler = handler
    slots[Int(slot)].generation &+= 1
    slots[Int(slot)].registered = []
    slots[Int(slot)].isMuted = false
    slots[Int(slot)].deadline = .max
    let id = HandlerID(slot: slot, generation: slots[Int(slot)].generation)
    watch(handler, id)
    touch(id)
    return id
  }

  private func watch(_ handler: any EventHandler, _ id: HandlerID) {
    // A handler may wait for a name or a deadline before it has a descriptor.
    guard handler.descriptor >= 0 else { return }
    do throws(SystemError) {
      let interest = handler.interest
      try poller.add(handler.descriptor, interest, token: id.token)
      slots[Int(id.slot)].registered = interest
    } catch {
      // Out of kernel memory for the watch: the handler sees a hang-up and ends itself.
      handler.ready(.hangup)
    }
  }

  /// Makes the loop look at a handler at the end of this turn.
  package func touch(_ id: HandlerID) {
    let index = Int(id.slot)
    guard index >= 0, index < slots.count, slots[index].generation == id.generation,
      !slots[index].isTouched, slots[index].handler != nil
    else { return }
    slots[index].isTouched = true
    touched.append(id.slot)
  }

  /// Watches the handler's new descriptor; an old one is already closed.
  package func descriptorChanged(_ id: HandlerID) {
    let index = Int(id.slot)
    guard index >= 0, index < slots.count, slots[index].generation == id.generation,
      let handler = slots[index].handler
    else { return }
    slots[index].registered = []
    slots[index].isMuted = false
    watch(handler, id)
    touch(id)
  }

  /// Ends `run()` after this turn.
  package func stop() { isStopping = true }

  /// Turns until `stop()`.
  package func run() {
    while !isStopping { turn() }
  }

  /// One turn.
  package func turn() {
    settleTouched()
    let count = poller.wait(milliseconds: millisecondsToWait())
    now = Instant.now
    UnixTime.hold()
    cp_note_helpers()
    for index in 0..<count {
      let event = poller.event(index)
      deliver(event.ready, to: HandlerID(token: event.token))
      if touched.count >= Sizes.settledPerTurn { settleTouched() }
    }
    if now.nanoseconds >= nextDeadline { deliverDeadlines() }
    settleTouched()
    endOfTurn?()
    UnixTime.release()
  }

  private func millisecondsToWait() -> Int32 {
    let due = min(nextDeadline, wakeAt)
    if !touched.isEmpty || isStopping { return 0 }
    if due == .max { return -1 }
    let rest = due - Instant.now.nanoseconds
    if rest <= 0 { return 0 }
    return Int32(clamping: (rest + 999_999) / 1_000_000)
  }

  private func deliver(_ ready: Interest, to id: HandlerID) {
    let index = Int(id.slot)
    // An earlier event of this turn may have ended the handler.
    guard index < slots.count, slots[index].generation == id.generation,
      let handler = slots[index].handler
    else { return }
    if ready == .hangup, slots[index].registered.isEmpty {
      poller.remove(handler.descriptor)
      slots[index].isMuted = true
    }
    handler.ready(ready)
    touch(id)
  }

  private func deliverDeadlines() {
    var next = Int64.max
    for index in slots.indices {
      guard slots[index].deadline != .max, let handler = slots[index].handler else { continue }
      if slots[index].deadline <= now.nanoseconds {
        // Touched handlers may have moved theirs in this very turn.
        if let current = handler.deadline, current <= now { handler.deadlinePassed() }
        touch(HandlerID(slot: Int32(index), generation: slots[index].generation))
      } else {
        next = min(next, slots[index].deadline)
      }
    }
    nextDeadline = next
  }

  private func settleTouched() {
    if touched.isEmpty { return }
    var position = 0
    while position < touched.count {
      let slot = touched[position]
      position += 1
      settle(Int(slot))
    }
    touched.removeAll(keepingCapacity: true)
  }

  private func settle(_ index: Int) {
    guard let handler = slots[index].handler else {
      slots[index].isTouched = false
      return
    }
    // A handler that touches itself here is being looked at already.
    handler.settle()
    slots[index].isTouched = false
    if handler.isFinished {
      drop(index, handler)
      return
    }
    let interest = handler.interest
    if interest != slots[index].registered, handler.descriptor >= 0 {
      slots[index].registered = interest
      let id = HandlerID(slot: Int32(index), generation: slots[index].generation)
      if slots[index].isMuted {
        slots[index].isMuted = false
        watch(handler, id)
      } else {
        poller.change(handler.descriptor, interest, token: id.token)
      }
    }
    let deadline = handler.deadline?.nanoseconds ?? .max
    slots[index].deadline = deadline
    nextDeadline = min(nextDeadline, deadline)
  }

  private func drop(_ index: Int, _ handler: any EventHandler) {
    slots[index].handler = nil
    slots[index].deadline = .max
    slots[index].generation &+= 1
    freeSlots.append(Int32(index))
    if handler.descriptor >= 0 { poller.remove(handler.descriptor) }
    handler.dropped()
  }
}

/// Runs the completions of finished jobs.
private final class MailboxHandler: EventHandler {
  private let mailbox: Mailbox
  init(_ mailbox: Mailbox) { self.mailbox = mailbox }
  var descriptor: Int32 { mailbox.descriptor }
  var interest: Interest { .read }
  var deadline: Instant? { nil }
  var isFinished: Bool { false }
  func ready(_ ready: Interest) { mailbox.runCompletions() }
  func deadlinePassed() {}
  func settle() {}
  func dropped() {}
}
