// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

/// One cookie out of a request's `Cookie` field.
struct CookieFieldTests {
  private func check(
    _ field: ByteString, _ expected: CookieField, _ location: SourceLocation = #_sourceLocation
  ) {
    let bytes = field.bytes
    #expect(CookieField.find("sid", in: bytes.span) == expected, sourceLocation: location)
  }

  @Test func findsItAnywhere() {
    check("sid=a1", .found("a1"))
    check("a=b; sid=a1", .found("a1"))
    check("sid=a1; c=d", .found("a1"))
    check(" a=b ;sid=a1;", .found("a1"))
    check(";;sid=A-_9", .found("A-_9"))
  }

  @Test func doesNotCareForOthers() {
    check("", .missing)
    check("=", .missing)
    check("xsid=1; sidx=2; SID=3; si=4", .missing)
    check("a=\"sid=1\"; b", .missing)
    check("other=\u{01}{\"x\":[1,2]}; sid=ok", .found("ok"))
    check("a=sid; b=x=sid=1", .missing)
  }

  @Test func refusesTwo() {
    check("sid=a; sid=a", .unclear)
    check("sid=a; b=c; sid=d", .unclear)
    check("sid=; sid=a", .unclear)
    check("sid; sid=a", .unclear)
  }

  @Test func refusesValuesThatWeNeverGave() {
    for value in ["", "a b", "\"a\"", "a,b", "a=b", "a\u{7F}", "é", "a/b", "%41"] {
      check(ByteString(utf8: "sid=" + value), .unclear)
    }
    check("sid", .unclear)
    let longest = ByteString([UInt8](repeating: 0x61, count: CookieField.valueByteCount))
    check("sid=" + longest, .found(longest))
    check("sid=" + longest + "a", .unclear)
  }

  @Test func takesOneFieldOnly() {
    for (fields, expected) in [
      ("", CookieField.missing), ("Cookie: sid=a\r\n", .found("a")),
      ("Cookie: sid=a\r\nCookie: b=c\r\n", .unclear), ("Cookie: b=c\r\n", .missing),
    ] {
      let text = ByteString(utf8: "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n")
      let head = RequestHead()
      let bytes = text.bytes
      #expect(
        RequestParser.parse(bytes.span, into: head, limits: HeadLimits()) == .done(text.count))
      #expect(CookieField.find("sid", in: head) == expected)
    }
  }
}
