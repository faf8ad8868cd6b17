// SPDX-License-Identifier: MIT
import Platform
import Store

/// Beginning attempts on a route, and what their ends mean for it.
extension Route {
  /// Begins the next attempt; nil unless `availability` has just said `.ready`.
  mutating func take(at now: Instant, _ context: RoutingContext) -> Attempt? {
    guard let (channel, alternatives) = choose(at: now, context) else { return nil }
    let tried = keysTried(of: channel)
    let isPinned = if case .pinned = step { true } else { false }
    guard
      let ticket = channel.health.begin(at: now, tried: tried, early: isLastResort || isPinned)
    else { return nil }
    attemptsOfModel = attemptsOfModel == .max ? .max : attemptsOfModel + 1
    let isLastTry = attemptsOfModel >= attemptLimit(context)
    let hasAlternative = alternatives > 0 && !isLastTry || hasLaterStage(context)
    return Attempt(channel: channel, ticket: ticket, hasAlternative: hasAlternative)
  }

  private func choose(at now: Instant, _ context: RoutingContext) -> (Channel, Int)? {
    switch step {
    case .pinned(let id): return context.channels.find(id).map { ($0, 0) }
    case .group:
      guard let rotation = rotationHere else { return nil }
      let isSticky = groupHere?.isSticky ?? false
      return rotation.next(
        groupHere?.strategy ?? .weightedRoundRobin, at: now, stickyHash: isSticky ? stickyHash : nil
      ) { readiness(of: $0, at: now) == .ready }
    case .fallbackChannels: return fallbackChannel(at: now, context).map { ($0, 0) }
    case .end: return nil
    }
  }

  /// The attempt failed: its channel is not used again, or only its key if the fault is the key's.
  mutating func failed(_ attempt: Attempt, isFaultOfKey: Bool) {
    tried.append(
      Tried(channelID: attempt.channel.id, key: isFaultOfKey ? attempt.ticket.key : nil))
  }

  /// Milliseconds until the first channel of the model asked for is back from a vendor's rest; nil
  /// when none rests, or longer than `limit`.
  func restPause(at now: Instant, _ context: RoutingContext, upTo limit: Int64) -> Int64? {
    var first: Instant?
    for name in groups {
      for channel in context.channels.rotation(for: requested, group: name)?.channels ?? [] {
        guard case .resting(let until) = channel.health.readiness(at: now, limit: 0) else {
          continue
        }
        first = min(first ?? until, until)
      }
    }
    guard let first else { return nil }
    let pause = max(first.milliseconds(since: now) + 1, 1)
    return pause <= limit ? pause : nil
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
