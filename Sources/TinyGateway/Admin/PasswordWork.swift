// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

// Passwords in requests: read, checked one at a time off the loop, guarded against guessing.
extension AdminRequest {
  /// Verifications that may wait behind the one under way.
  private static let queuedVerifications = 8

  /// A password in the body, which may hold any character.
  func secret(
    _ field: StaticString, _ length: ClosedRange<Int>
  ) throws(AdminError) -> ByteString {
    guard let value = body.value(field) else { throw .field(field, "is missing") }
    guard let text = value.string, length.contains(text.count) else {
      throw .field(
        field,
        "must be a text of " + ByteString(number: Int64(length.lowerBound)) + " to "
          + ByteString(number: Int64(length.upperBound)) + " bytes")
    }
    return text
  }

  /// What `work` leaves for the loop.
  private final class Box<Value> {
    var value: Value?
    var measuredRounds: Int?
  }

  /// Runs `work` on the password thread, one at a time, then `done` on the loop.
  ///
  /// `work`: gets the rounds that a new password costs, measured there when they are not known.
  ///
  /// Throws 429 when too many wait already.
  func derive<Value>(
    _ work: @escaping (_ rounds: Int) -> Value,
    _ done: @escaping (Value) throws(AdminError) -> Void
  ) throws(AdminError) {
    let worker = gateway.passwordWorker
    guard worker.pendingCount <= AdminRequest.queuedVerifications else {
      throw AdminError(
        429, "too_many_logins", "Too many logins at once: try again in a moment.", retryAfter: 2)
    }
    let box = Box<Value>()
    let known = gateway.passwordRounds
    let job = Job(
      work: {
        if known == nil { box.measuredRounds = PasswordCost.measure() }
        box.value = work(known ?? box.measuredRounds ?? Int(PasswordCost.recommendedRounds))
      },
      completion: { [self] in
        if let measured = box.measuredRounds { gateway.keepPasswordRounds(measured) }
        guard let value = box.value else { return }
        do throws(AdminError) {
          try done(value)
        } catch {
          reply.fail(error)
        }
      })
    do throws(SystemError) {
      try worker.submit(job)
    } catch {
      gateway.log.error("the password thread cannot be started: \(error.text)")
      throw AdminError(503, "busy", "The system has no thread left: try again.", retryAfter: 5)
    }
  }

  /// Throws 429 while the address or the account must wait after wrong passwords.
  func checkGuard(account: ByteString) throws(AdminError) {
    let delay = gateway.admin.loginGuard.delay(
      address: address, account: account, now: gateway.loop.now)
    if let delay {
      throw .tooMany("too_many_failures", "Too many wrong passwords", milliseconds: delay)
    }
  }

  /// Counts a wrong password.
  func countFailure(account: ByteString) {
    gateway.admin.loginGuard.failed(address: address, account: account, now: gateway.loop.now)
  }
}
