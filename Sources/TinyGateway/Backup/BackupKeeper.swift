// SPDX-License-Identifier: MIT
import CPlatform
import MiniHTTP
import Platform
import Store

/// Makes backups into the backup directory, on a schedule and when asked; the loop's side.
///
/// The rows are copied on the storage thread, which alone may read the database; waiting for the
/// medium, the name and the rotation are for the thread of files.
final class BackupKeeper {
  /// What became of one try.
  enum Outcome: Sendable {
    case written(StoredBackup)
    case notDue
    case failed(StoreError)
  }

  let directory: BackupDirectory
  let hours: Int64
  private let withRecords: Bool
  private var schedule: BackupSchedule
  private var isRunning = false
  /// Rows that had changed since the start when the last backup of this run was made.
  private var lastChangeCount: Int64?
  /// Why the last backup failed; empty when it did not.
  private(set) var failure: ByteString = .empty

  init(_ configuration: Configuration, now: Instant) {
    directory = BackupDirectory(configuration)
    hours = configuration.backupIntervalHours
    withRecords = configuration.backupsHoldLogs
    schedule = BackupSchedule(hours: hours, now: now)
  }

  /// When `deadlinePassed` wants to be called; nil for never.
  var deadline: Instant? { isRunning ? nil : schedule.deadline }

  /// The program stops: nothing new is begun.
  func stop() { schedule.stop() }

  /// Looks whether a backup is due, and makes it.
  func deadlinePassed(now: Instant, _ gateway: Gateway) {
    guard let due = deadline, due <= now else { return }
    guard !gateway.admin.isTransferring else { return schedule.paused(now: now) }
    gateway.admin.isTransferring = true
    make(gateway, isScheduled: true) { _ in }
  }

  /// Makes a backup; the caller has taken the one place of transfers, which is free afterwards.
  ///
  /// `isScheduled`: only when one is due and something has changed.
  func make(
    _ gateway: Gateway, isScheduled: Bool, completion: @escaping (Outcome) -> Void
  ) {
    isRunning = true
    gateway.batch.flush(now: gateway.loop.now)
    let job = WrittenBackup(
      directory: directory, withRecords: withRecords, isScheduled: isScheduled,
      schedule: schedule, lastChangeCount: lastChangeCount)
    gateway.storage.perform(inTransaction: false) { (database) throws(StoreError) in
      job.run(database)
      return true
    } completion: { [self] result in
      if case .failure(let error) = result { job.outcome = .failed(error) }
      schedule = job.schedule
      guard case .written(let backup) = job.outcome else {
        return end(job.outcome, gateway, completion)
      }
      finish(backup, job, gateway, completion)
    }
  }

  private func finish(
    _ backup: StoredBackup, _ job: WrittenBackup, _ gateway: Gateway,
    _ completion: @escaping (Outcome) -> Void
  ) {
    let directory = directory
    let work = Job(
      work: {
        do throws(SystemError) { try directory.finish(backup) } catch { job.fail(error) }
      },
      completion: { [self] in
        if case .written = job.outcome { lastChangeCount = job.changeCount }
        end(job.outcome, gateway, completion)
      })
    do throws(SystemError) {
      try gateway.fileWorker.submit(work)
    } catch {
      job.fail(error)
      end(job.outcome, gateway, completion)
    }
  }

  private func end(_ outcome: Outcome, _ gateway: Gateway, _ completion: (Outcome) -> Void) {
    isRunning = false
    gateway.admin.isTransferring = false
    let log = gateway.log
    switch outcome {
    case .written(let backup):
      failure = .empty
      schedule.succeeded(now: gateway.loop.now)
      log.write(.info) { line in
        line.append("backup ")
        line.append(directory.path(of: backup))
      }
    case .notDue: break
    case .failed(let error):
      failure = error.sentence
      schedule.paused(now: gateway.loop.now)
      log.write(.warn) { line in
        line.append("no backup into ")
        line.append(directory.path)
        line.append(": ")
        line.append(error.sentence)
      }
    }
    completion(outcome)
  }
}

/// One try, on its way from the loop to the storage thread, to that of files, and back; one thread
/// at a time uses it, hence `@unchecked`.
private final class WrittenBackup: @unchecked Sendable {
  private let directory: BackupDirectory
  private let withRecords: Bool
  private let isScheduled: Bool
  private let lastChangeCount: Int64?
  var schedule: BackupSchedule
  var outcome = BackupKeeper.Outcome.notDue
  private(set) var changeCount: Int64 = 0

  init(
    directory: BackupDirectory, withRecords: Bool, isScheduled: Bool, schedule: BackupSchedule,
    lastChangeCount: Int64?
  ) {
    self.directory = directory
    self.withRecords = withRecords
    self.isScheduled = isScheduled
    self.schedule = schedule
    self.lastChangeCount = lastChangeCount
  }

  func fail(_ error: SystemError) {
    let sentence = directory.path + ": " + ByteString(utf8: error.text)
    outcome = .failed(StoreError(.other, message: sentence, sentence: sentence))
  }

  /// Decides and writes, on the storage thread.
  func run(_ database: Database) {
    let newest = StoredBackup.list(in: directory.path).first
    let clock = UnixTime.isPlausible ? UnixTime.seconds : nil
    changeCount = database.totalChangeCount
    if isScheduled {
      guard schedule.isDue(newest: newest?.time, clock: clock, now: .now) else { return }
      if isUnchanged(database, since: newest) { return schedule.paused(now: .now) }
    }
    do throws(SystemError) { try directory.prepare() } catch { return fail(error) }
    do throws(StoreError) {
      try BackupFiles.write(
        database, to: directory.unfinished, withRecords: withRecords, key: nil)
      outcome = .written(
        StoredBackup(number: (newest?.number ?? 0) + 1, time: UnixTime.seconds))
    } catch { outcome = .failed(error) }
  }

  /// Whether the newest file holds all that there is.
  private func isUnchanged(_ database: Database, since newest: StoredBackup?) -> Bool {
    guard let newest else { return false }
    if let lastChangeCount { return lastChangeCount == changeCount }
    // Nothing was written in this run of the program; what an earlier one did, the files tell.
    guard changeCount == 0 else { return false }
    let log = database.path + "-wal"
    let paths = log.withCString { cp_file_size($0) } > 0 ? [database.path, log] : [database.path]
    let made = directory.path(of: newest).withCString { cp_file_time($0) }
    return paths.allSatisfy { path in path.withCString { cp_file_time($0) } < made }
  }
}
