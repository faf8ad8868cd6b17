// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

/// An answer to a management call that is too long for one buffer: produced piece by piece, the
/// next one when the client has taken enough of those before.
final class AdminStream {
  private let reply: AdminReply
  private var responder: Responder?
  /// Bytes that may be queued for the client before production pauses.
  private let queueLimit: Int
  /// Waits for the client.
  private var paused: (() -> Void)?
  private let loop: EventLoop
  private var pace = ClientPace()

  /// Begins the answer, unless nobody waits for it.
  ///
  /// `fields`: header lines such as `Content-Type`, each with its line end.
  init(_ reply: AdminReply, _ loop: EventLoop, queueLimit: Int, fields: (Buffer) -> Void) {
    self.reply = reply
    self.loop = loop
    self.queueLimit = queueLimit
    responder = reply.begin(byteCount: nil, fields: fields)
    guard responder != nil else { return }
    reply.onCancel = { [self] in letGo() }
    reply.onDrained = { [self] in goOn() }
    watch()
  }

  /// Whether nobody waits for more: the client is gone, the answer is complete, or only its head
  /// was wanted.
  var isEnded: Bool { responder.map { !$0.sendsBody || $0.isEnded } ?? true }

  /// Sends a piece; nothing happens when the client is gone.
  func write(_ piece: Buffer) {
    pace.byteCount += Int64(piece.readable.count)
    responder?.write(piece.readable)
  }

  /// Calls `next` when there is room for another piece, and not when the client goes away.
  func whenReady(_ next: @escaping () -> Void) {
    guard let responder else { return }
    if responder.queuedByteCount < queueLimit { return next() }
    paused = next
  }

  /// The answer is complete.
  func end() {
    responder?.end()
    letGo()
  }

  /// The rest cannot be produced: the client sees that the answer is cut.
  func abort() {
    responder?.abort()
    letGo()
  }

  /// Gives the answer up when the client takes it far too slowly.
  private func watch() {
    loop.after(milliseconds: ClientPace.milliseconds) { [self] in
      guard responder != nil else { return }
      if pace.isTooSlow(isWaiting: paused != nil) { return abort() }
      watch()
    }
  }

  private func goOn() {
    let next = paused
    paused = nil
    next?()
  }

  /// Nothing more is sent, and nobody is held by what would have been produced.
  private func letGo() {
    responder = nil
    paused = nil
    reply.onCancel = nil
    reply.onDrained = nil
  }
}
