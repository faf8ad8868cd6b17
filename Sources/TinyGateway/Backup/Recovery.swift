// SPDX-License-Identifier: MIT
import CPlatform
import Platform
import Store

/// What is done about a database that is damaged, cut short or gone, before the loop runs.
///
/// It is kept aside, and the newest good backup takes its place. Without one it is left alone, and
/// the program does not start: an empty database in its place would look like a fresh device.
struct Recovery {
  /// What was done, for the log and the management API.
  struct Notice {
    /// Unix time.
    let time: Int64
    let backup: StoredBackup
    /// Where the bad file is; empty when there was none.
    let kept: ByteString
    /// What was wrong.
    let reason: ByteString
  }

  /// An audit row of what nobody did by the management API.
  static var blankAuditRow: AuditRecord {
    AuditRecord(
      id: 0, userID: 0, username: .empty, action: .empty, target: .empty, address: nil,
      requestID: 0)
  }

  private static let keptCount: Int64 = 2
  private let configuration: Configuration
  private let log: Log
  private let path: ByteString
  /// A new database that is being filled.
  private var unfinished: ByteString { path + ".recovering" }
  /// The same, complete: whoever finds it puts it in its place.
  private var complete: ByteString { path + ".recovered" }

  init(_ configuration: Configuration, log: Log) {
    self.configuration = configuration
    self.log = log
    path = configuration.path("db.db")
  }

  /// Why the database cannot be opened before anybody tries; nil when it may be.
  ///
  /// SQLite takes an empty file for a new database. Ends first what a power cut interrupted.
  func emptiness() -> ByteString? {
    if File.exists(complete), let kept = replace() {
      say(.error, "a restore that was interrupted is complete; the bad file is ", kept)
    }
    let size = path.withCString { cp_file_size($0) }
    guard size <= 0 else { return nil }
    let wasInUse = File.exists(configuration.path(ChannelSecrets.fileName))
    if size < 0, wasInUse { say(.warn, path, " is missing although secret.key is there") }
    if size == 0, wasInUse { return "it is empty" }
    let directory = BackupDirectory(configuration)
    return StoredBackup.list(in: directory.path).isEmpty ? nil : "it is missing"
  }

  /// Puts the newest good backup in the place of the database.
  ///
  /// Throws a sentence that says what to do when there is none; nothing was changed then.
  func run(because words: ByteString) throws(StartError) -> Notice {
    // SQLite's may be several lines.
    let reason = ByteString(words.bytes.map { $0 < 0x20 ? 0x20 : $0 })
    say(.error, path + " is damaged: ", reason)
    let directory = BackupDirectory(configuration)
    for backup in StoredBackup.list(in: directory.path) {
      let file = directory.path(of: backup)
      do throws(Restore.Failure) {
        _ = try Restore.check(file)
        let kept = try restore(file, secrets: nil, other: nil).kept
        let notice = Notice(time: UnixTime.seconds, backup: backup, kept: kept, reason: reason)
        tell(notice, file)
        return notice
      } catch {
        switch error {
        case .invalid(let sentence): say(.warn, file + " is of no use: ", sentence)
        case .storage(let error): throw StartError(path + ": " + error.sentence)
        }
      }
    }
    throw StartError(
      path + " is damaged (" + reason + "), and " + directory.path
        + " has no good backup: run tinygateway restore FILE, or move db.db and the backups away "
        + "to start anew; nothing was changed")
  }

  /// Makes a new database of a checked file and puts it in the place of the old one, which is
  /// kept aside.
  ///
  /// `secrets`: of this device; nil to read or make them. `other`: as for `RestoredState`.
  func restore(
    _ file: ByteString, secrets: ChannelSecrets?, other: ChannelSecrets?
  ) throws(Restore.Failure) -> (state: RestoredState, kept: ByteString) {
    removeAll(unfinished)
    let ours: ChannelSecrets
    if let secrets { ours = secrets } else { ours = try readSecrets() }
    let state = try fill(file, ours, other)
    let isComplete = rename(unfinished, to: complete) >= 0
    _ = configuration.dataDirectory.withCString { cp_sync_directory($0) }
    guard isComplete, let kept = replace() else {
      throw .storage(StoreError(.readOnly, message: "rename"))
    }
    return (state, kept)
  }

  private func readSecrets() throws(Restore.Failure) -> ChannelSecrets {
    let path = configuration.path(ChannelSecrets.fileName)
    do throws(StartError) {
      return try ChannelSecrets(path: path, for: [], log: log)
    } catch {
      throw .storage(StoreError(.other, message: error.sentence, sentence: error.sentence))
    }
  }

  private func fill(
    _ file: ByteString, _ secrets: ChannelSecrets, _ other: ChannelSecrets?
  ) throws(Restore.Failure) -> RestoredState {
    let database: Database
    do throws(StoreError) {
      database = try Database(path: unfinished, settings: configuration.storage)
    } catch { throw .storage(error) }
    let state = try RestoredState.restore(
      file, to: database, secrets: secrets, other: other,
      audit: AuditNote("restore", "damaged database, from " + file)
        .filling(Recovery.blankAuditRow), keepsOld: false)
    do throws(StoreError) { try database.close() } catch { throw .storage(error) }
    BackupFiles.remove(unfinished + "-journal")
    return state
  }

  /// Keeps the bad files aside and gives the new one its name; where the bad one is then.
  ///
  /// Its journal goes first: it must never meet another database. Nil when a name is refused.
  private func replace() -> ByteString? {
    let old = keptNumbers()
    let kept = path + ".damaged-" + ByteString(number: (old.last ?? 0) + 1)
    for suffix in Recovery.suffixes {
      let result = rename(path + ByteString(suffix), to: kept + ByteString(suffix))
      if result < 0, result != -cp_enoent { return nil }
    }
    BackupFiles.remove(path + "-check")
    guard rename(complete, to: path) >= 0 else { return nil }
    _ = configuration.dataDirectory.withCString { cp_sync_directory($0) }
    for number in old.dropLast(Int(Recovery.keptCount) - 1) {
      removeAll(path + ".damaged-" + ByteString(number: number))
    }
    return File.exists(kept) ? kept : .empty
  }

  /// Of a database and its journals, these first.
  private static let suffixes: [StaticString] = ["-wal", "-journal", ""]

  @inline(never)
  private func removeAll(_ database: ByteString) {
    for suffix in Recovery.suffixes { BackupFiles.remove(database + ByteString(suffix)) }
  }

  /// Numbers of the databases that are kept aside, lowest first.
  private func keptNumbers() -> [Int64] {
    let prefix: ByteString = "db.db.damaged-"
    var numbers: [Int64] = []
    for name in File.names(in: configuration.dataDirectory, prefix: prefix) {
      guard let number = ByteString(Array(name.bytes.dropFirst(prefix.count))).decimal,
        number < 1 << 53
      else { continue }
      numbers.insert(number, at: numbers.firstIndex { $0 > number } ?? numbers.count)
    }
    return numbers
  }

  private func tell(_ notice: Notice, _ file: ByteString) {
    let lost = UnixTime.timestamp(notice.backup.time)
    say(
      .error, "restored " + file + "; what changed after " + lost,
      " is lost: settings, accounts, keys, usage, logs; everybody logs in anew")
    if !notice.kept.isEmpty { say(.error, "the bad file is kept as ", notice.kept) }
  }

  @inline(never)
  private func say(_ level: LogLevel, _ text: ByteString, _ more: ByteString) {
    log.write(level) { line in
      line.append(text)
      line.append(more)
    }
  }

  @inline(never)
  private func rename(_ from: ByteString, to other: ByteString) -> Int32 {
    from.withCString { from in other.withCString { cp_rename(from, $0) } }
  }
}
