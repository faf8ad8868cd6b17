// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Vendors

/// An error as clients of OpenAI's API know it.
///
/// Source: https://platform.openai.com/docs/guides/error-codes, read 2026-11; the codes are
/// those that this gateway promises.
struct RelayError: Error {
  let status: Int
  let type: StaticString
  let code: ByteString
  var message: ByteString
  var param: ByteString?
  /// Seconds for `Retry-After`.
  var retryAfter: Int64?
  /// For `Allow`, with 405 (RFC 9110 §15.5.6).
  var allow: StaticString?

  init(
    _ status: Int, _ type: StaticString, _ code: ByteString, _ message: ByteString,
    param: ByteString? = nil, retryAfter: Int64? = nil
  ) {
    self.status = status
    self.type = type
    self.code = code
    self.message = message
    self.param = param
    self.retryAfter = retryAfter
  }

  static func invalidRequest(
    _ message: ByteString, param: ByteString? = nil, code: ByteString = "invalid_request"
  ) -> RelayError {
    RelayError(400, "invalid_request_error", code, message, param: param)
  }

  static func methodNotAllowed(_ allowed: StaticString) -> RelayError {
    var error = RelayError(
      405, "invalid_request_error", "method_not_allowed",
      "Use " + ByteString(allowed) + " for this address.")
    error.allow = allowed
    return error
  }

  static func unauthorized(_ code: ByteString, _ message: ByteString) -> RelayError {
    RelayError(401, "authentication_error", code, message)
  }

  static func forbidden(_ code: ByteString, _ message: ByteString) -> RelayError {
    RelayError(403, "permission_error", code, message)
  }

  static func tooLarge(_ message: ByteString) -> RelayError {
    RelayError(413, "invalid_request_error", "request_too_large", message)
  }

  static func overloaded(_ message: ByteString) -> RelayError {
    RelayError(503, "server_error", "overloaded", message, retryAfter: 1)
  }

  static func upstream(_ status: Int, _ code: ByteString, _ message: ByteString) -> RelayError {
    RelayError(status, "upstream_error", code, message)
  }

  /// How much it tells the client: what concerns its request more than what concerns a channel,
  /// and a vendor's own words more than that it could not be reached.
  var usefulness: Int {
    if status == 429 { return 3 }
    if status < 500 { return 4 }
    return code == "upstream_error" ? 2 : 1
  }

  /// The error as dialects of clients write it.
  var asClientError: ClientError {
    var error = ClientError(status, type, code, message)
    error.field = param ?? .empty
    return error
  }

  /// Appends the JSON object.
  func write(to buffer: Buffer) { OpenAIWriter.write(asClientError, to: buffer) }

  /// Answers with the error.
  ///
  /// `attempts`: how often channels were asked; 0 for none.
  /// `rateStatus`: what is told of the token's limits per minute.
  /// `dialect`: the client's.
  func answer(
    _ responder: Responder, requestID: Int64, attempts: Int = 0, rateStatus: RateStatus? = nil,
    dialect: ClientDialect = .openAI
  ) {
    let body = Buffer()
    dialect.writeError(asClientError, body)
    responder.respond(
      Status(status),
      fields: { fields in
        fields.append("Content-Type: application/json\r\n")
        RequestID.appendHeaders(requestID, to: fields)
        if attempts > 0 { AnswerHeaders.append(attempts: attempts, to: fields) }
        rateStatus?.append(to: fields)
        if let allow {
          fields.append("Allow: ")
          fields.append(allow)
          fields.append("\r\n")
        }
        if let retryAfter {
          fields.append("Retry-After: ")
          fields.append(decimal: retryAfter)
          fields.append("\r\n")
        }
      }, body: body.readable)
  }
}
