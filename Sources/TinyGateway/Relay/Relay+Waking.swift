// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// Channels whose machine sleeps: waking it, and waiting for it.
extension Relay {
  /// Whether a failure to connect may only mean that the channel's machine is asleep.
  func mayBeAsleep(_ channel: Channel, isUnreachable: Bool) -> Bool {
    isUnreachable && channel.wakeAddress != nil
  }

  /// What follows when the channel's machine may be asleep; nil when waking it is no help.
  ///
  /// `hasOther`: whether another channel could serve now.
  func nextAfterAsleep(_ channel: Channel, hasOther: Bool) -> RelayState.Next? {
    guard !wokenChannels.contains(channel.id) else { return nil }
    if channel.record.wakePolicy == .fallback, hasOther {
      wakeInBackground(channel)
      return nil
    }
    wokenChannels.append(channel.id)
    return .wake
  }

  /// Others serve meanwhile; requests come back to the channel when its machine is up.
  private func wakeInBackground(_ channel: Channel) {
    guard !channel.health.isWaking, let mac = channel.wakeAddress else { return }
    let health = channel.health
    health.isWaking = true
    _ = gateway.wakers.wait(
      for: channel, mac: mac, broadcast: channel.wakeBroadcast,
      timeoutMilliseconds: channel.record.wakeTimeoutMilliseconds
    ) { isUp in
      health.isWaking = false
      if isUp { health.recover() }
    }
  }

  /// Wakes the machine of the last attempt's channel and holds the request until it is up.
  func wakeAndWait() {
    guard let channel, let mac = channel.wakeAddress else { return perform(state.resumed()) }
    if isStream, hasComments {
      heartbeat = .whileWaking(
        configuredMilliseconds: gateway.configuration.heartbeatMilliseconds,
        now: gateway.loop.now)
    }
    let began = gateway.loop.now
    wait = gateway.wakers.wait(
      for: channel, mac: mac, broadcast: channel.wakeBroadcast,
      timeoutMilliseconds: channel.record.wakeTimeoutMilliseconds
    ) { [self] isUp in
      wait = nil
      wokenMilliseconds += gateway.loop.now.milliseconds(since: began)
      startConfiguredHeartbeat()
      if isUp {
        channel.health.recover()
        route.allowAgain(channel)
      } else {
        note(
          .upstream(
            504, "upstream_asleep", "The machine behind this model did not wake up in time."))
      }
      perform(state.resumed())
    }
  }

  /// Nobody waits any more.
  func stopWaiting() {
    if let wait { gateway.wakers.cancel(wait) }
    wait = nil
  }
}

/// Comments for streaming clients while nothing else can be sent.
extension Relay {
  /// The heartbeat that the configuration asks for.
  func startConfiguredHeartbeat() {
    let interval = gateway.configuration.heartbeatMilliseconds
    heartbeat =
      isStream && interval > 0 && hasComments
      ? Heartbeat(intervalMilliseconds: interval, now: gateway.loop.now) : nil
  }

  /// Sends a comment if the stream has been silent for the interval; asked once a second.
  func beat() {
    guard var heartbeat, !responder.isEnded else { return }
    // A document must not get a comment into it.
    switch answer {
    case .document, .passage: return
    case .none, .events, .chat, .error: break
    }
    let comment = Buffer()
    let name = gateway.configuration.exposesChannel ? channel?.record.name ?? .empty : .empty
    let reason: Heartbeat.Reason = state.phase == .waking ? .waking(name) : .upstream
    guard heartbeat.beat(reason, now: gateway.loop.now, to: comment) else { return }
    self.heartbeat = heartbeat
    openStream()
    responder.write(comment.readable)
  }

  /// Begins the client's stream: with the first whole event, or with a comment before it.
  func openStream() {
    guard responder.isWaiting else { return }
    responder.begin(.ok, length: nil) { fields in
      fields.append("Content-Type: ")
      fields.append(streamType)
      fields.append("\r\nCache-Control: no-cache\r\n")
      appendAnswerHeaders(to: fields)
    }
  }
}
