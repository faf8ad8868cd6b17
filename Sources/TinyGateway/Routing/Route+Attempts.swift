// SPDX-License-Identifier: MIT
import Platform
import Store

/// Beginning attempts on a route, and what their ends mean for it.
extension Route {
  /// Begins the next attempt; nil unless `availability` has just said `.ready`.
  mutating func take(at now: Instant, _ context: RoutingContext) -> Attempt? {
    guard let (channel, alternatives) = choose(at: now, context) else { return nil }
    let early = isLastResort || step == .pinned
    let keysTried = Route.keys(of: channel, tried)
    guard let ticket = channel.health.begin(at: now, tried: keysTried, early: early) else {
      return nil
    }
    attemptsOfModel = attemptsOfModel == .max ? .max : attemptsOfModel + 1
    let isLimited = step != .fallbackChannels && attemptsOfModel >= attemptLimit(context)
    var hasAlternative = alternatives > 0 && !isLimited
    if !hasAlternative { hasAlternative = hasLaterStage(than: channel, at: now, context) }
    return Attempt(channel: channel, ticket: ticket, hasAlternative: hasAlternative)
  }

  // These change nothing; were they not mutating, the route, which is large, would be copied.

  private mutating func choose(at now: Instant, _ context: RoutingContext) -> (Channel, Int)? {
    switch step {
    case .pinned: return pinnedChannel.flatMap(context.channels.find).map { ($0, 0) }
    case .group:
      guard let rotation = rotationHere else { return nil }
      let isSticky = groupHere?.isSticky ?? false
      let (tried, early) = (tried, isLastResort)
      return rotation.next(
        groupHere?.strategy ?? .weightedRoundRobin, at: now, stickyHash: isSticky ? stickyHash : nil
      ) { Route.readiness(of: $0, at: now, tried: tried, early: early) == .ready }
    case .fallbackChannels:
      let ready = fallbackChannels(at: now, context).ready
      return ready.first.map { ($0, ready.count - 1) }
    case .end: return nil
    }
  }

  /// Whether anything could be tried after the channels of this step.
  private mutating func hasLaterStage(
    than channel: Channel, at now: Instant, _ context: RoutingContext
  ) -> Bool {
    switch step {
    case .pinned, .end: return false
    case .group(let index):
      if attemptsOfModel < attemptLimit(context) {
        for name in groups[(index + 1)...] {
          let later = context.channels.rotation(for: model, group: name, localOnly: isOffline)
          if hasReady(later?.channels ?? [], but: channel, at: now) { return true }
        }
      }
      let further = fallbackChannels(at: now, context).ready
      if hasReady(further, but: channel, at: now) { return true }
    case .fallbackChannels: break
    }
    return hasOtherModel(context)
  }

  private mutating func hasReady(_ channels: [Channel], but channel: Channel, at now: Instant)
    -> Bool
  {
    for other in channels where other.id != channel.id {
      if readiness(of: other, at: now) == .ready { return true }
    }
    return false
  }

  /// Whether a model that is tried later has channels.
  private mutating func hasOtherModel(_ context: RoutingContext) -> Bool {
    var next = 0
    switch source {
    case .requested:
      if let offline = context.fallbacks.offlineModel(for: requested),
        context.serves(offline, groups, localOnly: true)
      {
        return true
      }
    case .offline: break
    case .fallback(let index): next = index + 1
    }
    for other in context.fallbacks.fallbacks(for: requested).dropFirst(next) {
      if context.serves(other, groups) { return true }
    }
    return false
  }

  /// The channel has no words for the request: it is not used again, and no attempt is counted.
  mutating func unsuited(_ attempt: Attempt) {
    tried.append(Tried(channelID: attempt.channel.id, key: nil))
    if attemptsOfModel > 0, attemptsOfModel < .max { attemptsOfModel -= 1 }
  }

  /// The attempt failed: its channel is not used again, or only its key if the fault is the key's.
  mutating func failed(_ attempt: Attempt, isFaultOfKey: Bool) {
    // A fallback channel has one try: the retries do not bound them.
    let hasOtherKeys = isFaultOfKey && step != .fallbackChannels
    tried.append(
      Tried(channelID: attempt.channel.id, key: hasOtherKeys ? attempt.ticket.key : nil))
  }

  /// The channel that `take` would begin an attempt on, taken as tried.
  ///
  /// Nothing is begun, and `turns` keeps copies of the rotations, so that nobody's turn changes.
  mutating func pretend(
    at now: Instant, _ context: RoutingContext, turns: inout [Rotation.Copy]
  ) -> Channel? {
    if let original = rotationHere {
      let known = turns.first { $0.original === original }
      let copy = known ?? Rotation.Copy(of: original)
      if known == nil { turns.append(copy) }
      rotationHere = copy.rotation
    }
    guard let (channel, _) = choose(at: now, context) else { return nil }
    tried.append(Tried(channelID: channel.id, key: nil))
    attemptsOfModel = attemptsOfModel == .max ? .max : attemptsOfModel + 1
    return channel
  }

  /// Milliseconds until the first channel of the model asked for is back from a vendor's rest; nil
  /// when none rests, or longer than `limit`.
  func restPause(at now: Instant, _ context: RoutingContext, upTo limit: Int64) -> Int64? {
    var first: Instant?
    for channel in usualChannels(context) {
      guard case .resting(let until) = channel.health.readiness(at: now, limit: 0) else { continue }
      first = min(first ?? until, until)
    }
    guard let first else { return nil }
    let pause = max(first.milliseconds(since: now) + 1, 1)
    return pause <= limit ? pause : nil
  }

  /// The channels that serve the model asked for when all is well: the pinned one, else those of
  /// the caller's groups.
  func usualChannels(_ context: RoutingContext) -> [Channel] {
    if let pinnedChannel { return context.channels.find(pinnedChannel).map { [$0] } ?? [] }
    return groups.flatMap { context.channels.rotation(for: requested, group: $0)?.channels ?? [] }
  }

  /// Attempts for one model, the first included.
  func attemptLimit(_ context: RoutingContext) -> Int {
    policy?.record.retries.map { Int($0) + 1 } ?? context.attemptLimit
  }

  /// The pause before the next attempt.
  func retryIntervalMilliseconds(
    _ context: RoutingContext, _ configuration: Configuration
  ) -> Int64 {
    policy?.retryIntervalMilliseconds(configuration)
      ?? configuration.retryIntervalMilliseconds
  }
}
