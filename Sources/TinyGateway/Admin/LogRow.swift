// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// One finished request as the management API shows it, as JSON and as CSV.
struct LogRow {
  private let gateway: Gateway
  /// Users do not learn which upstream accounts there are.
  private let showsChannel: Bool

  /// Shows rows to a caller.
  init(_ gateway: Gateway, for user: User) {
    self.gateway = gateway
    showsChannel = user.record.role != .user
  }

  /// Writes a row as an object.
  func write(_ row: LogRecord, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("id", row.id)
    json.member("time", row.time)
    json.key("request_id")
    json.string(LogRow.text(requestID: row.requestID))
    json.member("user_id", row.userID)
    LogRow.write("username", gateway.accounts.user(row.userID)?.record.username, &json)
    json.member("token_id", row.tokenID)
    LogRow.write("token_name", gateway.accounts.token(row.tokenID)?.record.name, &json)
    LogRow.write("model", gateway.batch.modelName(row.modelID), &json)
    if showsChannel {
      write(channel: row.channelID, "channel_id", "channel_name", &json)
    }
    json.member("prompt_tokens", row.promptTokens)
    json.member("completion_tokens", row.completionTokens)
    json.member("cached_tokens", row.cachedTokens)
    json.member("quota", row.charge / Micro.perUnit)
    json.member("quota_micro", row.charge)
    json.member("cost", Billing.cost(row.charge, gateway.options))
    json.member("latency_ms", row.latencyMilliseconds)
    json.member("first_byte_ms", row.firstByteMilliseconds)
    json.member("status", row.status)
    json.member("stream", row.isStream)
    json.member("estimated", row.isEstimated)
    json.member("client_gone", row.isClientGone)
    json.member("attempts", row.attempts)
    LogRow.write("error_kind", LogRow.errorName(row.errorKind), &json)
    LogRow.write("address", row.client?.text, &json)
    LogRow.write("first_error_kind", LogRow.errorName(row.firstErrorKind), &json)
    if showsChannel {
      write(channel: row.firstChannelID, "first_channel_id", "first_channel_name", &json)
    }
    json.endObject()
  }

  private func write(
    channel id: Int64, _ key: StaticString, _ nameKey: StaticString, _ json: inout JSONWriter
  ) {
    LogRow.write(id: id, key, &json)
    LogRow.write(nameKey, gateway.channels.find(id)?.record.name, &json)
  }

  /// Writes the names of the columns.
  func writeHeader(_ csv: inout CSVWriter) {
    let names: [StaticString] = [
      "id", "time", "time_utc", "request_id", "user_id", "username", "token_id", "token_name",
      "model", "channel_id", "channel_name", "prompt_tokens", "completion_tokens",
      "cached_tokens", "quota", "quota_micro", "cost", "latency_ms", "first_byte_ms", "status",
      "stream", "estimated", "client_gone", "attempts", "error_kind", "address",
      "first_error_kind", "first_channel_id", "first_channel_name",
    ]
    for name in names where showsChannel || !LogRow.isOfChannel(ByteString(name)) {
      csv.field { $0.append(name) }
    }
    csv.endRow()
  }

  /// Writes a row under those names.
  func write(_ row: LogRecord, _ csv: inout CSVWriter) {
    csv.field(row.id)
    csv.field(row.time)
    csv.field { UnixTime.appendTimestamp(row.time, to: $0) }
    csv.field { RequestID.append(row.requestID, to: $0) }
    csv.field(row.userID)
    csv.field(text: gateway.accounts.user(row.userID)?.record.username)
    csv.field(row.tokenID)
    csv.field(text: gateway.accounts.token(row.tokenID)?.record.name)
    csv.field(text: gateway.batch.modelName(row.modelID))
    if showsChannel { write(channel: row.channelID, &csv) }
    csv.field(row.promptTokens)
    csv.field(row.completionTokens)
    csv.field(row.cachedTokens)
    csv.field(row.charge / Micro.perUnit)
    csv.field(row.charge)
    csv.field { Billing.appendCost(row.charge, gateway.options, to: $0) }
    csv.field(row.latencyMilliseconds)
    csv.field(row.firstByteMilliseconds)
    csv.field(row.status)
    csv.field(row.isStream)
    csv.field(row.isEstimated)
    csv.field(row.isClientGone)
    csv.field(row.attempts)
    csv.field(text: LogRow.errorName(row.errorKind))
    csv.field(text: row.client?.text)
    csv.field(text: LogRow.errorName(row.firstErrorKind))
    if showsChannel { write(channel: row.firstChannelID, &csv) }
    csv.endRow()
  }

  private func write(channel id: Int64, _ csv: inout CSVWriter) {
    csv.field(id: id)
    csv.field(text: gateway.channels.find(id)?.record.name)
  }

  private static func isOfChannel(_ name: ByteString) -> Bool {
    name.starts(with: "channel_") || name.starts(with: "first_channel_")
  }

  /// The kind's name; nil for none and for numbers of later versions.
  private static func errorName(_ kind: Int64) -> ByteString? {
    guard kind != 0, let kind = ErrorKind(rawValue: kind) else { return nil }
    return ByteString(kind.name)
  }

  private static func text(requestID: Int64) -> ByteString {
    let buffer = Buffer()
    RequestID.append(requestID, to: buffer)
    return buffer.byteString
  }

  /// Writes a text, or null when there is none.
  static func write(_ key: StaticString, _ text: ByteString?, _ json: inout JSONWriter) {
    json.key(key)
    if let text { json.string(text) } else { json.null() }
  }

  /// Writes an id, or null for 0.
  static func write(id: Int64, _ key: StaticString, _ json: inout JSONWriter) {
    json.key(key)
    if id == 0 { json.null() } else { json.integer(id) }
  }
}
