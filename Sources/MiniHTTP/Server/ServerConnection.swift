// SPDX-License-Identifier: MIT
import Platform

/// One client's TCP connection: reads requests, hands them to the service, sends the answers.
final class ServerConnection: EventHandler {
  let server: Server
  let loop: EventLoop
  let stream: ByteStream
  let responder: Responder
  let peerAddress: IPAddress?
  let isSecure: Bool
  /// Whether it is beyond the limit, and only told so.
  let isTurnedAway: Bool
  var state: ServerConnectionState
  var id = HandlerID.none
  /// Bytes that arrived and are not yet used: a part of a head, or pipelined requests.
  let incoming = Buffer()
  var searched = 0
  var decoder = BodyDecoder(.none)
  var exchange: (any Exchange)?
  /// When the current phase began, when input last arrived, when output last moved.
  var phaseStart: Instant
  var lastInput: Instant
  var lastOutput: Instant
  var pausedAt: Instant?
  var bodyByteCount: Int64 = 0
  var lingeredByteCount = 0
  /// Where the server keeps this connection.
  var index = 0

  init(
    server: Server, descriptor: Int32, peerAddress: IPAddress?, tls: TLSStream?,
    isTurnedAway: Bool = false
  ) {
    self.server = server
    loop = server.loop
    stream = ByteStream(descriptor: descriptor, tls: tls)
    responder = Responder(stream: stream, loop: server.loop, clock: server.clock)
    state = ServerConnectionState(isSecure: tls != nil)
    self.peerAddress = peerAddress
    isSecure = tls != nil
    self.isTurnedAway = isTurnedAway
    phaseStart = server.loop.now
    lastInput = server.loop.now
    lastOutput = server.loop.now
  }

  func attach(_ id: HandlerID) {
    self.id = id
    responder.attach(id)
  }

  // What the loop asks.

  var descriptor: Int32 { stream.descriptor }
  var isFinished: Bool { state.phase == .closed || stream.isBroken }
  var isIdle: Bool { state.phase == .idle && stream.queuedByteCount == 0 }
  var address: IPAddress? { peerAddress }
  var idleSince: Instant { lastInput }

  var interest: Interest { stream.interest(reading: state.wantsInput && hasRoom) }

  /// Back-pressure: the exchange does not take more, or too much is pipelined.
  var hasRoom: Bool {
    switch state.phase {
    case .readingBody: exchange?.acceptsBody ?? true
    case .answering: incoming.count < server.limits.pipelinedByteCount
    case .idle, .readingHead: !isQueueFull
    case .handshaking, .flushing, .lingering, .closed: true
    }
  }

  /// Earlier answers wait for the client: no further request is begun.
  var isQueueFull: Bool { stream.queuedByteCount >= server.limits.queuedByteCount }

  var deadline: Instant? {
    let limits = server.limits
    switch state.phase {
    case .handshaking: return phaseStart.advanced(byMilliseconds: limits.handshakeMilliseconds)
    case .idle:
      guard stream.queuedByteCount == 0 else { return stallDeadline }
      return max(lastInput, lastOutput).advanced(byMilliseconds: limits.keepAliveMilliseconds)
    case .readingHead: return phaseStart.advanced(byMilliseconds: limits.headMilliseconds)
    case .readingBody:
      // Back-pressure is ours, not the client's fault.
      return hasRoom ? bodyDeadline : nil
    case .answering, .flushing:
      return stream.queuedByteCount > 0 ? stallDeadline : nil
    case .lingering: return phaseStart.advanced(byMilliseconds: limits.lingeringMilliseconds)
    case .closed: return nil
    }
  }

  /// The client takes nothing of what is queued.
  var stallDeadline: Instant {
    lastOutput.advanced(byMilliseconds: server.limits.writeStallMilliseconds)
  }

  /// Silence, or less than the least average speed after the grace time.
  var bodyDeadline: Instant {
    let limits = server.limits
    let paid = limits.bodyGraceMilliseconds + bodyByteCount * 1000 / limits.bodyBytesPerSecond
    return min(
      lastInput.advanced(byMilliseconds: limits.bodyIdleMilliseconds),
      phaseStart.advanced(byMilliseconds: paid))
  }

  // What the loop tells.

  func ready(_ ready: Interest) {
    stream.noteReady(ready)
    if state.phase == .handshaking { return shakeHands() }
    // A reset while we do not read cannot be seen by reading, and takes the output with it.
    if ready.contains(.hangup), !(state.wantsInput && hasRoom) {
      return perform(state.outputBroke())
    }
    if !ready.isDisjoint(with: [.read, .hangup]) { read() }
  }

  func deadlinePassed() { perform(state.deadlinePassed()) }

  func settle() {
    noticePause()
    // What was sent makes room for a pipelined request, which may be answered at once.
    repeat {
      while advance() {}
      send()
    } while !stream.isBroken && advance()
    if stream.isBroken { return perform(state.outputBroke()) }
    guard stream.queuedByteCount == 0 else { return }
    if responder.isAborted, state.phase == .flushing {
      _ = state.outputBroke()  // An aborted answer is cut, not ended in order.
    } else {
      perform(state.outputSent())
    }
  }

  func send() {
    let queued = stream.queuedByteCount
    if stream.flush() > 0 || queued == 0 { lastOutput = loop.now }
    let limit = responder.queueLimit ?? server.limits.queuedByteCount
    if queued >= limit, stream.queuedByteCount < limit { exchange?.outputDrained() }
  }

  /// Takes the time in which we did not read off the client's account.
  func noticePause() {
    let isPaused = state.phase == .readingBody && !hasRoom
    if isPaused, pausedAt == nil { pausedAt = loop.now }
    guard !isPaused, let since = pausedAt else { return }
    pausedAt = nil
    lastInput = loop.now
    phaseStart = phaseStart.advanced(byMilliseconds: loop.now.milliseconds(since: since))
  }

  func dropped() {
    if let exchange {
      self.exchange = nil
      exchange.cancelled()
    }
    server.connectionDropped(self)
    stream.close()
    incoming.release()
  }

  /// The server goes down.
  func stop() {
    perform(state.stop(hasOutput: stream.queuedByteCount > 0))
    responder.closeAfterwards()
    loop.touch(id)
  }

  /// No place is left: answers without reading a request.
  func turnAway() { perform(state.turnedAway()) }

  func shakeHands() {
    switch stream.handshake() {
    case .bytes:
      perform(state.handshakeEnded())
      phaseStart = loop.now
      lastInput = loop.now
      if stream.hasPendingInput { read() }
    case .wait: break
    case .ended, .failed: perform(state.clientEnded())
    }
  }

  func finishExchange() {
    exchange = nil
    lastInput = loop.now
    if state.phase == .readingBody { responder.closeAfterwards() }
    perform(state.answerEnded(keepsAlive: responder.keepsAlive))
    loop.touch(id)
  }

  /// The only place where the state's decisions become deeds.
  func perform(_ action: ServerConnectionState.Action) {
    switch action {
    case .wait, .parse, .begin: break
    case .endBody: exchange?.bodyEnded()
    case .refuse(let status): refuse(status)
    case .cancel: cancelExchange()
    case .cancelAndRefuse(let status):
      let mayAnswer = responder.isWaiting
      cancelExchange()
      if mayAnswer { refuse(status) }
    case .endOutput:
      stream.endOutput()
      phaseStart = loop.now
    }
    loop.touch(id)
  }

  func refuse(_ status: Int) {
    responder.reset(toHead: false, minorVersion: 1, keepsAlive: false)
    let sentence =
      status == 408 ? "The request did not arrive in time." : server.refusal
    server.service.refuse(Status(status), sentence, responder)
  }

  func cancelExchange() {
    let cancelled = exchange
    exchange = nil
    cancelled?.cancelled()
  }
}
