// SPDX-License-Identifier: MIT
import Platform
import Store

/// How the database is kept, and its backups.
extension ConfigurationTable {
  static let storage: [ConfigurationRow] = [
    ConfigurationRow(
      "journal_mode", .choice, choices: "wal|persist|truncate|delete", default: "wal",
      "SQLite's journal; persist where the whole partition is 1 MiB or less.",
      section: "Database"
    ) { $0.storage.journalMode = [.wal, .persist, .truncate, .delete][$1.int] },
    ConfigurationRow(
      "synchronous", .choice, choices: "full|extra", default: "full",
      "SQLite's flushing; extra is needed by journal_mode delete."
    ) { $0.storage.synchronous = $1.int == 0 ? .full : .extra },
    ConfigurationRow(
      "locking_mode", .choice, choices: "exclusive|normal", default: "exclusive",
      "SQLite's locking; normal lets other programs read db.db, never on JFFS2."
    ) { $0.storage.lockingMode = $1.int == 0 ? .exclusive : .normal },
    ConfigurationRow(
      "page_size", .powerOfTwo, in: 512...65536, default: "4096",
      "Bytes of a page; for a new db.db only."
    ) { $0.storage.pageByteCount = $1.int },
    ConfigurationRow(
      "cache_kb", .number, in: 64...65536, default: "512", "SQLite's page cache."
    ) { $0.storage.cacheKilobytes = $1.int },
    ConfigurationRow(
      "wal_autocheckpoint_pages", .number, in: 16...100_000, default: "1000",
      "The write-ahead log is folded back at so many pages; at most 1/8 of the partition."
    ) { $0.storage.walAutocheckpointPages = $1.int },
    ConfigurationRow(
      "journal_size_limit_kb", .number, in: 16...1_048_576, default: "4096",
      "A larger journal file is cut back to this size."
    ) { $0.storage.journalSizeLimit = $1.number << 10 },
    ConfigurationRow(
      "flush_interval_ms", .number, in: 100...day, default: "5000",
      "Usage and request logs wait so long for one transaction; a power cut loses that much."
    ) { $0.storage.flushIntervalMilliseconds = $1.number },
    ConfigurationRow(
      "flush_rows", .number, in: 1...100_000, default: "1000",
      "So many waiting rows are written at once."
    ) { $0.storage.flushRowCount = $1.int },
    ConfigurationRow(
      "log_limit_mb", .number, in: 0...1_048_576, default: "64",
      "Request log in db.db, oldest rows go first; 0 keeps none."
    ) { $0.storage.logByteLimit = $1.number << 20 },
    ConfigurationRow(
      "history", .choice, choices: "flash|memory", default: "flash",
      "Where request log, audit and statistics live; memory: they end with the program."
    ) { $0.storage.keepsHistoryInMemory = $1.int == 1 },
    ConfigurationRow(
      "reserve_kb", .number, in: 0...1_048_576, default: "256",
      "Kept free under data_dir for settings: with less, the request log does not grow."
    ) { $0.storage.reserveByteCount = $1.number << 10 },
    ConfigurationRow(
      "log_addresses", .choice, choices: "false|true", default: "true",
      "Whether the request log holds the clients' addresses.", isReloadable: true
    ) { $0.logsAddresses = $1.int == 1 },
  ]

  static let backups: [ConfigurationRow] = [
    ConfigurationRow(
      "backup_dir", .path, in: 1...1024, default: "",
      "Existing folder for scheduled backups, best on another medium; empty: backups in data_dir.",
      section: "Backups"
    ) { $0.backupDirectory = DataDirectory.normalized($1.text) },
    ConfigurationRow(
      "backup_interval_hours", .number, in: 0...8760, default: "24",
      "A backup is made so often when something has changed; 0: only when asked."
    ) { $0.backupIntervalHours = $1.number },
    ConfigurationRow(
      "backup_keep", .number, in: 1...1000, default: "3", "So many backups are kept, the newest."
    ) { $0.backupKeep = $1.int },
    ConfigurationRow(
      "backup_logs", .choice, choices: "false|true", default: "false",
      "Whether backups hold request log, statistics and audit."
    ) { $0.backupsHoldLogs = $1.int == 1 },
  ]
}
