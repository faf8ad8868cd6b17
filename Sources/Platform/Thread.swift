// SPDX-License-Identifier: MIT
import CPlatform

/// Starts named threads that live as long as the program.
package enum Thread {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Runs `body` on a new detached thread, at a lower priority than the caller's.
  ///
  /// `name`: at most 15 bytes, shown by `ps -T`.
  /// `stackByteCount`: only touched pages cost memory.
  package static func start(
    _ name: StaticString, stackByteCount: Int = 256 * 1024, _ body: @escaping @Sendable () -> Void
  ) throws(SystemError) {
    let argument = Unmanaged.passRetained(Body(body)).toOpaque()
    let status = name.withUTF8Buffer { _ in
      cp_thread_start(
        UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self), stackByteCount,
        { raw in
          guard let raw else { return }
          Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
        }, argument)
    }
    if status < 0 {
      Unmanaged<Body>.fromOpaque(argument).release()
      throw SystemError(result: status, call: "pthread_create")
    }
  }
}

/// A mutex with a condition.
package final class Lock: @unchecked Sendable {
  private let raw: UnsafeMutableRawPointer

  /// Makes an unlocked lock.
  package init() {
    guard let created = cp_lock_create() else { fatalError("out of memory") }
    raw = created
  }

  deinit { cp_lock_destroy(raw) }

  /// Runs `body` while holding the lock.
  package func locked<R>(_ body: () -> R) -> R {
    cp_lock_acquire(raw)
    defer { cp_lock_release(raw) }
    return body()
  }

  /// Waits for `signal()`; the caller holds the lock.
  package func wait() { cp_lock_wait(raw) }

  /// Waits for `signal()`, at most so long; the caller holds the lock.
  package func wait(milliseconds: Int64) { cp_lock_wait_for(raw, milliseconds) }

  /// Waits for `unpark()`, which must follow what there is to do; the caller holds the lock.
  ///
  /// Not before it: what came earlier is the caller's to look for. While all helper threads are
  /// parked the loop counts references without locks, so a parked one touches no object.
  package func park() { cp_lock_park(raw) }

  /// Ends `park()`, if somebody is there; the caller holds the lock.
  package func unpark() { cp_lock_unpark(raw) }

  /// Wakes every waiter.
  package func signal() { cp_lock_signal(raw) }
}
