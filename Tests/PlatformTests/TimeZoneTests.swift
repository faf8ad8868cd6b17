// SPDX-License-Identifier: MIT
import Testing

@testable import Platform

/// Offsets, days and months in many places; times are Unix seconds.
struct TimeZoneTests {
  private func zone(_ text: StaticString) throws -> TimeZone {
    try #require(TimeZone(ByteString(text)), "\(text)")
  }

  @Test func agreesWithPythonInManyPlaces() throws {
    #expect(TimeZoneFixtures.checksums.count == 60)
    for (name, expected) in TimeZoneFixtures.checksums {
      let zone = try zone(name)
      var state: UInt64 = 1
      var checksum: UInt64 = 14_695_981_039_346_656_037
      for _ in 0..<200 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let time = 1_767_225_600 + Int64(state >> 33) % 378_691_200
        let offset = UInt64(bitPattern: zone.offset(at: time))
        checksum = (checksum ^ offset) &* 1_099_511_628_211
      }
      #expect(checksum == expected, "\(name)")
    }
  }

  @Test func hasTheRulesOfTheInstalledZones() throws {
    for name: ByteString in [
      "Asia/Shanghai", "Europe/Berlin", "PRC", "US/Eastern", "America/Argentina/Ushuaia",
      "America/Kentucky/Monticello", "Etc/GMT+12", "Australia/Lord_Howe", "Zulu", "NZ-CHAT",
    ] {
      let rule = try #require(TimeZoneTable.rule(of: name), "\(name.text)")
      let path = ByteString("/usr/share/zoneinfo/") + name
      guard File.exists(path) else { continue }
      let compiled = try File.read(path, limit: 65536)
      #expect(SystemTimeZone.rule(ofCompiled: compiled) == rule, "\(name.text)")
    }
  }

  @Test(
    arguments: [
      // The second before a change and the change itself.
      ("Asia/Shanghai", 1_780_000_000, 28_800), ("Asia/Kathmandu", 1_780_000_000, 20_700),
      ("Europe/Berlin", 1_774_745_999, 3600), ("Europe/Berlin", 1_774_746_000, 7200),
      ("Europe/Berlin", 1_792_889_999, 7200), ("Europe/Berlin", 1_792_890_000, 3600),
      ("America/New_York", 1_772_953_199, -18_000), ("America/New_York", 1_772_953_200, -14_400),
      ("Australia/Lord_Howe", 1_775_314_799, 39_600),
      ("Australia/Lord_Howe", 1_775_314_800, 37_800),
      ("Australia/Lord_Howe", 1_791_041_399, 37_800),
      ("Australia/Lord_Howe", 1_791_041_400, 39_600),
      ("Pacific/Apia", 1_780_000_000, 46_800), ("America/Santiago", 1_780_000_000, -14_400),
      ("America/Santiago", 1_767_225_600, -10_800), ("Etc/GMT-14", 0, 50_400),
      // Ireland's standard time is that of summer.
      ("Europe/Dublin", 1_767_225_600, 0), ("Europe/Dublin", 1_780_000_000, 3600),
      // Daylight saving time all year, and rules that name days by number.
      ("XXX3EDT4,0/0,J365/23", 1_767_225_600, -14_400),
      ("EST5EDT4,0/0,J365/25", 1_767_225_600, -14_400),
      ("EST5EDT4,0/0,J365/25", 1_798_779_599, -14_400),
      ("AAA0BBB,J60/0,J61/0", 1_772_323_200, 3600),  // 1 March 2026
      ("AAA0BBB,J60/0,J61/0", 1_835_481_600, 3600),  // 1 March 2028, a leap year
      ("AAA0BBB,59/0,60/0", 1_772_323_200, 3600), ("AAA0BBB,59/0,60/0", 1_835_481_600, 0),
      ("AAA0BBB,59/0,60/0", 1_835_395_200, 3600),  // 29 February 2028
      // A change 167 hours before its day, and one after.
      ("AAA0BBB,M1.1.0/-167,M2.1.0/167", 1_767_225_600, 3600),
      ("EST5EDT", 1_780_000_000, -14_400), ("ABC-1DEF", 1_780_000_000, 7200),
    ] as [(StaticString, Int64, Int64)])
  func knowsTheOffset(_ text: StaticString, _ time: Int64, _ expected: Int64) throws {
    #expect(try zone(text).offset(at: time) == expected)
  }

  @Test(
    arguments: [
      ("UTC", 1_780_000_000, 1_780_012_800), ("UTC", 1_780_012_799, 1_780_012_800),
      ("UTC", 1_780_012_800, 1_780_099_200), ("UTC", -1, 0), ("UTC", -86_400, 0),
      ("Asia/Shanghai", 1_780_000_000, 1_780_070_400),
      // Berlin: days of 23 and of 25 hours.
      ("Europe/Berlin", 1_774_738_800, 1_774_821_600),
      ("Europe/Berlin", 1_792_879_200, 1_792_969_200),
      // Cairo, 24 April 2026: 0:00 does not exist, the day begins at 1:00.
      ("Africa/Cairo", 1_776_970_000, 1_776_981_600),
      // Cairo, 29 October 2026: after 23:59:59 it is 23:00 again.
      ("Africa/Cairo", 1_793_300_000, 1_793_311_200),
      // Beirut, 29 March 2026: 0:00 does not exist.
      ("Asia/Beirut", 1_774_730_000, 1_774_735_200),
      // Nuuk goes from 23:00 to 0:00; a rule that jumps over midnight in the middle.
      ("America/Nuuk", 1_774_740_000, 1_774_746_000),
      ("AAA0BBB,M3.5.0/-0:30,M10.5.0", 1_774_730_000, 1_774_740_600),
      ("Pacific/Apia", 1_780_000_000, 1_780_052_400),
    ] as [(StaticString, Int64, Int64)])
  func knowsWhenTheNextDayBegins(_ text: StaticString, _ time: Int64, _ expected: Int64) throws {
    let zone = try zone(text)
    let next = zone.startOfNextDay(after: time)
    #expect(next == expected)
    #expect(zone.day(at: next) == zone.day(at: time) + 1)
    #expect(zone.day(at: next - 1) == zone.day(at: time))
  }

  @Test(
    arguments: [
      ("UTC", 1_767_225_599, 1_767_225_600), ("UTC", 1_767_225_600, 1_769_904_000),
      ("Asia/Shanghai", 1_767_196_800, 1_769_875_200),
      ("Europe/Berlin", 1_772_400_000, 1_774_994_400),
      ("Australia/Lord_Howe", 1_791_000_000, 1_793_451_600),
    ] as [(StaticString, Int64, Int64)])
  func knowsWhenTheNextMonthBegins(_ text: StaticString, _ time: Int64, _ expected: Int64) throws {
    let zone = try zone(text)
    let next = zone.startOfNextMonth(after: time)
    #expect(next == expected)
    #expect(zone.month(at: next) == zone.month(at: time) + 1)
    #expect(zone.month(at: next - 1) == zone.month(at: time))
  }

  @Test func countsMonthsFromTheYear() throws {
    #expect(TimeZone.utc.month(at: 1_767_225_600) == 2026 * 12 + 1)
    #expect(try zone("America/New_York").month(at: 1_767_225_600) == 2025 * 12 + 12)
  }

  @Test(
    arguments: [
      ("Asia/Shanghai", 1_780_070_400, "2026-05-30T00:00:00+08:00"),
      ("UTC", 0, "1970-01-01T00:00:00+00:00"), ("UTC", -1, "1969-12-31T23:59:59+00:00"),
      ("America/St_Johns", 1_780_000_000, "2026-05-28T17:56:40-02:30"),
      ("Asia/Kathmandu", 1_772_323_200, "2026-03-01T05:45:00+05:45"),
    ] as [(StaticString, Int64, String)])
  func writesTimes(_ text: StaticString, _ time: Int64, _ expected: String) throws {
    #expect(try zone(text).text(of: time).text == expected)
  }

  @Test func everyDayFollowsTheOneBefore() throws {
    for (name, _) in TimeZoneFixtures.checksums.prefix(16) {
      let zone = try zone(name)
      var time = zone.startOfNextDay(after: 1_767_225_600)
      var odd: [Int64] = []
      for _ in 0..<400 {
        let next = zone.startOfNextDay(after: time)
        let isRight = zone.day(at: next) == zone.day(at: time) + 1
        if !isRight || !(82_800...90_000).contains(next - time) { odd.append(time) }
        time = next
      }
      #expect(odd.isEmpty, "\(name)")
    }
  }

  @Test func survivesTimesOfAnyYear() throws {
    let zone = try zone("Europe/Berlin")
    for time in [Int64.min, -62_135_596_801, 253_402_300_800, .max] {
      #expect([3600, 7200].contains(zone.offset(at: time)))
      _ = zone.startOfNextDay(after: time) + zone.startOfNextMonth(after: time) + zone.day(at: time)
    }
  }

  @Test(arguments: [":Asia/Shanghai", "CST-8", "<+08>-8", "CST-08:00:00", ":CST-8", "PRC"])
  func readsNamesAndRules(_ text: String) throws {
    #expect(TimeZone(ByteString(utf8: text)) == (try zone("Asia/Shanghai")))
  }

  @Test(arguments: [
    "", ":", "Asia/shanghai", "Asia/", "/Shanghai", "Asia", "Mars/Base", "CST", "CS-8", "CST-25",
    "CST-8:60", "CST-8:", "CST-", "<>-8", "<+08-8", "<+0/>-8", "CST8CDT,", "CST8CDT,M3.2.0",
    "CST8CDT,M3.2.0,", "CST8CDT,M13.2.0,M11.1.0", "CST8CDT,M3.6.0,M11.1.0", "CST8CDT,J0,J1",
    "CST8CDT,M3.0.0,M11.1.0", "CST8CDT,M3.2.7,M11.1.0", "CST8CDT,J366,J1", "CST8CDT,366,1",
    "CST8CDT,M3.2.0/168,M11.1.0", "CST8CDT,M3.2.0,M11.1.0,", "CST8CDT,M3.2.0,M11.1.0 ", "CST8CD",
    "CST8CDT9,M3.2.0;M11.1.0", "<+00>0<+02>-2,M3.5.0/1,M10.5.0/3 Antarctica/Troll", "CST99999999",
    "CST8 CDT", " UTC", "Asia/Aden /Amman",
  ])
  func refusesWhatIsNeither(_ text: String) {
    #expect(TimeZone(ByteString(utf8: text)) == nil)
    #expect(TimeZone(ByteString(utf8: text + String(repeating: "x", count: 128))) == nil)
  }
}
