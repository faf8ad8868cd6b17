// SPDX-License-Identifier: MIT
import Platform

/// An absolute `http` or `https` URL of an upstream, checked (RFC 3986 §3, RFC 9110 §4.2).
package struct URL: Hashable, Sendable {
  package let isSecure: Bool
  /// Host name or address in lower case, IPv6 without brackets.
  package let host: ByteString
  package let port: Int
  /// Path without a slash at its end; may be empty.
  package let path: ByteString
  /// The `Host` header's value.
  package let authority: ByteString

  /// Parses a URL without user info, query and fragment; nil for anything else.
  package init?(_ text: ByteString) {
    let lower = text.lowercased
    let start: Int
    if lower.starts(with: "https://") {
      (isSecure, start) = (true, 8)
    } else if lower.starts(with: "http://") {
      (isSecure, start) = (false, 7)
    } else {
      return nil
    }
    let bytes = text.bytes
    for byte in bytes {
      if byte <= 0x20 || byte >= 0x7F || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "?")
        || byte == UInt8(ascii: "#") || byte == UInt8(ascii: "\\")
      {
        return nil
      }
    }
    let end = bytes[start...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.count
    guard end > start, RequestTarget.isHost(bytes.span, start..<end) else { return nil }
    authority = ByteString(Array(lower.bytes[start..<end]))
    guard let (host, port) = URL.split(authority, isSecure: isSecure) else { return nil }
    (self.host, self.port) = (host, port)
    var pathEnd = bytes.count
    while pathEnd > end, bytes[pathEnd - 1] == UInt8(ascii: "/") { pathEnd -= 1 }
    path = ByteString(Array(bytes[end..<pathEnd]))
    if PercentCoding.decoded(path.bytes.span) == nil { return nil }
  }

  private static func split(
    _ authority: ByteString, isSecure: Bool
  ) -> (host: ByteString, port: Int)? {
    let bytes = authority.bytes
    let isBracketed = bytes.first == UInt8(ascii: "[")
    let hostEnd: Int
    if isBracketed {
      guard let bracket = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      hostEnd = bracket + 1
    } else {
      hostEnd = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
    }
    let host = ByteString(Array(isBracketed ? bytes[1..<(hostEnd - 1)] : bytes[0..<hostEnd]))
    guard !host.isEmpty, host.count <= 253 else { return nil }
    if isBracketed, IPAddress(host) == nil { return nil }
    guard hostEnd < bytes.count else { return (host, isSecure ? 443 : 80) }
    guard let port = ByteString(Array(bytes[(hostEnd + 1)...])).decimal, port >= 1, port <= 65535
    else { return nil }
    return (host, Int(port))
  }
}
