// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Vendors

/// Requests and answers that are passed on or converted between formats other than OpenAI's.
extension Relay {
  // The request.

  /// The model asked for, in the path or in the body.
  func requestedModel() throws(RelayError) -> ByteString {
    guard target.namesModelInPath else { return try body.model() }
    guard ModelName.isValid(target.model) else {
      throw .invalidRequest("The model in the address is not a model's name.", param: "model")
    }
    return target.model
  }

  /// Whether the answer is to come as events.
  func wantsStream() throws(RelayError) -> Bool {
    if let isStream = target.isStream { return isStream }
    let wants =
      try mode == .speech
      ? body.wantsSpeechEvents : body.isStream(unlessSaid: target.streamsByDefault)
    if wants, mode.isImages {
      throw .invalidRequest(
        "Images cannot be streamed here: leave the field stream out.", param: "stream")
    }
    return wants && mode.canStream
  }

  /// Whether the body must be there as a whole before any channel is asked: it is converted, or
  /// some channel that serves its model could need that.
  var needsWholeBody: Bool {
    guard mode.asksUsage else { return false }
    guard target.isOpenAIChat || mode == .completions else { return true }
    guard let caller, let model = try? body.model() else { return false }
    func converts(_ model: ByteString) -> Bool {
      gateway.channels.serving(model).contains { channel in
        !channel.vendor.isOpenAI
          && caller.channelGroups.contains { channel.groups.contains($0) }
      }
    }
    return converts(model)
      || gateway.routing.fallbacks.fallbacks(for: model).contains(where: converts)
  }

  static var conversionTooLarge: RelayError {
    .tooLarge(
      """
      The request body is too large for this gateway's memory: for the vendor of this model it \
      must be held whole, since it is written anew in the vendor's format.
      """)
  }

  /// Finds out how the channel is asked, and writes the body where that is not the client's.
  ///
  /// - Returns: false when there is nothing to send: the request is refused, or the next channel
  ///   is tried.
  func prepareCall(_ channel: Channel) -> Bool {
    // A vendor's row is large: it is not copied here.
    guard
      let way = RelayWay.between(
        target, channel.vendor.speaks,
        hasResponses: target.isResponses && channel.vendor.hasResponses)
    else {
      let problem = RelayError.invalidRequest(
        "The call " + ByteString(mode.call) + " is not known to " + ByteString(channel.vendor.name)
          + ", the vendor of the channel that serves this model.")
      passOver(problem)
      return false
    }
    // A client must not reach other calls of the vendor with the channel's key.
    if channel.vendor.quirks.contains(.deployments),
      channel.upstreamModel(for: route.model).bytes.allSatisfy({ $0 == UInt8(ascii: ".") })
    {
      passOver(
        .invalidRequest("The model's name cannot be part of the vendor's path.", param: "model"))
      return false
    }
    self.way = way
    if target.countsTokens, way != .pass {
      answerEstimate()
      return false
    }
    if way == .splice { return true }
    guard !isPassing else {
      passOver(Relay.conversionTooLarge)
      return false
    }
    do throws(ChatProblem) {
      try write(for: channel, way)
      return true
    } catch {
      let refusal = RelayError.invalidRequest(
        error.message, param: error.field.isEmpty ? nil : error.field)
      if error.isOfDialect {
        passOver(refusal)
      } else {
        dropAttempt()
        refuse(refusal)
      }
      return false
    }
  }

  /// Answers how many tokens the prompt has, where the vendor has no such call.
  private func answerEstimate() {
    dropAttempt()
    let body = Buffer()
    var json = JSONWriter(body)
    json.beginObject()
    json.member(target.namesModelInPath ? "totalTokens" : "input_tokens", promptEstimate)
    json.endObject()
    responder.begin(.ok, length: Int64(body.count)) { fields in
      fields.append("Content-Type: application/json\r\n")
      appendAnswerHeaders(to: fields)
    }
    responder.write(body.readable)
    responder.end()
    perform(state.answerEnded())
  }

  private func write(for channel: Channel, _ way: RelayWay) throws(ChatProblem) {
    let conversion =
      conversion ?? ChatConversion(target, model: model, isStream: isStream)
    self.conversion = conversion
    var facts = channel.facts(
      model: channel.upstreamModel(for: route.model), key: current?.ticket.key ?? .empty)
    facts.clientFields = way == .pass ? clientFields : .empty
    facts.countsTokens = target.countsTokens
    guard way == .pass else {
      try conversion.encode(body.held, for: channel.vendor, facts)
      // The request in the hub model is about as long as the client's body.
      let extra = body.byteCount + Int64(conversion.body.count) - conversion.accountedByteCount
      conversion.accountedByteCount += extra
      return gateway.relays.heldByteCount += extra
    }
    body.rename(target.namesModelInPath || facts.model == model ? nil : facts.model)
    conversion.pass(body.edited(), facts)
  }

  /// Leaves a channel that has no words for the request, and tries the next one; it is no failure
  /// of the channel's, and no attempt.
  private func passOver(_ problem: RelayError) {
    guard let unfit = current else { return }
    dropAttempt()
    if unfitness == nil { unfitness = problem }
    route.unsuited(unfit)
    attempt()
  }

  /// Takes an attempt back that has not been made.
  private func dropAttempt() {
    guard let attempt = current else { return }
    current = nil
    attempt.channel.health.end(attempt.ticket, .undecided, at: gateway.loop.now)
    gateway.waitingRoom.channelFreed()
  }

  // The answer.

  /// What the channel's vendor means by its errors.
  var errorFormat: ErrorFormat { channel?.vendor.dialect.errors ?? Dialect.openAIErrors }

  /// The type of a stream in the client's format.
  var streamType: StaticString {
    target.isOpenAIChat
      ? "text/event-stream" : target.dialect.makeWriter(AnswerFacts()).streamType
  }

  /// Whether a stream in the client's format can hold comments.
  var hasComments: Bool { streamType.equals("text/event-stream") }

  func beginChat(_ head: ResponseHead) {
    guard let conversion, let channel else { return }
    var facts = AnswerFacts()
    facts.model = model
    facts.now = UnixTime.seconds
    let stem = Buffer()
    RequestID.append(requestID, to: stem)
    facts.idStem = stem.byteString
    facts.promptEstimate = promptEstimate
    let passage = conversion.makeAnswer(
      channel.vendor.dialect(for: target), facts, passes: way == .pass,
      repair: way == .convert && channel.vendor.isOpenAI ? answerRepair : nil,
      codes: errorCodes)
    if isJSON(head) { passage.expectDocument() }
    answer = .chat(passage)
  }

  /// Longest whole answer of a vendor that is held, in bytes.
  private var answerByteLimit: Int64 {
    min(AnswerDocument.byteLimit, gateway.capacity.bodiesHeldByteCount)
  }

  func receive(_ bytes: Span<UInt8>, _ passage: ChatPassage) {
    let output = gateway.relayOutput
    output.clear()
    let isSound = passage.read(bytes, limit: answerByteLimit, to: output)
    if isStream { send(output, passage) }
    if passage.failure != nil { return endWithFailure(passage) }
    let extra = passage.unaccountedByteCount()
    conversion?.accountedByteCount += extra
    gateway.relays.heldByteCount += extra
    let fits = extra == 0 || gateway.relays.heldByteCount <= gateway.capacity.bodiesHeldByteCount
    guard isSound, fits else {
      return giveUpAnswer("the upstream's answer is broken or too long")
    }
    // A socket may stay open behind the answer.
    if passage.hasFinished, connection?.isWebSocket ?? false {
      connection?.cancel()
      connection = nil
      end(passage)
    }
  }

  private func send(_ output: Buffer, _ passage: ChatPassage) {
    guard passage.hasContent, !output.isEmpty else { return }
    if state.phase == .awaitingAnswer {
      openStream()
      _ = state.answerBegan()
      body.release()
      releaseConversion()
    }
    responder.write(output.readable)
    heartbeat?.sent(now: gateway.loop.now)
  }

  /// No further attempt will be made: what was written for them goes.
  func releaseConversion() {
    guard let conversion else { return }
    gateway.relays.heldByteCount -= conversion.accountedByteCount
    conversion.release()
  }

  private func endWithFailure(_ passage: ChatPassage) {
    guard let failure = passage.failure else { return }
    connection?.cancel()
    connection = nil
    let said = UpstreamError(failure, keepsStatus: channel?.vendor.isOpenAI ?? true)
    if refresh(after: said) { return }
    attemptFailed(because: said, "error within the answer: ")
  }

  func end(_ passage: ChatPassage) {
    let output = gateway.relayOutput
    output.clear()
    let ending = passage.end(to: output)
    if isStream { send(output, passage) }
    if passage.failure != nil { return endWithFailure(passage) }
    if let next = passage.following { return follow(next.url, next.pauseMilliseconds) }
    switch ending {
    case .cut:
      return attemptFailed(.cut, "the upstream ended its answer before it was complete")
    case .unreadable: return attemptFailed(.badAnswer, "the upstream's answer is not understood")
    case .complete: break
    }
    if !isStream {
      let coded = Buffer()
      if mode == .embeddings, body.wantsBase64 {
        var encoder = EmbeddingEncoder()
        output.withReadable { encoder.read($0, to: coded) }
      }
      let text = coded.isEmpty ? output : coded
      responder.begin(.ok, length: Int64(text.count)) { fields in
        fields.append("Content-Type: application/json\r\n")
        appendAnswerHeaders(to: fields)
      }
      responder.write(text.readable)
    }
    responder.end()
    endAttempt(.none, .empty, .answered)
    perform(state.answerEnded())
  }

  /// Tells the client in its own words that the answer will not be completed.
  func breakOff(_ passage: ChatPassage) {
    let event = Buffer()
    let said = passage.failure.map { UpstreamError($0).converted } ?? Relay.interrupted
    passage.fail(said.asClientError, to: event)
    responder.write(event.readable)
    responder.end()
  }
}
