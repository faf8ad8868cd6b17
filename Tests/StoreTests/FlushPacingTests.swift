// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

/// When flushes begin: a 64th of the interval early, or by half more than the slowest of late.
struct FlushPacingTests {
  private static func at(_ milliseconds: Int64) -> Instant {
    Instant(nanoseconds: milliseconds * 1_000_000)
  }

  /// Milliseconds that something waits for its flush to begin, after flushes that took so long.
  private static func wait(_ interval: Int64, after flushes: [Int64]) -> Int64 {
    var pacing = FlushPacing(intervalMilliseconds: interval)
    for took in flushes {
      let mayBegin = pacing.mayBegin()
      #expect(mayBegin)
      pacing.begin(now: at(1000))
      let wantsAnother = pacing.end(now: at(1000 + took))
      #expect(!wantsAnother)
    }
    return pacing.due(at(7000)).milliseconds(since: at(7000))
  }

  private static let quick = [Int64](repeating: 0, count: 400)

  @Test(
    arguments: [
      (1000, [], 984), (300_000, [], 295_312), (5000, [20], 4921),
      (1000, [100], 850), (1000, [100, 0, 0, 0], 863), (1000, [10, 200, 10], 709),
      (300_000, [1600], 295_312), (300_000, [8000], 288_000),
      (1000, [333], 500), (1000, [340], 500), (1000, [1600], 500), (1000, [1600, 0, 0], 500),
      (100, [1], 98), (86_400_000, [600_000], 85_050_000),
    ] as [(Int64, [Int64], Int64)])
  func beginsEarly(interval: Int64, flushes: [Int64], wait: Int64) {
    let known = FlushPacingTests.quick + flushes
    #expect(FlushPacingTests.wait(interval, after: known) == wait)
  }

  @Test func beginsAtHalfOfTheIntervalUntilTheMediumIsKnown() {
    let waits = [0, 1, 12, 20, 60, 400].map {
      FlushPacingTests.wait(1000, after: Array(FlushPacingTests.quick.prefix($0)))
    }
    #expect(waits == [500, 500, 500, 602, 888, 984])
  }

  @Test func forgetsASlowFlushInTime() {
    let quick = FlushPacingTests.quick
    #expect(FlushPacingTests.wait(1000, after: quick + [300] + quick.prefix(20)) == 761)
    #expect(FlushPacingTests.wait(1000, after: quick + [1600] + quick) == 984)
  }

  /// Answers come all the time; the longest time from one to the end of its flush.
  private static func oldestLoss(
    interval: Int64, flushTakes: (Int64) -> Int64
  ) -> (milliseconds: Int64, flushes: Int64) {
    var pacing = FlushPacing(intervalMilliseconds: interval)
    var (oldest, inFlight, ends): (Int64?, Int64, Int64?) = (nil, 0, nil)
    var (longest, flushes): (Int64, Int64) = (0, 0)
    for now in 0..<200 * interval {
      if let end = ends, end <= now {
        _ = pacing.end(now: at(now))
        longest = max(longest, now - inFlight)
        ends = nil
      }
      if ends == nil, let waiting = oldest, pacing.due(at(waiting)) <= at(now) {
        pacing.begin(now: at(now))
        flushes += 1
        (oldest, inFlight, ends) = (nil, waiting, now + flushTakes(flushes))
      }
      if oldest == nil { oldest = now }
    }
    return (longest, flushes)
  }

  /// The last row of each: how many flushes the 200 intervals may have.
  @Test(arguments: [(1, 224), (40, 232), (100, 252), (250, 352), (500, 402)] as [(Int64, Int64)])
  func losesNoMoreThanAnInterval(took: Int64, flushes: Int64) {
    // Each takes up to half as long again as the others, as when it folds the log back.
    let (longest, count) = FlushPacingTests.oldestLoss(interval: 1000) {
      $0 % 50 == 49 ? min(took + took / 2, 500) : took
    }
    #expect(longest <= 1000)
    #expect(count <= flushes)
  }

  @Test(arguments: [600, 1000, 1600] as [Int64])
  func losesTwoFlushesWhereTheyTakeLongerThanHalfAnInterval(took: Int64) {
    let (longest, _) = FlushPacingTests.oldestLoss(interval: 1000) { _ in took }
    #expect(longest <= 2 * took)
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
