// SPDX-License-Identifier: MIT
import Platform

/// From arrived bytes to requests and their bodies.
extension ServerConnection {
  func read() {
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
  func take(_ arrived: UnsafeRawBufferPointer) {
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

  func useIncoming() {
    let used = incoming.withReadable { use($0) }
    incoming.consume(used)
    if incoming.isEmpty { incoming.release() }
  }

  /// Goes on with kept bytes; true when something changed.
  func advance() -> Bool {
    if responder.isEnded, exchange != nil { finishExchange() }
    guard state.phase == .idle, !incoming.isEmpty, !isQueueFull else { return false }
    let before = incoming.count
    useIncoming()
    return incoming.count < before
  }

  /// Uses bytes as the state allows; the number used.
  func use(_ bytes: Span<UInt8>) -> Int {
    var offset = 0
    while offset < bytes.count {
      switch state.phase {
      case .idle, .readingHead:
        if isQueueFull { return offset }
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
  func parseHead(_ bytes: Span<UInt8>, _ offset: inout Int) -> Bool {
    let rest = bytes.extracting(offset..<bytes.count)
    let head = server.head
    let outcome = RequestParser.parse(
      rest, into: head, limits: server.limits.head, checked: max(0, searched - 3))
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

  func begin(_ head: RequestHead) {
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

  func useBody(_ bytes: Span<UInt8>, _ offset: inout Int) {
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
}
