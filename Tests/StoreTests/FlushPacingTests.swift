// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

/// When flushes begin: a 64th of the interval early, or by half more than the slowest of late.
struct FlushPacingTests {
  private static func at(_ milliseconds: Int64) -> Instant {
    Instant(nanoseconds: milliseconds * 1_000_000)
  }

  @Test func rememberedAreFlushesThatAreAskedForMeanwhile() {
    var pacing = FlushPacing(intervalMilliseconds: 1000)
    enum Step { case ask(Bool), end(Bool) }
    let steps: [Step] = [
      .ask(true), .end(false),  // Nobody asked meanwhile.
      .ask(true), .ask(false), .ask(false), .end(true),  // One more, however often.
      .ask(true), .end(false), .end(false),
    ]
    for (number, step) in steps.enumerated() {
      switch step {
      case .ask(let expected):
        let mayBegin = pacing.mayBegin()
        #expect(mayBegin == expected, "step \(number)")
        if mayBegin { pacing.begin(now: FlushPacingTests.at(0)) }
      case .end(let expected):
        let wantsAnother = pacing.end(now: FlushPacingTests.at(1))
        #expect(wantsAnother == expected, "step \(number)")
      }
    }
  }
}
