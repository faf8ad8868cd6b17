// SPDX-License-Identifier: MIT
import Platform
import Store

/// Where one request may still go.
///
/// For each model: the channels of the caller's groups, in the order of the groups and as their
/// strategies choose, then the first group's explicit fallback channels. The models: the one
/// asked for, the offline model if the internet is gone, then its fallbacks.
struct Route {
  enum Availability: Equatable, Sendable {
    case ready
    /// Nothing here but channels that take no more requests at once; `ignoresBusy` goes on.
    case busy
    case none
  }

  /// One attempt: `take` begins it, `ChannelHealth.end` ends it.
  struct Attempt {
    let channel: Channel
    let ticket: AttemptTicket
    /// Whether another channel could be tried if this one fails.
    let hasAlternative: Bool
  }

  enum Step: Equatable {
    case pinned
    /// Index of one of the caller's groups.
    case group(Int)
    case fallbackChannels
    case end
  }

  enum Source: Equatable {
    case requested
    case offline
    /// Index of one of the model's fallbacks.
    case fallback(Int)
  }

  /// A channel that this request does not use again, or one of its keys.
  struct Tried {
    let channelID: Int64
    /// nil: the whole channel.
    let key: ByteString?
  }

  let requested: ByteString
  let groups: [ByteString]
  /// The only channel that may be used, if one is named.
  let pinnedChannel: Int64?
  /// The public model that is tried now.
  private(set) var model: ByteString
  /// For groups that keep a conversation on one channel.
  var stickyHash: UInt64?
  /// Do not wait for busy channels any more.
  var ignoresBusy = false
  /// Nothing better is left: also channels that are not known to be well again.
  private(set) var isLastResort = false
  var step: Step
  var source = Source.requested
  var tried: [Tried] = []
  var attemptsOfModel = 0
  /// What was looked up last, for `take` right after `availability`.
  var rotationHere: Rotation?
  var groupHere: ChannelGroup?
  /// The group whose retries and fallback channels count for this model.
  var policy: ChannelGroup?
  private var hasPolicy = false

  /// `pinned`: the only channel that may be used, whatever its groups and state.
  init(_ model: ByteString, groups: [ByteString], pinned: Int64? = nil) {
    requested = model
    self.model = model
    self.groups = groups
    pinnedChannel = pinned
    step = .end
    restartSteps()
  }

  /// Whether the internet's absence led to another model.
  var isOffline: Bool { source == .offline }

  // Looking.

  /// Goes on to where a channel is left; what is there.
  ///
  /// A busy group is waited for only if none of the later groups is free. Each look begins with
  /// the first group of the model: what was busy or resting may be free by now.
  mutating func availability(at now: Instant, _ context: RoutingContext) -> Availability {
    hasPolicy = false
    if !isSkipping, step != .end { restartSteps() }
    var busyStep: Step?
    while true {
      look(context)
      let found = here(at: now, context)
      if found == .ready { return .ready }
      if found == .busy, !ignoresBusy, busyStep == nil { busyStep = step }
      if let busyStep, !hasNextGroup {
        step = busyStep
        return .busy
      }
      guard moveOn(context) else { return .none }
    }
  }

  private var hasNextGroup: Bool {
    if case .group(let index) = step { index + 1 < groups.count } else { false }
  }

  /// Starts over with channels that are open or resting only because of their breakers.
  ///
  /// For requests that found nothing at all; one early probe at a time is better than none.
  mutating func restartAsLastResort() {
    isLastResort = true
    restart(requested, .requested)
  }

  /// After a pause: what was tried may be tried again.
  mutating func forgive() {
    let spent = source == .requested ? attemptsOfModel : 0
    restart(requested, .requested)
    attemptsOfModel = spent
  }

  /// The channel, whose attempt failed, is well now: that attempt does not count.
  mutating func allowAgain(_ channel: Channel) {
    tried.removeAll { $0.channelID == channel.id }
    if attemptsOfModel > 0, attemptsOfModel < .max { attemptsOfModel -= 1 }
    restartSteps()
  }

  /// Leaves the model: its channels cannot serve this request, however well they are.
  mutating func skipModel() {
    attemptsOfModel = .max
    if step != .end { step = pinnedChannel == nil ? .fallbackChannels : .end }
    tried = []
    isSkipping = true
  }
  var isSkipping = false

  /// Looks up what the step needs; settings may have changed since the last attempt.
  private mutating func look(_ context: RoutingContext) {
    rotationHere = nil
    groupHere = nil
    if case .group(let index) = step {
      let name = groups[index]
      rotationHere = context.channels.rotation(for: model, group: name, localOnly: isOffline)
      groupHere = context.groups.find(name)
    }
    guard !hasPolicy else { return }
    hasPolicy = true
    policy =
      step == .group(0) && rotationHere != nil ? groupHere : context.policy(for: model, groups)
  }

  private mutating func here(at now: Instant, _ context: RoutingContext) -> Availability {
    switch step {
    case .pinned:
      guard let channel = pinnedChannel.flatMap(context.channels.find), channel.serves(model),
        Route.isUntouched(channel, tried), attemptsOfModel < attemptLimit(context)
      else { return .none }
      switch channel.health.readiness(
        at: now, limit: channel.record.maxConcurrency, tried: Route.keys(of: channel, tried),
        early: true)
      {
      case .circuitOpen, .waking:
        let limit = channel.record.maxConcurrency
        return limit > 0 && channel.health.openRequests >= limit ? .busy : .ready
      case .ready: return .ready
      case .busy: return .busy
      case .resting, .keysAside: return .none
      }
    case .group:
      guard attemptsOfModel < attemptLimit(context), let rotation = rotationHere else {
        return .none
      }
      var found = Availability.none
      for channel in rotation.channels {
        switch readiness(of: channel, at: now) {
        case .ready: return .ready
        case .busy: found = .busy
        case .circuitOpen, .resting, .keysAside, .waking, nil: continue
        }
      }
      return found
    case .fallbackChannels:
      let found = fallbackChannels(at: now, context)
      return found.ready.isEmpty ? found.isBusy ? .busy : .none : .ready
    case .end: return .none
    }
  }

  /// nil: this request has tried it, or it is being left alone.
  func readiness(of channel: Channel, at now: Instant) -> ChannelHealth.Readiness? {
    Route.readiness(of: channel, at: now, tried: tried, early: isLastResort)
  }

  /// Without the route, which is large, and would be copied for whoever asks in a closure.
  static func readiness(
    of channel: Channel, at now: Instant, tried: [Tried], early: Bool
  ) -> ChannelHealth.Readiness? {
    guard isUntouched(channel, tried) else { return nil }
    return channel.health.readiness(
      at: now, limit: channel.record.maxConcurrency, tried: keys(of: channel, tried), early: early)
  }

  private static func isUntouched(_ channel: Channel, _ tried: [Tried]) -> Bool {
    !tried.contains { $0.channelID == channel.id && $0.key == nil }
  }

  static func keys(of channel: Channel, _ tried: [Tried]) -> [ByteString] {
    if tried.isEmpty { return [] }
    return tried.compactMap { $0.channelID == channel.id ? $0.key : nil }
  }

  /// The explicit fallback channels that could serve now, in order; whether others only are busy.
  ///
  /// Changes nothing; were it not mutating, the route, which is large, would be copied.
  mutating func fallbackChannels(
    at now: Instant, _ context: RoutingContext
  ) -> (ready: [Channel], isBusy: Bool) {
    var ready: [Channel] = []
    var isBusy = false
    guard !isSkipping else { return (ready, isBusy) }
    for id in policy?.fallbackIDs ?? [] {
      guard let channel = context.fallbackChannel(id, for: model) else { continue }
      switch readiness(of: channel, at: now) {
      case .ready: ready.append(channel)
      case .busy: isBusy = true
      case .circuitOpen, .resting, .keysAside, .waking, nil: continue
      }
    }
    return (ready, isBusy)
  }

  // Moving on.

  private mutating func moveOn(_ context: RoutingContext) -> Bool {
    switch step {
    case .pinned, .end:
      step = .end
      return false
    case .group(let index):
      step = index + 1 < groups.count ? .group(index + 1) : .fallbackChannels
      return true
    case .fallbackChannels: return nextModel(context)
    }
  }

  private mutating func nextModel(_ context: RoutingContext) -> Bool {
    var next = 0
    switch source {
    case .requested:
      if let offline = context.fallbacks.offlineModel(for: requested),
        Outage.isOffline(requested, groups, context.channels)
      {
        restart(offline, .offline)
        return true
      }
    case .offline: break
    case .fallback(let index): next = index + 1
    }
    let others = context.fallbacks.fallbacks(for: requested)
    guard next < others.count else {
      step = .end
      return false
    }
    restart(others[next], .fallback(next))
    return true
  }

  private mutating func restart(_ model: ByteString, _ source: Source) {
    hasPolicy = false
    self.model = model
    self.source = source
    tried = []
    attemptsOfModel = 0
    restartSteps()
  }

  private mutating func restartSteps() {
    isSkipping = false
    step = pinnedChannel != nil ? .pinned : groups.isEmpty ? .fallbackChannels : .group(0)
  }
}
