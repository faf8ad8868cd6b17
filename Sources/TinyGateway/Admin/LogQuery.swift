// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// Query parameters of the log and of usage.
enum LogQuery {
  /// Parameters that choose rows.
  static let parameters: [StaticString] = [
    "from", "until", "user_id", "token_id", "channel_id", "model", "status", "request_id",
    "stream", "before", "after",
  ]

  private static let statuses: ClosedRange<Int64> = 100...599
  private static let requestIDByteCount = 16
  /// How far a row's id may lie before the request's, because the clock was set back meanwhile.
  private static let clockSlackSeconds: Int64 = 86_400

  /// Reads the filter, limited to what the caller may see.
  ///
  /// Throws 404 for another's rows, 403 for a user who asks for a channel's.
  static func filter(_ request: AdminRequest) throws(AdminError) -> LogFilter {
    var filter = LogFilter()
    filter.from = try time("from", request)
    filter.until = try time("until", request)
    filter.userID = try userID(request)
    filter.tokenID = try id("token_id", request)
    filter.channelID = try id("channel_id", request)
    if filter.channelID != nil, try request.user().record.role == .user { throw .forbidden }
    filter.before = try id("before", request)
    filter.after = try id("after", request)
    if let name = request.parameter("model") { filter.modelID = modelID(name, request.gateway) }
    if let text = request.parameter("status") { filter.outcome = try outcome(text) }
    if let text = request.parameter("stream") { filter.isStream = try isTrue(text, "stream") }
    if let text = request.parameter("request_id") {
      let id = try requestID(text)
      filter.requestID = id
      let earliest = LogID.second(of: id) - clockSlackSeconds
      filter.from = max(filter.from ?? 0, earliest)
    }
    return filter
  }

  /// Whose rows: an administrator's choice, a user's own.
  static func userID(_ request: AdminRequest) throws(AdminError) -> Int64? {
    let user = try request.user()
    let wanted = try id("user_id", request)
    guard user.record.role == .user else { return wanted }
    if let wanted, wanted != user.id { throw .notFound }
    return user.id
  }

  /// The number under which rows name a model; one that no row has for an unknown model.
  static func modelID(_ name: ByteString, _ gateway: Gateway) -> Int64 {
    gateway.batch.knownModelID(for: name) ?? -1
  }

  /// An id; nil when the parameter is missing.
  static func id(_ name: StaticString, _ request: AdminRequest) throws(AdminError) -> Int64? {
    try number(name, from: 1, request)
  }

  /// Unix seconds; nil when the parameter is missing.
  static func time(_ name: StaticString, _ request: AdminRequest) throws(AdminError) -> Int64? {
    try number(name, from: 0, request)
  }

  private static func number(
    _ name: StaticString, from least: Int64, _ request: AdminRequest
  ) throws(AdminError) -> Int64? {
    guard let text = request.parameter(name) else { return nil }
    guard let value = text.decimal, value >= least else {
      throw invalid(
        name,
        "must be a whole number from " + ByteString(number: least) + " to "
          + ByteString(number: .max))
    }
    return value
  }

  private static func outcome(_ text: ByteString) throws(AdminError) -> LogFilter.Outcome {
    if text == "ok" { return .ok }
    if text == "failed" { return .failed }
    guard let status = text.decimal, statuses.contains(status) else {
      throw invalid("status", "must be an HTTP status, ok or failed")
    }
    return .status(status)
  }

  /// `true` or `false`.
  private static func isTrue(_ text: ByteString, _ name: StaticString) throws(AdminError) -> Bool {
    if text == "true" { return true }
    if text == "false" { return false }
    throw invalid(name, "must be true or false")
  }

  private static func requestID(_ text: ByteString) throws(AdminError) -> Int64 {
    var id: UInt64 = 0
    guard text.count == requestIDByteCount else { throw wrongRequestID }
    for byte in text.bytes {
      guard let digit = ASCII.hexValue(byte) else { throw wrongRequestID }
      id = id << 4 | UInt64(digit)
    }
    return Int64(bitPattern: id)
  }

  private static let wrongRequestID = invalid(
    "request_id", "must be the 16 hexadecimal digits of X-Oneapi-Request-Id")

  /// A query parameter whose value does not fit: `name problem`.
  static func invalid(_ name: StaticString, _ problem: ByteString) -> AdminError {
    AdminError(400, "invalid_parameter", ByteString(name) + " " + problem + ".")
  }
}
