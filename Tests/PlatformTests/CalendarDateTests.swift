// SPDX-License-Identifier: MIT
import Testing

@testable import Platform

struct CalendarDateTests {
  private func check(_ days: Int64, _ text: ByteString) {
    #expect(CalendarDate(days: days).text == text)
    #expect(CalendarDate(text)?.days == days)
  }

  @Test func writesAndReadsDates() {
    check(0, "1970-01-01")
    check(-1, "1969-12-31")
    check(19_782, "2024-02-29")
    check(19_783, "2024-03-01")
    check(11_016, "2000-02-29")
    check(47_540, "2100-02-28")
    check(47_541, "2100-03-01")
    check(20_782, "2026-11-25")
    check(2_932_896, "9999-12-31")
  }

  @Test func countsEveryDayOfFourCenturies() {
    var previous = CalendarDate(days: -1)
    for days in 0..<Int64(146_097) {
      let date = CalendarDate(days: days)
      #expect(date.days == days)
      let isNext =
        date.year == previous.year && date.month == previous.month && date.day == previous.day + 1
      #expect(isNext || date.day == 1)
      previous = date
    }
    #expect(previous == CalendarDate("2369-12-31"))
  }

  @Test func staysInRange() {
    #expect(CalendarDate(days: .max).text == "9999-12-31")
    #expect(CalendarDate(days: .min).text == "0000-03-01")
  }

  @Test func refusesWhatIsNoDate() {
    for text in [
      "", "2026-11", "2026-11-5", "2026-1-05", "26-11-05", "2026-00-10", "2026-13-01",
      "2026-11-00", "2026-11-31", "2025-02-29", "2100-02-29", "2026-11-25 ", "2026/11/25",
      "+026-11-25", "2026-11-2a", "0000-01-01",
    ] as [ByteString] {
      #expect(CalendarDate(text) == nil, "\(text.text)")
    }
  }
}
