// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct RequestHeadTests {
  private func parse(_ text: String) throws -> RequestHead {
    let bytes = [UInt8](text.utf8)
    let head = RequestHead()
    let outcome = RequestParser.parse(bytes.span, into: head, limits: HeadLimits())
    try #require(outcome == .done(bytes.count), "\(text)")
    return head
  }

  private func head(_ fields: String = "", version: String = "1.1") throws -> RequestHead {
    try parse("POST /a HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n")
  }

  @Test func tellsTheFraming() throws {
    #expect(try head().framing == .none)
    #expect(try head("Content-Length: 0\r\n").framing == .none)
    #expect(try head("Content-Length: 17\r\n").framing == .length(17))
    #expect(try head("Transfer-Encoding: chunked\r\n").framing == .chunked)
    #expect(
      try head("Content-Length: 9223372036854775807\r\n").framing
        == .length(9_223_372_036_854_775_807))
  }

  @Test func tellsWhetherTheConnectionGoesOn() throws {
    for (fields, version, expected) in [
      ("", "1.1", true), ("Connection: close\r\n", "1.1", false),
      ("Connection: keep-alive\r\n", "1.1", true), ("Connection: CLOSE\r\n", "1.1", false),
      ("Connection: foo, close\r\n", "1.1", false), ("Connection: closed\r\n", "1.1", true),
      ("Connection: foo\r\nConnection: close\r\n", "1.1", false),
      ("Connection: keep-alive, close\r\n", "1.1", false),
      ("", "1.0", false), ("Connection: keep-alive\r\n", "1.0", true),
      ("Connection: Keep-Alive\r\n", "1.0", true), ("Connection: close\r\n", "1.0", false),
      ("Connection: keep-alive, close\r\n", "1.0", false), ("Connection:\r\n", "1.1", true),
    ] {
      #expect(try head(fields, version: version).keepsAlive == expected, "\(version) \(fields)")
    }
  }

  @Test func tellsTheExpectation() throws {
    for (fields, version, expects, isUnknown) in [
      ("", "1.1", false, false), ("Expect: 100-continue\r\n", "1.1", true, false),
      ("Expect: 100-Continue\r\n", "1.1", true, false),
      ("Expect: 100-continue\r\n", "1.0", false, false), ("Expect: x\r\n", "1.1", false, true),
      ("Expect: 100-continue, x\r\n", "1.1", false, true), ("Expect:\r\n", "1.1", false, true),
    ] {
      let head = try head(fields, version: version)
      #expect(head.expectsContinue == expects, "\(fields)")
      #expect(head.hasUnknownExpectation == isUnknown, "\(fields)")
    }
    #expect(try head("Expect: 100-continue\r\nExpect: x\r\n").hasUnknownExpectation)
  }

  @Test func forgetsTheRequestBefore() throws {
    let head = RequestHead()
    let first = [UInt8](
      ("POST /a?b HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nExpect: x\r\n"
        + "Connection: close\r\n\r\n").utf8)
    let second = [UInt8]("GET / HTTP/1.1\r\nHost: b\r\n\r\n".utf8)
    _ = RequestParser.parse(first.span, into: head, limits: HeadLimits())
    _ = RequestParser.parse(second.span, into: head, limits: HeadLimits())
    #expect(head.framing == .none && head.keepsAlive && head.minorVersion == 1)
    #expect(!head.hasUnknownExpectation && !head.expectsContinue)
    #expect(head.query == nil && head.fieldCount == 1 && head.method == .get)
    #expect(head.value(of: .host) == "b")
    #expect(head.value(of: .contentLength) == nil)
  }

  /// A path is decoded anew unless the one before stood in its request as it is.
  @Test func readsOneTargetAfterTheOther() {
    let head = RequestHead()
    for (target, path, hasQuery) in [
      ("/v1/a", "/v1/a", false), ("/v1/a", "/v1/a", false), ("/v1/a?b", "/v1/a", true),
      ("/v1/a", "/v1/a", false), ("/v1/%61%2561", "/v1/a%61", false),
      ("/v1/a%61", "/v1/aa", false), ("/v1/aa", "/v1/aa", false), ("/v1/ab", "/v1/ab", false),
      ("/x/../v1/ab", "/v1/ab", false), ("/v1/ab", "/v1/ab", false),
    ] {
      let bytes = [UInt8]("POST \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
      let outcome = RequestParser.parse(bytes.span, into: head, limits: HeadLimits())
      #expect(outcome == .done(bytes.count), "\(target)")
      #expect(String(decoding: head.path, as: UTF8.self) == path, "\(target)")
      #expect((head.query != nil) == hasQuery, "\(target)")
    }
  }

  @Test func comparesPaths() throws {
    let head = try parse("GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(head.isPath("/v1/models"))
    #expect(!head.isPath("/v1/model"))
    #expect(!head.isPath("/v1/models/"))
    #expect(head.hasPathPrefix("/v1/"))
    #expect(head.hasPathPrefix("/v1/models"))
    #expect(!head.hasPathPrefix("/v1/models/"))
    #expect(!head.hasPathPrefix("/V1/"))
  }

  @Test func readsQueryValues() throws {
    let head = try parse(
      "GET /?a=1&b=x%20y+z&empty=&flag&a=2&=v&%63=4&d=%0a&e=1=2 HTTP/1.1\r\nHost: a\r\n\r\n")
    for (name, expected): (StaticString, ByteString?) in [
      ("a", "1"), ("b", "x y z"), ("empty", ""), ("flag", ""), ("missing", nil), ("c", nil),
      ("d", nil), ("e", "1=2"), ("", "v"),
    ] {
      #expect(head.queryValue(of: name) == expected, "\(name)")
    }
    #expect(head.queryNames == ["a", "b", "empty", "flag", "a", "", "%63", "d", "e"])
  }

  @Test func hasNoQueryValuesWithoutAQuery() throws {
    let head = try parse("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(head.queryValue(of: "a") == nil)
    #expect(head.queryNames == [])
    let empty = try parse("GET /a? HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(empty.queryValue(of: "a") == nil)
    #expect(empty.queryNames == [])
  }
}

struct PercentCodingTests {
  private func check(_ text: ByteString, _ expected: ByteString?, plusIsSpace: Bool = false) {
    let decoded = PercentCoding.decoded(text.bytes.span, plusIsSpace: plusIsSpace)
    #expect(decoded.map { ByteString($0) } == expected, "\(text.text)")
  }

  @Test func decodesEscapes() {
    check("", "")
    check("abc", "abc")
    check("%41%62", "Ab")
    check("a%2Bb", "a+b")
    check("%ff", ByteString([0xFF]))
  }

  @Test func decodesPlusOnlyInQueries() {
    check("a+b", "a+b")
    check("a+b", "a b", plusIsSpace: true)
    check("a%2bb", "a+b", plusIsSpace: true)
  }

  @Test func refusesBrokenEscapesAndControls() {
    for text: ByteString in ["%", "%4", "a%", "%g0", "%0g", "%00", "%1F", "%7f", "%0d%0a"] {
      check(text, nil)
    }
  }

  @Test func judgesQueries() {
    for (text, expected): (ByteString, Bool) in [
      ("", true), ("a=b&c", true), ("%41", true), ("%0a", true), ("%", false), ("%4", false),
      ("a%4", false), ("%zz", false), ("%00", false), ("a#", false),
    ] {
      let found = PercentCoding.isValid(text.bytes.span)
      #expect(found == expected, "\(text.text)")
    }
  }
}
