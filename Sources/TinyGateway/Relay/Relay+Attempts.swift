// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

/// A relay's attempts: one channel after the other until one answers.
extension Relay {
  func attempt() {
    guard let next = ChannelSelector.next(candidates, excluding: tried) else {
      perform(state.attemptFailed(mayRetry: false))
      return
    }
    channel = next
    tried.append(next.id)
    usesFreshConnection = false
    send()
  }

  /// Sends the request to the chosen channel.
  func send() {
    guard let channel else { return }
    attemptStartedAt = gateway.loop.now
    answer = .none
    guard let target = UpstreamCall.target(for: channel, in: gateway) else {
      return attemptFailed(.tls, gateway.tlsProblem)
    }
    let edited: Buffer
    do throws(RelayError) {
      try body.edit(
        model: model, upstreamModel: channel.upstreamModel(for: model),
        asksUsage: isPassing ? mode.canStream : isStream,
        isPassing: isPassing)
      edited = isPassing ? Buffer() : body.edited()
    } catch {
      return refuse(error)
    }
    let connection = gateway.pool.lease(
      target, for: self, timeouts: channel.timeouts, fresh: usesFreshConnection)
    self.connection = connection
    UpstreamCall.appendHead(
      post: channel.path(of: mode), channel: channel, key: channel.takeKey(),
      bodyByteCount: isPassing ? nil : Int64(edited.count), to: connection.outgoing)
    guard isPassing else { return connection.send(body: edited) }
    let first = Buffer()
    body.startPassing(to: first)
    releaseHeld()
    MessageWriter.appendChunk(first.readable, to: connection.outgoing)
  }

  func requestDrained() { responder.resume() }

  func failed(_ failure: ClientFailure) {
    connection = nil
    if failure.kind == .stale, !isPassing, !usesFreshConnection {
      usesFreshConnection = true
      return send()
    }
    attemptFailed(failure.kind.errorKind, failure.text)
  }

  /// An attempt failed for a reason of the connection.
  func attemptFailed(_ kind: ErrorKind, _ text: ByteString) {
    recordAttempt(kind, text)
    note(RelayError(connectionFailure: kind))
    perform(state.attemptFailed(mayRetry: mayRetry))
  }

  /// Whether another channel could be tried.
  var mayRetry: Bool {
    !isPassing && candidates.contains { !tried.contains($0.id) }
  }

  /// Keeps the error if it tells the client more than the one at hand.
  func note(_ candidate: RelayError) {
    guard let known = error else {
      error = candidate
      return
    }
    // What concerns the request itself is more useful than what concerns a channel.
    if known.status >= 500 || candidate.status < 500 { error = candidate }
  }
}
