// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform

/// Reads upstreams' error answers: what they concern, and what the client is told.
enum UpstreamError {
  /// Longest message passed on.
  private static let messageByteLimit = 1000

  /// What an error status concerns.
  ///
  /// 408, 409, 429 and 5xx may differ on another channel; 401, 402 and 403 concern the
  /// channel's key or account; the rest concerns the request.
  static func kind(of status: Int) -> ErrorKind {
    switch status {
    case 401, 402, 403: .refusedKey
    case 408, 409: .upstreamServer
    case 429: .rateLimited
    case 500...599: .upstreamServer
    case 300...399: .badAnswer
    default: .refusedRequest
    }
  }

  /// The vendor's sentence: OpenAI's `error.message`, or what similar servers send.
  static func message(_ body: Buffer) -> ByteString {
    let text = body.readable
    let found =
      JSONQuery.string(["error", "message"], in: text) ?? JSONQuery.string(["message"], in: text)
      ?? JSONQuery.string(["error"], in: text) ?? JSONQuery.string(["detail"], in: text)
    guard let found else { return .empty }
    return ByteString(Array(found.bytes.prefix(messageByteLimit)))
  }

  /// The error that the client sees: the upstream's status where it concerns the request, 502
  /// or 503 where it concerns the channel. A refused channel key must not look like a refused
  /// client key.
  static func converted(_ status: Int, _ retryAfter: Int64?, _ message: ByteString) -> RelayError {
    let told = redacted(message)
    func words(_ standard: ByteString) -> ByteString { told.isEmpty ? standard : told }
    switch kind(of: status) {
    case .refusedKey:
      return .upstream(
        502, "upstream_refused_key", "The upstream refused the credentials of this channel.")
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

  /// Keys in a vendor's message stay out of what clients see.
  private static func redacted(_ message: ByteString) -> ByteString {
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
