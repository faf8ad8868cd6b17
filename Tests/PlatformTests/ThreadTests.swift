// SPDX-License-Identifier: MIT
import Glibc
import Testing

@testable import Platform

struct ThreadTests {
  private final class Counter: @unchecked Sendable {
    let lock = Lock()
    var value = 0
  }

  @Test func excludesOtherThreads() throws {
    let counter = Counter()
    let ended = Counter()
    for _ in 0..<4 {
      try Thread.start("counter") {
        for _ in 0..<5000 { counter.lock.locked { counter.value += 1 } }
        ended.lock.locked {
          ended.value += 1
          ended.lock.signal()
        }
      }
    }
    ended.lock.locked { while ended.value < 4 { ended.lock.wait() } }
    #expect(counter.value == 20_000)
  }

  @Test func waitsNoLongerThanAsked() {
    let lock = Lock()
    let start = Instant.now
    lock.locked { lock.wait(milliseconds: 20) }
    #expect(Instant.now.milliseconds(since: start) < 5000)
  }

  @Test func refusesAStackThatCannotBe() {
    #expect(throws: SystemError.self) {
      try Thread.start("none", stackByteCount: Int.max / 2) {}
    }
  }

  /// On one core a batch of rows, or a password, must not delay a stream.
  @Test func letsHelpersGiveWayToTheLoop() throws {
    let lock = Lock()
    nonisolated(unsafe) var niceness: Int32?
    try Thread.start("helper") {
      let own = getpriority(__priority_which_t(0), 0)
      lock.locked {
        niceness = own
        lock.signal()
      }
    }
    lock.locked { while niceness == nil { lock.wait(milliseconds: 1000) } }
    #expect(niceness == min(getpriority(__priority_which_t(0), 0) + 5, 19))
  }
}
