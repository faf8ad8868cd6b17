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
  /// Longest code looked at: what is longer is none.
  private static let codeByteLimit = 64

  let status: Int
  let retryAfter: Int64?
  /// The vendor's sentence; empty without one.
  let message: ByteString
  /// The vendor's code; empty without one.
  private let code: ByteString
  private let concernsAccount: Bool
  private let hasKeyCode: Bool

  /// Reads an answer's body: OpenAI's shape, or what similar servers send.
  init(status: Int, retryAfter: Int64?, body: Buffer) {
    self.init(status: status, retryAfter: retryAfter, text: body.readable)
  }

  /// Reads an error that came with status 200, as an event of a stream or as a whole answer.
  ///
  /// Its code says which status it should have had; 502 where it says nothing.
  init(event: ByteString) {
    self = event.withBytes { UpstreamError(status: nil, retryAfter: nil, text: $0) }
  }

  private init(status: Int?, retryAfter: Int64?, text: UnsafeRawBufferPointer) {
    self.retryAfter = retryAfter
    let found =
      JSONQuery.string(["error", "message"], in: text) ?? JSONQuery.string(["message"], in: text)
      ?? JSONQuery.string(["error"], in: text) ?? JSONQuery.string(["detail"], in: text)
    message =
      found.map { ByteString(Array($0.bytes.prefix(UpstreamError.messageByteLimit))) } ?? .empty
    let said = JSONQuery.string(["error", "code"], in: text) ?? .empty
    let code = said.count <= UpstreamError.codeByteLimit ? said : .empty
    self.code = code
    let type = JSONQuery.string(["error", "type"], in: text) ?? .empty
    func isNamed(_ codes: [StaticString]) -> Bool {
      codes.contains { code == $0 || type == $0 }
    }
    concernsAccount = status == 402 || isNamed(VendorCodes.emptyAccount)
    hasKeyCode = isNamed(VendorCodes.uselessKey)
    if let status {
      self.status = status
    } else if VendorCodes.wrongRequest.contains(where: { code == $0 }) {
      self.status = 400
    } else {
      self.status = isNamed(VendorCodes.tooManyRequests) ? 429 : 502
    }
  }

  /// What the status concerns: 401, 402 and 403 the channel's key or account, 408, 409, 429 and
  /// 5xx the upstream at the moment, the rest the request.
  var kind: ErrorKind {
    if concernsAccount || isKeyRejected { return .refusedKey }
    return switch status {
    case 401, 403: .refusedKey
    case 408, 409: .upstreamServer
    case 429: .rateLimited
    case 500...599: .upstreamServer
    case 300...399: .badAnswer
    default: .refusedRequest
    }
  }

  /// Whether another channel could answer differently.
  ///
  /// A refused key or account is this channel's own, 404 a model that this one lacks, and a
  /// redirect a wrong address.
  func mayDifferElsewhere(_ statuses: RetryStatuses) -> Bool {
    kind == .refusedKey || kind == .badAnswer || status == 404 || statuses.contains(status)
  }

  /// Whether another key of the same channel could do better.
  var isFaultOfKey: Bool { kind == .refusedKey || kind == .rateLimited }

  /// The prompt does not fit into this model's context window.
  var isContextTooLong: Bool { code == "context_length_exceeded" }

  /// Longest rest that a `Retry-After` is believed, in seconds.
  private static let restLimitSeconds: Int64 = 86_400

  /// What it says about the channel and its key.
  var outcome: AttemptOutcome {
    let rest = retryAfter.map { min($0, UpstreamError.restLimitSeconds) * 1000 }
    if concernsAccount { return .keyRejected(reason: "the account has no balance" + detail) }
    if isKeyRejected { return .keyRejected(reason: "the vendor rejects the key" + detail) }
    switch kind {
    case .rateLimited: return .rateLimited(restMilliseconds: rest)
    case .upstreamServer: return .channelFailed(isUnreachable: false, restMilliseconds: rest)
    case .badAnswer: return .channelFailed(isUnreachable: false)
    case .refusedKey: return .unsuited
    default: return status == 404 ? .unsuited : .answered
    }
  }

  /// Whether the key is of no use to the vendor: 401, or an exact code.
  ///
  /// A 403 alone may concern the model or the region.
  private var isKeyRejected: Bool {
    status == 401 || hasKeyCode
  }

  /// ` (401 invalid_api_key)`.
  private var detail: ByteString {
    let words = code.isEmpty ? code : " " + code
    return " (" + ByteString(number: Int64(status)) + words + ")"
  }

  /// The error that the client sees: the upstream's status where it concerns the request, 502
  /// or 503 where it concerns the channel.
  ///
  /// A refused channel key must not look like a refused
  /// client key.
  var converted: RelayError {
    if concernsAccount {
      return UpstreamError.failure(
        502, "upstream_quota_exhausted", "The upstream account of this channel is exhausted.")
    }
    switch kind {
    case .refusedKey:
      return UpstreamError.failure(
        502, "upstream_auth_failed", "The upstream refused the credentials of this channel.")
    case .rateLimited:
      return RelayError(
        429, "rate_limit_error", "rate_limit_exceeded",
        words("The upstream's rate limit is reached."), retryAfter: retryAfter)
    case .refusedRequest:
      return RelayError(
        status, "invalid_request_error", refusalCode,
        words("The upstream refused the request."))
    case .badAnswer:
      return UpstreamError.failure(502, "bad_answer", "The upstream answered with a redirect.")
    default:
      let own = status == 503 || status == 504 ? status : 502
      return UpstreamError.failure(own, "upstream_error", words("The upstream failed."))
    }
  }

  /// A failure of the upstream, as OpenAI's own servers would name it.
  private static func failure(
    _ status: Int, _ code: ByteString, _ message: ByteString
  ) -> RelayError {
    RelayError(status, "server_error", code, message)
  }

  /// The vendor's own code where it concerns the request, so that clients can act on it.
  private var refusalCode: ByteString {
    if status == 404 { return "model_not_found" }
    return VendorCodes.wrongRequest.contains { code == $0 } ? code : "upstream_refused"
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
  /// Whether there was not even a connection, as when the internet is gone.
  var isUnreachable: Bool {
    switch self {
    case .resolve, .connect, .connectTimeout: true
    case .refusedAddress, .firstByteTimeout, .idleTimeout, .tls, .reset, .stale, .badAnswer, .cut:
      false
    }
  }

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
