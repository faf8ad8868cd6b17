// SPDX-License-Identifier: MIT
import CPlatform
import Platform

/// One connection to an upstream: sends a request, gives the answer to its exchange, waits in
/// the pool for the next.
package final class ClientConnection: EventHandler {
  let target: ConnectionPool.Target
  let pool: ConnectionPool
  let loop: EventLoop
  var state: ClientConnectionState
  var stream: ByteStream?
  var id = HandlerID.none
  var exchange: (any ClientExchange)?
  var timeouts: ClientTimeouts
  var addresses: [IPAddress] = []
  var nextAddress = 0
  var lastText = ByteString.empty
  /// A part of a head that has arrived.
  let incoming = Buffer()
  var searched = 0
  var decoder = BodyDecoder(.none)
  var answerKeepsAlive = true
  var isHeadRequest = false
  var isLookingUp = false
  var interimCount = 0
  /// Set when the exchange asked for a WebSocket.
  var webSocket: WebSocketClient?
  /// Filled by the exchange before the connection is up.
  let waitingRequest = Buffer()
  var waitingBody: Buffer?
  var leasedAt: Instant
  var connectStarted: Instant
  var lastProgress: Instant

  init(
    pool: ConnectionPool, target: ConnectionPool.Target, exchange: any ClientExchange,
    timeouts: ClientTimeouts
  ) {
    self.pool = pool
    self.target = target
    self.exchange = exchange
    self.timeouts = timeouts
    loop = pool.loop
    state = ClientConnectionState(isSecure: target.url.isSecure)
    leasedAt = pool.loop.now
    connectStarted = pool.loop.now
    lastProgress = pool.loop.now
  }

  func attach(_ id: HandlerID) { self.id = id }

  // For the exchange.

  /// Whether the connection was used before, so that a failure may be the pool's fault.
  package var isReused: Bool { state.isReused }

  /// Bytes queued for the upstream; stop producing above `HTTPLimits.queuedByteCount`.
  package var queuedByteCount: Int {
    waitingRequest.count + (waitingBody?.count ?? 0) + (stream?.queuedByteCount ?? 0)
  }

  /// Where the request's head, and small bodies, are appended.
  package var outgoing: Buffer {
    loop.touch(id)
    guard let stream, isUp else { return waitingRequest }
    return stream.outgoing
  }

  /// Queues a body that stays where it is until it is sent, behind what is in `outgoing`.
  package func send(body: Buffer) {
    loop.touch(id)
    if let stream, isUp { stream.queue(body: body) } else { waitingBody = body }
  }

  /// The exchange accepts more of the answer again.
  package func resume() {
    lastProgress = loop.now  // The silence until now was ours.
    loop.touch(id)
  }

  /// Ends the exchange: nothing more is reported, the connection closes.
  package func cancel() {
    exchange = nil
    if let webSocket { close(webSocket, WebSocketCloseCode.normal) }
    state.cancelled()
    loop.touch(id)
  }

  // What the loop asks.

  package var descriptor: Int32 { stream?.descriptor ?? -1 }
  package var isFinished: Bool { state.phase == .closed }

  package var interest: Interest {
    switch state.phase {
    case .resolving, .closed: return []
    case .connecting: return .write
    case .handshaking, .idle, .awaitingHead:
      return stream?.interest(reading: true) ?? []
    case .readingBody:
      return stream?.interest(reading: exchange?.acceptsAnswer ?? true) ?? []
    }
  }

  package var deadline: Instant? {
    switch state.phase {
    case .resolving, .handshaking:
      return leasedAt.advanced(byMilliseconds: timeouts.connectMilliseconds)
    case .connecting:
      // Every address gets its share of the time, so that a dead first one leaves some.
      let share = timeouts.connectMilliseconds / Int64(max(1, min(addresses.count, 4)))
      return min(
        connectStarted.advanced(byMilliseconds: max(share, 1)),
        leasedAt.advanced(byMilliseconds: timeouts.connectMilliseconds))
    case .idle: return lastProgress.advanced(byMilliseconds: pool.limits.poolIdleMilliseconds)
    case .awaitingHead:
      return lastProgress.advanced(byMilliseconds: timeouts.firstByteMilliseconds)
    case .readingBody:
      // Silence counts only while we listen.
      guard exchange?.acceptsAnswer ?? true else { return nil }
      // Until a WebSocket's first message nothing has been answered yet.
      let isWaiting = webSocket?.isOpen == true && webSocket?.hasReceived == false
      return lastProgress.advanced(
        byMilliseconds: isWaiting ? timeouts.firstByteMilliseconds : timeouts.idleMilliseconds)
    case .closed: return nil
    }
  }

  // What the loop tells.

  package func ready(_ ready: Interest) {
    stream?.noteReady(ready)
    switch state.phase {
    case .resolving, .closed: return
    case .connecting: finishConnect()
    case .handshaking: shakeHands()
    case .idle:
      // The upstream closes, or sends what nobody asked for: of no use either way.
      perform(state.connectionEnded(hasInput: false, completesBody: false))
    case .awaitingHead, .readingBody:
      if !ready.isDisjoint(with: [.read, .hangup]) { read() }
    }
  }

  package func deadlinePassed() {
    if state.phase == .readingBody, !(exchange?.acceptsAnswer ?? true) { return }
    perform(state.deadlinePassed())
  }

  package func settle() {
    // Only now, so that a failure cannot reach the exchange while it is still leasing.
    if state.phase == .resolving, !isLookingUp { resolve() }
    guard let stream, isUp else { return }
    let queued = stream.queuedByteCount
    if stream.flush() > 0 { lastProgress = loop.now }
    let limit = pool.limits.queuedByteCount
    if queued >= limit, stream.queuedByteCount < limit { exchange?.requestDrained() }
    if stream.isBroken, state.phase != .closed {
      // An upstream may refuse early and close: its answer may still be readable.
      if state.phase == .awaitingHead { read() }
      if state.phase == .awaitingHead || state.phase == .readingBody {
        perform(state.connectionEnded(hasInput: !incoming.isEmpty, completesBody: false))
      }
    }
  }

  package func dropped() {
    exchange = nil
    pool.dropped(self)
    stream?.close()
    stream = nil
    incoming.release()
    waitingBody = nil
  }

  var isUp: Bool {
    switch state.phase {
    case .idle, .awaitingHead, .readingBody: true
    case .resolving, .connecting, .handshaking, .closed: false
    }
  }

  /// Takes an idle connection for another exchange.
  func lease(_ exchange: any ClientExchange, _ timeouts: ClientTimeouts) {
    self.exchange = exchange
    self.timeouts = timeouts
    leasedAt = loop.now
    lastProgress = loop.now
    perform(state.leased())
    loop.touch(id)
  }

  var isIdle: Bool { state.phase == .idle && !(stream?.isBroken ?? true) }

  /// The only place where the state's decisions become deeds.
  func perform(_ action: ClientConnectionState.Action) {
    switch action {
    case .wait: break
    case .handshake: startTLS()
    case .connectNext(let kind): connectNext(kind)
    case .fail(let kind):
      let told = exchange
      exchange = nil
      told?.failed(ClientFailure(kind, lastText))
    case .finish(let keep):
      let told = exchange
      exchange = nil
      if keep {
        if let session = stream?.saveSession() { pool.keep(session, for: target) }
        pool.returned(self)
      }
      told?.answerEnded()
    }
    loop.touch(id)
  }
}
