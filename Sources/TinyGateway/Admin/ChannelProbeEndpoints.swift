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
    guard let known = request.gateway.channels.find(request.id) else { throw .notFound }
    guard !known.vendor.modelListing.isEmpty else {
      throw AdminError(
        404, "not_supported",
        ByteString(known.vendor.name) + " has no call that lists its models: look at "
          + ByteString(known.vendor.documentation) + ".")
    }
    let channel = try enter(request)
    let head = listHead(channel)
    get(channel.path(of: "/models"), head, channel, request) { (outcome) throws(AdminError) in
      let models = try models(outcome, channel)
      request.reply.succeed { json in
        json.beginObject()
        ChannelEndpoints.write("models", models, &json)
        json.endObject()
      }
    }
  }

  /// The call of a vendor with a format of its own; nil for OpenAI's.
  private static func listHead(_ channel: Channel) -> CallHead? {
    guard !channel.vendor.isOpenAI else { return nil }
    let facts = channel.facts(model: .empty, key: channel.health.keyInTurn())
    var head = CallHead(path: facts.path(channel.vendor.modelListing[0]))
    // The key goes where it goes with every call.
    if let call = try? channel.vendor.dialect.head(facts) { head.fields = call.fields }
    head.isGet = true
    return head
  }

  /// The names in the vendor's form of the list, sorted; names that no request could use are left
  /// out.
  private static func models(
    _ outcome: UpstreamProbe.Outcome, _ channel: Channel
  ) throws(AdminError) -> [ByteString] {
    let root = try root(of: outcome, channel, "model list")
    let listing = channel.vendor.modelListing
    guard let list = root.member(listing[1]), list.kind == .array else {
      throw AdminError(
        502, "upstream_error", "The upstream's model list has no member " + listing[1] + ".")
    }
    var names: Set<ByteString> = []
    for entry in list.elements {
      guard var name = entry.member(listing[2])?.string else { continue }
      // Google names the collection as well.
      if name.starts(with: "models/") { name = name.split(at: UInt8(ascii: "/"))?.after ?? name }
      if ModelName.isValid(name) { names.insert(name) }
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
    get(path, nil, channel, request) { (outcome) throws(AdminError) in
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
  ///
  /// `own`: the call of a vendor with a format of its own, in place of the path.
  private static func get(
    _ path: ByteString, _ own: CallHead?, _ channel: Channel, _ request: AdminRequest,
    _ answer: @escaping (UpstreamProbe.Outcome) throws(AdminError) -> Void
  ) {
    let admin = request.gateway.admin
    let done = { (outcome: UpstreamProbe.Outcome) in
      admin.probeCount -= 1
      do throws(AdminError) {
        try answer(outcome)
      } catch {
        request.reply.fail(error)
      }
    }
    let probe =
      own.map { UpstreamProbe.own($0, Buffer(), channel, request.gateway, done) }
      ?? UpstreamProbe.get(path, channel, request.gateway, done)
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
