// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// `/explain`: for a token and a model, which channels could serve now, in which order, and why
/// the others could not.
enum ExplainEndpoint {
  static let all: [Endpoint] = [
    Endpoint(
      method: .get, path: "/api/v1/explain", access: .admin, parameters: ["token_id", "model"],
      run: .read(explain))
  ]

  @Sendable private static func explain(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    let gateway = request.gateway
    guard let model = request.parameter("model"), ModelName.isValid(model) else {
      throw AdminError(
        400, "invalid_parameter", "model must be the name of a model that a client asks for.")
    }
    guard let id = request.parameter("token_id")?.decimal, let token = gateway.accounts.token(id),
      let user = gateway.accounts.user(token.record.userID),
      TokenEndpoints.isManaged(user, by: try request.user())
    else { throw AdminError(400, "invalid_parameter", "token_id must be the id of a token.") }
    let groups = CallerGroups.of(
      token: token, user: user, in: gateway.userGroups.find(user.record.userGroup))
    let caller = Caller(
      token: token, user: user, address: nil, pinnedChannel: nil, channelGroups: groups,
      ratio: .one)
    let now = gateway.loop.now
    let way = Way(model, groups, gateway, at: now)
    json.beginObject()
    json.member("model", model)
    ChannelEndpoints.write("groups", groups, &json)
    json.key("channels")
    json.beginArray()
    for channel in gateway.channels.all {
      write(channel, model, groups, way, gateway, at: now, &json)
    }
    json.endArray()
    ChannelEndpoints.write(
      "fallback_models", gateway.modelFallbacks.fallbacks(for: model), &json)
    json.key("offline_model")
    if let offline = gateway.modelFallbacks.offlineModel(for: model) {
      json.string(offline)
    } else {
      json.null()
    }
    json.member("wan_down", way.isOffline)
    json.member("answer", answer(model, caller, way, gateway, at: now))
    json.endObject()
  }

  /// The way that a request would go if every attempt failed: what a real one does, played on
  /// copies of the rotations, so that looking changes nobody's turn.
  private struct Way {
    /// Channels in their order, with the public model that each would serve.
    private(set) var steps: [(id: Int64, model: ByteString)] = []
    /// It would wait for a busy channel first.
    private(set) var waits = false
    /// Nothing better being left, a channel would be tried before its time.
    private(set) var isEarly = false
    let isOffline: Bool

    private static let stepLimit = 64

    init(_ model: ByteString, _ groups: [ByteString], _ gateway: Gateway, at now: Instant) {
      isOffline = Outage.isOffline(model, groups, gateway.channels)
      var route = Route(model, groups: groups)
      var turns: [Rotation.Copy] = []
      while steps.count < Way.stepLimit {
        switch route.availability(at: now, gateway.routing) {
        case .ready:
          let served = route.model
          guard let channel = route.pretend(at: now, gateway.routing, turns: &turns) else { return }
          steps.append((channel.id, served))
        case .busy:
          waits = waits || steps.isEmpty
          route.ignoresBusy = true
        case .none:
          guard steps.isEmpty, !route.isLastResort else { return }
          isEarly = true
          route.restartAsLastResort()
        }
      }
    }

    func place(of id: Int64) -> Int? { steps.firstIndex { $0.id == id } }
  }

  private static func write(
    _ channel: Channel, _ model: ByteString, _ groups: [ByteString], _ way: Way,
    _ gateway: Gateway, at now: Instant, _ json: inout JSONWriter
  ) {
    let place = way.place(of: channel.id)
    let isFallback = groups.contains {
      gateway.channelGroups.find($0)?.fallbackIDs.contains(channel.id) ?? false
    }
    var reason = Eligibility.reason(channel, model, groups: groups, at: now)
    // An explicit fallback channel needs neither the group nor a weight.
    if isFallback, reason == .notInGroup || reason == .weightZero {
      reason = Eligibility.obstacle(channel, at: now)
    }
    let isCutOff =
      way.isOffline && !channel.isLocal && channel.health.unreachableSince != nil
    json.beginObject()
    json.member("channel_id", channel.id)
    json.member("name", channel.record.name)
    json.key("group")
    if let group = groups.first(where: { channel.groups.contains($0) }) {
      json.string(group)
    } else {
      json.null()
    }
    json.member("is_fallback", isFallback)
    json.member("eligible", reason == nil)
    json.key("reason")
    if let reason {
      json.string(isCutOff && reason.isMomentary ? "wan_down" : reason.code)
    } else {
      json.null()
    }
    let outage: ByteString =
      isCutOff ? " No cloud service can be reached: the internet seems to be gone." : .empty
    json.member(
      "detail",
      (reason.map { sentence($0, channel, model, at: now) } ?? "It can take a request now.")
        + outage)
    json.member("upstream_model", channel.upstreamModel(for: model))
    json.member("order", place.map { Int64($0 + 1) })
    json.key("serves_model")
    if let place { json.string(way.steps[place].model) } else { json.null() }
    json.endObject()
  }

  /// What a client would be told, or where its request would go.
  private static func answer(
    _ model: ByteString, _ caller: Caller, _ way: Way, _ gateway: Gateway, at now: Instant
  ) -> ByteString {
    let token = caller.token
    guard token.record.status == .enabled, caller.user.record.status == .enabled else {
      return "The token or its owner is disabled."
    }
    if let expiry = token.record.expiresAt, UnixTime.isPlausible, UnixTime.seconds >= expiry {
      return "The token has expired."
    }
    guard token.allows(model: model) else { return "The token may not use this model." }
    let left = min(token.availableMicro ?? .max, caller.user.availableMicro ?? .max)
    guard left > 0 else { return "The quota of the token or of its owner is used up." }
    let route = Route(model, groups: caller.channelGroups)
    if let absence = Eligibility.absence(of: route, gateway.routing) { return absence.message }
    let waiting: ByteString = way.waits ? "All channels are busy: the request waits. " : .empty
    guard let first = way.steps.first, let channel = gateway.channels.find(first.id) else {
      return waiting + Eligibility.refusal(route, at: now, gateway.routing).message
    }
    let other: ByteString =
      first.model == model ? .empty : ", which serves the model " + first.model + " instead"
    let early: ByteString =
      way.isEarly ? ", before its time, since no other channel is left" : .empty
    return waiting + "The request goes to the channel "
      + AdminText.quoted(channel.record.name) + other + early
      + (way.steps.count > 1 ? "; if it fails, to the others in their order." : ".")
  }

  /// The reason for the owner, with what to do.
  private static func sentence(
    _ reason: Ineligibility, _ channel: Channel, _ model: ByteString, at now: Instant
  ) -> ByteString {
    let again = reason.until.map {
      " Next try in " + ByteString(number: max($0.milliseconds(since: now) + 999, 0) / 1000)
        + " s."
    }
    switch reason {
    case .modelNotListed:
      return "It does not list this model: add it to its models or its model_mapping."
    case .notInGroup: return "It is in none of the caller's channel groups: see its groups."
    case .disabled: return "It is disabled by hand."
    case .autoDisabled(let why): return "It is off: " + why
    case .weightZero: return "Its weight is 0."
    case .keysAside(let why, _):
      if why.isEmpty { return "All its keys are left alone after failures." + (again ?? .empty) }
      return "All its keys are set aside: " + why + "." + (again ?? .empty)
    case .circuitOpen:
      let last = channel.statistics.lastError
      return "It is left alone after failures, the last: "
        + AdminText.redacted(last, hiding: channel.keys) + "."
        + (again ?? " One request is trying it now.")
    case .waking: return "Its machine is being woken."
    case .resting: return "The vendor asked for a rest." + (again ?? .empty)
    case .busy:
      return "It has " + ByteString(number: channel.health.openRequests)
        + " requests open, as many as max_concurrency allows."
    }
  }
}
