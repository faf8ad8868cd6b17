// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct MessageHeadTests {
  private func head(_ fields: String) throws -> RequestHead {
    let bytes = [UInt8]("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
    let head = RequestHead()
    let outcome = RequestParser.parse(bytes.span, into: head, limits: HeadLimits())
    try #require(outcome == .done(bytes.count))
    return head
  }

  @Test func findsFieldsInAnyCase() throws {
    let head = try head("X-One:  1 \r\nX-TWO:2\r\nx-one: 3\r\nX-Empty:\r\n")
    #expect(head.value(of: "x-one") == "1")
    #expect(head.value(of: "x-two") == "2")
    #expect(head.value(of: "x-empty") == "")
    #expect(head.value(of: "x-three") == nil)
    #expect(head.count(of: "x-one") == 2)
    #expect(head.count(of: "x-three") == 0)
    #expect(head.fieldCount == 5)
    #expect(head.range(of: "x-one").map { head.withBytes($0) { $0.count } } == 1)
  }

  @Test func notesKnownFields() throws {
    let head = try head(
      "AUTHORIZATION: Bearer x\r\nx-api-key: k\r\nContent-Type: t\r\nX-Other: 1\r\n"
        + "Authorization: second\r\nx-same-wd: not a known name of that length\r\n")
    #expect(head.value(of: .authorization) == "Bearer x")
    #expect(head.count(of: .authorization) == 2)
    #expect(head.value(of: .apiKey) == "k")
    #expect(head.value(of: .contentType) == "t")
    #expect(head.value(of: .host) == "a")
    #expect(head.value(of: .retryAfter) == nil)
    #expect(head.range(of: .retryAfter) == nil)
    #expect(head.count(of: .connection) == 0)
  }

  @Test func tellsKnownFieldsOfOneLengthApart() throws {
    let head = try head(
      "X-Goog-Api-Key: g\r\nContent-Length: 3\r\nAPI-Key: a\r\nx-some-api-key: other\r\n"
        + "consent-length: 4\r\nx-12345: seven\r\n")
    #expect(head.value(of: .googleKey) == "g")
    #expect(head.count(of: .googleKey) == 1)
    #expect(head.value(of: .azureKey) == "a")
    #expect(head.value(of: .contentLength) == "3")
    #expect(head.count(of: .contentLength) == 1)
  }

  @Test func looksIntoEveryFieldOfAName() throws {
    let head = try head("Connection: a\r\nX: close\r\nConnection: b, Close\r\n")
    #expect(head.contains(token: "close", in: .connection))
    #expect(head.contains(token: "b", in: .connection))
    #expect(!head.contains(token: "c", in: .connection))
    #expect(!head.contains(token: "a", in: .expect))
  }
}

struct HeaderValueTests {
  private func check(_ value: ByteString, contains token: StaticString, _ expected: Bool) {
    let found = HeaderValue.contains(token: token, in: value.bytes.span)
    #expect(found == expected, "\(value.text)")
  }

  @Test func findsTokensInLists() {
    check("close", contains: "close", true)
    check("CLOSE", contains: "close", true)
    check("a, close", contains: "close", true)
    check("close,a", contains: "close", true)
    check("a,\tclose ,b", contains: "close", true)
    check(",,close,,", contains: "close", true)
  }

  @Test func findsWholeTokensOnly() {
    check("", contains: "close", false)
    check("closed", contains: "close", false)
    check("a close", contains: "close", false)
    check("\"close\"", contains: "close", false)
    check("clo,se", contains: "close", false)
  }

  @Test func trimsSpacesAndTabs() {
    for (text, expected): (ByteString, Range<Int>) in [
      ("", 0..<0), ("  ", 2..<2), (" a\t", 1..<2), ("a b", 0..<3), ("\t\ta", 2..<3),
    ] {
      let found = HeaderValue.trimmed(text.bytes.span, 0..<text.count)
      #expect(found == expected, "\(text.text)")
    }
    let middle = HeaderValue.trimmed(ByteString("x a x").bytes.span, 1..<4)
    #expect(middle == 2..<3)
  }
}
