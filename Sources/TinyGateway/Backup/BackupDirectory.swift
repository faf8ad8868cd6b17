// SPDX-License-Identifier: MIT
import CPlatform
import Platform

/// One file of the backup directory, `tinygateway-NUMBER-SECONDS.db`.
struct StoredBackup: Equatable, Sendable {
  /// Greater than that of all older ones, whatever the clock said.
  let number: Int64
  /// Unix time at which it was made, by the clock of that moment.
  let time: Int64

  private static let prefix: ByteString = "tinygateway-"

  /// A backup that is to be made.
  init(number: Int64, time: Int64) {
    self.number = number
    self.time = time
  }

  /// Reads a name; nil for any other file.
  init?(_ name: ByteString) {
    let parts = name.list(separatedBy: UInt8(ascii: "-"))
    guard parts.count == 3, parts[0] == "tinygateway",
      let number = parts[1].decimal, number > 0, number < 1 << 53,
      let (seconds, end) = parts[2].split(at: UInt8(ascii: ".")), end == "db",
      let time = seconds.decimal
    else { return nil }
    self.init(number: number, time: time)
    guard self.name == name else { return nil }
  }

  var name: ByteString {
    StoredBackup.prefix + ByteString(number: number) + "-" + ByteString(number: time) + ".db"
  }

  /// All of a folder, newest first; its calls wait for the disk.
  static func list(in folder: ByteString) -> [StoredBackup] {
    var found: [StoredBackup] = []
    for name in File.names(in: folder, prefix: prefix) {
      guard let backup = StoredBackup(name) else { continue }
      let place = found.firstIndex { $0.number < backup.number } ?? found.count
      found.insert(backup, at: place)
    }
    return found
  }
}

/// Where backups are kept that nobody asked for, and how many; its calls wait for the disk.
struct BackupDirectory: Sendable {
  let path: ByteString
  private let isOurs: Bool
  private let keptCount: Int

  init(_ configuration: Configuration) {
    isOurs = configuration.backupDirectory.isEmpty
    path = isOurs ? configuration.path("backups") : configuration.backupDirectory
    keptCount = configuration.backupKeep
  }

  /// Where a backup is written until it is complete.
  var unfinished: ByteString { path + "/unfinished.tmp" }

  /// The path of a backup.
  func path(of backup: StoredBackup) -> ByteString { path + "/" + backup.name }

  /// Makes our own folder where it is missing, and removes what a killed program left.
  ///
  /// Another folder is never made: where it is missing its medium is not mounted.
  func prepare() throws(SystemError) {
    if isOurs {
      let made = path.withCString { cp_make_directory($0, 0o700) }
      if made != -cp_eexist { try SystemError.check(made, "mkdir") }
    }
    BackupFiles.remove(unfinished)
  }

  /// Gives what was written its name once the medium has it; the oldest ones go then.
  func finish(_ backup: StoredBackup) throws(SystemError) {
    try File.sync(unfinished)
    let renamed = unfinished.withCString { from in
      path(of: backup).withCString { to in cp_rename(from, to) }
    }
    try SystemError.check(renamed, "rename")
    _ = path.withCString { cp_sync_directory($0) }
    for old in StoredBackup.list(in: path).dropFirst(keptCount) {
      BackupFiles.remove(path(of: old))
    }
  }
}
