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
    let changes = gateway.admin.changes
    let admitted = changes.begin { [self] in
      let value: Value
      do throws(AdminError) {
        value = try check()
      } catch {
        reply.fail(error)
        return changes.ended()
      }
      gateway.storage.perform(
        { (database) throws(StoreError) in try write(value, database) },
        completion: { [self] result in
          finish(result, value, committed)
          changes.ended()
        })
    }
    if !admitted { throw .busy }
  }

  private func finish<Value, Written>(
    _ result: Result<Written, StoreError>, _ value: Value,
    _ committed: (Value, Written) throws(AdminError) -> Void
  ) {
    switch result {
    case .success(let written):
      do throws(AdminError) {
        try committed(value, written)
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
    json.key("items")
    json.beginArray()
    let start = Int(min(page.offset, Int64(items.count)))
    for item in items[start...].prefix(Int(page.size)) { try write(item, &json) }
    json.endArray()
    json.member("total", Int64(items.count))
    json.member("page", page.number)
    json.member("page_size", page.size)
  }
}
