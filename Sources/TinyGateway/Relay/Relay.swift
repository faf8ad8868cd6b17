// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// One forwarded request: the only place that joins a client to an upstream.
///
/// `RelayState` decides; this class acts. Its parts: the client's body (`RequestBody`), the
/// attempts (this file), the upstream's answer (`Relay+Answer.swift`), and what is charged and
/// logged (`Relay+Account.swift`).
final class Relay: Exchange, ClientExchange {
  /// Bodies of refused requests up to this size are read, so that the connection survives.
  private static let drainedByteCount: Int64 = 64 * 1024

  let gateway: Gateway
  let responder: Responder
  let mode: RelayMode
  let requestID: Int64
  let startedAt: Instant
  var registryIndex = -1

  var caller: Caller?
  var state: RelayState
  let body: RequestBody
  var model = ByteString.empty
  var isStream = false
  var reservation: QuotaLedger.Reservation?
  var heldByteCount: Int64 = 0
  /// The body streams to the upstream and is not held: one attempt only.
  var isPassing = false
  var bodyIsComplete = false

  var candidates: [Channel] = []
  var tried: [Int64] = []
  var attempts = 0
  var channel: Channel?
  var connection: ClientConnection?
  var attemptStartedAt: Instant
  var usesFreshConnection = false

  /// What is answered if nothing better comes: the most useful error so far.
  var error: RelayError?
  var answer = Answer.none
  var firstByteAt: Instant?

  /// Takes the request over, or prepares its refusal.
  init(mode: RelayMode, head: RequestHead, responder: Responder, gateway: Gateway) {
    self.gateway = gateway
    self.responder = responder
    self.mode = mode
    requestID = gateway.makeRequestID()
    body = gateway.relays.takeBody()
    startedAt = gateway.loop.now
    attemptStartedAt = startedAt
    let configuration = gateway.configuration
    state = RelayState(
      attemptLimit: configuration.retries + 1, rests: configuration.retryIntervalMilliseconds > 0)
    gateway.relays.add(self, now: startedAt)
    do throws(RelayError) {
      try admit(head)
    } catch {
      self.error = error
      let mustRead =
        switch head.framing {
        case .none: true
        case .length(let count): count <= Relay.drainedByteCount
        case .chunked, .untilClose: false
        }
      if !mustRead || head.expectsContinue { refuse(error) }
    }
  }

  func admit(_ head: RequestHead) throws(RelayError) {
    guard head.method == .post else { throw .methodNotAllowed("POST") }
    let caller = try Authenticator.authenticate(head, gateway)
    self.caller = caller
    if gateway.relays.isFull {
      throw .overloaded("The gateway is serving as many requests as it can. Try again shortly.")
    }
    if case .length(let count) = head.framing, count > gateway.capacity.bodyByteCount {
      throw bodyTooLarge
    }
    if let coding = head.value(of: .contentEncoding), coding.lowercased != "identity" {
      throw RelayError(
        415, "invalid_request_error", "unsupported_encoding",
        "The request body must not be compressed.")
    }
  }

  var bodyTooLarge: RelayError {
    .tooLarge(
      ByteString(
        utf8: "The request body is larger than \(gateway.capacity.bodyByteCount) bytes, the limit "
          + "here (body_limit_mb)."))
  }

  /// When the whole request takes too long.
  var deadline: Instant {
    startedAt.advanced(byMilliseconds: gateway.configuration.requestTimeoutMilliseconds)
  }

  /// The request takes longer than allowed.
  func deadlinePassed() {
    note(.upstream(504, "timeout", "The request took longer than the gateway allows."))
    perform(state.deadlinePassed())
  }

  // The client's side.

  var acceptsBody: Bool {
    guard isPassing, let connection else { return true }
    return connection.queuedByteCount < gateway.capacity.streamBufferByteCount
  }

  func received(_ bytes: Span<UInt8>) {
    // A relay that has ended gave its body back for the next one to use.
    guard state.phase != .finished, error == nil || state.phase != .readingRequest else { return }
    do throws(RelayError) {
      guard body.byteCount + Int64(bytes.count) <= gateway.capacity.bodyByteCount else {
        throw bodyTooLarge
      }
      if isPassing { return try pass(bytes) }
      try body.append(bytes)
      try hold(bytes.count)
    } catch {
      refuse(error)
    }
  }

  /// Accounts for held bytes; lets a long body through once its model is known.
  func hold(_ count: Int) throws(RelayError) {
    heldByteCount += Int64(count)
    gateway.relays.heldByteCount += Int64(count)
    if body.byteCount > gateway.capacity.bodyHeldByteCount, body.hasModel {
      isPassing = true
      try prepare()
      return perform(state.requestReady())
    }
    guard gateway.relays.heldByteCount > gateway.capacity.bodiesHeldByteCount else { return }
    if heldByteCount > gateway.capacity.bodiesHeldByteCount {
      throw .tooLarge(
        """
        The request body is too large for this gateway's memory. Put the field model before \
        the messages, so that the body can be streamed through.
        """)
    }
    throw .overloaded("The gateway holds as many request bodies as it can. Try again shortly.")
  }

  /// Sends the next bytes of a long body on.
  func pass(_ bytes: Span<UInt8>) throws(RelayError) {
    let edited = Buffer()
    try body.pass(bytes, to: edited)
    // The upstream may have answered or failed already; then the rest is only read.
    guard let connection else { return }
    MessageWriter.appendChunk(edited.readable, to: connection.outgoing)
  }

  func bodyEnded() {
    bodyIsComplete = true
    guard state.phase != .finished else { return }
    if let error, state.phase == .readingRequest { return refuse(error) }
    do throws(RelayError) {
      try body.finish()
      if isPassing {
        isStream = try body.isStream() && mode.canStream
        return finishPassing()
      }
      try prepare()
      perform(state.requestReady())
    } catch {
      refuse(error)
    }
  }

  func finishPassing() {
    let edited = Buffer()
    body.finishPassing(to: edited)
    guard let connection else { return }
    MessageWriter.appendChunk(edited.readable, to: connection.outgoing)
    MessageWriter.appendLastChunk(to: connection.outgoing)
  }

  func cancelled() { perform(state.clientGone()) }

  func outputDrained() { connection?.resume() }

  /// Checks what the body says and finds the channels that could serve it.
  func prepare() throws(RelayError) {
    guard let caller else { return }
    model = try body.model()
    isStream = try body.isStream() && mode.canStream
    guard caller.token.allows(model: model) else {
      throw .forbidden(
        "model_not_allowed", "This API key may not use the model " + model + ".")
    }
    let (eligible, absence) = ChannelSelector.eligible(
      for: model, group: caller.token.channelGroup, pinned: caller.pinnedChannel,
      in: gateway.channels)
    if let absence { throw Relay.absent(model, absence) }
    candidates = eligible
    reservation = QuotaLedger.reserve(
      body.reservation, token: caller.token, user: caller.user)
    if reservation == nil {
      throw RelayError(
        429, "insufficient_quota", "insufficient_quota",
        "The quota of this API key or of its owner does not suffice for this request.")
    }
  }

  private static func absent(_ model: ByteString, _ absence: ChannelSelector.Absence) -> RelayError
  {
    let reason: ByteString =
      switch absence {
      case .unknownModel: " is served by no channel here."
      case .notInGroup: " is served only by channels of other groups than this API key's."
      case .allDisabled: " is served only by channels that are disabled."
      }
    return RelayError(
      404, "invalid_request_error", "model_not_found", "The model " + model + reason,
      param: "model")
  }

  // Attempts.

  /// The only place where a relay acts on the world.
  func perform(_ action: RelayState.Action) {
    switch action {
    case .wait: break
    case .attempt(let number):
      attempts = number
      attempt()
    case .rest:
      gateway.loop.after(milliseconds: gateway.configuration.retryIntervalMilliseconds) { [self] in
        perform(state.rested())
      }
    case .refuse: answerError()
    case .settle: finish(.complete)
    case .breakOff:
      breakAnswer()
      finish(.broken)
    case .abandon: finish(.clientGone)
    }
  }

  // Endings.

  /// Answers with an error that lies here or with the client.
  func refuse(_ error: RelayError) {
    self.error = error
    perform(state.refused())
  }

  func answerError() {
    let answered =
      error ?? .upstream(503, "no_channel", "No channel could serve this request.")
    if !bodyIsComplete { responder.closeAfterwards() }
    answered.answer(responder, requestID: requestID)
    finish(.refused(answered))
  }

  func finish(_ ending: Ending) {
    connection?.cancel()
    connection = nil
    releaseHeld()
    account(ending, reservation)
    reservation = nil
    gateway.relays.remove(self)
    gateway.relays.giveBack(body)
    if case .document(let document, _, _) = answer { gateway.relays.giveBack(document) }
    answer = .none
  }

  func releaseHeld() {
    gateway.relays.heldByteCount -= heldByteCount
    heldByteCount = 0
  }

  /// How a relay ended.
  enum Ending {
    case complete
    case broken
    case clientGone
    case refused(RelayError)
  }
}
