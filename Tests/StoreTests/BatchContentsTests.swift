// SPDX-License-Identifier: MIT
import Testing

@testable import Store

struct BatchContentsTests {
  private enum Step { case add(Int64), reset(Int64) }

  private func delta(_ steps: [Step]) -> UsageDelta {
    var delta = UsageDelta()
    for step in steps {
      switch step {
      case .add(let units): delta.add(units, at: 10)
      case .reset(let start): delta.reset(periodStart: start)
      }
    }
    return delta
  }

  private func check(
    _ older: [Step], _ newer: [Step], quota: Int64, isReset: Bool, start: Int64
  ) {
    var sum = delta(newer)
    sum.prepend(delta(older))
    #expect(sum.micro == quota && sum.isReset == isReset && sum.periodStart == start)
    #expect(sum.accessedAt == 10)
  }

  @Test func putsOlderUsageBeforeNewer() {
    check([.add(5)], [.add(7)], quota: 12, isReset: false, start: 0)
    check([.reset(1), .add(5)], [.add(7)], quota: 12, isReset: true, start: 1)
    check([.add(5)], [.reset(2), .add(7)], quota: 7, isReset: true, start: 2)
    check([.reset(1), .add(5)], [.reset(2), .add(7)], quota: 7, isReset: true, start: 2)
    check([.add(.max)], [.add(1)], quota: .max, isReset: false, start: 0)
    check([.add(5)], [.add(-7)], quota: 5, isReset: false, start: 0)
  }

  @Test func dropsTheNewestRowsBeyondTheLimit() {
    func contents(_ requests: ClosedRange<Int64>) -> BatchContents {
      BatchContents(
        rows: requests.map {
          LogRecord(requestID: $0, userID: 0, tokenID: 0, channelID: 0, modelID: 0)
        })
    }
    for (limit, kept, dropped): (Int, [Int64], Int) in [
      (9, [1, 2, 3, 4, 5], 0), (4, [1, 2, 3, 4], 1), (3, [1, 2, 3], 2),
    ] {
      var newer = contents(4...5)
      #expect(newer.prepend(contents(1...3), rowLimit: limit) == dropped)
      #expect(newer.rows.map(\.requestID) == kept)
    }
  }

  @Test func boundsTheHoursThatWait() {
    var contents = BatchContents()
    let attempt = ChannelAttempt(channelID: 1, isSuccess: true, latencyMilliseconds: 1)
    for hour in 0..<Int64(BatchContents.hourLimit) + 10 { contents.count(attempt, hour: hour) }
    contents.count(attempt, hour: 0)
    #expect(contents.hours.count == BatchContents.hourLimit)
    #expect(contents.hours[HourKey(channelID: 1, hour: 0)]?.requests == 2)
  }
}
