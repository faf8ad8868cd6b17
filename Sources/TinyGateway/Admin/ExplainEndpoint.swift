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
      let user = gateway.accounts.user(token.record.userID)
    else { throw AdminError(400, "invalid_parameter", "token_id must be the id of a token.") }
    let groups = CallerGroups.of(token: token, user: user, groups: gateway.userGroups)
    let now = gateway.loop.now
    let order = order(of: model, groups, gateway, at: now)
    json.beginObject()
    json.member("model", model)
    ChannelEndpoints.write("groups", groups, &json)
    json.key("channels")
    json.beginArray()
    for channel in gateway.channels.all {
      write(channel, model, groups, order, gateway, at: now, &json)
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
    json.member("answer", answer(model, token, user, groups, order, gateway, at: now))
    json.endObject()
  }

  private static func write(
    _ channel: Channel, _ model: ByteString, _ groups: [ByteString], _ order: [Int64],
    _ gateway: Gateway, at now: Instant, _ json: inout JSONWriter
  ) {
    let place = order.firstIndex(of: channel.id)
    let isFallback = groups.contains {
      gateway.channelGroups.find($0)?.fallbackIDs.contains(channel.id) ?? false
    }
    var reason = Eligibility.reason(channel, model, groups: groups, at: now)
    // An explicit fallback channel needs neither the group nor a weight.
    if isFallback, reason == .notInGroup || reason == .weightZero {
      reason = Eligibility.obstacle(channel, at: now)
    }
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
    if let reason { json.string(reason.code) } else { json.null() }
    json.member(
      "detail",
      reason.map { sentence($0, channel, model, at: now) } ?? "It can take a request now.")
    json.member("upstream_model", channel.upstreamModel(for: model))
    json.key("order")
    if let place { json.integer(Int64(place + 1)) } else { json.null() }
    json.endObject()
  }

  /// The channels in the order in which one request would try them, as far as retries go.
  ///
  /// The rotations are copied, so that looking changes nobody's turn.
  private static func order(
    of model: ByteString, _ groups: [ByteString], _ gateway: Gateway, at now: Instant
  ) -> [Int64] {
    var order: [Int64] = []
    var limit = gateway.configuration.retries + 1
    var policy: ChannelGroup?
    for name in groups {
      guard let rotation = gateway.channels.rotation(for: model, group: name) else { continue }
      let group = gateway.channelGroups.find(name)
      if policy == nil, let group {
        policy = group
        limit = group.attemptLimit(gateway.configuration)
      }
      let copy = Rotation(rotation.channels, replacing: rotation)
      let strategy = group?.strategy ?? .weightedRoundRobin
      while order.count < limit,
        let next = copy.next(
          strategy, at: now,
          where: { !order.contains($0.id) && Eligibility.obstacle($0, at: now) == nil })
      {
        order.append(next.channel.id)
      }
    }
    for id in policy?.fallbackIDs ?? [] where !order.contains(id) {
      guard let channel = gateway.channels.find(id), channel.record.status == .enabled,
        channel.serves(model), Eligibility.obstacle(channel, at: now) == nil
      else { continue }
      order.append(id)
    }
    return order
  }

  /// What a client would be told, or where its request would go.
  private static func answer(
    _ model: ByteString, _ token: Token, _ user: User, _ groups: [ByteString], _ order: [Int64],
    _ gateway: Gateway, at now: Instant
  ) -> ByteString {
    guard token.record.status == .enabled, user.record.status == .enabled else {
      return "The token or its owner is disabled."
    }
    guard token.allows(model: model) else { return "The token may not use this model." }
    let route = Route(model, groups: groups)
    if let absence = Eligibility.absence(of: route, gateway.routing) { return absence.message }
    if let first = order.first, let channel = gateway.channels.find(first) {
      return "The request goes to the channel " + AdminText.quoted(channel.record.name)
        + (order.count > 1 ? " first, then to the others in their order." : ".")
    }
    if !gateway.modelFallbacks.fallbacks(for: model).isEmpty {
      return "No channel for this model is free; its fallback models are tried."
    }
    return Eligibility.refusal(route, at: now, gateway.routing).message
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
