// SPDX-License-Identifier: MIT
import CRecordingVFS
import Foundation
import Platform
import Testing

@testable import Store

/// Power cuts between any two writes, with what was not synced lost, partly written or torn.
///
/// The database opens, is sound, has every setting that was acknowledged, and each flush of usage
/// wholly or not at all. `journal_mode=MEMORY` fails the same test: so it is known to bite.
struct PowerCutTests {
  private static let changeCount = 9
  private static let rowsPerFlush = 3
  private static let charge: Int64 = 1000

  /// What the test knew at a point of the recording.
  private struct Known {
    var begunChange = 0
    var acknowledgedChange = 0
    var begunFlush = 0
    var acknowledgedFlush = 0

    mutating func take(_ mark: Int64) {
      let number = Int(mark % 100)
      switch mark / 100 {
      case 1: begunChange = number
      case 2: acknowledgedChange = number
      case 3: begunFlush = number
      default: acknowledgedFlush = number
      }
    }
  }

  private func settings(
    _ journal: StoreSettings.JournalMode, _ synchronous: StoreSettings.Synchronous,
    _ locking: StoreSettings.LockingMode = .exclusive, page: Int = 4096
  ) -> StoreSettings {
    StoreSettings(
      journalMode: journal, synchronous: synchronous, lockingMode: locking,
      pageByteCount: page, walAutocheckpointPages: 24, journalSizeLimit: 16 << 10)
  }

  /// Changes settings and flushes usage as a gateway does, into the recording.
  private func work(_ database: Database, _ recording: Recording) throws {
    let writer = BatchWriter(StoreSettings(logByteLimit: 1 << 20))
    for number in 1...PowerCutTests.changeCount {
      recording.mark(100 + number)
      try database.transaction { () throws(StoreError) in
        let value = ByteString([UInt8](repeating: UInt8(number), count: number * 700))
        try OptionTable.set(
          ByteString("n-") + ByteString(number: Int64(number)), to: value,
          in: database)
        try OptionTable.set("n", to: ByteString(number: Int64(number)), in: database)
      }
      recording.mark(200 + number)
      guard number % 3 == 0 else { continue }
      let flush = number / 3
      var contents = BatchContents()
      contents.users[1, default: UsageDelta()].add(PowerCutTests.charge, at: 1)
      for row in 1...PowerCutTests.rowsPerFlush {
        var record = LogRecord(
          requestID: Int64(row), userID: 1, tokenID: 1, channelID: 1, modelID: 0)
        record.id = LogID.first(ofSecond: 1_800_000_000) + Int64(flush * 10 + row)
        contents.rows.append(record)
      }
      recording.mark(300 + flush)
      let outcome = writer.write(contents, keeping: Retention(), at: nil, in: database)
      guard case .written = outcome else {
        Issue.record("a flush failed")
        return
      }
      recording.mark(400 + flush)
    }
  }

  /// What is wrong after a power cut; nil when all is as promised.
  private func problem(
    _ folder: TemporaryFolder, _ settings: StoreSettings, _ known: Known
  ) -> String? {
    do throws(StoreError) {
      let database = try folder.reopened(settings)
      let verdict = try database.first("PRAGMA integrity_check") { $0.bytes() } ?? .empty
      guard verdict == "ok" else { return "integrity_check: \(verdict.text)" }
      let change = Int(try OptionTable.value("n", in: database)?.decimal ?? 0)
      guard known.acknowledgedChange...known.begunChange ~= change else {
        return "setting \(change), acknowledged \(known.acknowledgedChange)"
      }
      for number in 1..<change + 1 {
        let name = ByteString("n-") + ByteString(number: Int64(number))
        guard try OptionTable.value(name, in: database)?.count == number * 700 else {
          return "half of change \(number)"
        }
      }
      let used = try UserTable.find(1, in: database)?.usedMicro ?? -1
      let flushes = Int(used / PowerCutTests.charge)
      guard known.acknowledgedFlush...known.begunFlush ~= flushes else {
        return "usage \(used), \(known.acknowledgedFlush) flushes acknowledged"
      }
      let rows = try LogTable.count(LogFilter(), in: database)
      guard rows == flushes * PowerCutTests.rowsPerFlush else {
        return "\(rows) rows for \(flushes) flushes"
      }
      return nil
    } catch { return "does not open: \(error.message.text)" }
  }

  /// Cuts the power after each event; what was wrong, and how often it was cut.
  private func cuts(
    _ settings: StoreSettings, journalMode unsafe: ByteString? = nil
  ) throws -> (problems: [String], count: Int) {
    let folder = TemporaryFolder()
    let made = try folder.open(settings)
    _ = try UserTable.insert(.sample, in: made)
    try made.close()
    var medium = SimulatedMedium(folder.content())
    let recording = Recording(folder.path())
    let database = try folder.open(settings)
    if let unsafe { try database.execute("PRAGMA journal_mode=" + unsafe) }
    try work(database, recording)
    try database.close()

    let replay = TemporaryFolder()
    let quiet = Recording(replay.path())
    defer { withExtendedLifetime(quiet) {} }
    var (known, random) = (Known(), RepeatableNumbers())
    var (problems, count): ([String], Int) = ([], 0)
    for index in 0..<recording.count {
      let event = recording.event(index)
      medium.take(event)
      if Int(event.kind) == RV_MARK {
        known.take(event.offset)
        continue
      }
      for luck in SimulatedMedium.Luck.allCases {
        replay.put(medium.afterPowerCut(luck, &random))
        count += 1
        if let problem = problem(replay, settings, known) {
          problems.append("after event \(index), \(luck): \(problem)")
        }
      }
    }
    return (problems, count)
  }

  private func check(_ settings: StoreSettings) throws {
    let (problems, count) = try cuts(settings)
    #expect(count > 100)
    #expect(problems.isEmpty, "\(problems.count) of \(count): \(problems.prefix(5))")
  }

  @Test func walSurvives() throws { try check(settings(.wal, .full)) }

  @Test func walWithSmallPagesSurvives() throws { try check(settings(.wal, .full, page: 1024)) }

  @Test func persistSurvives() throws { try check(settings(.persist, .full, page: 1024)) }

  @Test func truncateSurvives() throws { try check(settings(.truncate, .full)) }

  @Test func deleteSurvivesWithExtra() throws { try check(settings(.delete, .extra, .normal)) }

  /// Why the configuration refuses this pair: the removal of the journal may be lost.
  @Test func deleteWithoutExtraTakesBackWhatWasAcknowledged() throws {
    let (problems, _) = try cuts(settings(.delete, .full, .normal))
    #expect(problems.contains { $0.contains("acknowledged") }, "\(problems.prefix(3))")
  }

  @Test func memoryFailsThisTest() throws {
    let (problems, count) = try cuts(settings(.persist, .full), journalMode: "MEMORY")
    #expect(!problems.isEmpty, "none of \(count)")
    let kinds = ["integrity_check", "does not open", "half of", "rows for"]
    #expect(problems.contains { problem in kinds.contains { problem.contains($0) } })
  }
}

extension TemporaryFolder {
  /// Puts the database and its journals there, and nothing else beside them.
  fileprivate func put(_ files: [[UInt8]?]) {
    for (suffix, bytes) in zip(SimulatedMedium.suffixes, files) {
      let path = url.appendingPathComponent("db.db" + suffix).path
      unlink(path)
      guard let bytes else { continue }
      guard let file = fopen(path, "w") else {
        Issue.record("cannot write \(path)")
        return
      }
      fwrite(bytes, 1, bytes.count, file)
      fclose(file)
    }
  }

  fileprivate func reopened(_ settings: StoreSettings) throws(StoreError) -> Database {
    try Database(path: path(), settings: settings)
  }
}
