// SPDX-License-Identifier: MIT
import Testing

@testable import Store

struct DailyBytesTests {
  @Test func tellsTheDayFromTheWhole() {
    var bytes = DailyBytes()
    #expect(bytes.total == 0 && bytes.count(on: 7) == 0)
    for (total, day, today) in [
      (100, 7, 100), (150, 7, 150), (150, 8, 0), (190, 8, 40),
      // The clock was set back, then right again.
      (200, 0, 10), (260, 8, 60),
    ] as [(Int64, Int64, Int64)] {
      bytes.note(total, on: day)
      #expect(bytes.total == total && bytes.count(on: day) == today)
      #expect(bytes.count(on: day + 1) == 0)
    }
  }
}
