// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// When quotas start again: over midnights, months, changes of the clock and of the settings.
struct StateQuotaRenewalTests {
  private func zone(_ name: StaticString) throws -> TimeZone {
    try #require(TimeZone(ByteString(name)))
  }

  @Test(
    arguments: [
      // 2026-01-01 00:00 UTC is 1767225600, 08:00 in Shanghai.
      (.none, "UTC", 0, 1_767_225_600, .none),
      (.daily, "UTC", 0, 1_767_225_600, .renew),
      (.daily, "UTC", 1_767_225_600, 1_767_311_999, .none),
      (.daily, "UTC", 1_767_225_600, 1_767_312_000, .renew),
      (.daily, "UTC", 1_767_311_999, 1_767_312_000, .renew),
      (.daily, "UTC", 1_767_225_600, 1_798_761_600, .renew),
      (.daily, "Asia/Shanghai", 1_767_225_600, 1_767_283_199, .none),
      (.daily, "Asia/Shanghai", 1_767_225_600, 1_767_283_200, .renew),
      (.monthly, "UTC", 1_767_225_600, 1_769_903_999, .none),
      (.monthly, "UTC", 1_767_225_600, 1_769_904_000, .renew),
      (.monthly, "Asia/Shanghai", 1_767_225_600, 1_769_875_199, .none),
      (.monthly, "Asia/Shanghai", 1_767_225_600, 1_769_875_200, .renew),
      // From December to January.
      (.monthly, "UTC", 1_767_225_599, 1_767_225_600, .renew),
      // The clock went back: within the day, by a day, by a year.
      (.daily, "UTC", 1_767_225_601, 1_767_225_600, .adopt),
      (.daily, "UTC", 1_767_312_000, 1_767_225_600, .adopt),
      (.monthly, "UTC", 1_798_761_600, 1_767_225_600, .adopt),
      (.none, "UTC", 1_798_761_600, 1_767_225_600, .none),
      // Berlin's days of 23 and 25 hours.
      (.daily, "Europe/Berlin", 1_774_738_800, 1_774_821_599, .none),
      (.daily, "Europe/Berlin", 1_774_738_800, 1_774_821_600, .renew),
      (.daily, "Europe/Berlin", 1_792_879_200, 1_792_969_199, .none),
      (.daily, "Europe/Berlin", 1_792_879_200, 1_792_969_200, .renew),
      // Cairo sees 23:00 to 24:00 twice, and once no midnight.
      (.daily, "Africa/Cairo", 1_793_307_599, 1_793_307_600, .none),
      (.daily, "Africa/Cairo", 1_793_307_600, 1_793_311_200, .renew),
      (.daily, "Africa/Cairo", 1_776_981_599, 1_776_981_600, .renew),
      // A rule that goes back over midnight: the second first of the day renews nothing.
      (.daily, "AAA0BBB,M3.5.0,M10.5.0/0:01", 1_792_882_800, 1_792_882_860, .none),
      (.daily, "AAA0BBB,M3.5.0,M10.5.0/0:01", 1_792_882_800, 1_792_886_400, .none),
    ] as [(QuotaPeriod, StaticString, Int64, Int64, QuotaRenewal)])
  func isDue(
    _ period: QuotaPeriod, _ name: StaticString, _ start: Int64, _ now: Int64,
    _ expected: QuotaRenewal
  ) throws {
    let zone = try zone(name)
    #expect(
      QuotaRenewal.due(period, begunAt: start, now: now, isClockPlausible: true, in: zone)
        == expected)
    // Before the clock is known to be right, nothing is.
    #expect(
      QuotaRenewal.due(period, begunAt: start, now: now, isClockPlausible: false, in: zone)
        == .none)
  }

  @Test func changesOfPeriodAndZoneRenewAtMostOnce() throws {
    let noon: Int64 = 1_780_056_000  // 2026-05-29 12:00 UTC
    let (utc, apia) = (TimeZone.utc, try zone("Pacific/Apia"))
    // By the day since this morning, then by the month: it goes on.
    #expect(
      QuotaRenewal.due(.monthly, begunAt: noon, now: noon, isClockPlausible: true, in: utc)
        == .none)
    // By the month since its first, then by the day: it starts again, and that day is begun.
    let first: Int64 = 1_777_593_600
    #expect(
      QuotaRenewal.due(.daily, begunAt: first, now: noon, isClockPlausible: true, in: utc)
        == .renew)
    // East of here it is tomorrow already; what began today there goes on here.
    let morning: Int64 = noon - 7200
    #expect(
      QuotaRenewal.due(.daily, begunAt: morning, now: noon, isClockPlausible: true, in: apia)
        == .renew)
    #expect(
      QuotaRenewal.due(.daily, begunAt: noon, now: noon + 1, isClockPlausible: true, in: utc)
        == .none)
  }

  @Test func aClockThatJumpsGivesNothingAway() {
    // Used up on day 1; the clock is a year ahead for one request, then right again.
    let (day, year): (Int64, Int64) = (1_780_000_000, 31_536_000)
    var start = day
    var renewals = 0
    for now in [day + 60, day + year, day + 120, day + 180, day + 86_400, day + 86_460] {
      switch QuotaRenewal.due(
        .daily, begunAt: start, now: now, isClockPlausible: true, in: .utc)
      {
      case .none: continue
      case .adopt: start = now
      case .renew:
        start = now
        renewals += 1
      }
    }
    #expect(renewals == 2, "the jump itself and the next day")
    #expect(start == day + 86_400)
  }

  @Test func saysWhenTheNextPeriodBegins() throws {
    let shanghai = try zone("Asia/Shanghai")
    #expect(QuotaRenewal.next(.none, after: 1_780_000_000, in: shanghai) == nil)
    #expect(QuotaRenewal.next(.daily, after: 1_780_000_000, in: shanghai) == 1_780_070_400)
    #expect(QuotaRenewal.next(.monthly, after: 1_780_000_000, in: shanghai) == 1_780_243_200)
  }
}
