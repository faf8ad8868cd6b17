// SPDX-License-Identifier: MIT
import CPlatform

/// What a handler waits for, and what has happened.
package struct Interest: OptionSet, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let read = Interest(rawValue: UInt32(CP_READABLE))
  package static let write = Interest(rawValue: UInt32(CP_WRITABLE))
  /// Both directions are gone; reported, never asked for.
  package static let hangup = Interest(rawValue: UInt32(CP_HANGUP))
  /// The peer has ended its direction, behind what can still be read; reported with `read`.
  package static let end = Interest(rawValue: UInt32(CP_ENDED))
  /// Asked for: a report when something happens, and none of what merely goes on; asking anew
  /// reports what is there.
  package static let edge = Interest(rawValue: UInt32(CP_EDGE))
}

/// epoll; level-triggered unless `Interest.edge` is asked for.
package final class Poller {
  private let descriptor: Int32
  private let events: UnsafeMutableBufferPointer<cp_event>

  /// Throws when the kernel refuses another epoll instance.
  package init() throws(SystemError) {
    descriptor = try SystemError.check(cp_poller_create(), "epoll_create1")
    events = .allocate(capacity: 128)
    events.initialize(repeating: cp_event(token: 0, ready: 0))
  }

  deinit {
    events.deallocate()
    _ = cp_close(descriptor)
  }

  /// Starts watching a descriptor.
  package func add(_ watched: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
    try SystemError.check(
      cp_poller_add(descriptor, watched, interest.rawValue, token), "epoll_ctl")
  }

  /// Changes what a watched descriptor is watched for.
  package func change(_ watched: Int32, _ interest: Interest, token: UInt64) {
    _ = cp_poller_change(descriptor, watched, interest.rawValue, token)
  }

  /// Stops watching a descriptor.
  package func remove(_ watched: Int32) { _ = cp_poller_remove(descriptor, watched) }

  /// Waits and returns how many events there are; `milliseconds` < 0 waits for ever.
  package func wait(milliseconds: Int32) -> Int {
    max(0, Int(cp_poller_wait(descriptor, events.baseAddress, 128, milliseconds)))
  }

  /// One event of the last wait.
  @inline(__always)
  package func event(_ index: Int) -> (token: UInt64, ready: Interest) {
    let event = events[index]
    return (event.token, Interest(rawValue: event.ready))
  }
}
