// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// Accounts that strangers make for themselves, where the options allow it.
enum RegistrationEndpoint {
  static let all: [Endpoint] = [
    Endpoint(
      method: .post, path: "/api/v1/auth/register", access: .anyone,
      fields: ["username", "password"], run: .act(register))
  ]

  @Sendable private static func register(_ request: AdminRequest) throws(AdminError) {
    guard request.gateway.options.isRegistrationOpen else { throw closed }
    let password = try request.secret("password", Password.byteCounts)
    // What will be refused need not be hashed first. A taken name counts as an account: names
    // could be tried without end otherwise.
    let record = try input(request, hash: .empty)
    try admit(request)
    try UserEndpoints.checkName(record, request.gateway)
    try request.derive(
      { rounds -> ByteString? in Password.hash(password, rounds: rounds) },
      { (hash) throws(AdminError) in if let hash { try store(request, hash) } })
  }

  private static let closed = AdminError(
    403, "registration_closed",
    "Nobody can register here: ask an administrator for an account.")

  private static func record(
    _ request: AdminRequest, hash: ByteString
  ) throws(AdminError) -> UserRecord {
    let record = try input(request, hash: hash)
    try UserEndpoints.checkName(record, request.gateway)
    return record
  }

  /// The account as the body wants it; its name may be taken.
  private static func input(
    _ request: AdminRequest, hash: ByteString
  ) throws(AdminError) -> UserRecord {
    let gateway = request.gateway
    guard gateway.options.isRegistrationOpen else { throw closed }
    let record = try UserInput.apply(
      request.body, hash: hash, to: UserEndpoints.newRecord(gateway), gateway.userGroups)
    try UserEndpoints.checkCount(gateway)
    return record
  }

  private static func admit(_ request: AdminRequest) throws(AdminError) {
    let gateway = request.gateway
    let delay = gateway.admin.registrations.admit(request.address, now: gateway.loop.now)
    if let delay {
      throw .tooMany(
        "too_many_registrations", "Too many registrations from your address",
        milliseconds: delay)
    }
  }

  private static func store(_ request: AdminRequest, _ hash: ByteString) throws(AdminError) {
    try request.change(
      { () throws(AdminError) -> UserRecord in try record(request, hash: hash) },
      write: { (record, database) throws(StoreError) -> Int64 in
        try UserTable.insert(record, in: database)
      },
      audit: { record, id in
        var user = record
        user.id = id
        return AuditNote("register", "user " + ByteString(number: id), as: user)
      },
      committed: { (record, id) throws(AdminError) in
        var record = record
        record.id = id
        request.gateway.accounts.put(record)
        AuthEndpoints.answerToken(request, record)
      })
  }
}
