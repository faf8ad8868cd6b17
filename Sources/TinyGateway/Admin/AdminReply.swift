// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform

/// The one answer to a management call, in its envelope; nothing happens when the client is gone.
final class AdminReply {
  private var responder: Responder?
  let requestID: Int64
  /// The value of `Set-Cookie` with a successful answer; empty for none.
  var cookie: ByteString = .empty
  /// Ends work that only this client waits for.
  var onCancel: (() -> Void)?
  /// The client has taken enough of an answer that `begin` began.
  var onDrained: (() -> Void)?
  /// Writes the data of the answer.
  private var compose: ((inout JSONWriter) throws(AdminError) -> Void)?

  /// Makes a reply that is still owed.
  init(_ responder: Responder, requestID: Int64) {
    self.responder = responder
    self.requestID = requestID
  }

  /// Whether an answer was given or nobody waits for one.
  var isEnded: Bool { responder == nil }

  /// The client is gone: whatever is answered later goes nowhere.
  func cancel() {
    responder = nil
    let onCancel = onCancel
    letGo()
    onCancel?()
  }

  /// Drops what may refer to the request, which refers to this.
  private func letGo() { (onCancel, onDrained, compose) = (nil, nil, nil) }

  /// Answers `{"success":true,"message":"","data":…}`.
  ///
  /// - Parameter compose: writes the data: exactly one value.
  func succeed(_ compose: @escaping (inout JSONWriter) throws(AdminError) -> Void) {
    guard !isEnded else { return }
    self.compose = compose
    succeed()
  }

  /// Apart from the above, of which the compiler makes a copy for each caller.
  private func succeed() {
    guard !isEnded, let compose else { return }
    self.compose = nil
    let body = Buffer()
    var json = JSONWriter(body)
    json.beginObject()
    json.member("success", true)
    json.member("message", "" as StaticString)
    json.key("data")
    do throws(AdminError) {
      try compose(&json)
    } catch {
      return fail(error)
    }
    json.endObject()
    respond(200, body) { [cookie] fields in
      guard !cookie.isEmpty else { return }
      fields.append("Set-Cookie: ")
      fields.append(cookie)
      fields.append("\r\n")
    }
  }

  /// Answers `{"success":false,"message":…,"code":…}` with the error's status.
  func fail(_ error: AdminError) {
    let body = Buffer()
    var json = JSONWriter(body)
    json.beginObject()
    json.member("success", false)
    json.member("message", error.message)
    json.member("code", error.code)
    json.endObject()
    respond(error.status, body) { fields in
      if let seconds = error.retryAfter {
        fields.append("Retry-After: ")
        fields.append(decimal: seconds)
        fields.append("\r\n")
      }
      if !error.allow.isEmpty {
        fields.append("Allow: ")
        fields.append(error.allow)
        fields.append("\r\n")
      }
      if error.status == 401 { fields.append("WWW-Authenticate: Bearer\r\n") }
    }
  }

  /// Begins a successful answer that is a file; the caller sends its bytes through the result.
  ///
  /// `byteCount`: nil when it is not known before. `fields`: header lines, each with its line end.
  /// Nil when nobody waits for an answer; `onCancel` still tells when the client goes away.
  func begin(byteCount: Int64?, fields more: (Buffer) -> Void) -> Responder? {
    guard let responder else { return nil }
    self.responder = nil
    responder.begin(Status(200), length: byteCount) { fields in
      appendCommonFields(to: fields)
      more(fields)
    }
    return responder
  }

  /// Leaves the answer to somebody else; nil when nobody waits for one.
  func handOver() -> Responder? {
    defer { responder = nil }
    return responder
  }

  /// More of the request's body is accepted again.
  func resumeBody() { responder?.resume() }

  /// The connection ends with the answer, because the rest of the body is not wanted.
  func closeAfterwards() { responder?.closeAfterwards() }

  private func appendCommonFields(to fields: Buffer) {
    fields.append("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n")
    RequestID.appendHeaders(requestID, to: fields)
  }

  private func respond(_ status: Int, _ body: Buffer, _ more: (Buffer) -> Void) {
    guard let responder else { return }
    self.responder = nil
    letGo()
    responder.respond(
      Status(status),
      fields: { fields in
        fields.append("Content-Type: application/json\r\n")
        appendCommonFields(to: fields)
        more(fields)
      }, body: body.readable)
  }
}
