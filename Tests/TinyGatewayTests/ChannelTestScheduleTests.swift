// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// When channels are tested, and in which order.
struct ChannelTestScheduleTests {
  private static let minute: Int64 = 60_000

  private func at(_ milliseconds: Int64) -> Instant {
    Instant(nanoseconds: milliseconds * 1_000_000)
  }

  private func schedule() -> ChannelTestSchedule {
    var schedule = ChannelTestSchedule()
    schedule.setInterval(milliseconds: Self.minute, now: at(0))
    return schedule
  }

  @Test func neverWakesWhileOff() {
    var schedule = ChannelTestSchedule()
    #expect(schedule.deadline == nil)
    schedule.setInterval(milliseconds: 0, now: at(5))
    #expect(schedule.deadline == nil)
  }

  @Test func beginsOneIntervalAfterItIsSwitchedOn() {
    var schedule = schedule()
    #expect(schedule.deadline == at(Self.minute))
    // Reading the same configuration again moves nothing.
    schedule.setInterval(milliseconds: Self.minute, now: at(30_000))
    #expect(schedule.deadline == at(Self.minute))
    schedule.setInterval(milliseconds: 2 * Self.minute, now: at(30_000))
    #expect(schedule.deadline == at(30_000 + 2 * Self.minute))
  }

  @Test func testsOneAfterTheOther() {
    var schedule = schedule()
    #expect(schedule.begin([3, 5, 9], now: at(Self.minute)) == 3)
    #expect(schedule.deadline == nil)
    #expect(schedule.next() == 5)
    #expect(schedule.next() == 9)
    #expect(schedule.deadline == nil)
    #expect(schedule.next() == nil)
    #expect(schedule.deadline == at(2 * Self.minute))
  }

  @Test func waitsForTheNextRoundWithoutChannels() {
    var schedule = schedule()
    #expect(schedule.begin([], now: at(Self.minute)) == nil)
    #expect(schedule.deadline == at(2 * Self.minute))
  }

  @Test func endsTheRoundWhenItIsSwitchedOff() {
    var schedule = schedule()
    _ = schedule.begin([3, 5, 9], now: at(Self.minute))
    schedule.setInterval(milliseconds: 0, now: at(Self.minute + 1))
    #expect(schedule.deadline == nil)
    #expect(schedule.next() == nil)
    #expect(schedule.deadline == nil)
  }

  @Test func finishesTheRoundWhenTheIntervalChanges() {
    var schedule = schedule()
    _ = schedule.begin([3, 5], now: at(Self.minute))
    schedule.setInterval(milliseconds: 5 * Self.minute, now: at(Self.minute + 1))
    #expect(schedule.deadline == nil)
    #expect(schedule.next() == 5)
    #expect(schedule.next() == nil)
    #expect(schedule.deadline == at(6 * Self.minute + 1))
  }
}
