// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Vendors

/// Method and path to relay, management call or page.
final class Router: Service {
  private let gateway: Gateway

  init(gateway: Gateway) { self.gateway = gateway }

  func begin(_ head: RequestHead, _ responder: Responder) -> any Exchange {
    if gateway.configuration.isOpenToAnySite, Router.isForClients(head) {
      responder.isOpenToAnySite = true
      if head.method == .options { return Router.permit(head, responder) }
    }
    if let target = RelayTarget(head) {
      return Relay(target: target, head: head, responder: responder, gateway: gateway)
    }
    if let call = OllamaExchange.Call(head) {
      return OllamaExchange(call, head, responder, gateway)
    }
    if head.hasPathPrefix("/api/") { return AdminExchange(head, responder, gateway) }
    if let document = Document.find(head) {
      return DocumentExchange(document, head, responder, gateway)
    }
    if head.isPath(Metrics.path) { return Metrics.begin(head, responder, gateway) }
    let caller: Result<Caller, RelayError>
    do throws(RelayError) {
      caller = .success(try Authenticator.authenticate(head, gateway))
    } catch {
      caller = .failure(error)
    }
    let isGoogle = GoogleModelList.isAsked(head)
    return PlainExchange(head) { [gateway] request in
      Router.answer(request, isGoogle, caller, responder, gateway)
    }
  }

  func refuse(_ status: Status, _ sentence: StaticString, _ responder: Responder) {
    var error =
      status.code == 503
      ? RelayError.overloaded(ByteString(sentence))
      : RelayError(status.code, "invalid_request_error", "bad_request", ByteString(sentence))
    // RFC 9110 §15.5.6; which of them the address has is not known before its head is accepted.
    if status == .methodNotAllowed { error.allow = "GET, HEAD, POST, PUT, DELETE" }
    error.answer(responder, requestID: gateway.makeRequestID())
  }

  /// Whether an address belongs to the APIs that clients call with a key, never with a cookie.
  private static func isForClients(_ head: RequestHead) -> Bool {
    let prefixes: [StaticString] = ["/v1/", "/v1beta/", "/openai/", "/dashboard/billing/"]
    return prefixes.contains { head.hasPathPrefix($0) }
      || head.hasPathPrefix("/api/") && !head.hasPathPrefix("/api/v1/")
  }

  /// Tells a browser that a page of another site may make the call: any header is a client's own.
  private static func permit(_ head: RequestHead, _ responder: Responder) -> any Exchange {
    let wanted = head.value(of: "access-control-request-headers") ?? "*"
    return PlainExchange(head) { _ in
      responder.respond(
        .ok,
        fields: { fields in
          fields.append("Access-Control-Allow-Methods: GET, POST\r\n")
          fields.append("Access-Control-Max-Age: 86400\r\nAccess-Control-Allow-Headers: ")
          fields.append(wanted)
          fields.append("\r\n")
        }, body: UnsafeRawBufferPointer(start: nil, count: 0))
    }
  }

  /// Answers what needs no body.
  private static func answer(
    _ request: PlainExchange.Request, _ isGoogle: Bool, _ caller: Result<Caller, RelayError>,
    _ responder: Responder, _ gateway: Gateway
  ) {
    let requestID = gateway.makeRequestID()
    let path = request.path
    do throws(RelayError) {
      if let call = Billing.Call(path) {
        try request.mustBeReading()
        return Billing.answer(call, try caller.get(), responder, gateway, requestID)
      }
      guard path.starts(with: "/v1/") || path.starts(with: "/v1beta/") else {
        throw RelayError(404, "invalid_request_error", "not_found", "There is nothing here.")
      }
      if let name = GoogleModelList.name(path, isGoogle: isGoogle) {
        try request.mustBeReading()
        return try GoogleModelList.answer(name, try caller.get(), responder, gateway, requestID)
      }
      if path == "/v1/models" {
        try request.mustBeReading()
        return ModelList.answer(try caller.get(), responder, gateway, requestID)
      }
      if path.starts(with: "/v1/models/") {
        try request.mustBeReading()
        let name = ByteString(Array(path.bytes.dropFirst("/v1/models/".utf8.count)))
        return try ModelList.answer(name, try caller.get(), responder, gateway, requestID)
      }
      _ = try caller.get()
      throw RelayError(
        404, "invalid_request_error", "unknown_url",
        "There is no such API here: " + path + ".")
    } catch {
      let isList = isGoogle && path.starts(with: "/v1/models")
      error.answer(
        responder, requestID: requestID,
        dialect: isList ? .gemini : RelayTarget.dialect(of: path))
    }
  }
}
