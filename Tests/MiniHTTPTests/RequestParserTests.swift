// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct RequestParserTests {
  private enum Expected: Equatable {
    /// The whole text is one head.
    case done
    case needMore
    case bad(Int)
  }

  /// Parses the text whole; what is accepted also byte by byte and by every prefix, as a
  /// connection does it.
  private func check(
    _ text: String, _ expected: Expected, limits: HeadLimits = HeadLimits(),
    location: SourceLocation = #_sourceLocation
  ) {
    let bytes = [UInt8](text.utf8)
    let head = RequestHead()
    let outcome = RequestParser.parse(bytes.span, into: head, limits: limits)
    switch expected {
    case .done:
      #expect(outcome == .done(bytes.count), "\(text)", sourceLocation: location)
      checkPrefixes(bytes, limits, location)
    case .needMore:
      #expect(outcome == .needMore, "\(text)", sourceLocation: location)
    case .bad(let status):
      guard case .bad(let failure) = outcome else {
        Issue.record("\(outcome): \(text)", sourceLocation: location)
        return
      }
      #expect(failure.status.code == status, "\(text)", sourceLocation: location)
    }
  }

  private func checkPrefixes(_ bytes: [UInt8], _ limits: HeadLimits, _ location: SourceLocation) {
    let head = RequestHead()
    var searched = 0
    var wrong: [Int] = []
    for count in 0..<bytes.count {
      let prefix = Array(bytes[..<count])
      let alone = RequestParser.parse(prefix.span, into: head, limits: limits)
      let grown = RequestParser.parse(
        prefix.span, into: head, limits: limits, checked: max(0, searched - 3))
      if alone != .needMore || grown != .needMore { wrong.append(count) }
      searched = count
    }
    let last = RequestParser.parse(
      bytes.span, into: head, limits: limits, checked: max(0, searched - 3))
    #expect(wrong == [], "prefixes that do not wait", sourceLocation: location)
    #expect(last == .done(bytes.count), sourceLocation: location)
    let followed = bytes + [UInt8]("GET /next HTTP/1.1\r\n\r\n".utf8)
    let first = RequestParser.parse(followed.span, into: head, limits: limits)
    #expect(first == .done(bytes.count), sourceLocation: location)
  }

  /// A request with these header lines.
  private func with(_ fields: String) -> String { "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }

  // Framing: RFC 9112 §6.

  @Test func acceptsSmallestRequest() { check("GET / HTTP/1.1\r\nHost: a\r\n\r\n", .done) }
  @Test func acceptsManyFields() {
    check(
      "POST /v1/chat/completions?a=1 HTTP/1.1\r\nHost: a:80\r\nContent-Type: application/json\r\n"
        + "Authorization: Bearer sk-x\r\ncontent-length: 12\r\nX-Empty:\r\nX:\t tab \t\r\n\r\n",
      .done)
  }
  @Test func waitsForTheEmptyLine() {
    check("", .needMore)
    check("GET / HTTP/1.1\r\nHost: a\r\n", .needMore)
    check("GET / HTTP/1.1\r\nHost: a\r\n\r", .needMore)
  }
  @Test func acceptsOneLength() {
    check(with("Content-Length: 0\r\n"), .done)
    check(with("Content-Length: 0012\r\n"), .done)
    check(with("Content-Length: 9223372036854775807\r\n"), .done)
  }
  @Test func rejectsLengthTogetherWithChunked() {
    check(with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), .bad(400))
    check(with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), .bad(400))
    check(with("Transfer-Encoding: chunked\r\nContent-Length:\r\n"), .bad(400))
    check(with("Transfer-Encoding: identity\r\nContent-Length: 5\r\n"), .bad(400))
  }
  @Test func rejectsSeveralLengths() {
    check(with("Content-Length: 5\r\nContent-Length: 6\r\n"), .bad(400))
    check(with("Content-Length: 5\r\nContent-Length: 5\r\n"), .bad(400))
    check(with("Content-Length: 5, 5\r\n"), .bad(400))
    check(with("Content-Length: 5,6\r\n"), .bad(400))
  }
  @Test func rejectsLengthsThatAreNoNumber() {
    for length in [
      "", "+5", "-5", "0x5", "5 5", "5;", "5.0", "1e3", "a", "\u{660}",
      "9223372036854775808", "18446744073709551616", "99999999999999999999999999",
    ] {
      check(with("Content-Length: \(length)\r\n"), .bad(400))
    }
  }
  @Test func acceptsChunkedInAnyCase() {
    check(with("Transfer-Encoding: chunked\r\n"), .done)
    check(with("TRANSFER-ENCODING: Chunked\r\n"), .done)
    check(with("Transfer-Encoding:\tchunked \r\n"), .done)
  }
  @Test func rejectsOtherCodings() {
    for coding in [
      "", "identity", "gzip, chunked", "chunked, gzip", "chunked, chunked", "chunked;q=1",
      "xchunked", "chunked,", ", chunked", "\"chunked\"", "chunke",
    ] {
      check(with("Transfer-Encoding: \(coding)\r\n"), .bad(501))
    }
    check(with("Transfer-Encoding: chunked\u{B}\r\n"), .bad(400))
    check(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), .bad(400))
    check(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), .bad(400))
  }
  @Test func rejectsCodingsInOldVersions() {
    check("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .bad(400))
    check("POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n", .done)
  }

  // Lines: RFC 9112 §2.2, §5.

  @Test func rejectsBareLineBreaks() {
    check("GET / HTTP/1.1\nHost: a\n\n", .bad(400))
    check("GET / HTTP/1.1\nHost: a\r\n\r\n", .bad(400))
    check("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", .bad(400))
    check("GET / HTTP/1.1\r\nHost: a\r\n\n", .bad(400))
    check("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", .bad(400))
    check("GET / HTTP/1.1\rHost: a\r\n\r\n", .bad(400))
    check("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", .bad(400))
    check("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", .bad(400))
    check("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bad(400))
  }
  @Test func rejectsControlCharacters() {
    for code in Array(0..<32) + [127] where code != 9 && code != 10 && code != 13 {
      let control = String(UnicodeScalar(UInt8(code)))
      check(with("X: a\(control)b\r\n"), .bad(400))
      check(with("X: seven77\(control)\r\n"), .bad(400))
      check(with("X\(control): a\r\n"), .bad(400))
      check("GET /\(control) HTTP/1.1\r\nHost: a\r\n\r\n", .bad(400))
    }
  }
  @Test func acceptsTabsAndForeignLettersInValues() {
    check(with("X: a\tb\r\n"), .done)
    check(with("X: Grüße\r\n"), .done)
  }
  @Test func rejectsMalformedFieldLines() {
    for line in [
      "X : a", "X\t: a", " X: a", "\tX: a", ": a", ":", "X", "X a", "X(: a", "X\": a", "Ä: a",
      "X: a\r\n b", "X: a\r\n\tb",
    ] {
      check(with("\(line)\r\n"), .bad(400))
    }
    check("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .bad(400))
  }
  @Test func toleratesTwoEmptyLinesBefore() {
    check("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .done)
    check("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .done)
    check("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bad(400))
    check("\r\n\r\n\r\n\r\n", .bad(400))
    check("\r\n\r\n", .needMore)
  }
  @Test func doesNotWaitForALineOfBinaryBytes() {
    check("\u{16}\u{3}\u{1}", .bad(400))
    check(" ", .bad(400))
  }

  // Host: RFC 9112 §3.2.

  @Test func demandsExactlyOneValidHost() {
    check("GET / HTTP/1.1\r\n\r\n", .bad(400))
    check("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", .bad(400))
    check("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", .bad(400))
    for host in [
      "", " ", ":80", "a b", "a/b", "a@b", "a,b", "a:b", "a:80x", "a:123456", "[", "[]", "[::1",
      "[::1]x", "[g::1]", "::1", "a\\b", "http://a", String(repeating: "a", count: 256),
    ] {
      check("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n", .bad(400))
    }
    for host in ["a", "a.b-c_d", "A:1", "127.0.0.1:65535", "[::1]", "[2001:db8::1]:8080", "a:"] {
      check("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n", .done)
    }
  }
  @Test func acceptsOldVersionsWithoutHost() {
    check("GET / HTTP/1.0\r\n\r\n", .done)
    check("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", .bad(400))
  }

  // The request line: RFC 9112 §3.

  @Test func rejectsMalformedRequestLines() {
    for line in [
      "GET / HTTP/1.1 ", "GET  / HTTP/1.1", "GET /  HTTP/1.1", " GET / HTTP/1.1", "GET /", "GET",
      "GET HTTP/1.1", "GET\t/\tHTTP/1.1", "GET / HTTP/1.1x", "GET / http/1.1", "GET / HTTP/1",
      "GET / HTTP/11", "GET / HTTP/1.10", "GET / HTP/1.1", "GET / /1.1", "GET / HTTP/a.1",
      "G(T / HTTP/1.1", "GÄT / HTTP/1.1", "GET / x HTTP/1.1", "/ HTTP/1.1",
    ] {
      check("\(line)\r\nHost: a\r\n\r\n", .bad(400))
    }
  }
  @Test func knowsVersions() {
    check("GET / HTTP/1.2\r\nHost: a\r\n\r\n", .done)
    for version in ["0.9", "2.0", "3.0", "9.9"] {
      check("GET / HTTP/\(version)\r\nHost: a\r\n\r\n", .bad(505))
    }
  }
  @Test func knowsMethods() {
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
      check("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n", .done)
    }
    for (method, status) in [
      ("TRACE", 405), ("CONNECT", 405), ("get", 501), ("Get", 501), ("BREW", 501), ("GETT", 501),
      ("PRI", 501), ("G", 501),
    ] {
      check("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n", .bad(status))
    }
    check("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", .bad(405))
  }

  // Limits: `HTTPLimits`.

  @Test func boundsTheRequestLine() {
    let limit = HeadLimits().requestLineByteCount
    let path = String(repeating: "a", count: limit - "GET / HTTP/1.1".utf8.count)
    check("GET /\(path) HTTP/1.1\r\nHost: a\r\n\r\n", .done)
    check("GET /\(path)a HTTP/1.1\r\nHost: a\r\n\r\n", .bad(414))
    check("GET /\(path)aaaaaaaaaaaaaaaa", .bad(414))
    check("\r\n\r\nGET /\(path) HTTP/1.1\r\nHost: a\r\n\r\n", .done)
  }
  @Test func boundsOneFieldLine() {
    let limit = HeadLimits().headerLineByteCount
    check(with("X: \(String(repeating: "a", count: limit - 3))\r\n"), .done)
    check(with("X: \(String(repeating: "a", count: limit - 2))\r\n"), .bad(431))
  }
  @Test func boundsAllFieldLines() {
    let line = "X: \(String(repeating: "a", count: 8000))\r\n"
    check(with(String(repeating: line, count: 4)), .done)
    check(with(String(repeating: line, count: 5)), .bad(431))
    let endless = "POST / HTTP/1.1\r\nHost: a\r\n\(String(repeating: line, count: 5))"
    check(endless, .bad(431))
  }
  @Test func boundsTheNumberOfFields() {
    check(with(String(repeating: "X: a\r\n", count: 99)), .done)
    check(with(String(repeating: "X: a\r\n", count: 100)), .bad(431))
  }
  @Test func obeysOtherLimits() {
    var limits = HeadLimits()
    limits.requestLineByteCount = 14
    limits.headByteCount = 12
    check("GET / HTTP/1.1\r\nHost: a\r\n\r\n", .done, limits: limits)
    check("GET /a HTTP/1.1\r\nHost: a\r\n\r\n", .bad(414), limits: limits)
    check("GET / HTTP/1.1\r\nHost: aa\r\n\r\n", .bad(431), limits: limits)
  }
}
