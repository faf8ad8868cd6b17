// SPDX-License-Identifier: MIT
import Platform

/// Usage, log rows and statistics on their way to flash: gathered here, written in one
/// transaction per interval.
///
/// Only the loop's thread calls it. A power cut loses at most what waits here, of one interval
/// (`FlushPacing`); a flush that fails keeps the sums for the next try and drops only log rows,
/// counted. With nothing to write `deadline` is nil: an idle gateway writes nothing, wakes never.
package final class WriteBatch {
  /// Model names that get an id; names come from clients, so there must be an end.
  package static let modelLimit = 4096
  private static let modelNameByteLimit = 256
  /// Flushes' worth of rows that may wait while the disk is full or slow.
  private static let waitingFlushes = 4
  private static let retryLimitMilliseconds: Int64 = 300_000
  /// Different days, users, tokens and models of usage that wait before they are written early.
  static let earlyDayCount = 1000
  /// Audit rows alone wait so long: who guesses passwords must not wear the flash out.
  private static let auditMilliseconds: Int64 = 60_000

  let storage: Storage
  private let writer: BatchWriter
  private let intervalMilliseconds: Int64
  private let flushRowCount: Int
  private let keepsRows: Bool
  var waiting = BatchContents()
  private(set) var inFlight: BatchContents?
  private var pacing: FlushPacing
  private var isSuspended = false
  private var oldestWaiting: Instant?
  private var retryAt: Instant?
  private var retryMilliseconds: Int64 = 0
  private var lastLogID: Int64
  private var lastAuditID: Int64
  private var oldestAudit: Instant?
  private var days = LocalDays(.utc)
  private var modelIDs: [ByteString: Int64] = [:]
  private var modelNames: [Int64: ByteString] = [:]
  private var lastModelID: Int64 = 0
  /// The model that was asked for last, as most often the next time.
  private var latestModel: (name: ByteString, id: Int64) = (.empty, 0)

  /// How long what is written is kept; looked at with each flush.
  package var retention = Retention()
  /// Where the days of usage begin.
  package var zone = TimeZone.utc {
    didSet {
      days = LocalDays(zone)
      storage.days = days
    }
  }
  /// Log rows that were lost because nothing could be written.
  package private(set) var droppedRowCount: Int64 = 0
  /// Flushes that failed, wholly or but for the sums.
  package private(set) var failedFlushCount: Int64 = 0
  /// Why the last flush failed; nil when it did not.
  package private(set) var failure: StoreError?

  /// Makes an empty batch that goes on from what the database holds.
  package init(storage: Storage, snapshot: Snapshot, settings: StoreSettings) {
    self.storage = storage
    writer = BatchWriter(settings)
    intervalMilliseconds = settings.flushIntervalMilliseconds
    pacing = FlushPacing(intervalMilliseconds: intervalMilliseconds)
    flushRowCount = settings.flushRowCount
    keepsRows = settings.logByteLimit > 0
    lastLogID = snapshot.lastLogID
    lastAuditID = snapshot.lastAuditID
    take(snapshot.models)
  }

  /// When `deadlinePassed` wants to be called; nil for never.
  package var deadline: Instant? {
    guard inFlight == nil, !isSuspended else { return nil }
    let usage = oldestWaiting.map(pacing.due)
    let audit = oldestAudit?.advanced(
      byMilliseconds: max(intervalMilliseconds, WriteBatch.auditMilliseconds))
    guard let due = usage ?? audit else { return storage.probeAt }
    return retryAt ?? min(due, audit ?? due)
  }

  /// Whether a flush is on the storage thread.
  package var isFlushing: Bool { inFlight != nil }

  /// The id under which log rows name a model; 0 when the table of names is full.
  ///
  /// A new name is written with the next flush.
  package func modelID(for name: ByteString) -> Int64 {
    if latestModel.id != 0, name == latestModel.name { return latestModel.id }
    if let known = modelIDs[name] {
      latestModel = (name, known)
      return known
    }
    guard modelIDs.count < WriteBatch.modelLimit, name.count <= WriteBatch.modelNameByteLimit,
      lastModelID < .max
    else { return 0 }
    lastModelID += 1
    modelIDs[name] = lastModelID
    modelNames[lastModelID] = name
    waiting.models.append(ModelRecord(id: lastModelID, name: name))
    return lastModelID
  }

  /// The id of a name that has one already; nil for others.
  package func knownModelID(for name: ByteString) -> Int64? { modelIDs[name] }

  /// The name behind an id; nil for 0 and for unknown ones.
  package func modelName(_ id: Int64) -> ByteString? { modelNames[id] }

  /// Adds a finished request to the log and to the usage of its day; id and time are set here.
  ///
  /// Its charge counts for user and token with `addUsage`, which goes into the same transaction.
  package func append(_ row: consuming LogRecord, now: Instant) {
    row.time = UnixTime.seconds
    var sums = UsageSums()
    sums.add(row)
    waiting.add(
      sums,
      to: UsageDayKey(
        day: days.day(at: row.time), userID: row.userID, tokenID: row.tokenID,
        modelID: row.modelID))
    noteWaiting(now)
    keep(row)
    let isFull =
      waiting.rows.count >= flushRowCount || waiting.days.count >= WriteBatch.earlyDayCount
    if isFull, failure == nil { flush(now: now) }
  }

  @inline(__always)
  private func keep(_ row: consuming LogRecord) {
    guard keepsRows else { return }
    guard waiting.rows.count < flushRowCount * WriteBatch.waitingFlushes else {
      droppedRowCount += 1
      return
    }
    lastLogID = LogID.next(after: lastLogID, atSecond: row.time)
    row.id = lastLogID
    waiting.rows.append(row)
  }

  /// Adds millionths of a quota unit to what a user and a token used; either id may be 0.
  package func addUsage(user: Int64, token: Int64, charge: Int64, now: Instant) {
    let seconds = UnixTime.seconds
    if user != 0 { waiting.users[RecordKey(user), default: UsageDelta()].add(charge, at: seconds) }
    if token != 0 {
      waiting.tokens[RecordKey(token), default: UsageDelta()].add(charge, at: seconds)
    }
    noteWaiting(now)
  }

  /// Begins a token's quota period: its used quota is 0, whatever still waits to be written.
  package func startPeriod(token: Int64, at unixSeconds: Int64, now: Instant) {
    waiting.tokens[RecordKey(token), default: UsageDelta()].reset(periodStart: unixSeconds)
    noteWaiting(now)
  }

  /// Counts one attempt into its channel's present hour.
  package func count(_ attempt: ChannelAttempt, now: Instant) {
    waiting.count(attempt, hour: UnixTime.seconds / 3600)
    noteWaiting(now)
  }

  /// Flushes when the deadline has passed; with nothing to flush, tries a medium that failed.
  package func deadlinePassed(now: Instant) {
    guard let deadline, deadline <= now else { return }
    if waiting.isEmpty { storage.probe() } else { flush(now: now) }
  }

  /// Writes what waits, at once, or as soon as the flush that is under way has ended.
  package func flush(now: Instant) {
    guard pacing.mayBegin(), !isSuspended, !waiting.isEmpty else { return }
    pacing.begin(now: now)
    let contents = waiting
    let (writer, retention, seconds) = (writer, retention, WriteBatch.plausibleSeconds)
    inFlight = contents
    waiting = BatchContents()
    // A busy gateway gathers as many again: growing step by step would copy and map them anew.
    waiting.rows.reserveCapacity(min(contents.rows.count, flushRowCount))
    oldestWaiting = nil
    oldestAudit = nil
    retryAt = nil
    storage.perform(inTransaction: false) { (database: Database) throws(StoreError) in
      writer.write(contents, keeping: retention, at: seconds, in: database)
    } completion: { [self] result in
      switch result {
      case .success(let outcome): finish(outcome, now: .now)
      case .failure(let error): finish(.failed(error), now: .now)
      }
    }
  }

  /// Writes nothing from now on, because the contents of the database are being replaced.
  package func suspend() { isSuspended = true }

  /// Goes on after `suspend`.
  ///
  /// `snapshot`: what the database holds now; nil when it is as it was. What waits is dropped
  /// then, since it speaks of users, tokens and channels that are gone.
  package func resume(with snapshot: Snapshot?) {
    isSuspended = false
    guard let snapshot else { return }
    droppedRowCount += Int64(waiting.rows.count)
    waiting = BatchContents()
    (oldestWaiting, oldestAudit, retryAt) = (nil, nil, nil)
    (modelIDs, modelNames, latestModel) = ([:], [:], (.empty, 0))
    lastLogID = max(lastLogID, snapshot.lastLogID)
    lastAuditID = max(lastAuditID, snapshot.lastAuditID)
    take(snapshot.models)
  }

  private func take(_ models: [ModelRecord]) {
    for model in models {
      modelIDs[model.name] = model.id
      modelNames[model.id] = model.name
      lastModelID = max(lastModelID, model.id)
    }
  }

  /// Writes the rest on the caller's thread, after the storage thread has nothing left to do.
  ///
  /// Returns why it could not.
  func flushForStop(in database: Database) -> StoreError? {
    guard !waiting.isEmpty else { return nil }
    let contents = waiting
    waiting = BatchContents()
    let outcome = writer.write(
      contents, keeping: retention, at: WriteBatch.plausibleSeconds, in: database)
    finish(outcome, now: .now)
    return failure
  }

  /// Unix time; nil while the clock cannot be right.
  private static var plausibleSeconds: Int64? {
    UnixTime.isPlausible ? UnixTime.seconds : nil
  }

  private func noteWaiting(_ now: Instant) {
    if oldestWaiting == nil { oldestWaiting = now }
  }

  private func finish(_ outcome: BatchWriter.Outcome, now: Instant) {
    let wantsAnother = pacing.end(now: now)
    var unwritten = inFlight ?? BatchContents()
    inFlight = nil
    switch outcome {
    case .written:
      failure = nil
      retryMilliseconds = 0
      storage.noteSuccess()
      if wantsAnother || waiting.rows.count >= flushRowCount || waiting.audit.isFull {
        flush(now: now)
      }
      return
    case .writtenWithoutRows(let error):
      failure = error
      unwritten = BatchContents(rows: unwritten.rows)
    case .failed(let error):
      failure = error
    }
    if let failure { storage.note(failure) }
    failedFlushCount += 1
    droppedRowCount += Int64(
      waiting.prepend(unwritten, rowLimit: flushRowCount * WriteBatch.waitingFlushes))
    // A full disk is sound: it is written to as often as one with room, and loses as little.
    let pause =
      failure?.kind == .full
      ? intervalMilliseconds : max(intervalMilliseconds, retryMilliseconds * 2)
    retryMilliseconds = min(pause, WriteBatch.retryLimitMilliseconds)
    retryAt = now.advanced(byMilliseconds: retryMilliseconds)
    if !waiting.isEmpty { noteWaiting(now) }
    if wantsAnother { flush(now: now) }
  }
}

// Audit rows.
extension WriteBatch {
  /// The id of an audit row for what happens now.
  package func makeAuditID() -> Int64 {
    lastAuditID = LogID.next(after: lastAuditID, atSecond: UnixTime.seconds)
    return lastAuditID
  }

  /// Adds an audit row of what changes no setting, such as a login; repeats become one row.
  package func append(_ row: AuditRecord, now: Instant) {
    waiting.audit.append(row)
    if oldestAudit == nil { oldestAudit = now }
    if waiting.audit.isFull, failure == nil { flush(now: now) }
  }
}
