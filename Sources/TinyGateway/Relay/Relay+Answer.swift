// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Vendors

/// What has come of the upstream's answer.
enum Answer {
  case none
  /// Events; `rest` is the beginning of one that is not complete.
  case events(AnswerStream, rest: Buffer)
  /// One JSON document.
  case document(AnswerDocument, status: Int, length: Int64?)
  /// A chat answer in a vendor's own format.
  case chat(ChatPassage)
  /// A recording or a text, which goes through.
  case passage(AnswerPassage)
  /// An answer that is an error: its body, up to a bound.
  case error(status: Int, retryAfter: Int64?, code: ByteString, body: Buffer)
}

/// The upstream's side of a relay.
extension Relay {
  /// Bytes kept of an upstream's error answer.
  private static let errorByteLimit = 16 * 1024

  var acceptsAnswer: Bool {
    responder.queuedByteCount < gateway.capacity.streamBufferByteCount
  }

  func receivedHead(_ head: ResponseHead) {
    firstByteAt = gateway.loop.now
    if let channel, channel.url.isSecure {
      gateway.admin.clockHint.note(head, now: gateway.loop.now)
    }
    let status = head.status.code
    guard (200...299).contains(status) || status == 101 && way != .splice else {
      let rest = head.retryAfterMilliseconds(now: UnixTime.milliseconds)
      let retryAfter = rest.map { ($0 + 999) / 1000 }
      let code = head.value(of: errorFormat.codeField) ?? .empty
      answer = .error(status: status, retryAfter: retryAfter, code: code, body: Buffer())
      return
    }
    if let channel, let microseconds = firstByteMicroseconds {
      channel.health.noteFirstByte(microseconds, at: gateway.loop.now)
    }
    if let coding = head.value(of: .contentEncoding), coding.lowercased != "identity" {
      return giveUpAnswer("the upstream answered compressed")
    }
    guard way == .splice || target.countsTokens else { return beginChat(head) }
    let isEvents =
      head.range(of: .contentType).map {
        head.withBytes($0) { type in
          type.count >= 17 && type.extracting(0..<17).equalsIgnoringCase("text/event-stream")
        }
      } ?? false
    if isEvents {
      answer = .events(
        AnswerStream(
          hidesUsage: body.hidesUsage, isMedia: mode.hasPassage, repair: answerRepair),
        rest: Buffer())
    } else if isPassage(head) {
      beginPassage(head)
    } else {
      guard responder.isWaiting else { return giveUpAnswer("the upstream does not stream") }
      var length: Int64?
      if case .length(let count) = head.framing { length = count }
      guard length ?? 0 <= AnswerDocument.byteLimit else {
        return giveUpAnswer("the upstream's answer is too long")
      }
      embeddingEncoder = mode == .embeddings && body.wantsBase64 ? EmbeddingEncoder() : nil
      answer = .document(
        gateway.relays.takeDocument(), status: status,
        length: embeddingEncoder == nil ? length : nil)
    }
  }

  func receivedBody(_ bytes: Span<UInt8>) {
    switch answer {
    case .none: break
    case .events(let events, let rest): receive(bytes, events, rest)
    case .document(let document, let status, let length):
      document.read(bytes)
      receive(bytes, document, status, length)
    case .chat(let passage): receive(bytes, passage)
    case .passage(let passage): receive(bytes, passage)
    case .error(_, _, _, let body):
      if body.count + bytes.count <= Relay.errorByteLimit { body.append(bytes) }
    }
  }

  private func receive(_ bytes: Span<UInt8>, _ events: AnswerStream, _ rest: Buffer) {
    let output = gateway.relayOutput
    output.clear()
    if rest.isEmpty {
      let used = events.read(bytes, to: output)
      if used < bytes.count { rest.append(bytes.extracting(used..<bytes.count)) }
    } else {
      rest.append(bytes)
      let used = rest.withReadable { events.read($0, to: output) }
      rest.consume(used)
      if rest.isEmpty { rest.release() }
    }
    if rest.count > AnswerStream.eventByteLimit {
      return giveUpAnswer("an event of the stream is too long")
    }
    if !events.hasData, !output.isEmpty {
      // Only comments so far: the client's connection lives, and another channel may still serve.
      openStream()
      responder.write(output.readable)
      heartbeat?.sent(now: gateway.loop.now)
      return
    }
    // Before any content an error event is a failed attempt like any other.
    if events.hasError, state.phase == .awaitingAnswer {
      connection?.cancel()
      connection = nil
      return endWithErrorEvent(events)
    }
    guard !output.isEmpty else { return }
    beginEvents()
    responder.write(output.readable)
    heartbeat?.sent(now: gateway.loop.now)
  }

  private func endWithErrorEvent(_ events: AnswerStream) {
    attemptFailed(
      because: UpstreamError(event: events.errorEvent, format: errorFormat, codes: errorCodes),
      "error event: ")
  }

  /// The answer cannot be used: its connection goes, and the attempt has failed.
  func giveUpAnswer(_ reason: ByteString) {
    connection?.cancel()
    connection = nil
    attemptFailed(.badAnswer, reason)
  }

  /// Content goes to the client: from now on no other channel can be tried.
  private func beginEvents() {
    guard state.phase == .awaitingAnswer else { return }
    openStream()
    _ = state.answerBegan()
    body.release()
  }

  private func receive(
    _ bytes: Span<UInt8>, _ document: AnswerDocument, _ status: Int, _ length: Int64?
  ) {
    guard document.byteCount <= AnswerDocument.byteLimit else {
      return giveUpAnswer("the upstream's answer is too long")
    }
    let output = encoded(bytes)
    if !responder.isWaiting { return responder.write(output?.readable ?? bytes.rawBuffer) }
    document.held.append(output?.readable ?? bytes.rawBuffer)
    guard document.held.count > AnswerDocument.heldByteCount, !document.isBroken else { return }
    beginDocument(status, length)
    responder.write(document.held.readable)
    document.held.release()
    _ = state.answerBegan()
    body.release()
  }

  private func beginDocument(_ status: Int, _ length: Int64?) {
    responder.begin(Status(status), length: length) { fields in
      fields.append("Content-Type: application/json\r\n")
      appendAnswerHeaders(to: fields)
    }
  }

  func answerEnded() {
    connection = nil
    switch answer {
    case .none: attemptFailed(.badAnswer, "the upstream answered nothing")
    case .events(let events, _): end(events)
    case .document(let document, let status, _):
      end(document, status, document.finish() && !(embeddingEncoder?.isBroken ?? false))
    case .chat(let passage): end(passage)
    case .passage(let passage): end(passage)
    case .error(let status, let retryAfter, let code, let body):
      upstreamRefused(status, retryAfter, code, body)
    }
  }

  private func end(_ events: AnswerStream) {
    if events.hasError { return endWithErrorEvent(events) }
    guard events.isComplete else {
      return attemptFailed(.cut, "the upstream ended its stream before the answer was complete")
    }
    beginEvents()
    // Some servers end after the finish reason without the word: clients wait for it.
    if !events.isDone, !mode.hasPassage { responder.write(Relay.done) }
    responder.end()
    endAttempt(.none, .empty, .answered)
    perform(state.answerEnded())
  }

  private func end(_ document: AnswerDocument, _ status: Int, _ isValid: Bool) {
    guard isValid else {
      return attemptFailed(.badAnswer, "the upstream's answer is not valid JSON")
    }
    if responder.isWaiting {
      if document.hasError || !repair(document) {
        return attemptFailed(
          because: UpstreamError(
            event: document.held.byteString, format: errorFormat, codes: errorCodes),
          "an error with status 200: ")
      }
      beginDocument(status, Int64(document.held.count))
      responder.write(document.held.readable)
    }
    responder.end()
    endAttempt(.none, .empty, .answered)
    perform(state.answerEnded())
  }

  private static var done: UnsafeRawBufferPointer {
    let text: StaticString = "data: [DONE]\n\n"
    return UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
  }

  /// The upstream answered with an error status.
  private func upstreamRefused(
    _ status: Int, _ retryAfter: Int64?, _ code: ByteString, _ body: Buffer
  ) {
    let said = UpstreamError(
      status: status, retryAfter: retryAfter, body: body, format: errorFormat, codes: errorCodes,
      code: code, keepsStatus: channel?.vendor.isOpenAI ?? true)
    if refresh(after: said) { return }
    attemptFailed(because: said, ByteString(utf8: "status \(status): "))
  }

  func attemptFailed(because said: UpstreamError, _ prefix: ByteString) {
    attemptFailed(
      AttemptFailure(
        kind: said.kind, text: prefix + said.message,
        error: said.converted, outcome: said.outcome,
        mayDifferElsewhere: said.mayDifferElsewhere(gateway.configuration.retryStatuses),
        isFaultOfKey: said.isFaultOfKey, isContextTooLong: said.isContextTooLong))
  }

  /// Tells the client that an answer under way will not be completed.
  func breakAnswer() {
    if case .chat(let passage) = answer { return breakOff(passage) }
    guard case .events(let events, _) = answer else { return responder.abort() }
    // The upstream's own error event has told it already.
    if events.hasError, !events.hidesError { return responder.end() }
    writeEvent(Relay.interrupted)
    responder.end()
  }

  static var interrupted: RelayError {
    .upstream(502, "stream_interrupted", "The upstream broke off before the answer was complete.")
  }

  /// Tells an error in a stream that has begun.
  func writeEvent(_ error: RelayError) {
    let event = Buffer()
    target.dialect.makeWriter(AnswerFacts()).fail(error.asClientError, to: event)
    responder.write(event.readable)
  }
}
