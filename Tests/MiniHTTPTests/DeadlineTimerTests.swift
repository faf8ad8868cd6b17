// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct DeadlineTimerTests {
  @Test func actsOnceInTheOrderOfTheTimes() throws {
    let loop = try EventLoop()
    var fired: [Int] = []
    let start = Instant.now
    loop.after(milliseconds: 20) {
      fired.append(20)
      loop.stop()
    }
    loop.after(milliseconds: 1) { fired.append(1) }
    loop.after(milliseconds: 5) { fired.append(5) }
    loop.run()
    #expect(fired == [1, 5, 20])
    #expect(Instant.now.milliseconds(since: start) >= 20)
  }

  @Test func waitsInsteadOfTurning() throws {
    let loop = try EventLoop()
    var turns = 0
    loop.endOfTurn = { turns += 1 }
    loop.after(milliseconds: 30) { loop.stop() }
    loop.run()
    #expect(turns < 10)
  }

  @Test func leavesNothingBehind() throws {
    let loop = try EventLoop()
    loop.wakeAt = 0
    let count = loop.handlerCount
    var fired = 0
    for _ in 0..<100 { loop.after(milliseconds: 0) { fired += 1 } }
    while fired < 100 { loop.turn() }
    loop.turn()
    #expect(loop.handlerCount == count)
    #expect(fired == 100)
  }

  @Test func startsAnotherFromWithin() throws {
    let loop = try EventLoop()
    var fired = 0
    loop.after(milliseconds: 0) {
      fired += 1
      loop.after(milliseconds: 1) {
        fired += 1
        loop.stop()
      }
    }
    loop.run()
    #expect(fired == 2)
  }
}
