// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import MiniHTTP
@testable import TinyGateway

/// Errors as clients of OpenAI's API read them.
struct RelayErrorTests {
  private func json(_ error: RelayError) -> String {
    let buffer = Buffer()
    error.write(to: buffer)
    return buffer.byteString.text
  }

  private func check(
    _ error: RelayError, status: Int, _ expected: String,
    _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(json(error) == expected, sourceLocation: location)
    #expect(error.status == status, sourceLocation: location)
  }

  @Test func hasTheShapeOfOpenAIsErrors() {
    check(
      RelayError(429, "rate_limit_error", "rate_limit_exceeded", "Wait."), status: 429,
      """
      {"error":{"message":"Wait.","type":"rate_limit_error","param":null,\
      "code":"rate_limit_exceeded"}}
      """)
    check(
      .invalidRequest("The field model is missing.", param: "model"), status: 400,
      """
      {"error":{"message":"The field model is missing.","type":"invalid_request_error",\
      "param":"model","code":"invalid_request"}}
      """)
    check(
      .invalidRequest("Bad.", code: "invalid_json"), status: 400,
      """
      {"error":{"message":"Bad.","type":"invalid_request_error","param":null,\
      "code":"invalid_json"}}
      """)
  }

  private func check(
    _ error: RelayError, _ status: Int, _ type: String, _ code: String, retryAfter: Int64? = nil,
    allow: String? = nil, _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(error.status == status, sourceLocation: location)
    #expect(error.type.text == type, sourceLocation: location)
    #expect(error.code.text == code, sourceLocation: location)
    #expect(error.retryAfter == retryAfter, sourceLocation: location)
    #expect(error.allow?.text == allow, sourceLocation: location)
    #expect(!error.message.isEmpty, sourceLocation: location)
  }

  @Test func namesEachKindOfError() {
    check(.unauthorized("token_expired", "a"), 401, "authentication_error", "token_expired")
    check(.forbidden("ip_not_allowed", "a"), 403, "permission_error", "ip_not_allowed")
    check(
      .methodNotAllowed("POST"), 405, "invalid_request_error", "method_not_allowed", allow: "POST")
    check(.tooLarge("a"), 413, "invalid_request_error", "request_too_large")
    check(.overloaded("a"), 503, "server_error", "overloaded", retryAfter: 1)
  }

  @Test(arguments: [
    ("plain", "plain"), ("\"quoted\"", "\\\"quoted\\\""), ("back\\slash", "back\\\\slash"),
    ("line\nbreak\r\t", "line\\nbreak\\r\\t"), ("\u{1}", "\\u0001"), ("東京 é 😀", "東京 é 😀"), ("", ""),
  ])
  func escapesItsMessage(_ message: String, _ escaped: String) {
    let error = RelayError(400, "t", "c", ByteString(utf8: message))
    #expect(
      json(error) == #"{"error":{"message":"\#(escaped)","type":"t","param":null,"code":"c"}}"#)
  }

  @Test func isValidJSONWhateverTheMessageIs() throws {
    for bytes: [UInt8] in [[0xFF], [0xE6, 0x9D], [0xED, 0xA0, 0x80], [0], Array(0...255)] {
      let text = json(RelayError(400, "t", "c", ByteString(bytes)))
      let parsed = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      let error = try #require(parsed?["error"] as? [String: Any])
      #expect(error.keys.sorted() == ["code", "message", "param", "type"])
      #expect(error["message"] is String)
    }
  }

  // Channels that cannot be reached.

  @Test func blamesTheUpstreamForAFailedConnection() {
    let expected: [ErrorKind: (Int, String)] = [
      .timeout: (504, "upstream_timeout"), .tls: (502, "upstream_tls_error"),
      .connect: (502, "upstream_unreachable"), .reset: (502, "bad_answer"),
      .badAnswer: (502, "bad_answer"), .cut: (502, "bad_answer"),
    ]
    for (kind, (status, code)) in expected {
      check(RelayError(connectionFailure: kind), status, "upstream_error", code)
    }
  }

  @Test func countsFailuresOfConnectionsByKind() {
    let expected: [(ClientFailure.Kind, ErrorKind)] = [
      (.resolve, .connect), (.refusedAddress, .connect), (.connect, .connect),
      (.connectTimeout, .timeout), (.firstByteTimeout, .timeout), (.idleTimeout, .timeout),
      (.tls, .tls), (.reset, .reset), (.stale, .reset), (.badAnswer, .badAnswer), (.cut, .cut),
    ]
    for (failure, kind) in expected { #expect(failure.errorKind == kind) }
  }

  @Test(
    arguments: [
      (
        .token, 12_500_000, 1_015_000_000, false,
        "The quota of this API key does not suffice: 12.5 units are left, and this request needs "
          + "1015."
      ),
      (
        .user, -5_000_000, 1, true,
        "The quota of the owner of this API key does not suffice: 0 units are left while other "
          + "requests are under way, and this request needs 0.000001. Try again when they have "
          + "ended."
      ),
    ] as [(QuotaLedger.Shortage.Owner, Int64, Int64, Bool, String)])
  func saysWhoseQuotaIsShort(
    _ owner: QuotaLedger.Shortage.Owner, _ left: Int64, _ needed: Int64, _ isForNow: Bool,
    _ sentence: String
  ) {
    let error = RelayError(
      shortage: QuotaLedger.Shortage(
        owner: owner, left: left, needed: needed, isForNow: isForNow))
    #expect(error.status == 429 && error.code == "insufficient_quota")
    #expect(error.message.text == sentence)
    #expect(error.retryAfter == (isForNow ? 1 : nil))
  }
}
