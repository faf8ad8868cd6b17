// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store
import Vendors

/// Calls that ask a channel's upstream: a test, the list of its models, the account's balance.
enum ChannelProbeEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .post, path: "/api/v1/channels/{id}/test", access: .admin, fields: ["model"],
      isBodyOptional: true, run: .act(test)),
    Endpoint(
      method: .get, path: "/api/v1/channels/{id}/models", access: .admin, run: .act(listModels)),
    Endpoint(
      method: .get, path: "/api/v1/channels/{id}/balance", access: .admin, run: .act(showBalance)),
  ]

  /// Takes one of the places for probes.
  ///
  /// Throws 429 when all are taken, 400 when the channel's secrets cannot be decrypted.
  private static func enter(_ request: AdminRequest) throws(AdminError) -> Channel {
    guard let channel = request.gateway.channels.find(request.id) else { throw .notFound }
    guard !ChannelSecrets.isLocked(channel.record) else {
      throw AdminError(400, "keys_required", ChannelSecrets.reason)
    }
    let admin = request.gateway.admin
    guard admin.probeCount < AdminState.largestProbeCount else {
      throw AdminError(
        429, "too_many_tests", "Too many channel tests run already: try again in a moment.",
        retryAfter: 5)
    }
    admin.probeCount += 1
    return channel
  }

  /// A client that goes away ends what only it waits for.
  private static func arm(
    _ request: AdminRequest, isPending: Bool, cancel: @escaping () -> Void
  ) {
    guard !request.reply.isEnded, isPending else { return }
    let admin = request.gateway.admin
    request.reply.onCancel = {
      admin.probeCount -= 1
      cancel()
    }
  }

  // Test.

  @Sendable private static func test(_ request: AdminRequest) throws(AdminError) {
    var model = try request.body.text("model", 1...128)
    if let model, !ModelName.isValid(model) {
      throw .field("model", "must be 1 to 128 characters of A-Z a-z 0-9 . _ : / @ + -")
    }
    if model == nil { model = request.gateway.channels.find(request.id)?.models.first }
    guard request.gateway.channels.find(request.id) != nil else { throw .notFound }
    guard let model else {
      throw .field("model", "is needed: this channel lists no models")
    }
    let channel = try enter(request)
    let admin = request.gateway.admin
    let test = ChannelTest(channel, model, request.gateway) { result in
      admin.probeCount -= 1
      request.audit("channel_test", "channel " + ByteString(number: channel.id))
      request.reply.succeed { json in write(result, model, &json) }
    }
    arm(request, isPending: test.isPending) { test.cancel() }
  }

  private static func write(
    _ result: ChannelTest.Result, _ model: ByteString, _ json: inout JSONWriter
  ) {
    json.beginObject()
    json.member("ok", result.problem == nil)
    json.member("latency_ms", result.outcome.latencyMilliseconds)
    json.key("first_byte_ms")
    if let value = result.outcome.firstByteMilliseconds {
      json.integer(value)
    } else {
      json.null()
    }
    json.member("model", model)
    json.key("error")
    if let problem = result.problem { json.string(problem) } else { json.null() }
    json.endObject()
  }

  // Models.

  @Sendable private static func listModels(_ request: AdminRequest) throws(AdminError) {
    let channel = try enter(request)
    get(channel.path(of: "/models"), channel, request) { (outcome) throws(AdminError) in
      let models = try models(outcome, channel)
      request.reply.succeed { json in
        json.beginObject()
        ChannelEndpoints.write("models", models, &json)
        json.endObject()
      }
    }
  }

  /// The names in OpenAI's form of the list, sorted; names that no request could use are left out.
  private static func models(
    _ outcome: UpstreamProbe.Outcome, _ channel: Channel
  ) throws(AdminError) -> [ByteString] {
    let root = try root(of: outcome, channel, "model list")
    guard let list = root.member("data"), list.kind == .array else {
      throw AdminError(502, "upstream_error", "The upstream's model list has no member data.")
    }
    var names: Set<ByteString> = []
    for entry in list.elements {
      if let name = entry.member("id")?.string, ModelName.isValid(name) { names.insert(name) }
    }
    return ByteString.sorted(Array(names))
  }

  // Balance.

  @Sendable private static func showBalance(_ request: AdminRequest) throws(AdminError) {
    guard let known = request.gateway.channels.find(request.id) else { throw .notFound }
    guard let call = known.vendor.balance else {
      throw AdminError(
        404, "not_supported",
        ByteString(known.vendor.name) + " has no call that tells the balance: look at the "
          + "vendor's own console.")
    }
    let channel = try enter(request)
    let path = call.path(below: channel.url.path, of: channel.vendor)
    get(path, channel, request) { (outcome) throws(AdminError) in
      let root = try root(of: outcome, channel, "balance")
      guard let balance = call.read(root, channel.url.host) else {
        throw AdminError(
          502, "upstream_error",
          "The upstream's balance is not in the form that "
            + ByteString(channel.vendor.name) + " documents: is base_url right?")
      }
      request.reply.succeed { json in
        json.beginObject()
        json.member("amount", balance.amount)
        json.member("currency", balance.currency)
        json.endObject()
      }
    }
  }

  // Both.

  /// Asks the upstream and lets `answer` reply, or the error that it throws.
  private static func get(
    _ path: ByteString, _ channel: Channel, _ request: AdminRequest,
    _ answer: @escaping (UpstreamProbe.Outcome) throws(AdminError) -> Void
  ) {
    let admin = request.gateway.admin
    let probe = UpstreamProbe.get(path, channel, request.gateway) { outcome in
      admin.probeCount -= 1
      do throws(AdminError) {
        try answer(outcome)
      } catch {
        request.reply.fail(error)
      }
    }
    arm(request, isPending: probe.isPending) { probe.cancel() }
  }

  /// The JSON of an answer with status 200.
  ///
  /// `what`: what was asked for. Throws 502 or 504 with the reason when there is none.
  private static func root(
    of outcome: UpstreamProbe.Outcome, _ channel: Channel, _ what: StaticString
  ) throws(AdminError) -> JSONValue {
    if let problem = ProbeProblem.of(outcome, channel) {
      throw AdminError(
        outcome.isTimeout ? 504 : 502, "upstream_error",
        "No " + ByteString(what) + ": " + problem + ".")
    }
    do throws(JSONError) {
      return try JSONDocument(outcome.body).root
    } catch {
      throw AdminError(
        502, "upstream_error",
        "The upstream's " + ByteString(what) + " is " + error.message + ".")
    }
  }
}
