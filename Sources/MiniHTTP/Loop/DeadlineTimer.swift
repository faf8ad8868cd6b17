// SPDX-License-Identifier: MIT
import Platform

/// Something to do once at a later time; it has no descriptor.
private final class DeadlineTimer: EventHandler {
  private let due: Instant
  private var action: (() -> Void)?

  init(due: Instant, action: @escaping () -> Void) {
    self.due = due
    self.action = action
  }

  var descriptor: Int32 { -1 }
  var interest: Interest { [] }
  var deadline: Instant? { due }
  var isFinished: Bool { action == nil }
  func ready(_ ready: Interest) {}
  func settle() {}
  func dropped() { action = nil }

  func deadlinePassed() {
    let due = action
    action = nil
    due?()
  }
}

extension EventLoop {
  /// Calls `action` on the loop after that time.
  package func after(milliseconds: Int64, _ action: @escaping () -> Void) {
    add(DeadlineTimer(due: now.advanced(byMilliseconds: milliseconds), action: action))
  }
}
