// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import TinyGateway

/// What an upstream's error means for its channel, and what the client is told.
struct RelayUpstreamErrorTests {
  private func error(
    _ status: Int, _ body: String = "", retryAfter: Int64? = nil
  ) -> UpstreamError {
    UpstreamError(status: status, retryAfter: retryAfter, body: RelayFixtures.buffer(body))
  }

  /// As `retry_statuses` has them by default.
  private static let statuses = RetryStatuses("408,409,429,500-599") ?? RetryStatuses()

  /// Checks the kind, whether another channel is tried, and the client's status and code.
  private func check(
    _ status: Int, _ kind: ErrorKind, body: String = "", elsewhere: Bool = true, sees seen: Int,
    _ code: String, _ location: SourceLocation = #_sourceLocation
  ) {
    let error = error(status, body)
    #expect(error.kind == kind, "\(status)", sourceLocation: location)
    #expect(
      error.mayDifferElsewhere(Self.statuses) == elsewhere, "\(status)", sourceLocation: location)
    #expect(error.converted.status == seen, "\(status)", sourceLocation: location)
    #expect(error.converted.code.text == code, "\(status)", sourceLocation: location)
    #expect(!error.converted.message.isEmpty, sourceLocation: location)
  }

  @Test func passesOnWhatConcernsTheRequest() {
    for status in [400, 405, 413, 415, 422, 451] {
      check(status, .refusedRequest, elsewhere: false, sees: status, "upstream_refused")
    }
    check(404, .refusedRequest, sees: 404, "model_not_found")
    check(429, .rateLimited, sees: 429, "rate_limit_exceeded")
  }

  @Test func hidesWhatConcernsTheChannel() {
    for status in [401, 403] { check(status, .refusedKey, sees: 502, "upstream_auth_failed") }
    check(402, .refusedKey, sees: 502, "upstream_quota_exhausted")
    for status in [409, 500, 502, 505, 520, 599] {
      check(status, .upstreamServer, sees: 502, "upstream_error")
    }
    for status in [503, 529] { check(status, .upstreamServer, sees: 503, "upstream_error") }
    for status in [408, 504] { check(status, .upstreamServer, sees: 504, "upstream_error") }
    for status in [300, 301, 302, 304, 307, 308] {
      check(status, .badAnswer, sees: 502, "bad_answer")
    }
  }

  @Test func knowsAnEmptyAccountByItsCodeOrType() {
    for word in ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"] {
      for status in [400, 403, 429, 500] {
        for body in [
          "{\"error\":{\"code\":\"\(word)\"}}", "{\"error\":{\"type\":\"\(word)\"}}",
          "{\"error\":{\"message\":\"m\",\"type\":\"\(word)\",\"code\":\"other\"}}",
        ] { check(status, .refusedKey, body: body, sees: 502, "upstream_quota_exhausted") }
      }
    }
  }

  @Test func knowsARefusedKeyByItsCode() {
    for code in ["invalid_api_key", "account_deactivated"] {
      let body = "{\"error\":{\"message\":\"m\",\"code\":\"\(code)\"}}"
      for status in [400, 403, 404, 429, 500] {
        check(status, .refusedKey, body: body, sees: 502, "upstream_auth_failed")
      }
    }
  }

  /// A message may quote anything, such as the client's own words.
  @Test func neverJudgesByTheMessage() {
    for body in [
      #"{"error":{"message":"insufficient_quota"}}"#, #"{"error":"insufficient_quota"}"#,
      #"{"error":{"code":"not insufficient_quota"}}"#,
    ] {
      #expect(error(400, body).kind == .refusedRequest && error(400, body).converted.status == 400)
      check(429, .rateLimited, body: body, sees: 429, "rate_limit_exceeded")
    }
  }

  @Test func passesOnCodesThatTellWhatIsWrongWithARequest() {
    for code in ["context_length_exceeded", "unsupported_parameter", "content_filter", "1210"] {
      let body = "{\"error\":{\"message\":\"m\",\"code\":\"\(code)\"}}"
      check(400, .refusedRequest, body: body, elsewhere: false, sees: 400, code)
      check(422, .refusedRequest, body: body, elsewhere: false, sees: 422, code)
    }
    for code in ["unsupported_parameter", "1210"] {
      let body = "{\"error\":{\"message\":\"m\",\"code\":\"\(code)\"}}"
      check(404, .refusedRequest, body: body, sees: 404, "model_not_found")
      check(401, .refusedKey, body: body, sees: 502, "upstream_auth_failed")
      check(500, .upstreamServer, body: body, sees: 502, "upstream_error")
    }
    for code in ["token_disabled", "ip_not_allowed", ""] {
      let body = "{\"error\":{\"message\":\"m\",\"code\":\"\(code)\"}}"
      check(400, .refusedRequest, body: body, elsewhere: false, sees: 400, "upstream_refused")
    }
    let body = #"{"error":{"code":400,"message":"m"}}"#
    check(400, .refusedRequest, body: body, elsewhere: false, sees: 400, "400")
  }

  @Test func blamesTheUpstreamForAnErrorWithinItsStream() {
    let error = UpstreamError(
      event: #"{"error":{"message":"Overloaded, key sk-abcdefghijklmnop."}}"#)
    #expect(error.kind == .upstreamServer)
    #expect(error.mayDifferElsewhere(Self.statuses))
    #expect(error.converted.status == 502)
    #expect(error.converted.message.text.hasPrefix("Overloaded"))
    #expect(!error.converted.message.text.contains("hijklmnop"))
    #expect(UpstreamError(event: "").converted.message == "The upstream failed.")
  }

  @Test func neverLooksLikeARefusedClientKey() {
    let bodies = [
      "", "<html>", #"{"error":{"code":"invalid_api_key","type":"authentication_error"}}"#,
      #"{"error":{"code":"insufficient_quota"}}"#,
    ]
    for status in 300...599 {
      for body in bodies {
        let seen = error(status, body).converted
        #expect(![401, 402, 403].contains(seen.status), "\(status)")
        #expect(seen.code.text != "invalid_api_key", "\(status)")
        #expect(seen.code.text != "insufficient_quota", "\(status)")
        #expect(seen.type.text != "authentication_error", "\(status)")
        #expect(seen.status >= 400)
      }
    }
  }

  @Test func tellsWhenToComeBack() {
    #expect(error(429, retryAfter: 20).converted.retryAfter == 20)
    #expect(error(429).converted.retryAfter == nil)
    #expect(error(400, retryAfter: 20).converted.retryAfter == nil)
  }

  // The message.

  @Test(arguments: [
    (#"{"error":{"message":"Too long."}}"#, "Too long."), (#"{"error":"Too long."}"#, "Too long."),
    (#"{"message":"Too long."}"#, "Too long."), (#"{"detail":"Too long."}"#, "Too long."),
    (#"{"error":{"message":"a \"b\" \u6771"}}"#, "a \"b\" 東"),
    (" \n{\"error\" : { \"message\" : \"Too long.\" } }", "Too long."),
    (#"{"error":{}}"#, ""), (#"{"detail":[{"msg":"a"}]}"#, ""),
    ("", ""), ("<html>502</html>", ""), ("{\"error\":", ""), ("{\"error\":{\"message\":\"a", ""),
    ("[]", ""), ("null", ""), ("Too long.", ""),
  ])
  func findsTheVendorsSentence(_ body: String, _ message: String) {
    let error = error(400, body)
    #expect(error.message.text == message)
    let standard = "The upstream refused the request."
    #expect(error.converted.message.text == (message.isEmpty ? standard : message))
  }

  @Test func readsEveryPrefixWithoutHarm() throws {
    let bytes = try RelayFixtures.bytes("openai/errors.json")
    for count in 0...min(bytes.count, 600) {
      let body = Buffer()
      body.append(Array(bytes[..<count]).span)
      #expect(UpstreamError(status: 400, retryAfter: nil, body: body).converted.status == 400)
    }
  }

  @Test func neverShowsAKey() {
    for secret in ["sk-abcdefghijklmnop", "Bearer abcdefghijklmnop", "key=abcdefghijklmnop"] {
      for status in [400, 404, 429, 500] {
        let body = "{\"error\":{\"message\":\"Wrong: \(secret).\"}}"
        let message = error(status, body).converted.message.text
        #expect(!message.contains("hijklmnop"), "\(message)")
        #expect(message.hasPrefix("Wrong: "), "\(message)")
      }
    }
  }

  @Test func shortensAnEndlessMessage() throws {
    for padding in 996...1000 {
      let text = String(repeating: "a", count: padding) + String(repeating: "東", count: 50)
      let buffer = Buffer()
      error(400, "{\"error\":{\"message\":\"\(text)\"}}").converted.write(to: buffer)
      #expect(buffer.count < 1200)
      let parsed = try JSONSerialization.jsonObject(with: Data(buffer.readable)) as? [String: Any]
      let message = (parsed?["error"] as? [String: Any])?["message"] as? String
      #expect(message?.hasPrefix(String(repeating: "a", count: padding)) == true)
    }
  }

  // The vendors' samples.

  private struct Sample {
    let name: String
    let error: UpstreamError
    let action: String
    let status: Int
    let type: String?
    let code: String?
  }

  private func samples(_ vendor: String) throws -> [Sample] {
    let data = Data(try RelayFixtures.bytes("\(vendor)/errors.json"))
    let list = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    return try list.map { entry in
      let body = try #require(entry["upstream_body"])
      let text =
        try body as? String
        ?? String(decoding: JSONSerialization.data(withJSONObject: body), as: UTF8.self)
      let answer = try #require(entry["gateway_body"] as? [String: [String: Any]])["error"]
      return Sample(
        name: "\(vendor) \(entry["name"] ?? "")",
        error: error(try #require(entry["upstream_status"] as? Int), text),
        action: try #require(entry["action"] as? String),
        status: try #require(entry["gateway_status"] as? Int),
        type: answer?["type"] as? String, code: answer?["code"] as? String)
    }
  }

  @Test(arguments: ["openai", "deepseek"])
  func actsOnSamples(_ vendor: String) throws {
    for sample in try samples(vendor) {
      #expect(
        sample.error.mayDifferElsewhere(Self.statuses) == (sample.action != "client"),
        "\(sample.name)")
      #expect(
        (sample.error.kind == .refusedKey) == (sample.action == "disable"), "\(sample.name)")
      // A status that concerns the request is passed on as it is.
      let status = sample.error.status == 422 ? 422 : sample.status
      #expect(sample.error.converted.status == status, "\(sample.name)")
    }
  }

  @Test(arguments: ["openai", "deepseek"])
  func namesTheTypeOfSamplesAsDocumented(_ vendor: String) throws {
    for sample in try samples(vendor) {
      #expect(sample.error.converted.type.text == sample.type, "\(sample.name)")
    }
  }

  /// What only this vendor's words mean, such as DeepSeek's refused content, is left out.
  @Test(arguments: ["openai", "deepseek"])
  func namesTheCodeOfSamplesAsDocumented(_ vendor: String) throws {
    for sample in try samples(vendor) where sample.action != "client" || vendor == "openai" {
      guard let code = sample.code else { continue }
      #expect(sample.error.converted.code.text == code, "\(sample.name)")
    }
  }
}
