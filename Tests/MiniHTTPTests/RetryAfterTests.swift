// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

/// How long an answer asks to be left alone.
struct RetryAfterTests {
  /// Fri, 02 Jan 2099 03:04:05 GMT and a quarter of a second: later than any build.
  private let now: Int64 = 4_071_006_245_250
  private let day: Int64 = 86_400_000

  private func rest(_ fields: String..., now: Int64? = nil) throws -> Int64? {
    let lines = ["HTTP/1.1 429 Too Many Requests", "Content-Length: 0"] + fields + ["", ""]
    let bytes = Array(lines.joined(separator: "\r\n").utf8)
    let head = ResponseHead()
    let outcome = ResponseParser.parse(bytes.span, into: head, limits: HeadLimits())
    try #require(outcome == .done(bytes.count), "\(fields)")
    return head.retryAfterMilliseconds(now: now ?? self.now)
  }

  @Test(
    arguments: [
      ("0", 0), ("1", 1000), ("20", 20_000), ("007", 7000), ("86400", 86_400_000),
      ("86401", 86_400_000), ("9223372036854775807", 86_400_000),
      ("99999999999999999999999999", 86_400_000), ("1.5", 1500), ("0.0001", 1), ("2.0000", 2000),
      ("1.2345", 1235), ("0.999999999999999999999999", 1000),
      ("", nil), ("-1", nil), ("+1", nil), ("1s", nil), ("1e3", nil), ("0x10", nil), ("1 2", nil),
      (".", nil), (".5", nil), ("1.", nil), ("1..5", nil), ("1.5.5", nil), ("1,5", nil),
      ("soon", nil), ("\u{661}", nil),
    ] as [(String, Int64?)])
  func readsSeconds(_ value: String, _ expected: Int64?) throws {
    #expect(try rest("Retry-After: \(value)") == expected)
  }

  @Test(
    arguments: [
      ("0", 0), ("1", 1), ("1500", 1500), ("1500.5", 1501), ("1500.0", 1500),
      ("86400000", 86_400_000), ("86400001", 86_400_000), ("99999999999999999999", 86_400_000),
      ("", nil), ("-1", nil), ("soon", nil), ("5.", nil), ("Fri, 02 Jan 2099 03:04:15 GMT", nil),
    ] as [(String, Int64?)])
  func readsMilliseconds(_ value: String, _ expected: Int64?) throws {
    #expect(try rest("retry-after-ms: \(value)") == expected)
  }

  @Test(
    arguments: [
      ("Fri, 02 Jan 2099 03:04:15 GMT", 9750), ("Friday, 02-Jan-99 03:04:15 GMT", 9750),
      ("Fri Jan  2 03:04:15 2099", 9750), ("Fri, 02 Jan 2099 03:04:05 GMT", 0),
      ("Sun, 06 Nov 1994 08:49:37 GMT", 0), ("Sat, 03 Jan 2099 03:04:05 GMT", 86_399_750),
      ("Sat, 03 Jan 2099 03:04:06 GMT", 86_400_000), ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400_000),
      ("Fri, 02 Jan 2099 03:04:15", nil), ("Fri, 32 Jan 2099 03:04:15 GMT", nil),
    ] as [(String, Int64?)])
  func readsDates(_ value: String, _ expected: Int64?) throws {
    #expect(try rest("Retry-After: \(value)") == expected)
    // With a clock that is none, a date would be any rest.
    for wrong in [0, UnixTime.buildSeconds * 1000 - 1] {
      #expect(try rest("Retry-After: \(value)", now: wrong) == nil)
    }
  }

  @Test func takesTheMoreExactOne() throws {
    #expect(try rest() == nil)
    #expect(try rest("Retry-After: 2", "Retry-After-Ms: 1234") == 1234)
    #expect(try rest("retry-after-ms: 1234", "retry-after: 2") == 1234)
    #expect(try rest("retry-after-ms: soon", "retry-after: 2") == 2000)
    #expect(try rest("retry-after-ms: 5", now: 0) == 5)
    #expect(try rest("Retry-After: 2", "Retry-After: 3") == 2000)
    #expect(try rest("Retry-After: 2", now: 0) == 2000)
  }
}
