// SPDX-License-Identifier: MIT

/// Where systems keep the zone of the place they are in.
package struct SystemTimeZone: Sendable {
  package let zone: TimeZone
  /// The rule as it was found.
  package let rule: ByteString
  /// The file that says so.
  package let place: ByteString

  private static let fileByteCount = 64 * 1024

  /// The zone in `/etc/TZ` (a rule or a name, as on OpenWrt), else the one in `/etc/localtime`
  /// (a compiled zone); nil when neither has one.
  ///
  /// `folder`: in place of `/etc`.
  package static func find(in folder: ByteString = "/etc") -> SystemTimeZone? {
    if let content = read(folder + "/TZ") {
      let end = content.bytes.firstIndex(of: UInt8(ascii: "\n")) ?? content.count
      let rule = ByteString(Array(content.bytes[..<end])).trimmed
      if let zone = TimeZone(rule) {
        return SystemTimeZone(zone: zone, rule: rule, place: folder + "/TZ")
      }
    }
    guard let content = read(folder + "/localtime"), let rule = rule(ofCompiled: content),
      let zone = TimeZone(rule)
    else { return nil }
    return SystemTimeZone(zone: zone, rule: rule, place: folder + "/localtime")
  }

  /// The rule at the end of a compiled zone, between two line feeds (RFC 9636 §3.3); nil for what
  /// has none.
  package static func rule(ofCompiled content: ByteString) -> ByteString? {
    let lineFeed = UInt8(ascii: "\n")
    guard content.starts(with: "TZif"), content.bytes.last == lineFeed else { return nil }
    let lines = content.bytes.dropLast()
    guard let start = lines.lastIndex(of: lineFeed) else { return nil }
    let rule = ByteString(Array(lines[(start + 1)...]))
    return rule.isEmpty ? nil : rule
  }

  private static func read(_ path: ByteString) -> ByteString? {
    do throws(SystemError) {
      return try File.read(path, limit: fileByteCount)
    } catch {
      return nil
    }
  }
}
