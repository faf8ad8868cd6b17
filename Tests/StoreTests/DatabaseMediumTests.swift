// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import Store

/// Media that take no writes when they are opened: read all the same, and returned to.
///
/// There is one such layer at a time.
@Suite(.serialized)
struct DatabaseMediumTests {
  private static let failure = StoreError(.readOnly, message: "read-only for a test")
  private static let files = ["db.db", "db.db-wal", "db.db-journal"]
  private let folder = TemporaryFolder()

  /// The files of a database in the middle of its use, as a power cut leaves them, in `folder`.
  private func leave(
    _ settings: StoreSettings = StoreSettings(), _ use: (Database) throws -> Void
  ) throws {
    let living = TemporaryFolder()
    let database = try living.open(settings)
    try use(database)
    for name in Self.files { folder.write(living.content(name), to: name) }
  }

  /// Damages the database, whose log would still hold it whole.
  private func damage() {
    folder.write(Data(repeating: 0xA5, count: 8192))
    folder.write(Data(), to: "db.db-wal")
  }

  private func contents() -> [Data] { Self.files.map { folder.content($0) } }

  private func open(_ settings: StoreSettings = StoreSettings()) throws(StoreError) -> Database {
    try Database(path: folder.path(), settings: settings, mediumFailure: Self.failure)
  }

  /// Has writing to the folder fail, or succeed again.
  private func blockWriting(_ isBlocked: Bool) throws {
    let url = folder.url.appendingPathComponent("db.db-try")
    if isBlocked {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    } else {
      try FileManager.default.removeItem(at: url)
    }
  }

  @Test func readsWhatAWriteAheadLogHolds() throws {
    try leave { try OptionTable.set("a", to: "1", in: $0) }
    #expect(folder.content("db.db-wal").count > 0)
    let before = contents()
    let database = try open()
    #expect(database.wasUnclean && database.mediumFailure != nil)
    #expect(try OptionTable.value("a", in: database) == "1")
    #expect(
      throws: StoreError.self, performing: { try OptionTable.set("a", to: "2", in: database) })
    try database.close()
    #expect(contents() == before)
  }

  @Test func readsBehindAJournalThatMustBeRolledBack() throws {
    for mode: StoreSettings.JournalMode in [.persist, .truncate, .delete] {
      let settings = StoreSettings(journalMode: mode, pageByteCount: 1024, cacheKilobytes: 64)
      try leave(settings) { database in
        try OptionTable.set("a", to: "1", in: database)
        try database.run("BEGIN")
        let large = ByteString([UInt8](repeating: 0x61, count: 1000))
        for number in 0..<500 {
          try OptionTable.set(ByteString(number: Int64(number)), to: large, in: database)
        }
        try OptionTable.set("a", to: "half", in: database)
      }
      #expect(folder.content("db.db-journal").count > 512, "the journal is hot")
      let before = contents()
      let database = try open(settings)
      #expect(try OptionTable.value("a", in: database) == "1")
      #expect(try database.first("PRAGMA integrity_check") { $0.bytes() } == "ok")
      #expect(try OptionTable.value("0", in: database) == nil)
      try database.close()
      #expect(contents() == before)
    }
  }

  @Test func keepsWhatIsWrittenInMemoryUpToABound() throws {
    for settings in [StoreSettings(), StoreSettings(journalMode: .truncate, pageByteCount: 512)] {
      try leave(settings) { try OptionTable.set("a", to: "1", in: $0) }
      let before = contents()
      let database = try open(settings)
      try database.execute("PRAGMA query_only=OFF")
      let large = ByteString([UInt8](repeating: 0x62, count: 100_000))
      for _ in 0..<3 {
        for number in 0..<8 {
          try OptionTable.set(ByteString(number: Int64(number)), to: large, in: database)
        }
        #expect(try OptionTable.value("7", in: database) == large)
        try database.execute("DELETE FROM options WHERE name <> 'a'; VACUUM")
        try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        #expect(try database.first("PRAGMA integrity_check") { $0.bytes() } == "ok")
      }
      #expect(try OptionTable.value("a", in: database) == "1")
      let kind = kind { () throws(StoreError) in
        let huge = ByteString([UInt8](repeating: 0x63, count: 5 << 20))
        try OptionTable.set("b", to: huge, in: database)
      }
      #expect(kind == .full)
      #expect(try OptionTable.value("a", in: database) == "1")
      try database.close()
      #expect(contents() == before)
    }
  }

  @Test func refusesWhatIsMissingOrDamaged() throws {
    #expect(kind { () throws(StoreError) in try open() } == .readOnly)
    #expect(!folder.has("db.db"))
    try leave { try OptionTable.set("a", to: "1", in: $0) }
    damage()
    #expect(kind { () throws(StoreError) in try open() } == .corrupt)
  }

  @Test func returnsWhenTheMediumTakesWrites() throws {
    try leave { _ = try UserTable.insert(.sample, in: $0) }
    try blockWriting(true)
    let settings = StoreSettings(flushIntervalMilliseconds: 1000)
    let running = try Running(try open(settings), settings: settings)
    #expect(running.storage.failure?.kind == .ioError, "as it is when it is opened")
    func change() throws {
      try running.perform { database throws(StoreError) in
        try OptionTable.set("a", to: "2", in: database)
      }
    }
    #expect(throws: StoreError.self) { try change() }
    let before = contents()
    for _ in 0..<3 {
      running.batch.addUsage(user: 1, token: 0, charge: 7, now: .now)
      running.batch.flush(now: .now)
      running.settle()
    }
    #expect(contents() == before && running.storage.failure?.kind == .ioError)
    try blockWriting(false)
    try change()
    #expect(running.storage.failure == nil && running.database.mediumFailure == nil)
    running.batch.flush(now: .now)
    running.settle()
    try running.storage.close(flushing: running.batch)
    let again = try folder.open()
    #expect(try OptionTable.value("a", in: again) == "2")
    #expect(
      try again.integer("SELECT used_micro FROM usage WHERE owner = 1 AND id = 1") == 21)
  }

  @Test func findsOutByItselfThatTheMediumIsBack() throws {
    try leave { try OptionTable.set("a", to: "1", in: $0) }
    let running = try Running(try open())
    running.batch.deadlinePassed(now: try #require(running.batch.deadline))
    running.settle()
    #expect(running.storage.failure == nil && running.batch.deadline == nil)
    #expect(try running.database.integer("PRAGMA query_only") == 0)
  }

  @Test func saysWhyItCannotReturn() throws {
    try leave { try OptionTable.set("a", to: "1", in: $0) }
    let database = try open()
    damage()
    #expect(!database.returnToMedium())
    #expect(database.mediumFailure?.kind == .corrupt)
  }
}
