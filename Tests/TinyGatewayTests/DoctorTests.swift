// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import TinyGateway

/// Facts to findings: each test changes one thing on a device where all is well.
struct DoctorTests {
  /// A board with eMMC on which nothing is wrong.
  private static var healthy: DoctorFacts {
    var facts = DoctorFacts()
    facts.directory = "/data"
    facts.declaredFileSystem = "ext4"
    facts.fileSystem = "ext4"
    facts.options = "rw,noatime"
    facts.medium = .emmc
    facts.totalByteCount = 4 << 30
    facts.freeByteCount = 3 << 30
    facts.reserveByteCount = 8 << 20
    facts.wantedJournalMode = "wal"
    facts.journalMode = "wal"
    facts.hasDatabase = true
    facts.writtenByteCount = 1 << 20
    facts.uptimeSeconds = 86_400
    facts.buildSeconds = 1_700_000_000
    facts.clockSeconds = 1_800_000_000
    facts.hasRealTimeClock = true
    facts.nameServerCount = 1
    facts.authorities = "the built-in set"
    facts.memoryLimitByteCount = 48 << 20
    facts.memoryTotalByteCount = 128 << 20
    facts.memoryAvailableByteCount = 80 << 20
    facts.kernel = "5.4.61"
    facts.portNumber = 3000
    return facts
  }

  private func check(
    _ id: StaticString, _ level: Finding.Level, saying words: String = "", advice: String = "",
    sourceLocation: SourceLocation = #_sourceLocation, _ change: (inout DoctorFacts) -> Void
  ) {
    var facts = DoctorTests.healthy
    change(&facts)
    let found = Doctor(facts).findings.filter { ByteString($0.id) == ByteString(id) }
    #expect(found.contains { $0.level == level }, "\(found)", sourceLocation: sourceLocation)
    let text = found.map { $0.message.text }.joined()
    #expect(words.isEmpty || text.contains(words), "\(text)", sourceLocation: sourceLocation)
    let advices = found.map { $0.advice.text }.joined()
    #expect(
      advice.isEmpty || advices.contains(advice), "\(advices)", sourceLocation: sourceLocation)
    // Whoever is told of a problem is told what to do.
    for finding in found where finding.level != .ok {
      #expect(!finding.advice.isEmpty, sourceLocation: sourceLocation)
    }
  }

  @Test func findsNothingWhereNothingIsWrong() {
    let doctor = Doctor(DoctorTests.healthy)
    #expect(doctor.level == .ok, "\(doctor.text.text)")
    #expect(doctor.findings.allSatisfy { $0.advice.isEmpty })
    #expect(doctor.text.text.hasSuffix("0 errors, 0 warnings\n"))
  }

  @Test func judgesTheFileSystem() {
    check("file_system", .error, advice: "mount") { $0.fileSystem = .empty }
    check("file_system", .error, saying: "read-only", advice: "dmesg") { $0.isReadOnly = true }
    check("file_system", .warning, saying: "gone at the next start") {
      ($0.medium, $0.fileSystem) = (.memory, "tmpfs")
    }
    check("file_system", .warning, advice: "ext4") { $0.fileSystem = "vfat" }
    check("file_system", .warning, saying: "board file says ext4") { $0.fileSystem = "f2fs" }
    check("file_system", .ok) { ($0.fileSystem, $0.declaredFileSystem) = ("f2fs", .empty) }
    check("file_system", .warning, advice: "/mnt/UDISK") { $0.options = "rw,sync,noatime" }
    check("file_system", .ok, saying: "eMMC") { $0.options = "rw,async" }
  }

  @Test func judgesTheJournal() {
    check("journal_mode", .error, saying: "malformed") { $0.databaseProblem = "malformed" }
    check("journal_mode", .warning, saying: "wal is in force") { $0.wantedJournalMode = "persist" }
    check("journal_mode", .error, advice: "locking_mode: exclusive") {
      ($0.fileSystem, $0.isLockingExclusive) = ("jffs2", false)
    }
    check("journal_mode", .ok) { ($0.fileSystem, $0.isLockingExclusive) = ("ext4", false) }
    check("journal_mode", .error, advice: "persist") { $0.totalByteCount = 1 << 20 }
    check("journal_mode", .ok) { $0.totalByteCount = 2 << 20 }
    // Before the first start there is no file.
    check("journal_mode", .ok, saying: "wal") { ($0.journalMode, $0.hasDatabase) = (.empty, false) }
  }

  @Test func judgesRoomAndLifetime() {
    check("space", .error, advice: "history: memory") { $0.freeByteCount = 1 << 20 }
    check("space", .warning) { $0.freeByteCount = 12 << 20 }
    check("space", .warning, saying: "150 MB of 4096 MB") { $0.freeByteCount = 150 << 20 }
    check("lifetime", .ok, saying: "more than 100 years") { $0.writtenByteCount = 1 }
    check("lifetime", .warning, saying: "flash lasts 0 years", advice: "flush_interval_ms") {
      ($0.medium, $0.totalByteCount, $0.writtenByteCount) = (.nor, 512 << 10, 1 << 30)
    }
    check("lifetime", .ok, saying: "ten minutes") { $0.uptimeSeconds = 599 }
    check("lifetime", .ok, saying: "cannot be read") { $0.writtenByteCount = nil }
    #expect(
      !Doctor(with { $0.medium = .disk }).findings.contains { $0.id.description == "lifetime" })
  }

  private func with(_ change: (inout DoctorFacts) -> Void) -> DoctorFacts {
    var facts = DoctorTests.healthy
    change(&facts)
    return facts
  }

  @Test func judgesTheClock() {
    check("clock", .error, advice: "NTP") { $0.clockSeconds = 12 }
    check("clock", .error, saying: "28800000 minutes ahead") {
      ($0.clockSeconds, $0.upstreamAheadSeconds) = (12, 20_000 * 86_400)
    }
    check("clock", .ok) { $0.upstreamAheadSeconds = -300 }
    check("clock", .warning, saying: "is 10 minutes ahead") { $0.upstreamAheadSeconds = 600 }
    check("clock", .warning, saying: "is -10 minutes ahead") { $0.upstreamAheadSeconds = -600 }
    check("clock", .ok, saying: "no clock chip") { $0.hasRealTimeClock = false }
  }

  @Test func judgesTheSurroundings() {
    check("name_resolution", .warning) { $0.nameServerCount = 0 }
    check("authorities", .error, saying: "broken", advice: "ca_file") {
      $0.authoritiesProblem = "broken"
    }
    check("memory", .error) { $0.memoryLimitByteCount = 256 << 20 }
    check("memory", .warning) { $0.memoryAvailableByteCount = 40 << 20 }
    check("memory", .ok) {
      ($0.memoryAvailableByteCount, $0.residentByteCount) = (40 << 20, 10 << 20)
    }
    check("kernel", .error, saying: "eventfd") { $0.missingFeature = "eventfd" }
    check("port", .ok) { $0.port = .free }
    check("port", .error, advice: "another port") { $0.port = .taken }
    check("port", .ok, saying: "a gateway runs") { ($0.port, $0.isDatabaseInUse) = (.taken, true) }
    check("port", .error, saying: "Permission") { $0.port = .refused("Permission denied") }
    check("password", .error, advice: "passwd") { $0.hasFirstPassword = true }
    check("password", .ok, saying: "no accounts yet") { $0.hasDatabase = false }
  }

  @Test func judgesEachChannel() {
    check("channel", .warning, saying: "main (a.b:443) is not reached: no answer") {
      $0.upstreams = [.init(name: "main", host: "a.b", port: 443, failure: "no answer")]
    }
    check("channel", .ok, saying: "woken") {
      $0.upstreams = [.init(name: "m", host: "a", port: 1, maySleep: true, failure: "no answer")]
    }
    check("channel", .ok, saying: "in 7 ms") {
      $0.upstreams = [.init(name: "m", host: "a", port: 1, milliseconds: 7)]
    }
  }

  @Test func tellsTheWorst() {
    #expect(Doctor(with { $0.nameServerCount = 0 }).level == .warning)
    let doctor = Doctor(
      with {
        $0.nameServerCount = 0
        $0.hasFirstPassword = true
      })
    #expect(doctor.level == .error)
    #expect(doctor.text.text.hasSuffix("1 error, 1 warning\n"))
  }
}

/// The command's way to a running gateway: by its lock on the database.
struct DoctorGatewayTests {
  private static let locking = """
    import fcntl, sys
    file = open(sys.argv[1], "r+b")
    fcntl.lockf(file, fcntl.LOCK_EX, 510, 0x40000002)
    file.write(bytes(50000))
    file.flush()
    print("locked", flush=True)
    sys.stdin.read()
    """

  @Test func findsWhatTheHolderOfTheLockHasWritten() throws {
    let path = NSTemporaryDirectory() + "lock-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: path) }
    var facts = DoctorFacts()
    DoctorSurvey.lookAtGateway(thatHas: ByteString(utf8: path), &facts)
    #expect(facts.writtenByteCount == nil, "there is no such file")
    try Data().write(to: URL(fileURLWithPath: path))
    DoctorSurvey.lookAtGateway(thatHas: ByteString(utf8: path), &facts)
    #expect(facts.writtenByteCount == nil, "nobody has it")

    let (process, input, output) = (Process(), Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", DoctorGatewayTests.locking, path]
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    #expect(try output.fileHandleForReading.read(upToCount: 6) == Data("locked".utf8))
    facts.uptimeSeconds = -1
    DoctorSurvey.lookAtGateway(thatHas: ByteString(utf8: path), &facts)
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    #expect((facts.writtenByteCount ?? 0) >= 50_000)
    #expect(0...600 ~= facts.uptimeSeconds)
  }
}

/// What files of a device lie on, by the kernel's table of mounts.
struct DoctorMountTests {
  private let table = MountTable(
    """
    21 1 31:4 / /rom ro,relatime shared:1 - squashfs /dev/root ro
    22 1 31:5 / /overlay rw,noatime master:2 propagate_from:3 - jffs2 /dev/mtdblock5 rw
    23 1 0:15 / / rw,noatime - overlay overlayfs:/overlay rw,lowerdir=/,upperdir=/overlay/upper
    24 23 0:16 / /tmp rw,nosuid - tmpfs tmpfs rw,size=30000k
    25 23 0:17 / /mnt/UDISK rw - ubifs ubi0:UDISK rw,ubi=0
    26 23 179:7 / /srv/over rw - ext4 /dev/mmcblk0p7 rw,sync
    nonsense
    27 1 0:1 / /x
    """)

  @Test func findsTheMountOfADevice() {
    #expect(table.mounts.count == 6)
    #expect(table.mount(ofDevice: "0:17")?.source == "ubi0:UDISK")
    #expect(table.mount(ofDevice: "179:7")?.options == "rw,rw,sync")
    #expect(table.mount(ofDevice: "31:5")?.type == "jffs2")
    #expect(table.mount(ofDevice: "1:1") == nil)
  }

  @Test func looksBelowAnOverlay() {
    let mount = table.mount(ofDevice: "0:15")
    #expect(mount?.type == "jffs2")
    #expect(mount?.device == "31:5")
    let lost = MountTable("23 1 0:15 / / rw - overlay o rw,upperdir=/gone/upper\n")
    #expect(lost.mount(ofDevice: "0:15")?.type == "overlay")
  }
}
