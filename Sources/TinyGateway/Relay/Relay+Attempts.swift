// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Vendors

/// Why an attempt failed, and what that means for channel, key and client.
struct AttemptFailure {
  let kind: ErrorKind
  /// For the log.
  let text: ByteString
  /// What the client is told if nothing better comes.
  let error: RelayError
  let outcome: AttemptOutcome
  /// Whether another channel could do better.
  var mayDifferElsewhere = true
  /// Whether another key of the same channel could.
  var isFaultOfKey = false
  /// The request does not fit into the model's context window.
  var isContextTooLong = false
}

/// A relay's attempts: one channel after the other until one answers.
extension Relay {
  func attempt() {
    let context = gateway.routing
    if attempts > 0, isPastRetryDeadline { return giveUp() }
    switch route.availability(at: gateway.loop.now, context) {
    case .ready:
      guard let attempt = route.take(at: gateway.loop.now, context) else { return giveUp() }
      current = attempt
      channel = attempt.channel
      guard prepareCall(attempt.channel) else { return }
      attempts += 1
      noteTried(attempt.channel.id)
      noteServingModel()
      usesFreshConnection = false
      hasRefreshed = false
      send()
    case .busy: perform(state.foundBusy())
    case .none: attempts == 0 && unfitness == nil ? foundNothing(context) : giveUp()
    }
  }

  private func noteTried(_ id: Int64) {
    if attempts == 1 {
      firstChannel = id
    } else if id != firstChannel, !furtherChannels.contains(id) {
      furtherChannels.append(id)
    }
  }

  /// No channel takes the first attempt: waits for one that rests shortly, else tries early one
  /// whose breaker is open, else says why there is none.
  private func foundNothing(_ context: RoutingContext) {
    let now = gateway.loop.now
    if let pause = route.restPause(at: now, context, upTo: restLimit) {
      route.forgive()
      return perform(state.foundResting(milliseconds: pause))
    }
    guard !route.isLastResort else { return giveUp() }
    route.restartAsLastResort()
    attempt()
  }

  private func giveUp() {
    if error == nil {
      error = unfitness ?? Eligibility.refusal(route, at: gateway.loop.now, gateway.routing)
    }
    perform(state.refused())
  }

  /// The request's age without the time that it was held while a machine woke.
  private var ageMilliseconds: Int64 {
    gateway.loop.now.milliseconds(since: startedAt) - wokenMilliseconds
  }

  private var isPastRetryDeadline: Bool {
    ageMilliseconds >= gateway.configuration.retryDeadlineMilliseconds
  }

  /// How long this request may wait for a vendor's `Retry-After`.
  private var restLimit: Int64 {
    let configuration = gateway.configuration
    let left = configuration.retryDeadlineMilliseconds - ageMilliseconds
    return min(configuration.retryAfterLimitMilliseconds, left)
  }

  /// Sends the request to the chosen channel.
  func send() {
    guard let channel, let current else { return }
    attemptStartedAt = gateway.loop.now
    firstByteAt = nil
    answer = .none
    guard let target = UpstreamCall.target(for: channel, in: gateway) else {
      return attemptFailed(.tls, gateway.tlsProblem, isUnreachable: false)
    }
    guard way == .splice else { return sendChat(channel, current.ticket.key) }
    // A long body is not touched before the connection is up, so that another channel may get it.
    // It cannot be sent again when an idle connection turns out to be closed.
    guard !isPassing else {
      connection = gateway.pool.lease(target, for: self, timeouts: timeouts(current), fresh: true)
      return
    }
    let edited: Buffer
    let upstreamModel = channel.upstreamModel(for: route.model)
    do throws(RelayError) {
      try editBody(channel, upstreamModel)
      edited = body.edited()
    } catch {
      return refuse(error)
    }
    let connection = gateway.pool.lease(
      target, for: self, timeouts: timeouts(current), fresh: usesFreshConnection)
    self.connection = connection
    UpstreamCall.appendHead(
      post: channel.path(of: mode, model: upstreamModel), channel: channel, key: current.ticket.key,
      contentType: body.form?.contentType, bodyByteCount: Int64(edited.count),
      to: connection.outgoing)
    connection.send(body: edited)
  }

  private func editBody(_ channel: Channel, _ upstreamModel: ByteString) throws(RelayError) {
    // The path's model counts, whatever the body has.
    let ownModel = target.namesModelInPath ? (try? body.model()) ?? .empty : model
    try body.edit(
      model: ownModel, upstreamModel: upstreamModel,
      asksUsage: mode.asksUsage && (isPassing || isStream), isPassing: isPassing,
      channel: channel)
  }

  /// Begins to send a long body; from now on it is not held, and there is no other attempt.
  func connected() {
    guard isPassing, !hasBegunPassing, let connection, let channel, let current else { return }
    hasBegunPassing = true
    let upstreamModel = channel.upstreamModel(for: route.model)
    do throws(RelayError) {
      try editBody(channel, upstreamModel)
    } catch {
      return refuse(error)
    }
    // Not every server reads forms in chunks.
    passedByteCount =
      body.form != nil && declaredByteCount > 0 ? declaredByteCount + body.growth : nil
    UpstreamCall.appendHead(
      post: channel.path(of: mode, model: upstreamModel), channel: channel, key: current.ticket.key,
      contentType: body.form?.contentType, bodyByteCount: passedByteCount, to: connection.outgoing)
    let first = Buffer()
    body.startPassing(to: first)
    sendOn(first, connection)
    if bodyIsComplete { finishPassing() }
    // It counts as held until the upstream has taken it.
    if connection.queuedByteCount < gateway.capacity.streamBufferByteCount { releaseHeld() }
    responder.resume()
  }

  /// A channel is given up sooner while another one is left.
  func timeouts(_ attempt: Route.Attempt) -> ClientTimeouts {
    var timeouts = attempt.channel.timeouts
    let isWakeable = attempt.channel.wakeAddress != nil
    guard attempt.hasAlternative || isWakeable else { return timeouts }
    let configuration = gateway.configuration
    func shorten(_ own: Int64, _ limit: Int64) -> Int64 { limit > 0 ? min(own, limit) : own }
    timeouts.connectMilliseconds = shorten(
      timeouts.connectMilliseconds, configuration.failoverConnectMilliseconds)
    // A long body has no other attempt by then.
    guard attempt.hasAlternative, !isPassing else { return timeouts }
    timeouts.firstByteMilliseconds = shorten(
      timeouts.firstByteMilliseconds, configuration.failoverFirstByteMilliseconds)
    return timeouts
  }

  func requestDrained() {
    if hasBegunPassing { releaseHeld() }
    responder.resume()
  }

  func failed(_ failure: ClientFailure) {
    connection = nil
    if failure.kind == .stale, !isPassing, !usesFreshConnection {
      usesFreshConnection = true
      return send()
    }
    attemptFailed(
      failure.kind.errorKind, failure.text.isEmpty ? ByteString(failure.kind.words) : failure.text,
      isUnreachable: failure.kind.isUnreachable)
  }

  /// An attempt failed for a reason of the connection.
  func attemptFailed(_ kind: ErrorKind, _ text: ByteString, isUnreachable: Bool = false) {
    let isAsleep = channel.map { mayBeAsleep($0, isUnreachable: isUnreachable) } ?? false
    attemptFailed(
      AttemptFailure(
        kind: kind, text: text, error: RelayError(connectionFailure: kind),
        outcome: isAsleep ? .asleep : .channelFailed(isUnreachable: isUnreachable)))
  }

  /// An attempt failed: tells channel, figures and log, and goes on with the next if there is one.
  func attemptFailed(_ failure: AttemptFailure) {
    let failed = current
    endAttempt(failure.kind, failure.text, failure.outcome)
    note(failure.error)
    guard state.phase == .awaitingAnswer, let failed else {
      return perform(state.attemptFailed(next: .nothing))
    }
    // What this attempt produced is not what the client is charged for.
    answer = .none
    route.failed(failed, isFaultOfKey: failure.isFaultOfKey)
    perform(state.attemptFailed(next: next(after: failure)))
  }

  /// What follows a failure before the client has seen anything.
  private func next(after failure: AttemptFailure) -> RelayState.Next {
    let now = gateway.loop.now
    let configuration = gateway.configuration
    guard !hasBegunPassing, !isPastRetryDeadline else { return .nothing }
    let context = gateway.routing
    if failure.isContextTooLong {
      route.skipModel()
    } else if !failure.mayDifferElsewhere {
      return .nothing
    }
    let before = route
    let found = route.availability(at: now, context)
    if failure.outcome == .asleep, let channel,
      let next = nextAfterAsleep(channel, hasOther: found != .none)
    {
      // The way goes on from here when the machine is up.
      route = before
      return next
    }
    switch found {
    case .ready, .busy:
      let interval = route.retryIntervalMilliseconds(context, configuration)
      return interval > 0 ? .rest(milliseconds: Relay.jittered(interval)) : .attempt
    case .none:
      guard !failure.isContextTooLong, attempts < route.attemptLimit(context),
        let pause = route.restPause(at: now, context, upTo: restLimit)
      else { return .nothing }
      route.forgive()
      return .rest(milliseconds: pause)
    }
  }

  /// A quarter more or less, so that many clients do not come back at once.
  static func jittered(_ milliseconds: Int64, _ dice: UInt64 = Random.number()) -> Int64 {
    let spread = milliseconds / 2
    guard spread > 0 else { return milliseconds }
    return milliseconds - spread / 2 + Int64(dice % UInt64(spread + 1))
  }

  /// Keeps the error if it tells the client more than the one at hand.
  func note(_ candidate: RelayError) {
    guard let known = error else {
      error = candidate
      return
    }
    if candidate.usefulness >= known.usefulness { error = candidate }
  }
}

/// Waiting for a free channel.
extension Relay: WaitingRequest {
  func enterQueue() {
    let configuration = gateway.configuration
    let now = gateway.loop.now
    let deadline = now.advanced(byMilliseconds: configuration.queueTimeoutMilliseconds)
    if gateway.waitingRoom.enter(
      self, at: now, until: deadline, limit: configuration.queueLimit)
    {
      return
    }
    goOnWithoutBusy("The queue of requests that wait for a channel is full. Try again shortly.")
  }

  func tryAgain() -> Bool {
    guard state.phase == .queued else { return true }
    guard route.availability(at: gateway.loop.now, gateway.routing) != .busy else { return false }
    perform(state.resumed())
    return true
  }

  func waitedTooLong() {
    goOnWithoutBusy("All channels for this model have been busy for too long. Try again shortly.")
  }

  /// Tries what comes after the busy channels, or says that they are.
  private func goOnWithoutBusy(_ sentence: ByteString) {
    route.ignoresBusy = true
    note(
      RelayError(429, "rate_limit_error", "rate_limit_exceeded", sentence, retryAfter: 1))
    perform(state.resumed())
  }
}
