// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// Calls that ask a channel's upstream: a test, and the list of its models.
enum ChannelProbeEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .post, path: "/api/v1/channels/{id}/test", access: .admin, fields: ["model"],
      isBodyOptional: true, run: .act(test)),
    Endpoint(
      method: .get, path: "/api/v1/channels/{id}/models", access: .admin, run: .act(listModels)),
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
    send(request, channel, model, usingNewLimit: false)
  }

  /// Asks for one token; newer OpenAI models want the limit under its newer name.
  private static func send(
    _ request: AdminRequest, _ channel: Channel, _ model: ByteString, usingNewLimit: Bool
  ) {
    let body = chat(channel.upstreamModel(for: model), usingNewLimit: usingNewLimit)
    let admin = request.gateway.admin
    let probe = UpstreamProbe.post("/chat/completions", body, channel, request.gateway) { outcome in
      let wantsNewLimit = outcome.body.withReadable {
        $0.firstIndex(of: "max_completion_tokens") != nil
      }
      if outcome.status == 400, !usingNewLimit, wantsNewLimit, !request.reply.isEnded {
        return send(request, channel, model, usingNewLimit: true)
      }
      admin.probeCount -= 1
      let problem = problem(outcome, channel, model)
      request.audit("channel_test", "channel " + ByteString(number: channel.id))
      request.reply.succeed { json in write(outcome, problem, model, &json) }
    }
    arm(request, probe)
  }

  private static func chat(_ model: ByteString, usingNewLimit: Bool) -> Buffer {
    let body = Buffer()
    var json = JSONWriter(body)
    json.beginObject()
    json.member("model", model)
    json.key("messages")
    json.beginArray()
    json.beginObject()
    json.member("role", "user" as StaticString)
    json.member("content", "hi" as StaticString)
    json.endObject()
    json.endArray()
    // Reasoning models refuse a limit of 1 that their thoughts would exceed.
    if usingNewLimit {
      json.member("max_completion_tokens", Int64(16))
    } else {
      json.member("max_tokens", Int64(1))
    }
    json.endObject()
    return body
  }

  private static func write(
    _ outcome: UpstreamProbe.Outcome, _ problem: ByteString?, _ model: ByteString,
    _ json: inout JSONWriter
  ) {
    json.beginObject()
    json.member("ok", problem == nil)
    json.member("latency_ms", outcome.latencyMilliseconds)
    json.key("first_byte_ms")
    if let value = outcome.firstByteMilliseconds { json.integer(value) } else { json.null() }
    json.member("model", model)
    json.key("error")
    if let problem { json.string(problem) } else { json.null() }
    json.endObject()
  }

  /// What is wrong, in plain words; nil when the answer is a chat completion.
  private static func problem(
    _ outcome: UpstreamProbe.Outcome, _ channel: Channel, _ model: ByteString
  ) -> ByteString? {
    guard let status = outcome.status else { return outcome.failure }
    let text = outcome.body.readable
    guard status == 200 else { return refusal(status, outcome.body, channel, model) }
    let isChat =
      JSONQuery.kind(of: text) == .object && JSONQuery.member("choices", in: text) != nil
    if isChat { return nil }
    if JSONQuery.kind(of: text) == .object, JSONQuery.member("error", in: text) != nil {
      return "the upstream answered with an error: " + told(outcome.body, channel)
    }
    return "the upstream answered, but not with a chat completion: is base_url right?"
  }

  /// An error status in plain words, with the vendor's own.
  private static func refusal(
    _ status: Int, _ body: Buffer, _ channel: Channel, _ model: ByteString
  ) -> ByteString {
    let told = told(body, channel)
    let detail = told.isEmpty ? told : ": " + told
    let code = " (" + ByteString(number: Int64(status)) + ")"
    switch status {
    case 401, 403: return "the upstream refuses the key" + code + detail
    case 402: return "the upstream account has no balance" + code + detail
    case 404:
      return "the upstream does not know the model " + channel.upstreamModel(for: model)
        + ", or base_url is wrong" + code + detail
    case 429: return "the upstream's limit of requests or balance is reached" + code + detail
    case 300...399: return "the upstream redirects to another address: base_url is wrong" + code
    case 400...499: return "the upstream refuses the request" + code + detail
    default: return "the upstream fails" + code + detail
    }
  }

  /// The vendor's message without keys.
  private static func told(_ body: Buffer, _ channel: Channel) -> ByteString {
    AdminText.redacted(
      UpstreamError(status: 0, retryAfter: nil, body: body).message, hiding: channel.keys)
  }

  /// A client that goes away ends the probe.
  private static func arm(_ request: AdminRequest, _ probe: UpstreamProbe) {
    guard !request.reply.isEnded, probe.isPending else { return }
    let admin = request.gateway.admin
    request.reply.onCancel = {
      admin.probeCount -= 1
      probe.cancel()
    }
  }

  // Models.

  @Sendable private static func listModels(_ request: AdminRequest) throws(AdminError) {
    let channel = try enter(request)
    let admin = request.gateway.admin
    let probe = UpstreamProbe.get("/models", channel, request.gateway) { outcome in
      admin.probeCount -= 1
      do throws(AdminError) {
        let models = try models(outcome, channel)
        request.reply.succeed { json in
          json.beginObject()
          ChannelEndpoints.write("models", models, &json)
          json.endObject()
        }
      } catch {
        request.reply.fail(error)
      }
    }
    arm(request, probe)
  }

  /// The names in OpenAI's form of the list, sorted; names that no request could use are left out.
  private static func models(
    _ outcome: UpstreamProbe.Outcome, _ channel: Channel
  ) throws(AdminError) -> [ByteString] {
    guard let status = outcome.status else {
      throw AdminError(
        outcome.isTimeout ? 504 : 502, "upstream_error", "No model list: " + outcome.failure + ".")
    }
    guard status == 200 else {
      let told = told(outcome.body, channel)
      throw AdminError(
        502, "upstream_error",
        "The upstream gives no model list (" + ByteString(number: Int64(status)) + ")"
          + (told.isEmpty ? "" : ": " + told) + ".")
    }
    let root: JSONValue
    do throws(JSONError) {
      root = try JSONDocument(outcome.body).root
    } catch {
      throw AdminError(502, "upstream_error", "The upstream's model list is " + error.message + ".")
    }
    guard let list = root.member("data"), list.kind == .array else {
      throw AdminError(502, "upstream_error", "The upstream's model list has no member data.")
    }
    var names: Set<ByteString> = []
    for entry in list.elements {
      if let name = entry.member("id")?.string, ModelName.isValid(name) { names.insert(name) }
    }
    return ByteString.sorted(Array(names))
  }
}
