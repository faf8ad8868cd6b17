// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

struct BackupScheduleTests {
  private let start = Instant(nanoseconds: 1_000_000_000)
  private let noon: Int64 = 1_800_000_000

  private func after(minutes: Int64) -> Instant {
    start.advanced(byMilliseconds: minutes * 60_000)
  }

  private func minutes(_ schedule: BackupSchedule) -> Int64? {
    schedule.deadline.map { $0.milliseconds(since: start) / 60_000 }
  }

  @Test func looksFirstTenMinutesAfterTheStart() {
    #expect(minutes(BackupSchedule(hours: 24, now: start)) == 10)
    #expect(minutes(BackupSchedule(hours: 0, now: start)) == nil)
  }

  /// When the look at ten minutes is repeated; nil when a backup is due then.
  private func check(newest: Int64?, clock: Int64?, expecting expected: Int64?) {
    var schedule = BackupSchedule(hours: 24, now: start)
    let isDue = schedule.isDue(newest: newest, clock: clock, now: after(minutes: 10))
    #expect(isDue == (expected == nil))
    if let expected { #expect(minutes(schedule) == expected) }
  }

  @Test func goesByTheAgeOfTheNewestFile() {
    check(newest: nil, clock: noon, expecting: nil)
    check(newest: noon - 86_400, clock: noon, expecting: nil)
    check(newest: noon - 86_340, clock: noon, expecting: 11)
    check(newest: noon, clock: noon, expecting: 1440)
  }

  @Test func goesByItsOwnTimeWithoutAClock() {
    check(newest: nil, clock: nil, expecting: 1440)
    check(newest: noon - 900_000, clock: nil, expecting: 1440)
    check(newest: noon + 60, clock: noon, expecting: 1440)  // A file from the future.
    var schedule = BackupSchedule(hours: 24, now: start)
    let isDue = schedule.isDue(newest: noon, clock: nil, now: after(minutes: 1440))
    #expect(isDue)
  }

  @Test func waitsAnIntervalAfterABackupAndAnHourAfterNone() {
    var schedule = BackupSchedule(hours: 24, now: start)
    schedule.succeeded(now: after(minutes: 10))
    #expect(minutes(schedule) == 1450)
    schedule.paused(now: after(minutes: 20))
    #expect(minutes(schedule) == 80)
    schedule.stop()
    schedule.succeeded(now: start)
    #expect(schedule.deadline == nil)
  }
}

struct StoredBackupTests {
  @Test func readsItsOwnNamesOnly() {
    let backup = StoredBackup(number: 17, time: 1_764_132_000)
    #expect(backup.name == "tinygateway-17-1764132000.db")
    #expect(StoredBackup(backup.name) == backup)
    for name in [
      "tinygateway-17.db", "tinygateway-0-5.db", "tinygateway-017-5.db", "tinygateway-1-5.db.tmp",
      "tinygateway--1-5.db", "tinygateway-x-5.db", "tinygateway-1-5", "other-1-5.db",
      "tinygateway-1-5-6.db", "tinygateway-99999999999999999999-5.db",
    ] as [StaticString] {
      #expect(StoredBackup(ByteString(name)) == nil, "\(name)")
    }
  }
}
