// SPDX-License-Identifier: MIT
import Platform

@testable import MiniHTTP

/// One input of libFuzzer: as the URL of an upstream, as escapes, as a path, and as a query.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let text = [UInt8](UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
  URLFuzz.checkURL(ByteString(text))
  URLFuzz.checkURL(ByteString("http://") + ByteString(text))
  URLFuzz.checkEscapes(text)
  URLFuzz.checkPath(text)
  URLFuzz.checkQuery(text)
  return 0
}

enum URLFuzz {
  static func checkURL(_ text: ByteString) {
    guard let url = URL(text) else { return }
    precondition(url.port >= 1 && url.port <= 65535, "a port that is none")
    precondition(!url.host.isEmpty && url.host.count <= 253, "no host")
    precondition(url.host == url.host.lowercased, "a host in upper case")
    for part in [url.host, url.authority, url.path] {
      for byte in part.bytes { precondition(byte > 0x20 && byte < 0x7F, "an invisible byte") }
      precondition(!part.bytes.contains(UInt8(ascii: "@")), "user information")
    }
    precondition(url.path.isEmpty || url.path.bytes.first == UInt8(ascii: "/"), "a path")
    precondition(url.path.bytes.last != UInt8(ascii: "/"), "a slash at the end")
    let scheme = url.isSecure ? ByteString("https://") : ByteString("http://")
    precondition(URL(scheme + url.authority + url.path) == url, "written again it differs")
  }

  static func checkEscapes(_ text: [UInt8]) {
    guard let decoded = PercentCoding.decoded(text.span) else { return }
    var escapes = 0
    for byte in text where byte == UInt8(ascii: "%") { escapes += 1 }
    precondition(decoded.count + 2 * escapes == text.count, "escapes of another length")
    let control = decoded.contains { $0 < 0x20 || $0 == 0x7F }
    precondition(!control || text.contains { $0 < 0x20 || $0 == 0x7F }, "an escaped control")
    let spaced = PercentCoding.decoded(text.span, plusIsSpace: true)
    precondition(spaced?.count == decoded.count, "a plus of another length")
    let escaped = decoded.flatMap { byte in
      [UInt8(ascii: "%"), digit(byte >> 4), digit(byte & 15)]
    }
    if !control {
      precondition(PercentCoding.decoded(escaped.span) == decoded, "does not come back")
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? value + 0x30 : value + 0x37 }

  static func checkPath(_ text: [UInt8]) {
    let path = [UInt8(ascii: "/")] + text
    guard let result = PercentCoding.removingDotSegments(path) else { return }
    precondition(result.first == UInt8(ascii: "/") && result.count <= path.count, "a path")
    for segment in result.split(separator: UInt8(ascii: "/")) {
      precondition(!segment.elementsEqual([0x2E]), "a dot segment")
      precondition(!segment.elementsEqual([0x2E, 0x2E]), "two dots")
    }
    precondition(PercentCoding.removingDotSegments(result) == result, "twice differs")
  }

  static func checkQuery(_ text: [UInt8]) {
    let request = Buffer()
    request.append("GET /?")
    for byte in text where byte > 0x20 && byte < 0x7F { request.append(byte) }
    request.append(" HTTP/1.1\r\nHost: a\r\n\r\n")
    let head = RequestHead()
    let outcome = request.withReadable { RequestParser.parse($0, into: head, limits: HeadLimits()) }
    guard outcome == .done(request.count) else { return }
    let names = head.queryNames
    if let value = head.queryValue(of: "a") {
      precondition(names.contains { $0 == "a" }, "a value without its name")
      for byte in value.bytes { precondition(byte >= 0x20 && byte != 0x7F, "a control character") }
    }
  }
}
