// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Testing

@testable import MiniHTTP
@testable import TinyGateway

/// What a reply holds on to: nothing, as soon as it is answered or nobody waits.
struct AdminReplyTests {
  /// As a request: its reply's closures refer to it.
  private final class Owner {
    let reply: AdminReply
    init(_ reply: AdminReply) { self.reply = reply }
  }

  /// Lets `body` use a reply whose closures refer to its owner, then tells whether both are gone.
  private func isForgotten(after body: (Owner) -> Void) throws -> Bool {
    let loop = try EventLoop()
    let responder = Responder(
      stream: ByteStream(descriptor: -1), loop: loop, clock: DateField(loop: loop))
    responder.reset(toHead: false, minorVersion: 1, keepsAlive: true)
    weak var known: Owner?
    do {
      let owner = Owner(AdminReply(responder, requestID: 1))
      owner.reply.onDrained = { _ = owner.reply }
      owner.reply.onCancel = { _ = owner.reply }
      known = owner
      body(owner)
    }
    return known == nil
  }

  @Test func keepsNothingAfterTheAnswer() throws {
    #expect(try isForgotten { owner in owner.reply.succeed { _ in _ = owner.reply } })
    #expect(try isForgotten { $0.reply.fail(.busy) })
    #expect(
      try isForgotten { owner in
        owner.reply.succeed { (_) throws(AdminError) in throw AdminError.busy }
      })
  }

  @Test func keepsNothingWhenTheClientIsGone() throws {
    #expect(try isForgotten { $0.reply.cancel() })
    #expect(
      try isForgotten { owner in
        owner.reply.cancel()
        owner.reply.succeed { _ in _ = owner.reply }
        owner.reply.fail(.busy)
      })
  }

  @Test func answersNothingMoreOnceHandedOver() throws {
    var seen: [Bool] = []
    let isForgotten = try isForgotten { owner in
      let responder = owner.reply.handOver()
      seen.append(responder?.isWaiting == true && owner.reply.isEnded)
      owner.reply.succeed { _ in seen.append(false) }
      owner.reply.fail(.busy)
      seen.append(responder?.isWaiting == true && owner.reply.handOver() == nil)
      owner.reply.cancel()
    }
    #expect(isForgotten && seen == [true, true])
  }

  @Test func tellsOnceThatTheClientIsGone() throws {
    var count = 0
    #expect(
      try isForgotten { owner in
        owner.reply.onCancel = { count += 1 }
        owner.reply.cancel()
        owner.reply.cancel()
      })
    #expect(count == 1)
  }
}
