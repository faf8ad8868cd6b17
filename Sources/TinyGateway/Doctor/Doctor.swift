// SPDX-License-Identifier: MIT
import Platform

/// One thing that was looked at, how it is, and what to do.
struct Finding: Equatable, Sendable {
  enum Level: Int, Sendable {
    case ok, warning, error

    var name: StaticString {
      switch self {
      case .ok: "ok"
      case .warning: "warning"
      case .error: "error"
      }
    }
  }

  /// What was looked at; promised in API.md.
  let id: StaticString
  let level: Level
  let message: ByteString
  /// What to do; empty when nothing.
  let advice: ByteString

  static func == (left: Finding, right: Finding) -> Bool {
    ByteString(left.id) == right.id && left.level == right.level && left.message == right.message
      && left.advice == right.advice
  }
}

/// Judges facts: what is well, what wants attention, what must be changed.
struct Doctor {
  let facts: DoctorFacts
  private(set) var findings: [Finding] = []
  /// The message under way; `add` takes it.
  let line = Buffer()

  /// Looks at everything.
  init(_ facts: DoctorFacts) {
    self.facts = facts
    judgeFileSystem()
    judgeJournal()
    judgeSpace()
    judgeLifetime()
    judgeClock()
    judgeNetwork()
    judgeMemory()
    judgeKernel()
    judgePort()
    judgePassword()
    judgeUpstreams()
  }

  /// The worst level of all findings.
  var level: Finding.Level {
    Finding.Level(rawValue: findings.reduce(0) { max($0, $1.level.rawValue) }) ?? .error
  }

  /// Adds a finding with the message that is in `line`.
  @inline(never)
  mutating func add(_ id: StaticString, _ level: Finding.Level, _ advice: StaticString = "") {
    findings.append(
      Finding(id: id, level: level, message: line.byteString, advice: ByteString(advice)))
    line.clear()
  }

  /// Appends a size for people: kB below 10 MB, MB above, of 1024.
  @inline(never)
  func append(size byteCount: Int64) {
    let kilobytes = byteCount >> 10
    line.append(decimal: kilobytes < 10_240 ? kilobytes : kilobytes >> 10)
    line.append(kilobytes < 10_240 ? " kB" : " MB")
  }

  // Storage.

  /// File systems that do not keep the order of writes, or cannot lock.
  private static let unfit: [StaticString] = ["vfat", "exfat", "nfs", "nfs4", "cifs", "fuseblk"]

  private mutating func judgeFileSystem() {
    line.append(facts.directory)
    if facts.fileSystem.isEmpty {
      line.append(" cannot be looked at")
      return add(
        "file_system", .error,
        "Make the directory, mount its medium, or choose another with --data-dir.")
    }
    line.append(" lies on ")
    line.append(facts.fileSystem)
    line.append(", ")
    line.append(facts.medium.name)
    if facts.isReadOnly {
      line.append(", which is read-only")
      return add(
        "file_system", .error,
        "Remount it with rw; when the kernel made it read-only, dmesg says why.")
    }
    if facts.medium == .memory {
      line.append(": everything is gone at the next start")
      return add("file_system", .warning, "Choose a data_dir on flash.")
    }
    if Doctor.unfit.contains(where: { facts.fileSystem == $0 }) {
      line.append(", which does not protect a database well")
      return add(
        "file_system", .warning, "Choose a data_dir on ext4, F2FS, UBIFS or JFFS2.")
    }
    if !facts.declaredFileSystem.isEmpty, facts.declaredFileSystem != facts.fileSystem {
      line.append(", but the board file says ")
      line.append(facts.declaredFileSystem)
      return add(
        "file_system", .warning,
        "Choose the board file for this medium, or correct its file_system.")
    }
    let options = facts.options.list(separatedBy: UInt8(ascii: ","))
    if options.contains(where: { $0 == "sync" }) {
      line.append(", mounted with sync: each write waits for the flash")
      return add(
        "file_system", .warning,
        "Choose a data_dir on another partition, such as /mnt/UDISK on Tina.")
    }
    add("file_system", .ok)
  }

  private mutating func judgeJournal() {
    if !facts.databaseProblem.isEmpty {
      line.append("db.db cannot be read: ")
      line.append(facts.databaseProblem)
      return add("journal_mode", .error, "Restore a backup, or move the file away.")
    }
    let mode = facts.journalMode.isEmpty ? facts.wantedJournalMode : facts.journalMode
    line.append(mode)
    if mode != facts.wantedJournalMode {
      line.append(" is in force, not ")
      line.append(facts.wantedJournalMode)
      return add("journal_mode", .warning, "Restart the gateway: it changes the mode then.")
    }
    let smallest = ConfigurationChecks.smallPartitionKilobytes << 10
    if mode == "wal", facts.totalByteCount > 0, facts.totalByteCount <= smallest {
      line.append(" fills a partition of 1 MiB or less")
      return add(
        "journal_mode", .error,
        "Set journal_mode: persist, page_size: 1024 and history: memory.")
    }
    line.append(facts.isLockingExclusive ? ", locking exclusive" : ", locking normal")
    if mode == "wal", facts.fileSystem == "jffs2", !facts.isLockingExclusive {
      return add(
        "journal_mode", .error, "Set locking_mode: exclusive; normal fails on JFFS2.")
    }
    add("journal_mode", .ok)
  }

  private mutating func judgeSpace() {
    if facts.totalByteCount == 0 { return }
    append(size: facts.freeByteCount)
    line.append(" of ")
    append(size: facts.totalByteCount)
    line.append(" are free")
    if facts.freeByteCount < facts.reserveByteCount {
      line.append(", less than reserve_kb: the request log does not grow")
      return add(
        "space", .error, "Remove files, lower log_limit_mb, or set history: memory.")
    }
    let isLittle =
      facts.freeByteCount / 2 < facts.reserveByteCount
      || facts.freeByteCount < facts.totalByteCount / 20
    if isLittle { return add("space", .warning, "Remove files, or lower log_limit_mb.") }
    add("space", .ok)
  }

  /// Seconds from which on a rate says something.
  private static let shortestUptime: Int64 = 600
  private static let daySeconds: Int64 = 86_400
  /// Years below which flash is said to wear out soon, and above which nobody asks.
  private static let shortLife: Int64 = 5
  private static let longLife: Int64 = 100

  private mutating func judgeLifetime() {
    let cycles = facts.medium.cycleCount
    guard cycles > 0, facts.totalByteCount > 0 else { return }
    guard let written = facts.writtenByteCount, facts.uptimeSeconds >= Doctor.shortestUptime else {
      line.append(
        facts.writtenByteCount == nil
          ? "not known: what a running gateway has written cannot be read here"
          : "not known: the gateway must have run for ten minutes")
      return add("lifetime", .ok)
    }
    // Journals of file systems on top of what the program writes.
    let daily = max(1, written / facts.uptimeSeconds * Doctor.daySeconds * 2)
    let (all, overflowed) = facts.totalByteCount.multipliedReportingOverflow(by: cycles)
    let years = overflowed ? .max : all / daily / 365
    line.append("at ")
    append(size: daily)
    line.append(" a day the flash lasts ")
    line.append(years > Doctor.longLife ? "more than " : "")
    line.append(decimal: min(years, Doctor.longLife))
    line.append(" years")
    if years < Doctor.shortLife {
      return add(
        "lifetime", .warning,
        "Raise flush_interval_ms and flush_rows, lower log_limit_mb, or set history: memory.")
    }
    add("lifetime", .ok)
  }
}
