// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

// Changes of settings.
extension AdminRequest {
  /// Checks and writes a change of settings with its audit row, after those before it.
  ///
  /// The steps run one after the other even when the client goes away meanwhile: memory must
  /// follow what is on the medium.
  ///
  /// `check`: on the loop: the value to write. What it throws is answered.
  /// `write`: on the storage thread, in one transaction.
  /// `audit`: the same: what the audit row says, which is written in that transaction; nil when
  /// nothing was changed.
  /// `committed`: on the loop, after the commit: updates memory and answers.
  func change<Value, Written>(
    _ check: @escaping () throws(AdminError) -> Value,
    write: @escaping (Value, Database) throws(StoreError) -> Written,
    audit: @escaping (Value, Written) -> AuditNote?,
    committed: @escaping (Value, Written) throws(AdminError) -> Void
  ) throws(AdminError) {
    try perform(Change(check, write: write, audit: audit, committed: committed))
  }

  private func perform(_ change: AnyChange) throws(AdminError) {
    let changes = gateway.admin.changes
    let admitted = changes.begin { [self] in
      do throws(AdminError) {
        try checkCaller()
        try change.check()
      } catch {
        reply.fail(error)
        return changes.ended()
      }
      let blank = blankAuditRow()
      gateway.storage.perform(
        { (database) throws(StoreError) in try change.write(to: database, auditing: blank) },
        completion: { [self] result in
          finish(result, change)
          changes.ended()
        })
    }
    if !admitted { throw .busy }
  }

  private func finish(_ result: Result<Void, StoreError>, _ change: AnyChange) {
    switch result {
    case .success:
      if let note = change.note { writeAuditLine(note) }
      do throws(AdminError) {
        try change.committed()
      } catch {
        reply.fail(error)
      }
    case .failure(let error):
      switch error.kind {
      case .duplicate, .notFound, .constraint: break  // What the caller asked for cannot be.
      default:
        gateway.log.write(.error) { line in
          line.append("a change was not stored: ")
          line.append(error.message)
        }
      }
      reply.fail(AdminError(error))
    }
  }
}

/// The steps of one change of settings, without the types of what they hand on, so that what
/// performs them is compiled once.
private class AnyChange {
  /// What is audited; set when the change has been written.
  fileprivate(set) var note: AuditNote?

  /// On the loop.
  func check() throws(AdminError) {}
  /// On the storage thread; what the audit row says.
  func write(to database: Database) throws(StoreError) -> AuditNote? { nil }
  /// On the loop again.
  func committed() throws(AdminError) {}

  /// On the storage thread: the change and its audit row, in one transaction.
  ///
  /// `blank`: the row but for what the change adds.
  func write(to database: Database, auditing blank: AuditRecord) throws(StoreError) {
    guard let note = try write(to: database) else { return }
    self.note = note
    try AuditTable.insert(note.filling(blank), in: database)
    try AuditTable.trim(in: database)
  }
}

/// The steps of one change of settings with what is handed on from each to the next.
private final class Change<Value, Written>: AnyChange {
  private let checkStep: () throws(AdminError) -> Value
  private let writeStep: (Value, Database) throws(StoreError) -> Written
  private let auditStep: (Value, Written) -> AuditNote?
  private let committedStep: (Value, Written) throws(AdminError) -> Void
  private var value: Value?
  private var written: Written?

  init(
    _ check: @escaping () throws(AdminError) -> Value,
    write: @escaping (Value, Database) throws(StoreError) -> Written,
    audit: @escaping (Value, Written) -> AuditNote?,
    committed: @escaping (Value, Written) throws(AdminError) -> Void
  ) {
    checkStep = check
    writeStep = write
    auditStep = audit
    committedStep = committed
  }

  override func check() throws(AdminError) { value = try checkStep() }

  override func write(to database: Database) throws(StoreError) -> AuditNote? {
    guard let value else { return nil }
    let written = try writeStep(value, database)
    self.written = written
    return auditStep(value, written)
  }

  override func committed() throws(AdminError) {
    guard let value, let written else { return }
    try committedStep(value, written)
  }
}
