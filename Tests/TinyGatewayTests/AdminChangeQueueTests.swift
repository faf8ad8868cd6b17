// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// Changes of settings run one after the other.
struct AdminChangeQueueTests {
  @Test func beginsTheNextWhenTheOneBeforeHasEnded() {
    let queue = ChangeQueue()
    var begun: [Int] = []
    for number in 0..<3 { #expect(queue.begin { begun.append(number) }) }
    #expect(begun == [0])
    queue.ended()
    #expect(begun == [0, 1])
    queue.ended()
    queue.ended()
    #expect(begun == [0, 1, 2])
    #expect(queue.begin { begun.append(3) })
    #expect(begun == [0, 1, 2, 3])
  }

  @Test func refusesMoreThanItsLimit() {
    let queue = ChangeQueue()
    #expect(queue.begin {})
    for _ in 0..<ChangeQueue.largestWaitingCount { #expect(queue.begin {}) }
    #expect(!queue.begin {})
    queue.ended()
    #expect(queue.begin {})
  }

  @Test func survivesAChangeThatEndsAtOnce() {
    let queue = ChangeQueue()
    var count = 0
    for _ in 0..<1000 {
      #expect(
        queue.begin {
          count += 1
          queue.ended()
        })
    }
    #expect(count == 1000)
  }
}
