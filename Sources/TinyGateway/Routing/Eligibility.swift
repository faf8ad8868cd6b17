// SPDX-License-Identifier: MIT
import Platform
import Store

/// Why a channel cannot take a request for a model now.
enum Ineligibility: Equatable {
  case modelNotListed
  case notInGroup
  case disabled
  /// Off by the gateway, with the reason.
  case autoDisabled(ByteString)
  case weightZero
  /// Every key is rejected or left alone; with a reason, if the vendor gave one.
  case keysAside(ByteString, until: Instant?)
  case circuitOpen(until: Instant?)
  case resting(until: Instant)
  case busy
  case waking

  /// The stable name, as in `/explain`.
  var code: StaticString {
    switch self {
    case .modelNotListed: "model_not_listed"
    case .notInGroup: "not_in_group"
    case .disabled: "disabled"
    case .autoDisabled: "auto_disabled"
    case .weightZero: "weight_zero"
    case .keysAside: "keys_aside"
    case .circuitOpen: "circuit_open"
    case .resting: "resting"
    case .busy: "busy"
    case .waking: "waking"
    }
  }

  /// Whether it lies in the channel's condition, not in settings.
  var isMomentary: Bool {
    switch self {
    case .keysAside, .circuitOpen, .resting, .busy, .waking: true
    case .modelNotListed, .notInGroup, .disabled, .autoDisabled, .weightZero: false
    }
  }

  /// When it may change by itself; nil when that is not known.
  var until: Instant? {
    switch self {
    case .keysAside(_, let until), .circuitOpen(let until): until
    case .resting(let until): until
    case .modelNotListed, .notInGroup, .disabled, .autoDisabled, .weightZero, .busy, .waking: nil
    }
  }
}

/// Whether channels can take requests, and what callers are told when none can.
enum Eligibility {
  /// Why the channel is not chosen for a model by callers of these groups; nil when it could be.
  static func reason(
    _ channel: Channel, _ model: ByteString, groups: [ByteString], at now: Instant
  ) -> Ineligibility? {
    if !channel.serves(model) { return .modelNotListed }
    if !groups.contains(where: { channel.groups.contains($0) }) { return .notInGroup }
    switch channel.record.status {
    case .enabled: break
    case .disabled: return .disabled
    case .autoDisabled: return .autoDisabled(channel.record.statusReason)
    }
    if channel.record.weight == 0 { return .weightZero }
    return obstacle(channel, at: now)
  }

  /// What is in the way at the moment.
  static func obstacle(_ channel: Channel, at now: Instant) -> Ineligibility? {
    let health = channel.health
    switch health.readiness(at: now, limit: channel.record.maxConcurrency) {
    case .ready: return nil
    case .busy: return .busy
    case .waking: return .waking
    case .circuitOpen(let until): return .circuitOpen(until: until)
    case .resting(let until): return .resting(until: until)
    case .keysAside(let until): return .keysAside(health.rejection ?? .empty, until: until)
    }
  }

  /// The error for a model that no settings could serve; nil when some channel or fallback could.
  static func absence(of route: Route, _ context: RoutingContext) -> RelayError? {
    let model = route.requested
    let groups = route.groups
    if let pinned = route.pinnedChannel {
      let serves = context.channels.find(pinned)?.serves(model) ?? false
      return serves ? nil : notFound(model, .modelNotListed)
    }
    if context.serves(model, groups) { return nil }
    if context.fallbacks.fallbacks(for: model).contains(where: { context.serves($0, groups) }) {
      return nil
    }
    let serving = context.channels.serving(model)
    if serving.isEmpty { return notFound(model, .modelNotListed) }
    let inGroups = serving.filter { channel in groups.contains { channel.groups.contains($0) } }
    if inGroups.isEmpty { return notFound(model, .notInGroup) }
    let isWeightless = inGroups.contains { $0.record.status == .enabled }
    return notFound(model, isWeightless ? .weightZero : .disabled)
  }

  private static func notFound(_ model: ByteString, _ reason: Ineligibility) -> RelayError {
    let words: ByteString =
      switch reason {
      case .modelNotListed: " is served by no channel here."
      case .notInGroup: " is served only by channels of other groups than this API key's."
      case .weightZero: " is served only by channels whose weight is 0."
      default: " is served only by channels that are disabled."
      }
    return RelayError(
      404, "invalid_request_error", "model_not_found", "The model " + model + words,
      param: "model")
  }

  /// The error for a request for which no channel was free: the first reason, in words, and when
  /// to come again.
  static func refusal(
    _ route: Route, at now: Instant, _ context: RoutingContext
  ) -> RelayError {
    var channels = route.usualChannels(context)
    if channels.isEmpty {
      let policy = context.policy(for: route.requested, route.groups)
      channels = (policy?.fallbackIDs ?? []).compactMap {
        context.fallbackChannel($0, for: route.requested)
      }
    }
    let obstacles = channels.compactMap { obstacle($0, at: now) }
    guard let first = obstacles.first else {
      return .upstream(503, "no_channel", "No channel could serve this request.")
    }
    let soonest = obstacles.compactMap { $0.until }.min()
    let seconds = soonest.map { max(($0.milliseconds(since: now) + 999) / 1000, 1) } ?? 1
    let model = route.requested
    if obstacles.allSatisfy({ if case .resting = $0 { true } else { false } }) {
      return RelayError(
        429, "rate_limit_error", "rate_limit_exceeded",
        "Every channel for the model " + model + " rests, as its vendor's rate limit asks.",
        retryAfter: seconds)
    }
    let words: ByteString =
      switch first {
      case .busy: " are busy."
      case .keysAside(let reason, _) where !reason.isEmpty:
        " are off: the vendor rejects their keys."
      case .waking: " are being woken."
      default: " are left alone for a moment after failures."
      }
    return RelayError(
      503, "server_error", "no_channel_available",
      "The channels for the model " + model + words, retryAfter: seconds)
  }
}
