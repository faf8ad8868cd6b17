// SPDX-License-Identifier: MIT
import Platform

/// The loop's side of the storage thread: jobs go there, their results come back on the loop.
///
/// Only the loop's thread calls it. The database belongs to the storage thread from `init` to
/// `close`; jobs run in the order in which they were given.
package final class Storage {
  /// What the storage thread leaves of one job for the loop.
  private final class Box<R> {
    var value: R?
  }

  /// The same of every job.
  private final class Outcome {
    var failure: StoreError?
    var hasWritten = false
    /// Bytes that the storage thread has written so far.
    var writtenByteCount: Int64 = 0
  }

  private let database: Database
  private let mailbox: Mailbox
  private let worker: Worker
  private var isClosed = false

  /// Why the last attempt to write failed; nil again after the next one that did not.
  package private(set) var failure: StoreError? {
    didSet {
      guard oldValue?.kind != failure?.kind else { return }
      if failure == nil { probeMilliseconds = Storage.probeMilliseconds }
      healthChanged?(failure)
    }
  }
  /// Told of each change of `failure` from one kind to another, or to none; not of repeats.
  package var healthChanged: ((StoreError?) -> Void)?
  /// When to find out whether the medium takes writes again, if nothing is written before; nil
  /// while it does, so that a healthy one is never written to without need.
  package private(set) var probeAt: Instant?
  private var probeMilliseconds = Storage.probeMilliseconds
  private static let probeMilliseconds: Int64 = 5000
  private static let probeLimitMilliseconds: Int64 = 300_000
  /// Whether a page of the database was found damaged.
  private var hasFoundDamage = false
  /// Unix seconds of the first failure since the last good write.
  package private(set) var failingSince: Int64 = 0
  /// Bytes that SQLite has written to `db.db`, its journal and backups.
  package private(set) var written = DailyBytes()
  /// Where the days of `written` begin.
  var days = LocalDays(.utc)

  /// Hands the database to a thread of its own, or throws when there can be none.
  package init(_ database: Database, mailbox: Mailbox) throws(StoreError) {
    self.database = database
    self.mailbox = mailbox
    worker = Worker(name: "storage", mailbox: mailbox)
    do throws(SystemError) {
      try worker.submit(Job(work: {}, completion: {}))
    } catch { throw StoreError(startingThread: error) }
    if let failure = database.mediumFailure { note(failure) }
  }

  /// Jobs that have not run yet.
  package var pendingCount: Int { worker.pendingCount }

  /// Runs `work` in one transaction on the storage thread, then `completion` on the loop.
  ///
  /// The completion comes after the commit: what it acknowledges survives a power cut. `work` may
  /// capture values only, never an object of the loop. `inTransaction` is false for what SQLite
  /// refuses inside one, such as `backup(to:)`.
  package func perform<R>(
    inTransaction: Bool = true,
    _ work: @escaping (Database) throws(StoreError) -> R,
    completion: @escaping (Result<R, StoreError>) -> Void
  ) {
    let box = Box<R>()
    run(
      inTransaction, { (database) throws(StoreError) in box.value = try work(database) },
      { failure in
        if let failure { return completion(.failure(failure)) }
        if let value = box.value { completion(.success(value)) }
      })
  }

  /// Apart from the above, which is compiled for each type of result.
  private func run(
    _ inTransaction: Bool, _ work: @escaping (Database) throws(StoreError) -> Void,
    _ completion: @escaping (StoreError?) -> Void
  ) {
    guard !isClosed else {
      return completion(StoreError(.other, message: "the database is closed"))
    }
    let outcome = Outcome()
    let database = database
    let job = Job(
      work: {
        repeat {
          let before = database.totalChangeCount
          outcome.failure = nil
          do throws(StoreError) {
            if inTransaction {
              try database.transaction { () throws(StoreError) in try work(database) }
            } else {
              try work(database)
            }
          } catch { outcome.failure = error }
          outcome.hasWritten = database.totalChangeCount != before
        } while outcome.failure != nil && database.returnToMedium()
        outcome.writtenByteCount = Database.writtenByteCount
      },
      completion: { [self] in
        written.note(outcome.writtenByteCount, on: days.day(at: UnixTime.seconds))
        if let failure = outcome.failure {
          note(failure)
        } else if outcome.hasWritten, inTransaction {
          // Other jobs tell by themselves: what was rolled back counts as changed, too.
          noteSuccess()
        }
        completion(outcome.failure)
      })
    do throws(SystemError) {
      try worker.submit(job)
    } catch { completion(StoreError(startingThread: error)) }
  }

  /// Waits for all jobs, writes what the batch holds, checkpoints and closes.
  ///
  /// For the stop of the program, on the loop's thread; runs the completions that wait. Throws
  /// what the last flush or the checkpoint met; the database is closed all the same.
  package func close(flushing batch: WriteBatch?) throws(StoreError) {
    guard !isClosed else { return }
    // Completions may give the storage thread more to do.
    repeat { worker.drain() } while mailbox.runCompletions()
    isClosed = true
    let unwritten = batch?.flushForStop(in: database)
    if hasFoundDamage { database.markForCheck() }
    try database.close()
    if let unwritten { throw unwritten }
  }

  /// Remembers a failure of the medium; a wrong request says nothing about it.
  func note(_ error: StoreError) {
    switch error.kind {
    case .full, .readOnly, .ioError, .corrupt, .busy:
      if failure == nil { failingSince = UnixTime.seconds }
      if error.kind == .corrupt { hasFoundDamage = true }
      failure = error
      probeAt = .now.advanced(byMilliseconds: probeMilliseconds)
    case .newerVersion, .duplicate, .constraint, .notFound, .other: break
    }
  }

  /// Forgets the failure after a good write.
  func noteSuccess() {
    failure = nil
    probeAt = nil
  }

  /// Writes one page to see whether that works again; with growing pauses.
  func probe() {
    probeAt = nil
    probeMilliseconds = min(probeMilliseconds * 2, Storage.probeLimitMilliseconds)
    perform { (database: Database) throws(StoreError) in
      try database.pragma("user_version", try database.integer("PRAGMA user_version"))
    } completion: { [self] result in
      if case .success = result { noteSuccess() }
    }
  }
}

extension StoreError {
  fileprivate init(startingThread error: SystemError) {
    self.init(
      .other, message: ByteString(utf8: error.text),
      sentence: "the storage thread cannot be started: the system's limit of threads is reached")
  }
}
