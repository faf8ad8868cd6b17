// SPDX-License-Identifier: MIT

/// A status code and its reason phrase (RFC 9110 §15).
package struct Status: Equatable, Sendable {
  package let code: Int

  /// Any three-digit code.
  package init(_ code: Int) { self.code = code }

  package static let ok = Status(200)
  package static let notModified = Status(304)
  package static let badRequest = Status(400)
  package static let notFound = Status(404)
  package static let methodNotAllowed = Status(405)
  package static let serviceUnavailable = Status(503)

  /// The usual phrase; an empty one for a code without a name here.
  package var reason: StaticString {
    switch code {
    case 100: "Continue"
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 204: "No Content"
    case 304: "Not Modified"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 402: "Payment Required"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 411: "Length Required"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 417: "Expectation Failed"
    case 422: "Unprocessable Content"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    case 507: "Insufficient Storage"
    default: ""
    }
  }
}
