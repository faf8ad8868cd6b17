// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Members of a channel request about load, place and waking.
extension ChannelInput {
  static let trafficFields: [StaticString] = [
    "max_concurrency", "location", "wake_mac", "wake_broadcast", "wake_timeout_ms", "wake_policy",
  ]
  /// The locations by their stored numbers.
  static let locations: [StaticString] = ["auto", "local", "cloud"]
  /// The policies by their stored numbers.
  static let wakePolicies: [StaticString] = ["hold", "fallback"]

  private static let concurrencies: ClosedRange<Int64> = 0...100_000
  private static let wakeTimeouts: ClosedRange<Int64> = 1000...600_000

  /// Puts the body's members over the record.
  ///
  /// Throws a 400 that names field and limit.
  static func applyTraffic(
    _ body: AdminBody, _ record: inout ChannelRecord
  ) throws(AdminError) {
    if let limit = try body.number("max_concurrency", concurrencies) {
      record.maxConcurrency = limit
    }
    if let index = try body.choice("location", locations) {
      record.location = ChannelLocation(rawValue: index) ?? .automatic
    }
    if let index = try body.choice("wake_policy", wakePolicies) {
      record.wakePolicy = WakePolicy(rawValue: index) ?? .hold
    }
    if let text = try body.text("wake_mac", 0...17) {
      guard let address = hardwareAddress(text) else {
        throw .field("wake_mac", "must be six hexadecimal pairs such as 00:11:22:aa:bb:cc")
      }
      record.wakeMAC = address
    }
    if let text = try body.text("wake_broadcast", 0...15) {
      guard text.isEmpty || isOwnNetwork(text) else {
        throw .field(
          "wake_broadcast",
          "must be a private IPv4 address such as 192.168.1.255, or 255.255.255.255")
      }
      record.wakeBroadcast = text
    }
    if body.isNull("wake_timeout_ms") || body.value("wake_timeout_ms")?.int64 == 0 {
      record.wakeTimeoutMilliseconds = 0
    } else if let timeout = try body.number("wake_timeout_ms", wakeTimeouts) {
      record.wakeTimeoutMilliseconds = timeout
    }
  }

  /// Whether packets to the address stay in the owner's networks: a wake-up is for a machine of
  /// theirs, and nobody may have the gateway send packets to strangers.
  private static func isOwnNetwork(_ text: ByteString) -> Bool {
    guard let address = IPAddress(text), address.isIPv4 else { return false }
    return address.isPrivate || address == .everyone
  }

  /// The address in lower case with colons; empty for none, nil for what is no address.
  static func hardwareAddress(_ text: ByteString) -> ByteString? {
    if text.isEmpty { return text }
    guard text.count == 17 else { return nil }
    var bytes = text.lowercased.bytes
    for (index, byte) in bytes.enumerated() {
      if index % 3 < 2 {
        guard ASCII.hexValue(byte) != nil else { return nil }
      } else {
        guard byte == UInt8(ascii: ":") || byte == UInt8(ascii: "-") else { return nil }
        bytes[index] = UInt8(ascii: ":")
      }
    }
    return ByteString(bytes)
  }
}
