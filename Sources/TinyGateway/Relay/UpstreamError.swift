// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform

/// An upstream's error answer: what it concerns, and what the client is told.
///
/// Judged by status and exact vendor codes, never by words found in a message.
struct UpstreamError {
  /// Longest message passed on.
  private static let messageByteLimit = 1000
  /// Codes and types that mean an empty account, which another channel may not have.
  private static let accountCodes: [StaticString] = [
    "insufficient_quota", "billing_hard_limit_reached", "billing_not_active",
  ]

  let status: Int
  let retryAfter: Int64?
  /// The vendor's sentence; empty without one.
  let message: ByteString
  private let concernsAccount: Bool

  /// Reads an answer's body: OpenAI's shape, or what similar servers send.
  init(status: Int, retryAfter: Int64?, body: Buffer) {
    self.status = status
    self.retryAfter = retryAfter
    let text = body.readable
    let found =
      JSONQuery.string(["error", "message"], in: text) ?? JSONQuery.string(["message"], in: text)
      ?? JSONQuery.string(["error"], in: text) ?? JSONQuery.string(["detail"], in: text)
    message =
      found.map { ByteString(Array($0.bytes.prefix(UpstreamError.messageByteLimit))) } ?? .empty
    let code = JSONQuery.string(["error", "code"], in: text) ?? .empty
    let type = JSONQuery.string(["error", "type"], in: text) ?? .empty
    concernsAccount =
      status == 402 || UpstreamError.accountCodes.contains { code == $0 || type == $0 }
  }

  /// What the status concerns: 401, 402 and 403 the channel's key or account, 408, 409, 429 and
  /// 5xx the upstream at the moment, the rest the request.
  var kind: ErrorKind {
    if concernsAccount { return .refusedKey }
    return switch status {
    case 401, 403: .refusedKey
    case 408, 409: .upstreamServer
    case 429: .rateLimited
    case 500...599: .upstreamServer
    case 300...399: .badAnswer
    default: .refusedRequest
    }
  }

  /// Whether another channel could answer differently; 404 is a model that this one lacks.
  var mayDifferElsewhere: Bool { kind != .refusedRequest || status == 404 }

  /// The error that the client sees: the upstream's status where it concerns the request, 502
  /// or 503 where it concerns the channel.
  ///
  /// A refused channel key must not look like a refused
  /// client key.
  var converted: RelayError {
    if concernsAccount {
      return .upstream(
        502, "upstream_quota_exhausted", "The upstream account of this channel is exhausted.")
    }
    switch kind {
    case .refusedKey:
      return .upstream(
        502, "upstream_auth_failed", "The upstream refused the credentials of this channel.")
    case .rateLimited:
      return RelayError(
        429, "rate_limit_error", "rate_limit_exceeded",
        words("The upstream's rate limit is reached."), retryAfter: retryAfter)
    case .refusedRequest:
      return RelayError(
        status, "invalid_request_error", status == 404 ? "model_not_found" : "upstream_refused",
        words("The upstream refused the request."))
    case .badAnswer:
      return .upstream(502, "bad_answer", "The upstream answered with a redirect.")
    default:
      let own = status == 503 || status == 504 ? status : 502
      return .upstream(own, "upstream_error", words("The upstream failed."))
    }
  }

  /// The vendor's sentence without anything that looks like a key, or a standard one.
  private func words(_ standard: ByteString) -> ByteString {
    if message.isEmpty { return standard }
    let source = Buffer()
    source.append(message)
    let target = Buffer()
    LogRedaction.append(source, from: 0, to: target)
    return target.byteString
  }
}

extension RelayError {
  /// The error for a channel that could not be reached or broke.
  init(connectionFailure kind: ErrorKind) {
    switch kind {
    case .timeout:
      self = .upstream(504, "upstream_timeout", "The upstream did not answer in time.")
    case .tls:
      self = .upstream(
        502, "upstream_tls_error", "upstream TLS error: no secure connection to the upstream.")
    case .connect:
      self = .upstream(502, "upstream_unreachable", "The upstream cannot be reached.")
    default:
      self = .upstream(502, "bad_answer", "The upstream broke off or did not answer properly.")
    }
  }
}

extension ClientFailure.Kind {
  /// The kind under which figures and logs count it.
  var errorKind: ErrorKind {
    switch self {
    case .resolve, .refusedAddress, .connect: .connect
    case .connectTimeout, .firstByteTimeout, .idleTimeout: .timeout
    case .tls: .tls
    case .reset, .stale: .reset
    case .badAnswer: .badAnswer
    case .cut: .cut
    }
  }
}
