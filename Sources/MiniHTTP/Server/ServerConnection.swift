// SPDX-License-Identifier: MIT
import Platform

/// One client's TCP connection: reads requests, hands them to the service, sends the answers.
final class ServerConnection: EventHandler {
  private let server: Server
  private let loop: EventLoop
  private let stream: ByteStream
  private let responder: Responder
  private let peerAddress: IPAddress?
  private let isSecure: Bool
  private var state: ServerConnectionState
  private var id = HandlerID.none
  /// Bytes that arrived and are not yet used: a part of a head, or pipelined requests.
  private let incoming = Buffer()
  private var searched = 0
  private var decoder = BodyDecoder(.none)
  private var exchange: (any Exchange)?
  /// When the current phase began, when input last arrived, when output last moved.
  private var phaseStart: Instant
  private var lastInput: Instant
  private var lastOutput: Instant
  private var bodyByteCount: Int64 = 0
  private var lingeredByteCount = 0
  /// Where the server keeps this connection.
  var index = 0

  init(
    server: Server, descriptor: Int32, peerAddress: IPAddress?, tls: TLSStream?
  ) {
    self.server = server
    loop = server.loop
    stream = ByteStream(descriptor: descriptor, tls: tls)
    responder = Responder(stream: stream, loop: server.loop, clock: server.clock)
    state = ServerConnectionState(isSecure: tls != nil)
    self.peerAddress = peerAddress
    isSecure = tls != nil
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
  var isIdle: Bool { state.phase == .idle }
  var address: IPAddress? { peerAddress }
  var idleSince: Instant { lastInput }

  var interest: Interest { stream.interest(reading: state.wantsInput && hasRoom) }

  /// Back-pressure: the exchange does not take more, or too much is pipelined.
  private var hasRoom: Bool {
    switch state.phase {
    case .readingBody: exchange?.acceptsBody ?? true
    case .answering: incoming.count < server.limits.pipelinedByteCount
    case .handshaking, .idle, .readingHead, .flushing, .lingering, .closed: true
    }
  }

  var deadline: Instant? {
    let limits = server.limits
    switch state.phase {
    case .handshaking: return phaseStart.advanced(byMilliseconds: limits.handshakeMilliseconds)
    case .idle: return lastInput.advanced(byMilliseconds: limits.keepAliveMilliseconds)
    case .readingHead: return phaseStart.advanced(byMilliseconds: limits.headMilliseconds)
    case .readingBody:
      // Back-pressure is ours, not the client's fault.
      return hasRoom ? bodyDeadline : nil
    case .answering, .flushing:
      guard stream.queuedByteCount > 0 else { return nil }
      return lastOutput.advanced(byMilliseconds: limits.writeStallMilliseconds)
    case .lingering: return phaseStart.advanced(byMilliseconds: limits.lingeringMilliseconds)
    case .closed: return nil
    }
  }

  /// Silence, or less than the least average speed after the grace time.
  private var bodyDeadline: Instant {
    let limits = server.limits
    let paid = limits.bodyGraceMilliseconds + bodyByteCount * 1000 / limits.bodyBytesPerSecond
    return min(
      lastInput.advanced(byMilliseconds: limits.bodyIdleMilliseconds),
      phaseStart.advanced(byMilliseconds: paid))
  }

  // What the loop tells.

  func ready(_ ready: Interest) {
    if state.phase == .handshaking { return shakeHands() }
    if !ready.isDisjoint(with: [.read, .hangup]) { read() }
  }

  func deadlinePassed() { perform(state.deadlinePassed()) }

  func settle() {
    // An answer that ended may make room for a pipelined request, which may be answered at once.
    while advance() {}
    let queued = stream.queuedByteCount
    if stream.flush() > 0 || queued == 0 { lastOutput = loop.now }
    let limit = server.limits.queuedByteCount
    if queued >= limit, stream.queuedByteCount < limit { exchange?.outputDrained() }
    if stream.isBroken { return perform(state.outputBroke()) }
    if stream.queuedByteCount == 0, responder.isAborted, state.phase == .flushing {
      _ = state.outputBroke()  // An aborted answer is cut, not ended in order.
    } else if stream.queuedByteCount == 0 {
      perform(state.outputSent())
    }
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
    perform(state.stop())
    responder.closeAfterwards()
    loop.touch(id)
  }

  private func shakeHands() {
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

  private func read() {
    var reads = 0
    while state.wantsInput, hasRoom, reads < Sizes.readsPerTurn {
      reads += 1
      switch stream.receive(into: loop.scratch) {
      case .bytes(let count):
        lastInput = loop.now
        take(UnsafeRawBufferPointer(rebasing: loop.scratch[0..<count]))
        if count < loop.scratch.count && !stream.hasPendingInput { return }
      case .wait: return
      case .ended, .failed: return perform(state.clientEnded())
      }
    }
  }

  /// Uses what arrived; what cannot be used yet is kept.
  private func take(_ arrived: UnsafeRawBufferPointer) {
    if state.phase == .lingering {
      lingeredByteCount += arrived.count
      if lingeredByteCount > server.limits.lingeringByteCount { perform(state.deadlinePassed()) }
      return
    }
    if incoming.isEmpty {
      let used = use(arrived.bindMemory(to: UInt8.self).span)
      if used < arrived.count, state.wantsInput {
        incoming.append(UnsafeRawBufferPointer(rebasing: arrived[used...]))
      }
    } else {
      incoming.append(arrived)
      useIncoming()
    }
  }

  private func useIncoming() {
    let used = incoming.withReadable { use($0) }
    incoming.consume(used)
    if incoming.isEmpty { incoming.release() }
  }

  /// Goes on with kept bytes; true when something changed.
  private func advance() -> Bool {
    if responder.isEnded, exchange != nil { finishExchange() }
    guard state.phase == .idle, !incoming.isEmpty else { return false }
    useIncoming()
    return exchange != nil && responder.isEnded
  }

  /// Uses bytes as the state allows; the number used.
  private func use(_ bytes: Span<UInt8>) -> Int {
    var offset = 0
    while offset < bytes.count {
      switch state.phase {
      case .idle, .readingHead:
        if state.phase == .idle { phaseStart = loop.now }
        _ = state.bytesArrived()
        guard parseHead(bytes, &offset) else { return offset }
      case .readingBody: useBody(bytes, &offset)
      case .answering: return offset
      case .handshaking, .flushing, .lingering, .closed: return bytes.count
      }
    }
    return offset
  }

  /// Parses one head; false when more bytes are needed.
  private func parseHead(_ bytes: Span<UInt8>, _ offset: inout Int) -> Bool {
    let rest = bytes.extracting(offset..<bytes.count)
    let head = server.head
    let outcome = RequestParser.parse(
      rest, into: head, limits: server.limits, checked: max(0, searched - 3))
    switch outcome {
    case .needMore:
      searched = rest.count
      return false
    case .bad(let failure):
      searched = 0
      server.refusal = failure.sentence
      perform(state.framingBroke(status: failure.status.code))
      offset = bytes.count
      return false
    case .done(let count):
      searched = 0
      offset += count
      begin(head)
      return true
    }
  }

  private func begin(_ head: RequestHead) {
    head.peerAddress = peerAddress
    head.isSecure = isSecure
    let keepsAlive = head.keepsAlive && !state.isStopping
    responder.reset(
      toHead: head.method == .head, minorVersion: head.minorVersion, keepsAlive: keepsAlive)
    if head.hasUnknownExpectation {
      server.refusal = "Only the expectation 100-continue is known."
      return perform(state.framingBroke(status: 417))
    }
    decoder = BodyDecoder(head.framing)
    let hasBody = head.framing != .none
    bodyByteCount = 0
    phaseStart = loop.now
    let expectsContinue = head.expectsContinue
    guard state.headArrived(hasBody: hasBody) == .begin else { return }
    let exchange = server.service.begin(head, responder)
    self.exchange = exchange
    if !hasBody { return exchange.bodyEnded() }
    if expectsContinue {
      responder.sendContinue()
      loop.touch(id)
    }
  }

  private func useBody(_ bytes: Span<UInt8>, _ offset: inout Int) {
    if responder.isEnded {
      // Refused early: the rest is dropped and the connection closes.
      offset = bytes.count
      return finishExchange()
    }
    switch decoder.next(bytes, at: &offset) {
    case .data(let range):
      bodyByteCount += Int64(range.count)
      exchange?.received(bytes.extracting(range))
      if decoder.isEnded { perform(state.bodyArrived()) }
    case .needMore: break
    case .end: perform(state.bodyArrived())
    case .bad:
      offset = bytes.count
      server.refusal = "The chunked framing of the request body is broken."
      perform(state.framingBroke(status: 400))
    }
  }

  private func finishExchange() {
    exchange = nil
    lastInput = loop.now
    if state.phase == .readingBody { responder.closeAfterwards() }
    perform(state.answerEnded(keepsAlive: responder.keepsAlive))
    loop.touch(id)
  }

  /// The only place where the state's decisions become deeds.
  private func perform(_ action: ServerConnectionState.Action) {
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

  private func refuse(_ status: Int) {
    responder.reset(toHead: false, minorVersion: 1, keepsAlive: false)
    let sentence =
      status == 408 ? "The request did not arrive in time." : server.refusal
    server.service.refuse(Status(status), sentence, responder)
  }

  private func cancelExchange() {
    let cancelled = exchange
    exchange = nil
    cancelled?.cancelled()
  }
}
