// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store
import Vendors

/// One forwarded request: the only place that joins a client to an upstream.
///
/// `RelayState` decides; this class acts. Its parts: the client's body (`RequestBody`), the
/// attempts (`Relay+Attempts.swift`), the upstream's answer (`Relay+Answer.swift`), what it costs
/// (`Relay+Charge.swift`) and what is logged (`Relay+Account.swift`).
final class Relay: Exchange, ClientExchange {
  /// Bodies of refused requests up to this size are read, so that the connection survives.
  private static let drainedByteCount: Int64 = 64 * 1024

  let gateway: Gateway
  let responder: Responder
  let target: RelayTarget
  let requestID: Int64
  let startedAt: Instant
  var registryIndex = -1

  var caller: Caller?
  var state: RelayState
  let body: RequestBody
  /// Header lines of the client's that go to a vendor of its dialect.
  var clientFields = ByteString.empty
  var model = ByteString.empty
  /// Some channel of the caller's serves the model.
  var isModelServed = false
  var isStream = false
  var reservation: QuotaLedger.Reservation?
  /// What is charged by, fixed with the reservation.
  var rate = Rate.standard
  /// That of a fallback model, while one is asked.
  var fallbackRate: Rate?
  /// Of a token with limits per minute, once the request is admitted.
  var rateTicket: RateWindow.Ticket?
  var heldByteCount: Int64 = 0
  /// The body streams to the upstream: what has come of it is held until a connection is up.
  var isPassing = false
  /// The upstream gets the body; it is not held any more, and there is no other attempt.
  var hasBegunPassing = false
  /// Bytes that a body which streams will have for the upstream; nil when it goes in chunks.
  var passedByteCount: Int64?
  /// A form without its model may still be meant for the only one that the caller can use.
  var mayAssumeModel = true
  /// Of a text that is to be spoken.
  var spokenCharacters: Int64 = 0
  var bodyIsComplete = false
  /// The body's length as its head gives it; 0 when it does not.
  var declaredByteCount: Int64 = 0

  /// Where the request may go; valid once the model is known.
  var route = Route(.empty, groups: [])
  /// The attempt under way.
  var current: Route.Attempt?
  var attempts = 0
  /// How the current attempt's channel is asked.
  var way = RelayWay.splice
  /// Of a request that goes any other way than `splice`.
  var conversion: ChatConversion?
  /// A call that waits for its access token.
  var tokenWaiter: AccessTokens.Waiter?
  /// The vendor has called this attempt's access token stale once.
  var hasRefreshed = false
  /// Why channels were passed over that cannot express the request.
  var unfitness: RelayError?
  /// Channels tried but for the first, each once.
  var furtherChannels: [Int64] = []
  var firstChannel: Int64 = 0
  /// The channel of the last attempt.
  var channel: Channel?
  var connection: ClientConnection?
  var attemptStartedAt: Instant
  var usesFreshConnection = false

  /// The machine that is waited for, and those that this request has waited for already.
  var wait: WaitID?
  var wokenChannels: [Int64] = []
  /// How long they took: waking is no retry, so it does not count for the retry deadline.
  var wokenMilliseconds: Int64 = 0
  /// Of a stream that gets comments while it is silent.
  var heartbeat: Heartbeat?

  /// What is answered if nothing better comes: the most useful error so far.
  var error: RelayError?
  /// Why the last attempt failed.
  var lastFailure = ErrorKind.none
  /// Why the first attempt failed, and whose it was.
  var firstFailure: (kind: ErrorKind, channelID: Int64) = (.none, 0)
  var answer = Answer.none
  /// Of vectors that the client wants as base64.
  var embeddingEncoder: EmbeddingEncoder?
  var firstByteAt: Instant?

  /// Takes the request over, or prepares its refusal.
  ///
  /// `token`: with which it is made, where the head has no key; see `PlaygroundEndpoints`.
  init(
    target: RelayTarget, head: RequestHead, responder: Responder, gateway: Gateway,
    token: Token? = nil
  ) {
    self.gateway = gateway
    self.responder = responder
    self.target = target
    requestID = gateway.makeRequestID()
    body = gateway.relays.takeBody()
    startedAt = gateway.loop.now
    attemptStartedAt = startedAt
    state = RelayState()
    gateway.relays.add(self, now: startedAt)
    do throws(RelayError) {
      try admit(head, token)
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

  var mode: RelayMode { target.mode }

  func admit(_ head: RequestHead, _ token: Token?) throws(RelayError) {
    guard head.method == .post else { throw .methodNotAllowed("POST") }
    let caller = try Authenticator.authenticate(head, gateway, as: token)
    self.caller = caller
    if gateway.relays.isOverfull {
      throw .overloaded("The gateway is serving as many requests as it can. Try again shortly.")
    }
    for field in target.dialect.passedFields {
      guard let value = head.joinedValues(of: field) else { continue }
      clientFields = clientFields + CallHead.field(field, value)
    }
    try expectForm(head)
    if case .length(let count) = head.framing {
      guard count <= bodyLimit else { throw bodyTooLarge }
      declaredByteCount = count
    }
    if let coding = head.value(of: .contentEncoding), coding.lowercased != "identity" {
      throw RelayError(
        415, "invalid_request_error", "unsupported_encoding",
        "The request body must not be compressed.")
    }
  }

  /// When the whole request takes too long.
  var deadline: Instant {
    startedAt.advanced(byMilliseconds: gateway.configuration.requestTimeoutMilliseconds)
  }

  /// The request takes longer than allowed.
  func deadlinePassed() {
    // An answer under way is no failure of the channel, however long it takes.
    endAttempt(
      .timeout, "the request took too long",
      state.phase == .answering ? .undecided : .channelFailed(isUnreachable: false))
    note(.upstream(504, "timeout", "The request took longer than the gateway allows."))
    perform(state.deadlinePassed())
  }

  /// Checks what the body says and finds the channels that could serve it.
  func prepare() throws(RelayError) {
    guard let caller else { return }
    if bodyIsComplete, body.assumedModel.isEmpty { body.assumedModel = mode.defaultModel }
    model = try requestedModel()
    isStream = try wantsStream()
    if mode.isImages { try body.checkAnswerCount() }
    if mode == .speech { spokenCharacters = body.inputCharacters }
    guard caller.token.allows(model: model) else {
      throw .forbidden(
        "model_not_allowed", "This API key may not use the model " + model + ".")
    }
    let route = Route(model, groups: caller.channelGroups, pinned: caller.pinnedChannel)
    let absence = Eligibility.absence(of: route, gateway.routing)
    self.route = consume route
    if let absence { throw absence }
    isModelServed = true
    if body.form == nil,
      caller.channelGroups.contains(where: { gateway.channelGroups.find($0)?.isSticky ?? false })
    {
      self.route.stickyHash = Conversation.hash(body.held.readable, tokenID: caller.token.id)
    }
    try checkLimits(of: caller.token)
    try reserveQuota(caller)
    countAdmission(of: caller.token)
  }

  // Attempts.

  /// The only place where a relay acts on the world.
  func perform(_ action: RelayState.Action) {
    switch action {
    case .wait: break
    case .attempt: attempt()
    case .rest(let milliseconds):
      gateway.loop.after(milliseconds: milliseconds) { [self] in
        guard state.phase == .resting else { return }
        perform(state.resumed())
      }
    case .queue: enterQueue()
    case .wake: wakeAndWait()
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
    var answered =
      error ?? unfitness
      ?? .upstream(503, "no_channel", "No channel could serve this request.")
    if !furtherChannels.isEmpty {
      answered.message =
        answered.message + " (" + ByteString(number: Int64(furtherChannels.count + 1))
        + " channels tried)"
    }
    if !bodyIsComplete { responder.closeAfterwards() }
    if responder.isWaiting {
      answered.answer(
        responder, requestID: requestID, attempts: attempts, rateStatus: rateStatus,
        dialect: target.dialect)
    } else {
      // A comment has begun the stream, so the error can only be an event.
      writeEvent(answered)
      responder.end()
    }
    finish(.refused(answered))
  }

  func finish(_ ending: Ending) {
    connection?.cancel()
    connection = nil
    gateway.waitingRoom.leave(self)
    stopWaiting()
    tokenWaiter?.cancel()
    tokenWaiter = nil
    endUnfinishedAttempt(ending)
    releaseHeld()
    account(ending, reservation)
    reservation = nil
    gateway.relays.remove(self)
    gateway.relays.giveBack(body)
    if case .document(let document, _, _) = answer { gateway.relays.giveBack(document) }
    answer = .none
    releaseConversion()
    conversion = nil
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
