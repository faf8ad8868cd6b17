// SPDX-License-Identifier: MIT
import Platform
import Store

/// What file systems and partitions refuse.
extension ConfigurationChecks {
  /// Up to here a write-ahead log fills the partition before it is folded back (docs/boards.md).
  static let smallPartitionKilobytes: Int64 = 1024

  static func checkStorage(
    _ configuration: Configuration, _ problems: inout [ConfigurationProblem]
  ) {
    if configuration.fileSystem == .jffs2 && configuration.storage.journalMode == .wal
      && configuration.storage.lockingMode == .normal
    {
      // SQLite answers `wal` and fails at the next statement: JFFS2 has no shared memory maps.
      problems.append(
        ConfigurationProblem(
          configuration.origin(of: "locking_mode"),
          """
          normal does not work with journal_mode wal on jffs2; write exclusive, or use \
          journal_mode: persist
          """))
    }
    if configuration.storage.journalMode == .delete && configuration.storage.synchronous == .full {
      problems.append(
        ConfigurationProblem(
          configuration.origin(of: "journal_mode"),
          """
          delete needs synchronous: extra, or a power cut takes back what was acknowledged; \
          write wal or persist, or add synchronous: extra
          """))
    }
  }

  /// Settings against the size of the partition, where the board file tells it.
  static func checkPartition(
    _ configuration: Configuration, _ problems: inout [ConfigurationProblem]
  ) {
    let (storage, kilobytes) = (configuration.storage, configuration.partitionKilobytes)
    let megabytes = Int64(configuration.memoryLimitMegabytes)
    if storage.keepsHistoryInMemory {
      refuse(
        "log_limit_mb", storage.logByteLimit >> 20, above: megabytes / 8, "memory_limit_mb",
        configuration, &problems)
    }
    guard kilobytes > 0 else { return }
    let isWAL = storage.journalMode == .wal
    if isWAL, kilobytes <= smallPartitionKilobytes {
      problems.append(
        ConfigurationProblem(
          configuration.origin(of: "journal_mode"),
          """
          wal fills a partition of 1 MiB or less before it is folded back; write persist, with \
          page_size: 1024 and history: memory
          """))
    } else if isWAL {
      refuse(
        "wal_autocheckpoint_pages", Int64(storage.walAutocheckpointPages),
        above: (kilobytes << 10) / 8 / Int64(storage.pageByteCount), "partition_kb",
        configuration, &problems)
    }
    refuse(
      "journal_size_limit_kb", storage.journalSizeLimit >> 10, above: kilobytes / 8,
      "partition_kb", configuration, &problems)
    refuse(
      "reserve_kb", storage.reserveByteCount >> 10, above: kilobytes / 4, "partition_kb",
      configuration, &problems)
    if !storage.keepsHistoryInMemory, storage.logByteLimit > (kilobytes << 10) / 2 {
      problems.append(
        ConfigurationProblem(
          configuration.origin(of: "log_limit_mb"),
          """
          is more than half of partition_kb; lower it, or keep the log out of the flash with \
          history: memory
          """))
    }
  }

  @inline(never)
  private static func refuse(
    _ key: StaticString, _ given: Int64, above most: Int64, _ other: StaticString,
    _ configuration: Configuration, _ problems: inout [ConfigurationProblem]
  ) {
    guard given > most else { return }
    problems.append(
      ConfigurationProblem(configuration.origin(of: key)) { message in
        message.append(decimal: given)
        message.append(" is too much for ")
        message.append(other)
        message.append("; write at most ")
        message.append(decimal: most)
      })
  }
}
