// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct ResponseParserTests {
  private enum Expected: Equatable {
    case framing(BodyFraming, keepsAlive: Bool)
    case needMore
    case bad
  }

  /// Parses the text whole; what is accepted also byte by byte and by every prefix.
  private func check(
    _ text: String, _ expected: Expected, toHead: Bool = false, limits: HeadLimits = HeadLimits(),
    location: SourceLocation = #_sourceLocation
  ) {
    let bytes = [UInt8](text.utf8)
    let head = ResponseHead()
    let outcome = ResponseParser.parse(bytes.span, into: head, limits: limits, toHead: toHead)
    switch expected {
    case .needMore: #expect(outcome == .needMore, "\(text)", sourceLocation: location)
    case .bad: #expect(outcome == .bad, "\(text)", sourceLocation: location)
    case .framing(let framing, let keepsAlive):
      #expect(outcome == .done(bytes.count), "\(text)", sourceLocation: location)
      #expect(head.framing == framing, "\(text)", sourceLocation: location)
      #expect(head.keepsAlive == keepsAlive, "\(text)", sourceLocation: location)
      checkPrefixes(bytes, toHead, limits, location)
    }
  }

  private func checkPrefixes(
    _ bytes: [UInt8], _ toHead: Bool, _ limits: HeadLimits, _ location: SourceLocation
  ) {
    let head = ResponseHead()
    var wrong: [Int] = []
    for count in 0..<bytes.count {
      let prefix = Array(bytes[..<count])
      let outcome = ResponseParser.parse(
        prefix.span, into: head, limits: limits, toHead: toHead, checked: max(0, count - 4))
      if outcome != .needMore { wrong.append(count) }
    }
    #expect(wrong == [], "prefixes that do not wait", sourceLocation: location)
    let followed = bytes + [UInt8]("HTTP/1.1 200 OK\r\n\r\n".utf8)
    let first = ResponseParser.parse(
      followed.span, into: head, limits: limits, toHead: toHead, checked: max(0, bytes.count - 4))
    #expect(first == .done(bytes.count), sourceLocation: location)
  }

  private func with(_ fields: String, code: Int = 200) -> String {
    "HTTP/1.1 \(code) Some Reason\r\n\(fields)\r\n"
  }

  @Test func readsStatusLines() {
    for line in [
      "HTTP/1.1 200 OK", "HTTP/1.1 200 ", "HTTP/1.1 200", "HTTP/1.1 599 Any Words",
      "HTTP/1.5 200 OK",
    ] {
      check("\(line)\r\nContent-Length: 0\r\n\r\n", .framing(.none, keepsAlive: true))
    }
    check("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", .framing(.none, keepsAlive: false))
  }

  @Test func rejectsMalformedStatusLines() {
    for line in [
      "HTTP/2 200 OK", "HTTP/2.0 200 OK", "http/1.1 200 OK", "HTTP/1.1  200 OK", "HTTP/1.1 20 OK",
      "HTTP/1.1 2000 OK", "HTTP/1.1 -20 OK", "HTTP/1.1 099 OK", "HTTP/1.1 2x0 OK", "HTTP/1.1",
      "HTTP/1.1 200OK", "ICY 200 OK", "", " HTTP/1.1 200 OK", "HTTP/1.1\t200 OK", "HTTP/1. 200 OK",
      "HTTP/1.1 200\rOK",
    ] {
      check("\(line)\r\nContent-Length: 0\r\n\r\n", .bad)
    }
  }

  @Test func waitsForTheEmptyLine() {
    check("", .needMore)
    check("HTTP/1.1 200 OK\r\n", .needMore)
    check("HTTP/1.1 200 OK\r\nA: b\r\n\r", .needMore)
  }

  @Test func tellsTheFraming() {
    check(with("Content-Length: 5\r\n"), .framing(.length(5), keepsAlive: true))
    check(with("Transfer-Encoding: Chunked\r\n"), .framing(.chunked, keepsAlive: true))
    check(with(""), .framing(.untilClose, keepsAlive: false))
    check(with("Connection: keep-alive\r\n"), .framing(.untilClose, keepsAlive: false))
    check("HTTP/1.0 200 OK\r\n\r\n", .framing(.untilClose, keepsAlive: false))
  }

  @Test func rejectsUnclearLengths() {
    for fields in [
      "Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n",
      "Content-Length: +5\r\n", "Content-Length:\r\n", "Content-Length: 9223372036854775808\r\n",
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n",
      "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding:\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ] {
      check(with(fields), .bad)
    }
  }

  @Test func knowsAnswersWithoutABody() {
    for code in [100, 101, 103, 199, 204, 304] {
      check(with("", code: code), .framing(.none, keepsAlive: true))
      check(with("Content-Length: 5\r\n", code: code), .framing(.none, keepsAlive: true))
    }
    check(with("Content-Length: 5\r\n"), .framing(.none, keepsAlive: true), toHead: true)
    check(with("Transfer-Encoding: chunked\r\n"), .framing(.none, keepsAlive: true), toHead: true)
  }

  @Test func tellsWhetherTheConnectionGoesOn() {
    let length = "Content-Length: 5\r\n"
    check(with("\(length)Connection: close\r\n"), .framing(.length(5), keepsAlive: false))
    check(with("\(length)Connection: x, Close\r\n"), .framing(.length(5), keepsAlive: false))
    check(
      "HTTP/1.0 200 OK\r\n\(length)Connection: keep-alive\r\n\r\n",
      .framing(.length(5), keepsAlive: true))
  }

  @Test func rejectsMalformedFieldLines() {
    for line in ["X : a", " X: a", ": a", "X", "X: a\r\n b", "X: a\u{0}b", "X: a\rb", "X: a\nY: b"]
    {
      check(with("\(line)\r\n"), .bad)
    }
    check("HTTP/1.1 200 OK\nA: b\n\n", .bad)
  }

  @Test func boundsTheHead() {
    var limits = HeadLimits()
    limits.upstreamHeadByteCount = 64
    let fixed = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: \r\n\r\n".utf8.count
    let fitting = String(repeating: "a", count: 64 - fixed)
    check(
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: \(fitting)\r\n\r\n",
      .framing(.none, keepsAlive: true), limits: limits)
    check("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: \(fitting)a\r\n\r\n", .bad, limits: limits)
    check(String(repeating: "a", count: 65), .bad, limits: limits)
  }

  @Test func toleratesMoreThanClientsMaySend() {
    let long = "X: \(String(repeating: "a", count: 20_000))\r\n"
    check(with("Content-Length: 0\r\n\(long)"), .framing(.none, keepsAlive: true))
    let many = String(repeating: "X: a\r\n", count: 300)
    check(with("Content-Length: 0\r\n\(many)"), .framing(.none, keepsAlive: true))
    check(with(String(repeating: "X: a\r\n", count: 401)), .bad)
  }

  @Test func forgetsTheAnswerBefore() {
    let head = ResponseHead()
    for (text, code, framing): (String, Int, BodyFraming) in [
      ("HTTP/1.1 404 No\r\nContent-Length: 7\r\nConnection: close\r\n\r\n", 404, .length(7)),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, .chunked),
    ] {
      let bytes = [UInt8](text.utf8)
      let outcome = ResponseParser.parse(bytes.span, into: head, limits: HeadLimits())
      #expect(outcome == .done(bytes.count))
      #expect(head.status.code == code && head.framing == framing)
    }
    #expect(head.keepsAlive && head.value(of: .contentLength) == nil && head.minorVersion == 1)
  }
}
