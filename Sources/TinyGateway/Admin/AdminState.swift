// SPDX-License-Identifier: MIT
import Platform

/// What the management API remembers between requests; the gateway owns one.
final class AdminState {
  /// Channel tests and model list requests that may run at once.
  static let largestProbeCount = 8

  let loginGuard = LoginGuard()
  let registrations = RegistrationGuard()
  let changes = ChangeQueue()
  /// Channel tests and model list requests under way.
  var probeCount = 0
  let searches = SearchQueue()
  /// Exports of the log under way.
  var exports = ExportPlaces()
  /// Whether a backup is being made or sent, or a restore received or done: one at a time.
  var isTransferring = false
  /// What `/status` has read last of the disk and the machine, and when.
  var machine: (facts: MachineFacts, readAt: Instant)?
  /// Whether the doctor is looking: one at a time.
  var isExamining = false
  /// Where the doctor looks, off the loop; made with the first examination.
  var doctorWorker: Worker?
  /// What verified upstreams say about the time.
  var clockHint = ClockHint()
  /// Rounds of PBKDF2 that suit this device; nil until they have been measured.
  var measuredPasswordRounds: Int?
}

/// Changes of settings, one after the other.
///
/// A change reads what is in memory, is written on the storage thread and comes back after the
/// commit. The next one begins only then, so that each is checked against all those before it
/// and two partial edits of one object cannot undo each other.
final class ChangeQueue {
  /// Changes that may wait; each holds one request in memory.
  static let largestWaitingCount = 64

  private var waiting: [() -> Void] = []
  private var isBusy = false

  /// Begins the change now or after those before it; it must call `ended()` once.
  ///
  /// - Returns: false when too many wait already; the change is dropped then.
  func begin(_ change: @escaping () -> Void) -> Bool {
    if isBusy {
      guard waiting.count < ChangeQueue.largestWaitingCount else { return false }
      waiting.append(change)
    } else {
      isBusy = true
      change()
    }
    return true
  }

  /// A change is committed, or was given up.
  func ended() {
    guard !waiting.isEmpty else {
      isBusy = false
      return
    }
    waiting.removeFirst()()
  }
}
