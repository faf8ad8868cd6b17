// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Store
import Testing

@testable import MiniHTTP
@testable import TinyGateway

/// Scheduled backups of a gateway whose loop is played by the test.
struct BackupKeeperTests {
  private let running: RunningGateway
  private var gateway: Gateway { running.gateway }
  private var keeper: BackupKeeper { gateway.backups }

  init() throws { running = try RunningGateway(testIntervalMilliseconds: 0) }

  private func settle() {
    repeat {
      while gateway.storage.pendingCount > 0 || gateway.fileWorker.pendingCount > 0 {
        sched_yield()
      }
    } while gateway.loop.mailbox.runCompletions()
  }

  /// The loop comes by when the schedule wants it; the names that are there then.
  private func look() throws -> [String] {
    let due = try #require(keeper.deadline)
    keeper.deadlinePassed(now: due, gateway)
    settle()
    #expect(!gateway.admin.isTransferring)
    return StoredBackup.list(in: keeper.directory.path).map { String($0.number) }
  }

  /// Makes the newest file old; its content stays.
  private func age() throws {
    let newest = try #require(StoredBackup.list(in: keeper.directory.path).first)
    let old = StoredBackup(number: newest.number, time: 1_500_000_000)
    try FileManager.default.moveItem(
      atPath: keeper.directory.path(of: newest).text, toPath: keeper.directory.path(of: old).text)
  }

  private func change() {
    gateway.batch.addUsage(user: 1, token: 0, charge: 5, now: .now)
  }

  @Test func makesOneWhenItIsDueAndSomethingHasChanged() throws {
    #expect(try look() == ["1"])
    change()
    #expect(try look() == ["1"], "the newest is young")
    try age()
    #expect(try look() == ["2", "1"], "what waited in memory is in it")
    try age()
    #expect(try look() == ["2", "1"], "nothing has changed")
    change()
    #expect(try look() == ["3", "2", "1"])
    try age()
    change()
    #expect(try look() == ["4", "3", "2"], "three are kept")
    gateway.backups.stop()
    #expect(keeper.deadline == nil)
  }

  @Test func waitsWhileAnotherTransferIsUnderWay() throws {
    gateway.admin.isTransferring = true
    let due = try #require(keeper.deadline)
    keeper.deadlinePassed(now: due, gateway)
    settle()
    #expect(StoredBackup.list(in: keeper.directory.path).isEmpty)
    let next = try #require(keeper.deadline)
    #expect(next > due)
  }

  @Test func saysWhyThereIsNone() throws {
    let folder = keeper.directory.path.text
    #expect(FileManager.default.createFile(atPath: folder, contents: Data()))
    #expect(try look().isEmpty)
    #expect(keeper.failure.text.contains("Not a directory"))
    #expect(gateway.storage.failure == nil)
    try FileManager.default.removeItem(atPath: folder)
    #expect(try look() == ["1"])
    #expect(keeper.failure.isEmpty)
  }
}
