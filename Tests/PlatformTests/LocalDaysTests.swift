// SPDX-License-Identifier: MIT
import Testing

@testable import Platform

/// The remembered day is that of the zone, wherever the clock goes.
struct LocalDaysTests {
  @Test(
    arguments: [
      "UTC", "Asia/Shanghai", "Europe/Berlin", "Africa/Cairo", "Australia/Lord_Howe",
      "America/Nuuk", "Asia/Beirut", "AAA0BBB,M3.5.0,M10.5.0/0:01", "AAA0BBB,M3.5.0/-0:30,M10.5.0",
      "EST5EDT4,0/0,J365/25",
    ] as [StaticString])
  func agreesWithTheZone(_ name: StaticString) throws {
    let zone = try #require(TimeZone(ByteString(name)))
    var days = LocalDays(zone)
    var wrong: [Int64] = []
    func check(_ time: Int64) {
      if days.day(at: time) != zone.day(at: time) { wrong.append(time) }
    }
    // A year in odd steps, forward and backward.
    for step in 0..<15_000 { check(1_767_225_600 + Int64(step) * 2111) }
    for step in 0..<15_000 { check(1_798_761_600 - Int64(step) * 2111) }
    // Minutes around both changes of 2026, jumping to and fro.
    for change: Int64 in [1_774_746_000, 1_776_981_600, 1_792_886_400, 1_793_307_600] {
      for minute: Int64 in -3000...3000 {
        check(change + minute * 60)
        check(change - minute * 59)
      }
    }
    for time in [Int64.min, -1, 0, .max, -62_135_596_801, 253_402_300_800] { check(time) }
    #expect(wrong.isEmpty)
  }
}
