// SPDX-License-Identifier: MIT
import Platform

/// A request method (RFC 9110 §9); TRACE and CONNECT are refused by the parser.
package enum Method: Sendable {
  case get, head, post, put, delete, options, patch

  /// The method spelled exactly so; methods are case-sensitive.
  init?(_ token: Span<UInt8>) {
    if token.equals("GET") {
      self = .get
    } else if token.equals("POST") {
      self = .post
    } else if token.equals("HEAD") {
      self = .head
    } else if token.equals("PUT") {
      self = .put
    } else if token.equals("DELETE") {
      self = .delete
    } else if token.equals("OPTIONS") {
      self = .options
    } else if token.equals("PATCH") {
      self = .patch
    } else {
      return nil
    }
  }

  /// The method's token.
  package var token: StaticString {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    case .patch: "PATCH"
    }
  }
}
