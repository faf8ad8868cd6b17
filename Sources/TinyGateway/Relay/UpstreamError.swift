// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Vendors

/// An upstream's error answer: what it concerns, and what the client is told.
///
/// Judged by the vendor's table (`ErrorFormat`), then by the status.
struct UpstreamError {
  /// Longest message passed on.
  private static let messageByteLimit = 1000
  /// Longest code looked at: what is longer is none.
  private static let codeByteLimit = 64

  /// Of the answer, or the one that it should have had.
  let status: Int
  let retryAfter: Int64?
  /// The vendor's sentence; empty without one.
  let message: ByteString
  /// The vendor's code; empty without one.
  private let code: ByteString
  private let action: FailureAction
  private let meaning: FailureMeaning
  /// Nothing but the status told what it means.
  private let isJudgedByStatus: Bool
  /// Statuses of refused requests reach the client unchanged, as among OpenAI's own.
  private let keepsStatus: Bool

  /// Reads the body of an answer with an error status.
  ///
  /// `code`: what its head tells, in the format's `codeField`.
  init(
    status: Int, retryAfter: Int64?, body: Buffer, format: ErrorFormat = Dialect.openAIErrors,
    codes: StaticString = "", code: ByteString = .empty, keepsStatus: Bool = true
  ) {
    let text = UpstreamError.document(in: body)
    self.init(
      UpstreamError.judge(text, status: status, format, codes, code), retryAfter: retryAfter,
      keepsStatus: keepsStatus)
  }

  /// Reads an error that came with status 200, as an event of a stream or as a whole answer.
  init(event: ByteString, format: ErrorFormat = Dialect.openAIErrors, codes: StaticString = "") {
    self.init(UpstreamError.judge(event, status: 200, format, codes))
  }

  /// Judges an error by the table of the vendor's row, then by its dialect's.
  private static func judge(
    _ text: ByteString, status: Int, _ format: ErrorFormat, _ codes: StaticString,
    _ code: ByteString = .empty
  ) -> ErrorAnswer {
    let said = ErrorAnswer(status: status, body: text, format: format, code: code)
    return text.withBytes { said.judged(by: codes, $0) }
  }

  /// Takes what a dialect has judged.
  ///
  /// With status 200 the code says which status it should have had; 502 where it says nothing.
  init(_ said: ErrorAnswer, retryAfter: Int64? = nil, keepsStatus: Bool = true) {
    self.retryAfter = retryAfter
    self.keepsStatus = keepsStatus
    message = ByteString(Array(said.message.bytes.prefix(UpstreamError.messageByteLimit)))
    let code = said.code.count <= UpstreamError.codeByteLimit ? said.code : .empty
    self.code = code
    let (action, meaning) = ErrorAnswer.judge(said.status)
    let isJudgedByStatus = said.action == action && said.meaning == meaning
    self.isJudgedByStatus = isJudgedByStatus
    let hasErrorStatus = said.status >= 300
    if isJudgedByStatus, said.status == 409 {
      // A conflict is the upstream's, as when a model is being loaded.
      (self.action, self.meaning, status) = (.retry, .broken, 409)
    } else if !hasErrorStatus, isJudgedByStatus,
      VendorCodes.wrongRequest.contains(where: { code == $0 })
    {
      (self.action, self.meaning, status) = (.client, .unspecified, 400)
    } else {
      (self.action, self.meaning) = (said.action, said.meaning)
      status = hasErrorStatus ? said.status : said.action == .client ? 400 : 502
    }
  }

  /// The JSON text of a body, which may come as an event although it is no stream (DashScope).
  private static func document(in body: Buffer) -> ByteString {
    let first = body.withReadable { bytes in
      bytes.indices.first { bytes[$0] > 0x20 }.map { bytes[$0] }
    }
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") { return body.byteString }
    let framer = StreamFraming.events.makeFramer()
    var events: [StreamEvent] = []
    _ = body.withReadable { framer.read($0, into: &events) } && framer.end(into: &events)
    return events.first?.data ?? body.byteString
  }

  /// What it concerns: the channel's key or account, the upstream at the moment, or the request.
  var kind: ErrorKind {
    switch meaning {
    case .keyRefused, .accountEmpty: .refusedKey
    case .tooManyRequests: .rateLimited
    case .contextTooLong, .contentRefused, .modelMissing: .refusedRequest
    case .overloaded, .timeout, .broken: 300...399 ~= status ? .badAnswer : .upstreamServer
    case .unspecified:
      switch action {
      case .client: .refusedRequest
      case .retry, .failover: .upstreamServer
      case .disable, .refresh: .refusedKey
      }
    }
  }

  /// Whether another channel could answer differently.
  ///
  /// A refused key or account is this channel's own, 404 a model that this one lacks, and a
  /// redirect a wrong address; what the vendor's table says needs no status to confirm it.
  func mayDifferElsewhere(_ statuses: RetryStatuses) -> Bool {
    if statuses.contains(status) { return true }
    if action == .client { return false }
    return !isJudgedByStatus || kind == .refusedKey || kind == .badAnswer
      || meaning == .modelMissing
  }

  /// Whether another key of the same channel could do better.
  var isFaultOfKey: Bool { kind == .refusedKey || kind == .rateLimited }

  /// The prompt does not fit into this model's context window.
  var isContextTooLong: Bool { meaning == .contextTooLong }

  /// The short-lived access token is stale.
  var isStaleToken: Bool { action == .refresh }

  /// Longest rest that a `Retry-After` is believed, in seconds.
  private static let restLimitSeconds: Int64 = 86_400

  /// What it says about the channel and its key.
  var outcome: AttemptOutcome {
    let rest = retryAfter.map { min($0, UpstreamError.restLimitSeconds) * 1000 }
    switch kind {
    case .refusedKey:
      // A 403 alone may concern the model or the region.
      guard action == .disable || action == .refresh else {
        return meaning == .accountEmpty ? .rateLimited(restMilliseconds: rest) : .unsuited
      }
      return .keyRejected(
        reason: meaning == .accountEmpty
          ? "the account has no balance" + detail : "the vendor rejects the key" + detail)
    case .rateLimited: return .rateLimited(restMilliseconds: rest)
    case .upstreamServer: return .channelFailed(isUnreachable: false, restMilliseconds: rest)
    case .badAnswer: return .channelFailed(isUnreachable: false)
    default: return meaning == .modelMissing ? .unsuited : .answered
    }
  }

  /// ` (401 invalid_api_key)`.
  private var detail: ByteString {
    let words = code.isEmpty ? code : " " + code
    return " (" + ByteString(number: Int64(status)) + words + ")"
  }

  /// The error that the client sees: the upstream's status where it concerns the request, 502
  /// to 504 where it concerns the channel.
  ///
  /// A refused channel key must not look like a refused client key.
  var converted: RelayError {
    switch meaning {
    case .accountEmpty:
      return UpstreamError.failure(
        502, "upstream_quota_exhausted", "The upstream account of this channel is exhausted.")
    case .modelMissing: return refusal(404, "model_not_found")
    case .contextTooLong: return refusal(refusedStatus, "context_length_exceeded")
    case .contentRefused:
      let isKnown = VendorCodes.wrongRequest.contains { code == $0 }
      return refusal(refusedStatus, isKnown ? code : "content_filter")
    case .overloaded: return UpstreamError.failure(503, "upstream_error", failureWords)
    case .timeout: return UpstreamError.failure(504, "upstream_error", failureWords)
    case .unspecified, .tooManyRequests, .keyRefused, .broken: break
    }
    switch kind {
    case .refusedKey:
      return UpstreamError.failure(
        502, "upstream_auth_failed", "The upstream refused the credentials of this channel.")
    case .rateLimited:
      return RelayError(
        429, "rate_limit_error", "rate_limit_exceeded",
        words("The upstream's rate limit is reached."), retryAfter: retryAfter)
    case .refusedRequest: return refusal(refusedStatus, refusalCode)
    case .badAnswer:
      return UpstreamError.failure(502, "bad_answer", "The upstream answered with a redirect.")
    default: return UpstreamError.failure(502, "upstream_error", failureWords)
    }
  }

  /// A failure of the upstream, as OpenAI's own servers would name it.
  private static func failure(
    _ status: Int, _ code: ByteString, _ message: ByteString
  ) -> RelayError {
    RelayError(status, "server_error", code, message)
  }

  private func refusal(_ status: Int, _ code: ByteString) -> RelayError {
    RelayError(
      status, "invalid_request_error", code, words("The upstream refused the request."))
  }

  /// The upstream's status, but for those that say something about the client's key or pace.
  private var refusedStatus: Int {
    guard keepsStatus, 400...499 ~= status else { return 400 }
    return [401, 402, 403, 404, 407, 429].contains(status) ? 400 : status
  }

  /// The vendor's own code where it concerns the request, so that clients can act on it; none
  /// that would look like a statement of the gateway's own.
  private var refusalCode: ByteString {
    code.isEmpty || VendorCodes.ownCodes.contains { code == $0 } ? "upstream_refused" : code
  }

  private var failureWords: ByteString { words("The upstream failed.") }

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

  /// What is said where nothing more is known.
  var words: StaticString {
    switch self {
    case .resolve, .refusedAddress, .connect: "no connection"
    case .connectTimeout: "no connection in time"
    case .tls: "no secure connection"
    case .reset, .stale: "closed without an answer"
    case .firstByteTimeout: "no answer in time"
    case .badAnswer: "no valid answer"
    case .cut: "the answer broke off"
    case .idleTimeout: "the answer stopped"
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
