// SPDX-License-Identifier: MIT
import CRecordingVFS
import Foundation
import Platform
import Testing

@testable import Store

/// Media that fail and come back: told once, tried again with pauses, never written to when sound.
struct StorageHealthTests {
  private let folder = TemporaryFolder()
  private let recording: Recording
  private let running: Running
  private let told = Told()

  private final class Told {
    var kinds: [StoreError.Kind?] = []
  }

  init() throws {
    recording = Recording(folder.path())
    let settings = StoreSettings(flushIntervalMilliseconds: 1000)
    running = try Running(try folder.open(settings), settings: settings)
    _ = try running.perform { database throws(StoreError) in
      _ = try UserTable.insert(.sample, in: database)
    }
    running.storage.healthChanged = { [told] in told.kinds.append($0?.kind) }
  }

  private func change() throws {
    _ = try running.perform { database throws(StoreError) in
      try OptionTable.set("a", to: "1", in: database)
    }
  }

  private func use() { running.batch.addUsage(user: 1, token: 0, charge: 7, now: .now) }

  private func used() throws -> Int64? {
    try running.perform { database throws(StoreError) in
      try UserTable.find(1, in: database)?.usedMicro
    }
  }

  private func check(_ code: Int32, _ kind: StoreError.Kind) throws {
    recording.fail(code)
    for _ in 0..<3 {
      use()
      running.batch.flush(now: .now)
      running.settle()
    }
    #expect(throws: StoreError.self) { try change() }
    #expect(told.kinds == [kind] && running.storage.failure?.kind == kind)
    #expect(try used() == 0, "reading goes on")
    recording.fail(0)
    running.batch.flush(now: .now)
    running.settle()
    #expect(told.kinds == [kind, nil] && running.storage.failure == nil)
    #expect(try used() == 21)
    try change()
    #expect(running.batch.deadline == nil)
  }

  @Test func healsAfterFailedWrites() throws { try check(rv_write_failed, .ioError) }
  @Test func healsAfterFailedSyncs() throws { try check(rv_sync_failed, .ioError) }
  @Test func healsAfterAFullDisk() throws { try check(rv_full, .full) }

  @Test func findsOutWithoutTrafficThatTheMediumIsBack() throws {
    recording.fail(rv_write_failed)
    #expect(throws: StoreError.self) { try change() }
    var pauses: [Int64] = []
    for _ in 0..<9 {
      let due = try #require(running.batch.deadline)
      let before = Instant.now
      running.batch.deadlinePassed(now: due)
      running.settle()
      let next = try #require(running.batch.deadline)
      pauses.append((next.milliseconds(since: before) + 500) / 1000)
    }
    #expect(pauses == [10, 20, 40, 80, 160, 300, 300, 300, 300])
    recording.fail(0)
    running.batch.deadlinePassed(now: try #require(running.batch.deadline))
    running.settle()
    #expect(told.kinds == [.ioError, nil] && running.batch.deadline == nil)

    let before = recording.count
    running.batch.deadlinePassed(now: .now.advanced(byMilliseconds: 86_400_000))
    running.settle()
    #expect(recording.count == before, "a sound medium is left alone")
  }

  @Test func looksThroughTheFileAfterDamageWasMet() throws {
    running.storage.note(StoreError(.corrupt, message: "a page"))
    try running.storage.close(flushing: running.batch)
    #expect(folder.has("db.db-check"))
    let again = try folder.open()
    #expect(again.wasUnclean && !folder.has("db.db-check"))
    try again.close()
    #expect(try !folder.open().wasUnclean)
  }
}
