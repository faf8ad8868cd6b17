// SPDX-License-Identifier: MIT
import CPlatform
import MiniHTTP
import Platform
import Store

/// Finds out the facts; the only place of the doctor that asks the system.
///
/// Its calls wait for files, names and hosts, so never on the loop.
enum DoctorSurvey {
  /// Longest file of /proc that is read.
  private static let fileByteCount = 64 * 1024

  /// What follows from the configuration.
  static func facts(of configuration: Configuration) -> DoctorFacts {
    var facts = DoctorFacts()
    facts.directory = configuration.dataDirectory
    if let index = ConfigurationTable.index(of: "file_system"),
      configuration.fileSystem != .unknown
    {
      let names = ByteString(ConfigurationTable.rows[index].choices)
        .list(separatedBy: UInt8(ascii: "|"))
      facts.declaredFileSystem = names[configuration.fileSystem.rawValue]
    }
    facts.reserveByteCount = configuration.storage.reserveByteCount
    facts.wantedJournalMode = ByteString(configuration.storage.journalMode.name)
    facts.isLockingExclusive = configuration.storage.lockingMode == .exclusive
    facts.memoryLimitByteCount = configuration.capacity.memoryByteCount
    facts.portNumber = configuration.port
    return facts
  }

  /// Adds what the system says.
  static func complete(
    _ facts: inout DoctorFacts, caFile: ByteString, _ policy: UpstreamPrivate
  ) {
    look(at: &facts)
    facts.clockSeconds = UnixTime.seconds
    facts.buildSeconds = UnixTime.buildSeconds
    facts.hasRealTimeClock = File.exists("/sys/class/rtc/rtc0/name")
    facts.nameServerCount = content("/etc/resolv.conf").list(separatedBy: 0x0A).count {
      $0.starts(with: "nameserver")
    }
    (facts.authorities, facts.authoritiesProblem) = UpstreamTrust.source(caFile: caFile)
    lookAtMemory(&facts)
    facts.kernel = content("/proc/sys/kernel/osrelease").trimmedLine
    do throws(SystemError) {
      _ = try Mailbox()
      _ = try Poller()
    } catch { facts.missingFeature = ByteString(error.call) }
    DoctorReach.ask(&facts.upstreams, policy)
  }

  // Files.

  private static func content(_ path: ByteString) -> ByteString {
    do throws(SystemError) {
      return try File.read(path, limit: fileByteCount)
    } catch { return .empty }
  }

  private static func line(_ path: ByteString) -> ByteString { content(path).trimmedLine }

  /// File system, its medium, and room.
  private static func look(at facts: inout DoctorFacts) {
    var numbers = [Int64](repeating: 0, count: Int(CP_FS_COUNT))
    let status = numbers.withUnsafeMutableBufferPointer { numbers in
      facts.directory.withCString { cp_file_system($0, numbers.baseAddress) }
    }
    guard status >= 0 else { return }
    facts.totalByteCount = numbers[Int(CP_FS_TOTAL)]
    facts.freeByteCount = numbers[Int(CP_FS_FREE)]
    facts.isReadOnly = numbers[Int(CP_FS_READ_ONLY)] != 0
    let device =
      ByteString(number: numbers[Int(CP_FS_MAJOR)]) + ":"
      + ByteString(number: numbers[Int(CP_FS_MINOR)])
    guard let mount = MountTable(content("/proc/self/mountinfo")).mount(ofDevice: device) else {
      facts.fileSystem = name(ofMagic: numbers[Int(CP_FS_MAGIC)])
      return
    }
    facts.fileSystem = mount.type
    facts.options = mount.options
    facts.medium = medium(of: mount)
  }

  /// File systems whose mount is not found by its device, by the magic number of statfs(2).
  private static func name(ofMagic magic: Int64) -> ByteString {
    let known: [(Int64, StaticString)] = [
      (0x9123_683E, "btrfs"), (0xEF53, "ext4"), (0x5846_5342, "xfs"), (0x794C_7630, "overlay"),
    ]
    for (number, name) in known where number == magic { return ByteString(name) }
    return "an unknown file system"
  }

  private static func medium(of mount: Mount) -> DoctorFacts.Medium {
    if mount.type == "tmpfs" || mount.type == "ramfs" { return .memory }
    guard let (major, minor) = mount.device.split(at: UInt8(ascii: ":")) else { return .unknown }
    if major == "31" { return flash("/sys/class/mtd/mtd" + minor) }  // JFFS2
    if mount.type == "ubifs" {
      let number = mount.source.bytes.drop { !ASCII.isDigit($0) }.prefix { ASCII.isDigit($0) }
      return flash(
        "/sys/class/mtd/mtd"
          + line("/sys/class/ubi/ubi" + ByteString(Array(number)) + "/mtd_num"))
    }
    let folder = "/sys/dev/block/" + mount.device
    for disk in [folder, folder + "/.."] {
      let type = line(disk + "/device/type")
      if type == "MMC" { return .emmc }
      if type == "SD" { return .sd }
      let rotates = line(disk + "/queue/rotational")
      if !rotates.isEmpty { return rotates == "1" ? .disk : .solid }
    }
    return .unknown
  }

  private static func flash(_ folder: ByteString) -> DoctorFacts.Medium {
    let type = line(folder + "/type")
    return type == "nor" ? .nor : type == "nand" || type == "mlc-nand" ? .nand : .unknown
  }

  /// The number behind a name in a file of lines `name: number`; 0 when it is not there.
  private static func number(_ name: StaticString, in text: ByteString) -> Int64 {
    for line in text.list(separatedBy: 0x0A) where line.starts(with: name) {
      let digits = line.bytes.drop { !ASCII.isDigit($0) }.prefix { ASCII.isDigit($0) }
      return ByteString(Array(digits)).decimal ?? 0
    }
    return 0
  }

  private static func lookAtMemory(_ facts: inout DoctorFacts) {
    let text = content("/proc/meminfo")
    facts.memoryTotalByteCount = number("MemTotal:", in: text) << 10
    let available = number("MemAvailable:", in: text)
    // Linux before 3.14 does not say what is available.
    facts.memoryAvailableByteCount =
      (available > 0 ? available : number("MemFree:", in: text) + number("Cached:", in: text))
      << 10
    facts.residentByteCount = cp_resident_bytes()
  }

  /// Bytes that a process has written to files since its start, as the kernel counts them.
  ///
  /// What goes to JFFS2 is counted as characters only, what is mapped as bytes only. Nil where the
  /// kernel does not count them, or tells only the process's user and root.
  static func writtenByteCount(of process: ByteString = "self") -> Int64? {
    let text = content("/proc/" + process + "/io")
    return text.isEmpty ? nil : max(number("wchar:", in: text), number("write_bytes:", in: text))
  }

  /// What the running gateway has written, found by its lock on the database.
  static func lookAtGateway(thatHas path: ByteString, _ facts: inout DoctorFacts) {
    let number = path.withCString { cp_lock_holder($0) }
    guard number > 0 else { return }
    let process = ByteString(number: Int64(number))
    facts.writtenByteCount = writtenByteCount(of: process)
    // proc(5): the start is field 22; the name of the program, field 2, may hold spaces.
    let stat = line("/proc/" + process + "/stat").list(separatedBy: UInt8(ascii: ")"))
    let fields = (stat.last ?? .empty).list(separatedBy: 0x20)
    let uptime = line("/proc/uptime").list(separatedBy: UInt8(ascii: "."))
    guard fields.count > 19, let started = fields[19].decimal, let now = uptime.first?.decimal
    else { return }
    facts.uptimeSeconds = now - started / clockTicks
  }

  /// Ticks in a second of what the kernel tells about processes, on every processor of ours.
  private static let clockTicks: Int64 = 100

  /// Whether the port can be listened on, found out by trying.
  static func port(_ configuration: Configuration) -> DoctorFacts.Port {
    let result = configuration.listen.withBytes { bytes, count in
      cp_listen(bytes, count, Int32(configuration.port), 1)
    }
    if result >= 0 {
      _ = cp_close(result)
      return .free
    }
    if -result == cp_eaddrinuse { return .taken }
    return .refused(ByteString(utf8: SystemError.describe(-result)))
  }
}

extension ByteString {
  /// The first line without spaces around it.
  fileprivate var trimmedLine: ByteString {
    ByteString(Array(bytes.prefix { $0 != 0x0A })).trimmed
  }
}
