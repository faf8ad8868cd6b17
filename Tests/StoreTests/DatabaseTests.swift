// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import Store

struct DatabaseTests {
  private func check(
    journal: StoreSettings.JournalMode, locking: StoreSettings.LockingMode, page: Int
  ) throws {
    let folder = TemporaryFolder()
    let settings = StoreSettings(journalMode: journal, lockingMode: locking, pageByteCount: page)
    let created = try folder.open(settings)
    #expect(created.wasCreated && !created.wasUnclean)
    #expect(try created.integer("PRAGMA page_size") == Int64(page))
    #expect(try created.first("PRAGMA journal_mode") { $0.bytes() } == ByteString(journal.name))
    let id = try UserTable.insert(.sample, in: created)
    try created.close()

    let again = try folder.open(settings)
    #expect(!again.wasCreated && !again.wasUnclean)
    #expect(try UserTable.find(id, in: again)?.username == "ann")
    try again.close()
    #expect(!folder.has("db.db-wal"))
  }

  @Test func opensInEachJournalMode() throws {
    for journal: StoreSettings.JournalMode in [.wal, .persist, .delete, .truncate] {
      for locking: StoreSettings.LockingMode in [.exclusive, .normal] {
        try check(journal: journal, locking: locking, page: 4096)
      }
    }
    try check(journal: .persist, locking: .exclusive, page: 1024)
    try check(journal: .wal, locking: .exclusive, page: 512)
  }

  @Test func changesTheJournalModeOfAnExistingDatabase() throws {
    let folder = TemporaryFolder()
    let modes: [StoreSettings.JournalMode] = [.wal, .persist, .wal, .delete, .truncate]
    for (index, mode) in modes.enumerated() {
      let database = try folder.open(StoreSettings(journalMode: mode))
      #expect(try database.first("PRAGMA journal_mode") { $0.bytes() } == ByteString(mode.name))
      try OptionTable.set("n", to: ByteString(utf8: "\(index)"), in: database)
      try database.close()
    }
    let database = try folder.open()
    #expect(try OptionTable.value("n", in: database) == "4")
  }

  @Test func keepsWhatWasCommittedWithoutClosing() throws {
    let folder = TemporaryFolder()
    var database: Database? = try folder.open()
    if let database { try OptionTable.set("a", to: "1", in: database) }
    database = nil  // Like a kill: no checkpoint, the WAL stays.
    #expect(folder.has("db.db-wal"))
    let again = try folder.open()
    #expect(again.wasUnclean)
    #expect(try OptionTable.value("a", in: again) == "1")
  }

  @Test func filesAreForTheOwnerOnly() throws {
    let folder = TemporaryFolder()
    folder.write(Data())
    let database = try folder.open()
    try OptionTable.set("a", to: "1", in: database)
    for name in ["db.db", "db.db-wal"] {
      let attributes = try FileManager.default.attributesOfItem(
        atPath: folder.path(name).text)
      #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
    }
  }

  @Test func goesOnWhenItsCachesWereReleased() throws {
    let folder = TemporaryFolder()
    let database = try folder.open()
    // A temporary table has no file: its pages are the only place of its rows.
    try database.execute("CREATE TEMP TABLE t (a); INSERT INTO t VALUES (7)")
    try OptionTable.set("a", to: "1", in: database)
    #expect(try OptionTable.value("a", in: database) == "1")
    database.releaseCaches()
    #expect(try OptionTable.value("a", in: database) == "1")
    #expect(try database.integer("SELECT a FROM t") == 7)
    try OptionTable.set("a", to: "2", in: database)
    try database.close()
    #expect(try OptionTable.value("a", in: folder.open()) == "2")
  }

  @Test func rollsBackWhatThrows() throws {
    let database = try TemporaryFolder().open()
    let thrown = kind { () throws(StoreError) in
      try database.transaction { () throws(StoreError) in
        try OptionTable.set("a", to: "1", in: database)
        throw StoreError(.other, message: "stop")
      }
    }
    #expect(thrown == .other)
    #expect(try OptionTable.value("a", in: database) == nil)
    try database.transaction { () throws(StoreError) in
      try OptionTable.set("a", to: "2", in: database)
    }
    #expect(try OptionTable.value("a", in: database) == "2")
  }

  @Test func refusesAFileThatAnotherConnectionHolds() throws {
    let folder = TemporaryFolder()
    let database = try folder.open()
    #expect(kind { () throws(StoreError) in try again(folder) } == .busy)
    try database.close()
    #expect(kind { () throws(StoreError) in try again(folder) } == nil)
  }

  private func again(_ folder: TemporaryFolder) throws(StoreError) {
    try Database(path: folder.path(), settings: StoreSettings()).close()
  }

  @Test func saysWhichFolderIsMissing() {
    let folder = TemporaryFolder()
    do throws(StoreError) {
      _ = try Database(path: folder.path("none/db.db"), settings: StoreSettings())
      Issue.record("opened")
    } catch {
      #expect(error.sentence.text.contains("none/db.db: No such file or directory"))
    }
    #expect(
      kind { () throws(StoreError) in
        try Database(path: ByteString(utf8: folder.url.path), settings: StoreSettings())
      } == .other)
  }

  @Test func backsUpIntoAFileOfItsOwn() throws {
    let folder = TemporaryFolder()
    let database = try folder.open()
    try OptionTable.set("a", to: "1", in: database)
    try database.backup(to: folder.path("copy.db"))
    #expect(
      kind { () throws(StoreError) in try database.backup(to: folder.path("copy.db")) }
        == .duplicate)
    let copy = try Database(path: folder.path("copy.db"), settings: StoreSettings())
    #expect(try OptionTable.value("a", in: copy) == "1")
    #expect(try copy.integer("PRAGMA user_version") == Int64(Migrations.all.count))
  }

  @Test func failsAfterClosing() throws {
    let database = try TemporaryFolder().open()
    try database.close()
    #expect(kind { () throws(StoreError) in try database.run("BEGIN") } == .other)
    try database.close()
  }
}

/// Files that are damaged: a clear error, and the file as it was.
struct DamagedDatabaseTests {
  private func filled(_ folder: TemporaryFolder) throws -> Data {
    let database = try folder.open()
    try database.transaction { () throws(StoreError) in
      for number in 0..<2000 {
        try OptionTable.set(
          ByteString(utf8: "option \(number)"), to: "some value of some length", in: database)
      }
    }
    try database.close()
    return folder.content()
  }

  private func check(_ damaged: Data, _ expected: StoreError.Kind, wal: Data? = nil) throws {
    let folder = TemporaryFolder()
    folder.write(damaged)
    if let wal { folder.write(wal, to: "db.db-wal") }
    #expect(
      kind { () throws(StoreError) in
        let database = try Database(path: folder.path(), settings: StoreSettings())
        _ = try Snapshot(from: database)
      } == expected)
    #expect(folder.content() == damaged)
  }

  @Test func refusesWhatIsNoDatabase() throws {
    try check(Data("# a configuration file, not a database\n".utf8), .corrupt)
    try check(Data(repeating: 0xA5, count: 100_000), .corrupt)
  }

  @Test func refusesATruncatedFile() throws {
    let good = try filled(TemporaryFolder())
    for count in [100, 4096, 8192, good.count / 2, good.count - 4096] {
      try check(Data(good.prefix(count)), .corrupt)
    }
  }

  @Test func findsADamagedPage() throws {
    let good = try filled(TemporaryFolder())
    for page in [1, 8, 12] {
      var damaged = good
      for index in page * 4096..<page * 4096 + 200 { damaged[index] ^= 0x5A }
      try check(damaged, .corrupt)
    }
  }

  @Test func findsADamagedPageAfterAnUncleanStop() throws {
    let folder = TemporaryFolder()
    let good = try filled(folder)
    var database: Database? = try folder.open()
    if let database { try OptionTable.set("x", to: "y", in: database) }
    database = nil
    var damaged = good
    for index in good.count - 4096..<good.count { damaged[index] ^= 0x5A }
    try check(damaged, .corrupt, wal: folder.content("db.db-wal"))
  }

  @Test func saysThatAFullDiskIsFull() throws {
    let database = try TemporaryFolder().open()
    try database.pragma("max_page_count", 30)
    let value = ByteString([UInt8](repeating: 1, count: 200_000))
    #expect(
      kind { () throws(StoreError) in try OptionTable.set("a", to: value, in: database) } == .full)
    #expect(try OptionTable.value("a", in: database) == nil)
    try OptionTable.set("a", to: "small", in: database)
  }
}
