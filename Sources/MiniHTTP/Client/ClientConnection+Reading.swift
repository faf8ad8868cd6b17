// SPDX-License-Identifier: MIT
import Platform

/// From arrived bytes to the answer's head and body.
extension ClientConnection {
  func read() {
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

  func take(_ arrived: UnsafeRawBufferPointer) {
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

  func use(_ bytes: Span<UInt8>) -> Int {
    var offset = 0
    while true {
      switch state.phase {
      case .awaitingHead:
        guard offset < bytes.count, parseHead(bytes, &offset) else { return offset }
      case .readingBody:
        if let webSocket, webSocket.isOpen {
          guard useFrames(webSocket, bytes, &offset) else { return offset }
        } else {
          guard useBody(bytes, &offset) else { return offset }
        }
      case .resolving, .connecting, .handshaking, .idle, .closed: return bytes.count
      }
    }
  }

  /// Parses a head; false when more bytes are needed or the answer is broken.
  func parseHead(_ bytes: Span<UInt8>, _ offset: inout Int) -> Bool {
    let rest = bytes.extracting(offset..<bytes.count)
    let head = pool.head
    switch ResponseParser.parse(
      rest, into: head, limits: pool.limits.head, toHead: isHeadRequest,
      checked: max(0, searched - 3))
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
      if head.status.code < 200, head.status.code != 101 {
        interimCount += 1
        guard interimCount <= Sizes.interimAnswers else {
          lastText = "the upstream sends interim answers without end"
          perform(state.broke(.badAnswer))
          return false
        }
        return true
      }
      interimCount = 0
      if head.status.code == 101, !openWebSocket(head) {
        lastText = "the upstream's WebSocket handshake is wrong"
        perform(state.broke(.badAnswer))
        return false
      }
      answerKeepsAlive = head.keepsAlive
      decoder = BodyDecoder(head.framing)
      perform(state.headArrived())
      exchange?.receivedHead(head)
      return true
    }
  }

  /// Uses body bytes; false when nothing more can be done with these.
  func useBody(_ bytes: Span<UInt8>, _ offset: inout Int) -> Bool {
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
        offset == bytes.count && answerKeepsAlive && queuedByteCount == 0 && webSocket == nil
        && stream?.isBroken == false
      perform(state.answerArrived(mayKeep: isClean))
      return false
    }
  }
}
