// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store
import Vendors

/// What a page needs to try models out: their names, and chat with an own token but without its
/// key, of which only the hash is kept.
enum PlaygroundEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .get, path: "/api/v1/models", access: .user, parameters: ["channel_group"],
      run: .read(listModels)),
    Endpoint(
      method: .post, path: "/api/v1/tokens/{id}/chat/completions", access: .user,
      run: .receive(chat)),
  ]

  @Sendable private static func listModels(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    json.beginArray()
    for name in request.gateway.channels.models(inGroups: try channelGroups(request)) {
      json.string(name)
    }
    json.endArray()
  }

  /// The caller's channel groups, or the one that the query names.
  private static func channelGroups(_ request: AdminRequest) throws(AdminError) -> [ByteString] {
    let user = try request.user()
    let group = request.gateway.userGroups.find(user.record.userGroup)
    let own = CallerGroups.of(token: nil, user: user, in: group)
    guard let name = request.parameter("channel_group") else { return own }
    if user.record.role == .user, !own.contains(name) {
      throw AdminError(403, "group_not_allowed", "You may not use this channel_group.")
    }
    guard request.gateway.channelGroups.find(name) != nil else {
      throw LogQuery.invalid("channel_group", "must be an existing channel group")
    }
    return [name]
  }

  /// Relays a request as `/v1/chat/completions` does; from here on errors are the relay's.
  @Sendable private static func chat(
    _ request: AdminRequest, _ head: RequestHead
  ) throws(AdminError) -> any AdminUpload {
    let token = try TokenEndpoints.token(request)
    // Whoever may change another's token must still not spend with it.
    guard token.record.userID == (try request.user().id) else {
      throw AdminError(403, "forbidden", "Only a token's owner may make requests with it.")
    }
    guard let responder = request.reply.handOver() else { throw .notFound }
    let relay = Relay(
      target: RelayTarget(.chat), head: head, responder: responder, gateway: request.gateway,
      token: token)
    request.reply.onDrained = { relay.outputDrained() }
    return relay
  }
}

extension Relay: AdminUpload {}
