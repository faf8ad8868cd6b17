// SPDX-License-Identifier: MIT
import Testing

@testable import Platform

struct InstantTests {
  @Test func addsMilliseconds() {
    let start = Instant(nanoseconds: 5)
    #expect(start.advanced(byMilliseconds: 2).nanoseconds == 2_000_005)
    #expect(start.advanced(byMilliseconds: -1).nanoseconds == -999_995)
    #expect(start < start.advanced(byMilliseconds: 1))
  }

  @Test func saturatesInsteadOfOverflowing() {
    #expect(Instant(nanoseconds: 1).advanced(byMilliseconds: .max).nanoseconds == .max)
    #expect(Instant(nanoseconds: .max - 1).advanced(byMilliseconds: 1).nanoseconds == .max)
  }

  @Test func measuresMilliseconds() {
    let start = Instant(nanoseconds: 1_000_000)
    #expect(Instant(nanoseconds: 3_999_999).milliseconds(since: start) == 2)
    #expect(start.milliseconds(since: Instant(nanoseconds: 4_000_000)) == -3)
  }

  @Test func neverGoesBack() {
    var last = Instant.now
    for _ in 0..<1000 {
      let next = Instant.now
      #expect(last <= next)
      last = next
    }
  }

  @Test func knowsThatTheBuildCameBefore() {
    #expect(UnixTime.buildSeconds > 1_700_000_000)
    #expect(UnixTime.isPlausible == (UnixTime.seconds >= UnixTime.buildSeconds))
    #expect(UnixTime.milliseconds / 1000 - UnixTime.seconds <= 1)
  }
}
