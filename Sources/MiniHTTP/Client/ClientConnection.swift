// SPDX-License-Identifier: MIT
import CPlatform
import Platform

/// One connection to an upstream: sends a request, gives the answer to its exchange, waits in
/// the pool for the next.
package final class ClientConnection: EventHandler {
  let target: ConnectionPool.Target
  private let pool: ConnectionPool
  private let loop: EventLoop
  private var state: ClientConnectionState
  private var stream: ByteStream?
  private var id = HandlerID.none
  private var exchange: (any ClientExchange)?
  private var timeouts: ClientTimeouts
  private var addresses: [IPAddress] = []
  private var nextAddress = 0
  private var lastText = ByteString.empty
  /// A part of a head that has arrived.
  private let incoming = Buffer()
  private var searched = 0
  private var decoder = BodyDecoder(.none)
  private var answerKeepsAlive = true
  private var isHeadRequest = false
  private var isLookingUp = false
  /// Filled by the exchange before the connection is up.
  private let waitingRequest = Buffer()
  private var waitingBody: Buffer?
  private var leasedAt: Instant
  private var connectStarted: Instant
  private var lastProgress: Instant

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
  package func resume() { loop.touch(id) }

  /// Ends the exchange: nothing more is reported, the connection closes.
  package func cancel() {
    exchange = nil
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
      return lastProgress.advanced(byMilliseconds: timeouts.idleMilliseconds)
    case .closed: return nil
    }
  }

  // What the loop tells.

  package func ready(_ ready: Interest) {
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

  private var isUp: Bool {
    switch state.phase {
    case .idle, .awaitingHead, .readingBody: true
    case .resolving, .connecting, .handshaking, .closed: false
    }
  }

  // Connecting.

  private func resolve() {
    isLookingUp = true
    pool.resolver.resolve(target.url.host) { [self] answer in
      guard state.phase == .resolving else { return }
      switch answer {
      case .failed(let text):
        lastText = text
        perform(state.broke(.resolve))
      case .addresses(let found):
        let allowed = found.filter { pool.policy.allows($0) }
        guard !allowed.isEmpty else {
          lastText = "the address of this host may not be used by a channel"
          return perform(state.broke(.refusedAddress))
        }
        addresses = allowed
        perform(state.addressesArrived())
        connectNext(.connect)
      }
    }
  }

  private func connectNext(_ kind: ClientFailure.Kind) {
    stream?.close()
    stream = nil
    while nextAddress < addresses.count {
      let address = addresses[nextAddress]
      nextAddress += 1
      let connected = address.withBytes {
        cp_connect($0, $1, Int32(target.url.port), address.scope)
      }
      if connected >= 0 {
        stream = ByteStream(descriptor: connected)
        connectStarted = loop.now
        loop.descriptorChanged(id)
        return
      }
      lastText = ByteString(utf8: SystemError.describe(-connected))
    }
    pool.resolver.forget(target.url.host)
    perform(state.broke(kind))
  }

  private func finishConnect() {
    guard let stream else { return }
    let error = cp_socket_error(stream.descriptor)
    if error < 0 {
      lastText = ByteString(utf8: SystemError.describe(-error))
      return perform(state.connectionEnded(hasInput: false, completesBody: false))
    }
    if pool.ownPorts.contains(target.url.port), cp_is_own_peer(stream.descriptor) == 1 {
      lastText = "this is the gateway's own address"
      return perform(state.broke(.refusedAddress))
    }
    perform(state.connected())
    if state.phase == .awaitingHead { sendWaiting() }
  }

  private func startTLS() {
    guard let stream, let context = target.context else {
      lastText = "no TLS context"
      return perform(state.broke(.tls))
    }
    do throws(TLSError) {
      stream.startTLS(
        try TLSStream(
          context: context, descriptor: stream.descriptor, host: target.url.host,
          resuming: pool.session(for: target)))
      shakeHands()
    } catch {
      lastText = error.text
      perform(state.broke(.tls))
    }
  }

  private func shakeHands() {
    guard let stream else { return }
    switch stream.handshake() {
    case .bytes:
      perform(state.handshakeEnded())
      sendWaiting()
      if stream.hasPendingInput { read() }
    case .wait: break
    case .ended, .failed:
      lastText = stream.tlsErrorText
      perform(state.connectionEnded(hasInput: false, completesBody: false))
    }
  }

  private func sendWaiting() {
    guard let stream else { return }
    lastProgress = loop.now
    stream.outgoing.append(contentsOf: waitingRequest)
    waitingRequest.release()
    if let waitingBody { stream.queue(body: waitingBody) }
    waitingBody = nil
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

  // Reading.

  private func read() {
    guard let stream else { return }
    var reads = 0
    while reads < Sizes.readsPerTurn, state.phase == .awaitingHead || state.phase == .readingBody,
      state.phase == .awaitingHead || exchange?.acceptsAnswer ?? true
    {
      reads += 1
      switch stream.receive(into: loop.scratch) {
      case .bytes(let count):
        lastProgress = loop.now
        take(UnsafeRawBufferPointer(rebasing: loop.scratch[0..<count]))
        if count < loop.scratch.count, !stream.hasPendingInput { return }
      case .wait: return
      case .ended:
        return perform(
          state.connectionEnded(hasInput: !incoming.isEmpty, completesBody: decoder.endsAtClose))
      case .failed:
        if lastText.isEmpty { lastText = stream.tlsErrorText }
        return perform(state.connectionEnded(hasInput: !incoming.isEmpty, completesBody: false))
      }
    }
  }

  private func take(_ arrived: UnsafeRawBufferPointer) {
    guard incoming.isEmpty else {
      incoming.append(arrived)
      let used = incoming.withReadable { use($0) }
      incoming.consume(min(used, incoming.count))
      if incoming.isEmpty { incoming.release() }
      return
    }
    let used = use(arrived.bindMemory(to: UInt8.self).span)
    if used < arrived.count { incoming.append(UnsafeRawBufferPointer(rebasing: arrived[used...])) }
  }

  private func use(_ bytes: Span<UInt8>) -> Int {
    var offset = 0
    while true {
      switch state.phase {
      case .awaitingHead:
        guard offset < bytes.count, parseHead(bytes, &offset) else { return offset }
      case .readingBody:
        guard useBody(bytes, &offset) else { return offset }
      case .resolving, .connecting, .handshaking, .idle, .closed: return bytes.count
      }
    }
  }

  /// Parses a head; false when more bytes are needed or the answer is broken.
  private func parseHead(_ bytes: Span<UInt8>, _ offset: inout Int) -> Bool {
    let rest = bytes.extracting(offset..<bytes.count)
    let head = pool.head
    switch ResponseParser.parse(
      rest, into: head, limits: pool.limits, toHead: isHeadRequest, checked: max(0, searched - 3))
    {
    case .needMore:
      searched = rest.count
      return false
    case .bad:
      lastText = "the upstream's answer is not valid HTTP/1.1"
      offset = bytes.count
      perform(state.broke(.badAnswer))
      return false
    case .done(let count):
      searched = 0
      offset += count
      // RFC 9110 §15.2: interim answers come before the real one; 101 was not asked for.
      if head.status.code < 200, head.status.code != 101 { return true }
      answerKeepsAlive = head.keepsAlive
      decoder = BodyDecoder(head.framing)
      perform(state.headArrived())
      exchange?.receivedHead(head)
      return true
    }
  }

  /// Uses body bytes; false when nothing more can be done with these.
  private func useBody(_ bytes: Span<UInt8>, _ offset: inout Int) -> Bool {
    switch decoder.next(bytes, at: &offset) {
    case .data(let range):
      exchange?.receivedBody(bytes.extracting(range))
      return true
    case .needMore: return false
    case .bad:
      lastText = "the chunked framing of the upstream's answer is broken"
      perform(state.broke(.cut))
      return false
    case .end:
      // Bytes behind the answer, or a request not fully sent: the connection is not clean.
      let isClean =
        offset == bytes.count && answerKeepsAlive && queuedByteCount == 0 && stream?.isBroken == false
      perform(state.answerArrived(mayKeep: isClean))
      return false
    }
  }

  /// The only place where the state's decisions become deeds.
  private func perform(_ action: ClientConnectionState.Action) {
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
