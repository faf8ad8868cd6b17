// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// What a relay leaves behind: the channel's figures, one row and one line of log.
extension Relay {
  /// Ends the attempt under way: frees its place, tells the channel's health, figures and log.
  func endAttempt(_ kind: ErrorKind, _ text: ByteString, _ outcome: AttemptOutcome) {
    guard let attempt = current else { return }
    current = nil
    attempt.channel.health.end(attempt.ticket, outcome, at: gateway.loop.now)
    gateway.waitingRoom.channelFreed()
    recordAttempt(attempt.channel, kind, text)
  }

  /// The relay ends while an attempt is under way: the client left, or its body turned out bad.
  func endUnfinishedAttempt(_ ending: Ending) {
    switch ending {
    case .clientGone: endAttempt(.clientGone, .empty, .undecided)
    case .broken, .refused, .complete: endAttempt(.gateway, "given up here", .undecided)
    }
  }

  /// From the attempt's beginning to the answer's head.
  var firstByteMicroseconds: Int64? {
    firstByteAt.map { max(($0.nanoseconds - attemptStartedAt.nanoseconds) / 1000, 0) }
  }

  /// Counts one attempt.
  private func recordAttempt(_ channel: Channel, _ kind: ErrorKind, _ text: ByteString) {
    let now = gateway.loop.now
    // A client that leaves is no failure of the channel.
    let isSuccess = kind == .none || kind == .clientGone
    let usage = isSuccess ? producedUsage : Usage()
    let attempt = ChannelAttempt(
      channelID: channel.id, isSuccess: isSuccess, errorKind: kind.rawValue,
      latencyMilliseconds: now.milliseconds(since: attemptStartedAt),
      firstByteMilliseconds: firstByteAt.map { $0.milliseconds(since: attemptStartedAt) },
      promptTokens: usage.promptTokens, completionTokens: usage.completionTokens)
    let seconds = UnixTime.seconds
    channel.statistics.add(attempt, at: seconds)
    // A channel that is gone has no figures on flash; after a restore its id may be another's.
    if gateway.channels.find(channel.id)?.statistics === channel.statistics {
      gateway.batch.count(attempt, now: now)
    }
    guard !isSuccess else { return }
    lastFailure = kind
    if firstFailure.kind == .none { firstFailure = (kind, channel.id) }
    channel.statistics.note(error: ByteString(kind.name) + ": " + text, at: seconds)
    gateway.log.write(.warn) { line in
      line.append("attempt failed request=")
      RequestID.append(requestID, to: line)
      line.append(" channel=")
      line.append(decimal: channel.id)
      line.append(" kind=")
      line.append(kind.name)
      line.append(" reason=")
      line.append(text)
    }
  }

  /// Charges, and writes the row and the line.
  func account(_ ending: Ending, _ reservation: QuotaLedger.Reservation?) {
    var usage = Usage()
    var status = 200
    var kind = ErrorKind.none
    var hasAnswer = false
    switch ending {
    case .complete:
      usage = producedUsage
      hasAnswer = true
    case .broken:
      usage = producedUsage
      kind = lastFailure == .none ? .cut : lastFailure
    case .clientGone:
      // What was produced until then; nothing before the answer's head.
      usage = producedUsage
      kind = .clientGone
      status = 499
      if case .document = answer { hasAnswer = true }
    case .refused(let error):
      status = error.status
      kind = lastFailure == .none ? .gateway : lastFailure
    }
    let charge = charge(usage, hasAnswer: hasAnswer)
    if let reservation { QuotaLedger.settle(reservation, charging: charge) }
    guard let caller else { return logRefusal(status) }
    settleLimits(of: caller.token, tokens: usage.tokens)
    let now = gateway.loop.now
    guard gateway.accounts.user(caller.user.id) === caller.user else {
      // The account is gone; after a restore its ids may be another's.
      return logLine(makeRow(caller, usage, status, kind, now))
    }
    if charge > 0 {
      gateway.batch.addUsage(
        user: caller.user.id, token: caller.token.id, charge: charge, now: now)
    }
    var row = makeRow(caller, usage, status, kind, now)
    row.charge = charge
    logLine(row)
    gateway.batch.append(row, now: now)
  }

  private func makeRow(
    _ caller: Caller, _ usage: Usage, _ status: Int, _ kind: ErrorKind, _ now: Instant
  ) -> LogRecord {
    var row = LogRecord(
      requestID: requestID, userID: caller.user.id, tokenID: caller.token.id,
      channelID: channel?.id ?? 0, modelID: loggedModelID)
    row.promptTokens = usage.promptTokens
    row.completionTokens = usage.completionTokens
    row.cachedTokens = usage.cachedTokens
    row.latencyMilliseconds = now.milliseconds(since: startedAt)
    row.firstByteMilliseconds = firstByteAt.map { $0.milliseconds(since: startedAt) } ?? 0
    row.status = Int64(status)
    row.isStream = isStream
    row.isEstimated = !usage.isReported && usage.tokens > 0
    row.isClientGone = kind == .clientGone
    row.attempts = Int64(attempts)
    row.errorKind = kind.rawValue
    if attempts > 1 {
      row.firstErrorKind = firstFailure.kind.rawValue
      row.firstChannelID = firstFailure.channelID
    }
    if gateway.configuration.logsAddresses { row.client = caller.address }
    return row
  }

  /// The model's id in the log; 0 without one.
  ///
  /// Only names that a channel serves are learned: clients could fill the table with others.
  private var loggedModelID: Int64 {
    if model.isEmpty { return 0 }
    return isModelServed
      ? gateway.batch.modelID(for: model) : gateway.batch.knownModelID(for: model) ?? 0
  }

  private func logRefusal(_ status: Int) {
    gateway.log.write(.info) { line in
      line.append("request=")
      RequestID.append(requestID, to: line)
      line.append(" refused status=")
      line.append(decimal: status)
    }
  }

  private func logLine(_ row: LogRecord) {
    gateway.log.write(.info) { line in
      line.append("request=")
      RequestID.append(requestID, to: line)
      line.append(" token=")
      line.append(decimal: row.tokenID)
      line.append(" model=")
      line.append(model)
      line.append(" channel=")
      line.append(decimal: row.channelID)
      line.append(" status=")
      line.append(decimal: row.status)
      line.append(row.isStream ? " stream" : "")
      line.append(row.isClientGone ? " client_gone" : "")
      line.append(" prompt=")
      line.append(decimal: row.promptTokens)
      line.append(" completion=")
      line.append(decimal: row.completionTokens)
      line.append(" quota=")
      JSONNumber.append(row.charge, decimals: Ratio.placeCount, to: line)
      line.append(" ms=")
      line.append(decimal: row.latencyMilliseconds)
      line.append(" attempts=")
      line.append(decimal: row.attempts)
    }
  }
}
