// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// A management call that its row admits.
final class AdminRequest {
  let gateway: Gateway
  /// From the path; 0 for a path without one.
  let id: Int64
  /// The query's parameters, decoded.
  let parameters: [(name: ByteString, value: ByteString)]
  let body: AdminBody
  /// Who calls; nil only where anyone may.
  let caller: User?
  /// Where from; nil when it cannot be known.
  let address: IPAddress?
  let reply: AdminReply

  init(
    gateway: Gateway, id: Int64, parameters: [(name: ByteString, value: ByteString)],
    body: AdminBody, caller: User?, address: IPAddress?, reply: AdminReply
  ) {
    self.gateway = gateway
    self.id = id
    self.parameters = parameters
    self.body = body
    self.caller = caller
    self.address = address
    self.reply = reply
  }

  /// The account that calls.
  ///
  /// Throws where nobody has logged in.
  func user() throws(AdminError) -> User {
    guard let caller else { throw .loginRequired }
    return caller
  }

  /// The value of a query parameter; nil when it is missing.
  func parameter(_ name: StaticString) -> ByteString? {
    parameters.first { $0.name == name }?.value
  }

  /// Checks and writes a change of settings, after those before it.
  ///
  /// The three steps run one after the other even when the client goes away meanwhile: memory
  /// must follow what is on the medium.
  ///
  /// `check`: on the loop: the value to write. What it throws is answered.
  /// `write`: on the storage thread, in one transaction.
  /// `committed`: on the loop, after the commit: updates memory and answers.
  func change<Value, Written>(
    _ check: @escaping () throws(AdminError) -> Value,
    write: @escaping (Value, Database) throws(StoreError) -> Written,
    committed: @escaping (Value, Written) throws(AdminError) -> Void
  ) throws(AdminError) {
    try perform(Change(check, write: write, committed: committed))
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
      gateway.storage.perform(
        { (database) throws(StoreError) in try change.write(to: database) },
        completion: { [self] result in
          finish(result, change)
          changes.ended()
        })
    }
    if !admitted { throw .busy }
  }

  /// Throws when the account was deleted or disabled while its call waited.
  private func checkCaller() throws(AdminError) {
    guard let caller else { return }
    guard gateway.accounts.user(caller.id) === caller, caller.record.status == .enabled else {
      throw AdminError(401, "session_ended", "This login was ended: log in again.")
    }
  }

  private func finish(_ result: Result<Void, StoreError>, _ change: AnyChange) {
    switch result {
    case .success:
      do throws(AdminError) {
        try change.committed()
      } catch {
        reply.fail(error)
      }
    case .failure(let error):
      gateway.log.write(.error) { line in
        line.append("a change was not stored: ")
        line.append(error.message)
      }
      reply.fail(AdminError(error))
    }
  }

  /// Writes an audit line: who did what to which object, from where; never a secret.
  ///
  /// `username`: for calls without a login.
  /// `target`: such as `channel 7`.
  func audit(
    _ action: StaticString, _ target: ByteString = .empty, as username: ByteString? = nil,
    level: LogLevel = .info
  ) {
    gateway.log.write(level) { line in
      line.append("audit action=")
      line.append(action)
      line.append(" user=")
      line.append(AdminText.quoted(username ?? caller?.record.username ?? .empty))
      line.append(" address=")
      if let address { line.append(address.text) } else { line.append("unknown") }
      if !target.isEmpty {
        line.append(" target=")
        line.append(AdminText.quoted(target))
      }
      line.append(" request=")
      RequestID.append(reply.requestID, to: line)
    }
  }
}

// Lists.
extension AdminRequest {
  /// The page asked for with `page` and `page_size`.
  ///
  /// Throws when one of them is not a number, below 1, or the size is above the limit.
  func page(sizeLimit: Int64 = Store.Page.sizeLimit) throws(AdminError) -> Store.Page {
    let number = try positive("page", upTo: 1_000_000_000) ?? 1
    let size = try positive("page_size", upTo: sizeLimit) ?? min(50, sizeLimit)
    return Store.Page(number: number, size: size)
  }

  private func positive(_ name: StaticString, upTo limit: Int64) throws(AdminError) -> Int64? {
    guard let text = parameter(name) else { return nil }
    guard let value = text.decimal, value >= 1, value <= limit else {
      throw AdminError(
        400, "invalid_parameter",
        ByteString(name) + " must be a whole number from 1 to " + ByteString(number: limit) + ".")
    }
    return value
  }

  /// Writes `items`, `total`, `page` and `page_size` into the open object.
  ///
  /// `items`: the whole list.
  /// `sizeLimit`: the most items of a page.
  func writePage<Item>(
    of items: [Item], sizeLimit: Int64 = Store.Page.sizeLimit, _ json: inout JSONWriter,
    _ write: (Item, inout JSONWriter) throws(AdminError) -> Void
  ) throws(AdminError) {
    let page = try page(sizeLimit: sizeLimit)
    for index in beginPage(page, itemCount: items.count, &json) { try write(items[index], &json) }
    endPage(page, itemCount: items.count, &json)
  }

  // Apart from the above, which is compiled for each kind of item.

  @inline(never)
  private func beginPage(
    _ page: Store.Page, itemCount: Int, _ json: inout JSONWriter
  ) -> Range<Int> {
    json.key("items")
    json.beginArray()
    let start = Int(min(page.offset, Int64(itemCount)))
    return start..<min(start + Int(page.size), itemCount)
  }

  /// Ends the list, then writes `total`, `page` and `page_size`.
  @inline(never)
  func endPage(_ page: Store.Page, itemCount: Int, _ json: inout JSONWriter) {
    json.endArray()
    json.member("total", Int64(itemCount))
    json.member("page", page.number)
    json.member("page_size", page.size)
  }
}

/// The steps of one change of settings, without the types of what they hand on, so that what
/// performs them is compiled once.
private class AnyChange {
  /// On the loop.
  func check() throws(AdminError) {}
  /// On the storage thread.
  func write(to database: Database) throws(StoreError) {}
  /// On the loop again.
  func committed() throws(AdminError) {}
}

/// The steps of one change of settings with what is handed on from each to the next.
private final class Change<Value, Written>: AnyChange {
  private let checkStep: () throws(AdminError) -> Value
  private let writeStep: (Value, Database) throws(StoreError) -> Written
  private let committedStep: (Value, Written) throws(AdminError) -> Void
  private var value: Value?
  private var written: Written?

  init(
    _ check: @escaping () throws(AdminError) -> Value,
    write: @escaping (Value, Database) throws(StoreError) -> Written,
    committed: @escaping (Value, Written) throws(AdminError) -> Void
  ) {
    checkStep = check
    writeStep = write
    committedStep = committed
  }

  override func check() throws(AdminError) { value = try checkStep() }

  override func write(to database: Database) throws(StoreError) {
    guard let value else { return }
    written = try writeStep(value, database)
  }

  override func committed() throws(AdminError) {
    guard let value, let written else { return }
    try committedStep(value, written)
  }
}
