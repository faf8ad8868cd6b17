// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import Store

struct StorageTests {
  @Test func acknowledgesAfterTheCommit() throws {
    let folder = TemporaryFolder()
    let running = try Running(try folder.open())
    var isAcknowledged = false
    running.storage.perform { database throws(StoreError) in
      try OptionTable.set("a", to: "zebra", in: database)
    } completion: { _ in
      isAcknowledged = true
    }
    while running.storage.pendingCount > 0 { sched_yield() }
    #expect(!isAcknowledged)  // Only the loop runs completions.
    #expect(folder.content("db.db-wal").range(of: Data("zebra".utf8)) != nil)
    running.settle()
    #expect(isAcknowledged)
    try running.storage.close(flushing: nil)
  }

  @Test func keepsTheOrderOfJobs() throws {
    let running = try Running(try TemporaryFolder().open())
    var seen: [Int] = []
    for number in 0..<50 {
      running.storage.perform { _ throws(StoreError) in
        number
      } completion: {
        if case .success(let value) = $0 { seen.append(value) }
      }
    }
    running.settle()
    #expect(seen == Array(0..<50))
  }

  @Test func reportsAndUndoesWhatFails() throws {
    let running = try Running(try TemporaryFolder().open())
    #expect(
      throws: StoreError.self,
      performing: {
        try running.perform { database throws(StoreError) in
          _ = try UserTable.insert(.sample, in: database)
          _ = try UserTable.insert(.sample, in: database)
        }
      })
    #expect(running.storage.failure == nil)  // A wrong request, not a broken disk.
    #expect(
      try running.perform { database throws(StoreError) in try UserTable.all(in: database) }.isEmpty
    )
  }

  @Test func remembersAFullDiskUntilAWriteSucceeds() throws {
    let running = try Running(try TemporaryFolder().open())
    let large = ByteString([UInt8](repeating: 1, count: 500_000))
    _ = try running.perform { database throws(StoreError) in
      try database.pragma("max_page_count", 40)
    }
    #expect(
      throws: StoreError.self,
      performing: {
        try running.perform { database throws(StoreError) in
          try OptionTable.set("a", to: large, in: database)
        }
      })
    #expect(running.storage.failure?.kind == .full)
    #expect(abs(running.storage.failingSince - UnixTime.seconds) < 10)
    _ = try running.perform { database throws(StoreError) in try UserTable.all(in: database) }
    #expect(running.storage.failure?.kind == .full)
    _ = try running.perform { database throws(StoreError) in
      try OptionTable.set("a", to: "1", in: database)
    }
    #expect(running.storage.failure == nil)
  }

  @Test func countsWhatIsWritten() throws {
    let folder = TemporaryFolder()
    let running = try Running(try folder.open())
    var before: Int64 = 0
    var growth: Int64 {
      let total = running.storage.written.total
      defer { before = total }
      return total - before
    }
    _ = try running.perform { database throws(StoreError) in try UserTable.all(in: database) }
    _ = growth
    _ = try running.perform { database throws(StoreError) in try UserTable.all(in: database) }
    #expect(growth == 0)
    let large = ByteString([UInt8](repeating: 0x61, count: 100_000))
    _ = try running.perform { database throws(StoreError) in
      try OptionTable.set("a", to: large, in: database)
    }
    #expect((100_000..<200_000).contains(growth))
    // A copy counts too.
    let path = folder.path("copy.db")
    running.storage.perform(inTransaction: false) { database throws(StoreError) in
      try database.backup(to: path)
    } completion: { _ in
    }
    running.settle()
    #expect(growth >= Int64(folder.content("copy.db").count))
    let today = TimeZone.utc.day(at: UnixTime.seconds)
    #expect(running.storage.written.count(on: today) == running.storage.written.total)
  }

  @Test func runsWhatMayNotBeInATransaction() throws {
    let folder = TemporaryFolder()
    let running = try Running(try folder.open())
    var isDone = false
    let path = folder.path("copy.db")
    running.storage.perform(inTransaction: false) { database throws(StoreError) in
      try database.backup(to: path)
    } completion: {
      if case .success = $0 { isDone = true }
    }
    running.settle()
    #expect(isDone && folder.has("copy.db"))
  }

  @Test func closesAfterAllJobs() throws {
    let folder = TemporaryFolder()
    let running = try Running(try folder.open())
    var completed = 0
    running.storage.perform { database throws(StoreError) in
      try OptionTable.set("a", to: "1", in: database)
    } completion: { _ in
      completed += 1
      running.storage.perform { database throws(StoreError) in
        try OptionTable.set("b", to: "2", in: database)
      } completion: { _ in
        completed += 1
      }
    }
    try running.storage.close(flushing: running.batch)
    #expect(completed == 2 && !folder.has("db.db-wal"))
    var isRefused = false
    running.storage.perform { _ throws(StoreError) in
    } completion: {
      if case .failure = $0 { isRefused = true }
    }
    #expect(isRefused)
    let again = try folder.open()
    #expect(!again.wasUnclean)
    #expect(try OptionTable.all(in: again).map(\.name) == ["a", "b"])
  }
}
