// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// A management call that its row admits.
final class AdminRequest {
  let gateway: Gateway
  /// Its row of the table.
  let endpoint: Endpoint
  /// From the path; 0 for a path without one.
  let id: Int64
  /// The query's parameters, decoded.
  let parameters: [(name: ByteString, value: ByteString)]
  let body: AdminBody
  /// Who calls; nil only where anyone may.
  let caller: User?
  /// With what; nil only where anyone may.
  let credential: Credential?
  /// Where from; nil when it cannot be known.
  let address: IPAddress?
  /// Whether the client's side of the connection is encrypted, so that a cookie must be too.
  let isSecure: Bool
  let reply: AdminReply

  init(
    gateway: Gateway, endpoint: Endpoint, id: Int64,
    parameters: [(name: ByteString, value: ByteString)],
    body: AdminBody, caller: AdminCaller?, address: IPAddress?, isSecure: Bool, reply: AdminReply
  ) {
    self.gateway = gateway
    self.endpoint = endpoint
    self.id = id
    self.parameters = parameters
    self.body = body
    self.caller = caller?.user
    credential = caller?.credential
    self.address = address
    self.isSecure = isSecure
    self.reply = reply
  }

  /// The account that calls.
  ///
  /// Throws where nobody has logged in.
  func user() throws(AdminError) -> User {
    guard let caller else { throw .loginRequired }
    return caller
  }

  /// Throws when the caller may not make this call any more: the account, its role or the
  /// credential may have changed while the body came or other changes went first.
  func checkCaller() throws(AdminError) {
    guard let caller, let credential else { return }
    guard try AdminCaller.account(of: credential, gateway) === caller else {
      throw AdminCaller.ended
    }
    if let refusal = endpoint.refusal(to: caller.record, with: credential) { throw refusal }
  }

  /// The value of a query parameter; nil when it is missing.
  func parameter(_ name: StaticString) -> ByteString? {
    parameters.first { $0.name == name }?.value
  }
}

// Lists.
extension AdminRequest {
  /// The page asked for with `page` and `page_size`.
  ///
  /// Throws when one of them is not a number, below 1, or the size is above the limit.
  ///
  /// `size`: where none is asked for.
  func page(
    sizeLimit: Int64 = Store.Page.sizeLimit, size standard: Int64 = 50
  ) throws(AdminError) -> Store.Page {
    let number = try positive("page", upTo: 1_000_000_000) ?? 1
    let size = try positive("page_size", upTo: sizeLimit) ?? min(standard, sizeLimit)
    return Store.Page(number: number, size: size)
  }

  func positive(_ name: StaticString, upTo limit: Int64) throws(AdminError) -> Int64? {
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
  /// `sizeLimit`: the most items of a page; `size`: how many where none is asked for.
  func writePage<Item>(
    of items: [Item], sizeLimit: Int64 = Store.Page.sizeLimit, size: Int64 = 50,
    _ json: inout JSONWriter,
    _ write: (Item, inout JSONWriter) throws(AdminError) -> Void
  ) throws(AdminError) {
    let page = try page(sizeLimit: sizeLimit, size: size)
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
