// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct StoreSettingsTests {
  private func check(_ expected: Bool, _ change: (inout StoreSettings) -> Void) {
    var settings = StoreSettings()
    change(&settings)
    #expect((kind { () throws(StoreError) in try settings.check() } == nil) == expected)
  }

  @Test func checksRanges() {
    check(true) { _ in }
    check(true) { $0.pageByteCount = 512 }
    check(false) { $0.pageByteCount = 3000 }
    check(false) { $0.pageByteCount = 256 }
    check(false) { $0.pageByteCount = 131_072 }
    check(false) { $0.cacheKilobytes = 0 }
    check(false) { $0.walAutocheckpointPages = 0 }
    check(false) { $0.journalSizeLimit = -1 }
    check(false) { $0.flushIntervalMilliseconds = 0 }
    check(false) { $0.flushRowCount = 0 }
    check(true) { $0.logByteLimit = 0 }
    check(false) { $0.logByteLimit = -1 }
  }

  @Test func refusesJournalModesThatLoseDatabases() {
    for mode: ByteString in ["memory", "off"] {
      do throws(StoreError) {
        _ = try StoreSettings.JournalMode(parsing: mode)
        Issue.record("accepted \(mode.text)")
      } catch { #expect(error.sentence.text.contains("power cut")) }
    }
    #expect(
      kind { () throws(StoreError) in try StoreSettings.JournalMode(parsing: "WAL") } == .other)
  }

  @Test func parsesItsWords() throws {
    for mode: ByteString in ["wal", "persist", "delete", "truncate"] {
      #expect(try ByteString(StoreSettings.JournalMode(parsing: mode).name) == mode)
    }
    #expect(try StoreSettings.Synchronous(parsing: "extra") == .extra)
    #expect(try StoreSettings.LockingMode(parsing: "normal") == .normal)
    #expect(
      kind { () throws(StoreError) in try StoreSettings.Synchronous(parsing: "off") } == .other)
    #expect(
      kind { () throws(StoreError) in try StoreSettings.LockingMode(parsing: "") } == .other)
  }
}
