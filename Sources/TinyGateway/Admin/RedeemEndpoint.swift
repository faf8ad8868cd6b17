// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// A user turns a redemption code into quota.
enum RedeemEndpoint {
  static let all: [Endpoint] = [
    Endpoint(
      method: .post, path: "/api/v1/users/self/redeem", access: .user, fields: ["code"],
      run: .act(redeem))
  ]

  /// Any form is looked up: codes that were imported look different from ours.
  private static let codeByteCounts = 8...64

  /// Administrators make the codes: they would give themselves what only root may give them.
  private static let forUsersOnly = AdminError(
    403, "forbidden", "Redemption codes are for users: only root gives quota to an administrator.")

  @Sendable private static func redeem(_ request: AdminRequest) throws(AdminError) {
    let user = try request.user()
    let code = try request.body.requiredText("code", codeByteCounts)
    guard code.bytes.allSatisfy({ $0 &- 0x21 < 0x5E }) else {
      throw .field("code", "must have visible ASCII characters only")
    }
    try checkGuard(request, user)
    let now = RedemptionEndpoints.now
    try request.change(
      { () throws(AdminError) -> ByteString in
        guard user.record.role != .admin else { throw forUsersOnly }
        if user.record.quota == nil { throw UserInput.unlimited }
        return Digest.sha256(code).bytes
      },
      write: { (hash, database) throws(StoreError) -> RedemptionOutcome in
        try RedemptionTable.redeem(
          codeHash: hash, by: user.id, at: now, upTo: Micro.largestQuota, in: database)
      },
      audit: { _, outcome in
        guard case .added(let amount, let code) = outcome else { return nil }
        return AuditNote(
          "redeem", "redemption " + ByteString(number: code) + " +" + ByteString(number: amount))
      },
      committed: { (_, outcome) throws(AdminError) in try finish(request, user, outcome) })
  }

  private static func checkGuard(_ request: AdminRequest, _ user: User) throws(AdminError) {
    let delay = request.gateway.admin.loginGuard.delay(
      address: request.address, account: account(user), now: request.gateway.loop.now)
    if let delay {
      throw .tooMany("too_many_failures", "Too many wrong codes", milliseconds: delay)
    }
  }

  /// Under which name wrong codes are counted; no account's name begins like this.
  ///
  /// Apart from wrong passwords: those that others try must not stand in the way of a code, and a
  /// login must not forgive wrong codes.
  private static func account(_ user: User) -> ByteString {
    "\u{1}redeem " + user.record.username
  }

  private static func finish(
    _ request: AdminRequest, _ user: User, _ outcome: RedemptionOutcome
  ) throws(AdminError) {
    switch outcome {
    case .added(let amount, _):
      let record = try UserInput.adding(amount, to: user.record)
      request.gateway.accounts.put(record)
      request.reply.succeed { json in
        json.beginObject()
        json.member("quota_added", amount)
        json.member("quota", record.quota ?? 0)
        json.endObject()
      }
    case .unknown:
      request.countFailure(account: account(user))
      request.auditAttempt("redeem_failed")
      throw AdminError(404, "unknown_code", "There is no such code: check how it is written.")
    case .refused(let status):
      throw AdminError(409, "code_not_usable", sentence(status))
    case .quotaRefused: throw UserInput.tooMuch
    }
  }

  private static func sentence(_ status: RedemptionStatus) -> ByteString {
    switch status {
    case .expired: "This code has expired."
    case .disabled: "This code is disabled."
    case .used, .unused: "This code was used already."
    }
  }
}
