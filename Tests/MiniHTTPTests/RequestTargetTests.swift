// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct RequestTargetTests {
  private func parse(_ target: String, method: String = "GET") -> RequestHead? {
    parse([UInt8](target.utf8), method: method)
  }

  private func parse(_ target: [UInt8], method: String = "GET") -> RequestHead? {
    let bytes = Array("\(method) ".utf8) + target + Array(" HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    let head = RequestHead()
    let outcome = RequestParser.parse(bytes.span, into: head, limits: HeadLimits())
    return outcome == .done(bytes.count) ? head : nil
  }

  /// The path and the query of a target; nil when it must be refused.
  private func check(
    _ target: String, _ path: String?, query: String? = nil, method: String = "GET",
    location: SourceLocation = #_sourceLocation
  ) {
    let head = parse(target, method: method)
    let found = head.map { String(decoding: $0.path, as: UTF8.self) }
    #expect(found == path, "\(target)", sourceLocation: location)
    let foundQuery = head.flatMap { head in
      head.query.map { String(decoding: head.bytes[$0], as: UTF8.self) }
    }
    #expect(foundQuery == query, "\(target)", sourceLocation: location)
  }

  @Test func readsOriginForm() {
    check("/", "/")
    check("/v1/models", "/v1/models")
    check("/v1/models/", "/v1/models/")
    check("//a", "//a")
    check("/a?b=c&d", "/a", query: "b=c&d")
    check("/a?", "/a", query: "")
    check("/a?b?c", "/a", query: "b?c")
  }

  @Test func readsAbsoluteForm() {
    check("http://a", "/")
    check("http://a/", "/")
    check("HTTP://A:80/v1/models?x", "/v1/models", query: "x")
    check("https://[::1]:3000/v1", "/v1")
    check("http://a?x=1", "/", query: "x=1")
    for target in [
      "http://", "http:///a", "http://a b/", "http://u@a/", "http:/a", "http:a", "ftp://a/",
      "http://:80/", "http://a:x/", "http://[::1/", "http://a#b", "a", "a/b", "a:443", "?a", "#",
    ] {
      check(target, nil)
    }
  }

  @Test func readsAsteriskForm() {
    check("*", "*", method: "OPTIONS")
    check("*", nil)
    check("*", nil, method: "POST")
    check("**", nil, method: "OPTIONS")
    check("*/", nil, method: "OPTIONS")
  }

  @Test func decodesEscapes() {
    check("/a%20b", "/a b")
    check("/%61", "/a")
    check("/%C3%A9", "/é")
    check("/%2561", "/%61")
    check("/a+b", "/a+b")
    for target in ["/%", "/%2", "/%zz", "/a%", "/%4", "/%-1", "/%%41"] { check(target, nil) }
  }

  @Test func rejectsEscapedControlCharacters() {
    for target in ["/%00", "/a%00b", "/%0a", "/%0D", "/%1f", "/%7F", "/%09"] { check(target, nil) }
  }

  @Test func rejectsBrokenQueries() {
    for query in ["%", "a=%", "a=%4", "a=%zz", "a=%00", "a%00=b", "a#b", "#"] {
      check("/?\(query)", nil)
    }
    check("/?a=%41%c3%a9", "/", query: "a=%41%c3%a9")
  }

  @Test func rejectsFragmentsAndInvisibleBytes() {
    check("/a#b", nil)
    check("/a\u{7F}", nil)
    check("/é", nil)
    check("/a?é", nil)
  }

  @Test func removesDotSegments() {
    for (target, path) in [
      ("/.", "/"), ("/./", "/"), ("/a/.", "/a/"), ("/a/./b", "/a/b"), ("/a/..", "/"),
      ("/a/../", "/"), ("/a/../b", "/b"), ("/a/b/../../c", "/c"), ("/a/b/..", "/a/"),
      ("/.a", "/.a"), ("/..a", "/..a"), ("/a..", "/a.."), ("/...", "/..."), ("/a/.b/c", "/a/.b/c"),
      ("/v1/%2e%2E/api", "/api"), ("/a%2F..%2Fb", "/b"), ("/a//../b", "/a/b"),
    ] {
      check(target, path)
    }
  }

  @Test func rejectsPathsAboveTheRoot() {
    for target in ["/..", "/../a", "/a/../..", "/%2e%2e/etc", "/a/../../b", "/./.."] {
      check(target, nil)
    }
  }

  @Test func forgetsTheTargetBefore() {
    let head = RequestHead()
    for (line, path) in [("GET /a?b HTTP/1.1", "/a"), ("GET /c HTTP/1.1", "/c")] {
      let bytes = [UInt8]("\(line)\r\nHost: a\r\n\r\n".utf8)
      _ = RequestParser.parse(bytes.span, into: head, limits: HeadLimits())
      #expect(String(decoding: head.path, as: UTF8.self) == path)
    }
    #expect(head.query == nil)
  }

  /// `refused`: the counts of bytes at which the text is not a target.
  private func checkPrefixes(_ text: String, refused: Set<Int>) {
    for count in 0...text.utf8.count {
      let prefix = String(text.prefix(count))
      #expect((parse(prefix) == nil) == refused.contains(count), "\(prefix)")
    }
  }

  @Test func judgesEveryPrefix() {
    //             0      7       15  19
    checkPrefixes("/v1/a%20b/../c?x=%41&y", refused: [0, 6, 7, 18, 19])
    checkPrefixes("/a/../../b", refused: [0, 8, 9, 10])
    checkPrefixes("http://a.b:80/v1%2fx?q", refused: Set(0...7).union([17, 18]))
    checkPrefixes("https://[::1]:3000/", refused: Set(0...12))
  }

  @Test func judgesEveryByteOfAPath() {
    for byte in UInt8.min...UInt8.max {
      let target = Array("/a".utf8) + [byte] + Array("b".utf8)
      let isRefused = byte <= 0x20 || byte >= 0x7F || byte == 0x23 || byte == 0x25
      let isQuery = byte == UInt8(ascii: "?")
      let head = parse(target)
      #expect((head == nil) == isRefused, "byte \(byte)")
      if !isRefused {
        #expect(head?.path == (isQuery ? Array("/a".utf8) : target), "byte \(byte)")
        #expect((head?.query != nil) == isQuery, "byte \(byte)")
      }
    }
  }

  @Test func judgesEveryByteOfAQuery() {
    for byte in UInt8.min...UInt8.max {
      let head = parse(Array("/a?b".utf8) + [byte] + Array("c".utf8))
      let isRefused = byte <= 0x20 || byte >= 0x7F || byte == 0x23 || byte == 0x25
      #expect((head == nil) == isRefused, "byte \(byte)")
      if !isRefused { #expect(head?.query?.count == 3, "byte \(byte)") }
    }
  }

  @Test func judgesEveryEscape() {
    for byte in UInt8.min...UInt8.max {
      let digits = Array("0123456789abcdef".utf8)
      let escape = [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      let head = parse(Array("/a".utf8) + escape + Array("b".utf8))
      let isRefused = byte < 0x20 || byte == 0x7F
      #expect((head == nil) == isRefused, "byte \(byte)")
      if !isRefused { #expect(head?.path == Array("/a".utf8) + [byte] + Array("b".utf8)) }
    }
  }

  @Test func judgesEveryFirstByte() {
    for byte in UInt8.min...UInt8.max {
      let head = parse([byte] + Array("a/b".utf8))
      #expect((head != nil) == (byte == UInt8(ascii: "/")), "byte \(byte)")
    }
  }
}
