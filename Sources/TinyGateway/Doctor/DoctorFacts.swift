// SPDX-License-Identifier: MIT
import Platform

/// What was found out about the device and the gateway on it; `Doctor` judges it.
///
/// Fields keep their first value where nothing could be found out.
struct DoctorFacts: Sendable {
  /// What the bytes end up on.
  enum Medium: Int, Sendable {
    case unknown, nor, nand, emmc, sd, solid, disk, memory

    var name: StaticString {
      switch self {
      case .unknown: "a medium that the kernel does not name"
      case .nor: "SPI NOR flash"
      case .nand: "raw NAND flash"
      case .emmc: "eMMC"
      case .sd: "an SD card"
      case .solid: "a solid-state disk"
      case .disk: "a disk"
      case .memory: "memory"
      }
    }

    /// How often the whole medium can be written, rather too few; 0 where that is no concern.
    var cycleCount: Int64 {
      switch self {
      case .nor: 100_000
      case .nand: 50_000
      case .emmc, .sd, .solid: 1_000
      case .unknown, .disk, .memory: 0
      }
    }
  }

  /// Whether the port can be had.
  enum Port: Sendable {
    /// The gateway that asks has it.
    case ours
    case free
    /// Somebody has it.
    case taken
    case refused(ByteString)
  }

  /// A channel and whether something listens at its address.
  struct Upstream: Sendable {
    var name: ByteString
    var host: ByteString
    var port: Int
    /// Whether the machine may sleep, to be woken by a request.
    var maySleep = false
    /// Why it was not reached; nil when it was.
    var failure: ByteString?
    var milliseconds: Int64 = 0
  }

  var directory: ByteString = .empty
  /// What the board file says lies there; empty when it does not.
  var declaredFileSystem: ByteString = .empty
  var fileSystem: ByteString = .empty
  /// Options of the mount, below an overlay those of its writable layer.
  var options: ByteString = .empty
  var medium = Medium.unknown
  var totalByteCount: Int64 = 0
  var freeByteCount: Int64 = 0
  var isReadOnly = false
  var reserveByteCount: Int64 = 0

  var wantedJournalMode: ByteString = .empty
  /// As the file has it; empty where the database could not be asked.
  var journalMode: ByteString = .empty
  var isLockingExclusive = true
  var hasDatabase = false
  /// Why the database could not be read; empty when it could.
  var databaseProblem: ByteString = .empty
  /// Whether a running gateway has locked the database.
  var isDatabaseInUse = false
  /// Written by the running gateway since its start; nil where none runs or that is not told.
  var writtenByteCount: Int64?
  var uptimeSeconds: Int64 = 0

  var clockSeconds: Int64 = 0
  var buildSeconds: Int64 = 0
  /// How much later the date of a verified upstream was; nil when none has told one.
  var upstreamAheadSeconds: Int64?
  var hasRealTimeClock = false
  var nameServerCount = 0
  /// Where the certificate authorities come from.
  var authorities: ByteString = .empty
  /// Why there are none; empty when there are.
  var authoritiesProblem: ByteString = .empty

  var memoryLimitByteCount: Int64 = 0
  var memoryTotalByteCount: Int64 = 0
  var memoryAvailableByteCount: Int64 = 0
  var residentByteCount: Int64 = 0
  var kernel: ByteString = .empty
  /// The kernel feature that is missing; empty for none.
  var missingFeature: ByteString = .empty
  var portNumber = 0
  var port = Port.ours
  /// Whether the account root still has the password of the first start.
  var hasFirstPassword = false
  var upstreams: [Upstream] = []
}
