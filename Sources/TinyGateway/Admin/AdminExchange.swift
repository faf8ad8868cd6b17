// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// One request to `/api/`: finds its row, checks login, role and form once, lets the row answer.
final class AdminExchange: Exchange {
  /// Largest request body in bytes, unless a row of the table says otherwise; 413 above.
  static let bodyByteCount = 256 * 1024
  /// The same where nobody has logged in: strangers get little memory.
  static let openBodyByteCount = 4 * 1024

  /// What the head gave for a request that may go on.
  private struct Admitted {
    let endpoint: Endpoint
    let id: Int64
    let parameters: [(name: ByteString, value: ByteString)]
    let caller: AdminCaller?
    let address: IPAddress?
    let isSecure: Bool

    var bodyByteCount: Int { AdminExchange.bodyByteCount(endpoint) }
  }

  private let gateway: Gateway
  private let reply: AdminReply
  private var admitted: Admitted?
  /// Why the request is refused; told when its body has been read, so that the connection lives.
  private var refusal: AdminError?
  private let contentType: ByteString?
  private let body = Buffer()
  /// Takes the body in place of `body`.
  private var upload: (any AdminUpload)?

  /// Takes a request over; `head` is not kept.
  init(_ head: RequestHead, _ responder: Responder, _ gateway: Gateway) {
    self.gateway = gateway
    reply = AdminReply(responder, requestID: gateway.makeRequestID())
    contentType = head.value(of: "content-type")
    do throws(AdminError) {
      let admitted = try AdminExchange.admit(head, gateway)
      self.admitted = admitted
      if case .receive(let begin) = admitted.endpoint.run {
        upload = try begin(request(admitted, AdminBody()), head)
      }
    } catch {
      refusal = error
      // A client that waits for 100 Continue must not be invited to send for nothing.
      if error.status == 413 || head.expectsContinue { reply.fail(error) }
    }
  }

  var acceptsBody: Bool { upload?.acceptsBody ?? true }

  func received(_ bytes: Span<UInt8>) {
    guard refusal == nil, let admitted else { return }
    if let upload { return upload.received(bytes) }
    guard body.count + bytes.count <= admitted.bodyByteCount else {
      let error = AdminExchange.tooLarge(admitted.bodyByteCount)
      refusal = error
      body.release()
      return reply.fail(error)
    }
    body.append(bytes)
  }

  func bodyEnded() {
    do throws(AdminError) {
      if let refusal { throw refusal }
      guard let admitted else { throw .notFound }
      if let upload { return upload.bodyEnded() }
      try run(admitted)
    } catch {
      reply.fail(error)
    }
  }

  func outputDrained() { reply.onDrained?() }

  func cancelled() {
    reply.cancel()
    upload?.cancelled()
  }

  private func run(_ admitted: Admitted) throws(AdminError) {
    let request = request(admitted, try parsedBody(admitted.endpoint))
    body.release()
    try request.checkCaller()
    switch admitted.endpoint.run {
    case .read(let answer):
      reply.succeed { (json) throws(AdminError) in try answer(request, &json) }
    case .act(let act): try act(request)
    case .receive: return  // Its upload has taken the body, and answers.
    }
  }

  private func request(_ admitted: Admitted, _ body: AdminBody) -> AdminRequest {
    AdminRequest(
      gateway: gateway, endpoint: admitted.endpoint, id: admitted.id,
      parameters: admitted.parameters, body: body, caller: admitted.caller,
      address: admitted.address, isSecure: admitted.isSecure, reply: reply)
  }

  private func parsedBody(_ endpoint: Endpoint) throws(AdminError) -> AdminBody {
    if body.isEmpty {
      guard endpoint.fields.isEmpty || endpoint.isBodyOptional else {
        throw AdminError(400, "missing_body", "The request needs a JSON object as its body.")
      }
      return AdminBody()
    }
    if endpoint.method == .get || endpoint.method == .delete {
      throw AdminError(400, "unexpected_body", "This request takes no body.")
    }
    guard let contentType, AdminExchange.isJSON(contentType) else {
      throw AdminError(
        415, "unsupported_media_type",
        "The request needs the header Content-Type: application/json.")
    }
    return try AdminBody(body, knowing: endpoint.fields)
  }

  /// `application/json`, with or without parameters such as a charset.
  static func isJSON(_ contentType: ByteString) -> Bool {
    let type = contentType.split(at: UInt8(ascii: ";"))?.before ?? contentType
    return type.trimmed.lowercased == "application/json"
  }

  private static func bodyByteCount(_ endpoint: Endpoint) -> Int {
    endpoint.access == .anyone ? openBodyByteCount : endpoint.bodyByteCount
  }

  private static func tooLarge(_ limit: Int) -> AdminError {
    AdminError(
      413, "request_too_large",
      "The request body must not be larger than " + ByteString(number: Int64(limit / 1024))
        + " KiB.")
  }

  // Before the body.

  private static func admit(
    _ head: RequestHead, _ gateway: Gateway
  ) throws(AdminError) -> Admitted {
    let (endpoint, id) = try find(head)
    let limit = bodyByteCount(endpoint)
    if case .receive = endpoint.run {
      // Its own limit is for who may call it.
    } else if case .length(let count) = head.framing, count > Int64(limit) {
      throw tooLarge(limit)
    }
    let address = ClientAddress.of(head, trusting: gateway.configuration.trustedProxies)
    let caller = try AdminExchange.caller(head, endpoint, gateway)
    let parameters = try parameters(head, endpoint)
    if let coding = head.value(of: "content-encoding"), !(coding.lowercased == "identity") {
      throw AdminError(
        415, "unsupported_content_encoding", "The request body must not be compressed.")
    }
    return Admitted(
      endpoint: endpoint, id: id, parameters: parameters, caller: caller, address: address,
      isSecure: RequestOrigin.isSecure(head, trusting: gateway.configuration.trustedProxies))
  }

  private static func find(_ head: RequestHead) throws(AdminError) -> (Endpoint, Int64) {
    switch EndpointTable.find(head.method, ByteString(head.path)) {
    case .found(let endpoint, let id): return (endpoint, id)
    case .otherMethods(let allow):
      throw AdminError(
        405, "method_not_allowed", "This address allows the methods " + allow + " only.",
        allow: allow)
    case .unknown:
      throw AdminError(
        404, "not_found",
        "There is no such management call: " + AdminText.quoted(ByteString(head.path)) + ".")
    }
  }

  private static func caller(
    _ head: RequestHead, _ endpoint: Endpoint, _ gateway: Gateway
  ) throws(AdminError) -> AdminCaller? {
    if endpoint.access == .anyone {
      try RequestOrigin.checkStranger(head, endpoint, gateway)
      return nil
    }
    let caller = try AdminCaller.of(head, gateway)
    if let refusal = endpoint.refusal(to: caller.user.record, with: caller.credential) {
      throw refusal
    }
    return caller
  }

  private static func parameters(
    _ head: RequestHead, _ endpoint: Endpoint
  ) throws(AdminError) -> [(name: ByteString, value: ByteString)] {
    let pageNames: [StaticString] = endpoint.isList ? ["page", "page_size"] : []
    let known = endpoint.parameters + pageNames
    var found: [(name: ByteString, value: ByteString)] = []
    for name in head.queryNames {
      guard let literal = known.first(where: { name == $0 }) else {
        throw AdminError(
          400, "unknown_parameter",
          "The query parameter " + AdminText.quoted(name) + " is not known here.")
      }
      guard let value = head.queryValue(of: literal), !found.contains(where: { $0.name == name })
      else {
        throw AdminError(
          400, "invalid_parameter",
          "The query parameter " + name + " must be given once, in valid percent-encoding.")
      }
      found.append((name, value))
    }
    return found
  }
}
