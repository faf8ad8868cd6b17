// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store
import Vendors

/// Turns the body of a channel request into a record.
enum ChannelInput {
  static let fields: [StaticString] =
    [
      "name", "type", "keys", "base_url", "models", "model_mapping", "groups", "weight", "priority",
      "status", "connect_timeout_ms", "first_byte_timeout_ms", "idle_timeout_ms", "headers",
      "config",
    ] + trafficFields

  private static let nameByteCounts = 1...128
  private static let baseURLByteCounts = 0...1024
  private static let largestKeyCount = 100
  private static let keyByteLimit = 4096
  private static let largestModelCount = 1000
  private static let largestHeaderCount = 32
  private static let headerNameByteCounts = 1...128
  private static let headerValueByteLimit = 4096
  private static let weights: ClosedRange<Int64> = 0...1000
  private static let priorities: ClosedRange<Int64> = -1_000_000...1_000_000
  /// 0 stands for the gateway's own timeout.
  private static let timeouts: ClosedRange<Int64> = 0...3_600_000

  /// The record with the body's members put over it; `groups`: those that it may name.
  ///
  /// Throws a 400 that names field and limit; also when keys would go to another address than
  /// the one they were entered for.
  static func apply(
    _ body: AdminBody, to old: ChannelRecord, isNew: Bool, known groups: ChannelGroupDirectory
  ) throws(AdminError) -> ChannelRecord {
    var record = old
    if let name = try body.text("name", nameByteCounts) { record.name = name }
    if let type = try body.text("type", nameByteCounts) { record.type = type }
    if let url = try body.text("base_url", baseURLByteCounts) { record.baseURL = url }
    if let weight = try body.number("weight", weights) { record.weight = weight }
    if let priority = try body.number("priority", priorities) { record.priority = priority }
    if let isEnabled = try body.isEnabled("status") {
      record.status = isEnabled ? .enabled : .disabled
      record.statusReason = .empty
    }
    try applyLists(body, &record)
    try applyGroups(body, groups, &record)
    try applyTimeouts(body, &record)
    try applyTraffic(body, &record)
    let keepsSecretHeader = try applyHeaders(body, &record)
    let fields = VendorRegistry.find(record.type)?.fields ?? []
    let keepsSecretSetting = try ChannelConfig.apply(body, fields, &record)
    record = ChannelSecrets.settled(record)
    if record.status == .autoDisabled, try body.isEnabled("status") == true {
      throw AdminError(400, "keys_required", ChannelSecrets.reason)
    }
    if isNew {
      guard body.has("name") else { throw .field("name", "is missing") }
      guard body.has("type") else { throw .field("type", "is missing") }
    } else {
      try checkAddressChange(
        from: old, to: record, body, keepsSecretHeader: keepsSecretHeader,
        keepsSecretSetting: keepsSecretSetting)
    }
    return try checked(record)
  }

  /// What cannot be said of one field alone.
  private static func checked(_ record: ChannelRecord) throws(AdminError) -> ChannelRecord {
    guard let vendor = VendorRegistry.find(record.type) else {
      throw .field("type", "is not a known channel type; see /api/v1/channel-types")
    }
    if record.keys.isEmpty, !vendor.isKeyOptional {
      throw .field("keys", "must hold at least one key for this channel type")
    }
    if let exchange = vendor.dialect.exchange { try checkKeys(record, exchange) }
    return record
  }

  private static func applyLists(
    _ body: AdminBody, _ record: inout ChannelRecord
  ) throws(AdminError) {
    let keys = try body.list(
      "keys", limit: largestKeyCount,
      expected: "keys of 1 to 4096 visible ASCII characters without spaces, not sealed ones", isKey)
    if let keys { record.keys = AdminText.joined(keys.map(compacted), by: 0x0A) }
    let models = try body.list(
      "models", limit: largestModelCount,
      expected: "model names of 1 to 128 characters of A-Z a-z 0-9 . _ : / @ + -",
      ModelName.isValid)
    if let models { record.models = AdminText.joined(models, by: UInt8(ascii: ",")) }
    guard let pairs = try body.pairs("model_mapping", limit: largestModelCount) else { return }
    var lines: [ByteString] = []
    for (from, to) in pairs {
      guard ModelName.isValid(from), ModelName.isValid(to) else {
        throw .field(
          "model_mapping",
          "must map model names of 1 to 128 characters of A-Z a-z 0-9 . _ : / @ + - to such names")
      }
      lines.append(from + "\t" + to)
    }
    record.modelMapping = AdminText.joined(lines, by: 0x0A)
  }

  private static func isKey(_ key: ByteString) -> Bool {
    guard !key.isEmpty, key.count <= keyByteLimit, !ChannelSecrets.isSealed(key) else {
      return false
    }
    if key.bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) { return true }
    // A service account's key is a whole JSON file, in which texts have spaces.
    return (try? JSONDocument(key, requiresObject: true)) != nil
      && compacted(key).bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
  }

  /// A key that is a JSON file on one line, without white space between its parts; others as they
  /// are.
  private static func compacted(_ key: ByteString) -> ByteString {
    guard key.trimmed.bytes.first.map({ $0 == UInt8(ascii: "{") || $0 < 0x20 }) ?? false else {
      return key
    }
    var isText = false
    var isEscaped = false
    return ByteString(
      key.bytes.filter { byte in
        let isQuote = byte == UInt8(ascii: "\"") && !isEscaped
        isEscaped = isText && byte == UInt8(ascii: "\\") && !isEscaped
        if isQuote { isText.toggle() }
        return isText || byte > 0x20
      })
  }

  /// Keys that are exchanged for tokens must have the form for it.
  private static func checkKeys(
    _ record: ChannelRecord, _ exchange: TokenExchange
  ) throws(AdminError) {
    guard !ChannelSecrets.isSealed(record.keys) else { return }
    for key in record.keys.list(separatedBy: 0x0A) {
      var facts = CallFacts()
      facts.key = key
      do throws(ChatProblem) {
        _ = try exchange.url(facts)
      } catch {
        throw AdminError(400, "invalid_field", "keys do not fit: " + error.message + ".")
      }
    }
  }

  private static func applyGroups(
    _ body: AdminBody, _ known: ChannelGroupDirectory, _ record: inout ChannelRecord
  ) throws(AdminError) {
    let names = try body.list(
      "groups", limit: GroupInput.largestListCount, expected: GroupInput.expectedNames,
      GroupInput.isName)
    guard let names else { return }
    try GroupInput.check(names, "groups", known)
    record.groups =
      names.isEmpty
      ? ChannelGroupDirectory.standard : AdminText.joined(names, by: UInt8(ascii: ","))
  }

  private static func applyTimeouts(
    _ body: AdminBody, _ record: inout ChannelRecord
  ) throws(AdminError) {
    if let value = try timeout(body, "connect_timeout_ms") {
      record.connectTimeoutMilliseconds = value
    }
    if let value = try timeout(body, "first_byte_timeout_ms") {
      record.firstByteTimeoutMilliseconds = value
    }
    if let value = try timeout(body, "idle_timeout_ms") {
      record.idleTimeoutMilliseconds = value
    }
  }

  private static func timeout(
    _ body: AdminBody, _ field: StaticString
  ) throws(AdminError) -> Int64? {
    body.isNull(field) ? 0 : try body.number(field, timeouts)
  }

  // Headers.

  /// Takes header fields over; a secret value given as its hint stays as it is stored.
  ///
  /// - Returns: whether the record keeps a secret value that the body did not give.
  private static func applyHeaders(
    _ body: AdminBody, _ record: inout ChannelRecord
  ) throws(AdminError) -> Bool {
    let old = headers(of: record)
    guard let pairs = try body.pairs("headers", limit: largestHeaderCount) else {
      return old.contains { VendorField.isSecret($0.name) }
    }
    var keepsSecret = false
    var lines: [ByteString] = []
    for (name, given) in pairs {
      guard headerNameByteCounts.contains(name.count) else {
        throw .field("headers", "must have names of 1 to 128 characters of A-Z a-z 0-9 _ -")
      }
      // A line break in a value would be a further header field.
      guard given.count <= headerValueByteLimit, !AdminText.hasControls(given),
        !AdminText.hasControls(name)
      else {
        throw .field("headers", "must have values of at most 4096 bytes without control characters")
      }
      guard !ChannelSecrets.isSealed(given.trimmed) else {
        throw .field("headers", "must have plain values, not sealed ones")
      }
      var value = given
      if VendorField.isSecret(name), let kept = old.first(where: { $0.name == name })?.value,
        given == AdminText.hint(of: kept)
      {
        value = kept
        keepsSecret = true
      }
      lines.append(name + ": " + value)
    }
    record.headers = AdminText.joined(lines, by: 0x0A)
    return keepsSecret
  }

  /// The header fields of a record.
  static func headers(of record: ChannelRecord) -> [(name: ByteString, value: ByteString)] {
    var fields: [(name: ByteString, value: ByteString)] = []
    for line in record.headers.list(separatedBy: 0x0A) {
      guard let (name, value) = line.split(at: UInt8(ascii: ":")) else { continue }
      fields.append((name, value.trimmed))
    }
    return fields
  }

  // The address.

  /// Keys must be entered again for another address, or whoever may edit a channel could have
  /// them sent to a machine of their own.
  private static func checkAddressChange(
    from old: ChannelRecord, to new: ChannelRecord, _ body: AdminBody, keepsSecretHeader: Bool,
    keepsSecretSetting: Bool
  ) throws(AdminError) {
    guard address(of: old) != address(of: new) else { return }
    if !old.keys.isEmpty, !body.has("keys") {
      throw AdminError(
        400, "keys_required",
        "Changing the address of a channel (base_url or type) needs its keys again: send keys too.")
    }
    if keepsSecretHeader {
      throw AdminError(
        400, "keys_required",
        "Changing the address of a channel (base_url or type) needs its secret headers again: "
          + "send headers with their full values.")
    }
    if keepsSecretSetting {
      throw AdminError(
        400, "keys_required",
        "Changing the address of a channel (base_url, type or config) needs its secret settings "
          + "again: send config with their full values.")
    }
  }

  /// Where a record's requests go, without differences that change nothing.
  private static func address(of record: ChannelRecord) -> ByteString {
    var text = record.baseURL
    if let vendor = VendorRegistry.find(record.type) {
      // What cannot be filled in goes nowhere.
      text = (try? ChannelConfig.baseURL(of: record, vendor)) ?? .empty
    }
    // Keys are sent to where they are exchanged for tokens as well.
    var exchange: ByteString = " "
    for (name, value) in ChannelConfig.pairs(record.config)
    where name == "token_url" || name == "exchange_url" {
      exchange = exchange + value
    }
    guard let url = URL(text) else { return text + exchange }
    let scheme: ByteString = url.isSecure ? "https://" : "http://"
    return scheme + url.host + ":" + ByteString(number: Int64(url.port)) + url.path + exchange
  }
}
