// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import TinyGateway
@testable import Vendors

/// What vendors' own error codes mean, as their rows say: over all their samples.
struct RelayVendorErrorTests {
  private static let statuses = RetryStatuses("408,409,429,500-599") ?? RetryStatuses()

  private func judged(_ slug: String, _ status: Int, _ body: String) throws -> UpstreamError {
    let vendor = try #require(VendorRegistry.find(ByteString(utf8: slug)))
    if status == 200 {
      return UpstreamError(event: ByteString(utf8: body), codes: vendor.errorCodes)
    }
    return UpstreamError(
      status: status, retryAfter: nil, body: RelayFixtures.buffer(body), codes: vendor.errorCodes)
  }

  @Test(arguments: [
    ("deepseek", "deepseek"), ("doubao", "doubao"), ("minimax", "minimax"),
    ("mistral", "mistral"), ("openrouter", "openrouter"), ("siliconflow", "siliconflow"),
    ("xai", "xai"), ("zhipu", "zhipu"), ("zai", "zhipu"), ("azure", "azure"),
    ("ernie", "ernie-v2"), ("openai", "openai"),
  ])
  func actsOnSamples(_ slug: String, _ folder: String) throws {
    let data = Data(try RelayFixtures.bytes("\(folder)/errors.json"))
    let list = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    #expect(!list.isEmpty)
    for entry in list {
      let name = "\(slug) \(entry["name"] ?? "")"
      let body = try #require(entry["upstream_body"])
      let text =
        try body as? String
        ?? String(decoding: JSONSerialization.data(withJSONObject: body), as: UTF8.self)
      let status = try #require(entry["upstream_status"] as? Int)
      let error = try judged(slug, status, text)
      let action = try #require(entry["action"] as? String)
      let told = try #require(entry["gateway_body"] as? [String: [String: Any]])["error"]
      #expect(error.mayDifferElsewhere(Self.statuses) == (action != "client"), "\(name)")
      #expect(
        (error.kind == .refusedKey) == ["disable", "refresh"].contains(action), "\(name)")
      // A status that concerns the request is passed on as it is.
      let seen = status == 422 ? 422 : try #require(entry["gateway_status"] as? Int)
      #expect(error.converted.status == seen, "\(name)")
      #expect(error.converted.type.text == told?["type"] as? String, "\(name)")
      #expect(!error.converted.message.isEmpty, "\(name)")
      if let code = told?["code"] {
        if code is NSNull { continue }
        #expect(error.converted.code.text == "\(code)", "\(name)")
      }
    }
  }

  /// What a key's or an account's end means for the channel.
  @Test(arguments: [
    ("minimax", 200, #"{"base_resp":{"status_code":2049,"status_msg":"invalid api key"}}"#, true),
    ("spark", 200, #"{"code":11200,"message":"no licence","sid":"s"}"#, true),
    ("spark", 500, #"{"error":{"code":"10013","message":"refused"}}"#, false),
    ("doubao", 403, #"{"error":{"code":"OperationDenied.Model","message":"m"}}"#, false),
    ("zhipu", 429, #"{"error":{"code":"1311","message":"not in the plan"}}"#, false),
    ("xai", 400, #"{"code":"x","error":"Incorrect API key provided: a"}"#, true),
    ("xai", 400, #"{"code":"x","error":"Quotes: Incorrect API key provided"}"#, false),
  ])
  func setsOnlyUselessKeysAside(
    _ slug: String, _ status: Int, _ body: String, _ isRejected: Bool
  ) throws {
    var rejected = false
    if case .keyRejected = try judged(slug, status, body).outcome { rejected = true }
    #expect(rejected == isRejected)
  }

  @Test func readsCodesOfAllForms() throws {
    func seen(_ slug: String, _ status: Int, _ body: String) throws -> String {
      let told = try judged(slug, status, body).converted
      return "\(told.status) \(told.code.text)"
    }
    #expect(
      try seen("spark", 200, #"{"code":10907,"message":"m"}"#) == "400 context_length_exceeded")
    #expect(try seen("spark", 200, #"{"code":10163,"message":"m"}"#) == "400 10163")
    #expect(try seen("spark", 200, #"{"code":10110,"message":"m"}"#) == "503 upstream_error")
    #expect(try seen("spark", 200, #"{"code":99999,"message":"m"}"#) == "502 upstream_error")
    let prefix = #"{"error":{"code":"InputTextSensitiveContentDetected.Severe","message":"m"}}"#
    #expect(try seen("doubao", 400, prefix) == "400 content_filter")
    // A code that many statuses share says less than they do.
    let shared = #"{"error":{"code":"invalid_request_error","message":"m"}}"#
    #expect(try seen("deepseek", 400, shared) == "400 invalid_request_error")
    #expect(try seen("deepseek", 429, shared) == "429 rate_limit_exceeded")
    #expect(try seen("deepseek", 500, shared) == "502 upstream_error")
    let long = #"{"error":{"code":"\#(String(repeating: "1", count: 200))"}}"#
    #expect(try seen("zhipu", 400, long) == "400 upstream_refused")
  }

  /// A slip in a row must show here, not with the first error of that kind.
  @Test func knowsEveryMeaningOfEveryRow() {
    let known: Set<String> = [
      "account", "key", "denied", "model", "rate", "content", "length", "client", "busy",
      "timeout", "failed",
    ]
    for vendor in VendorRegistry.all {
      var codes: [String] = []
      for line in ByteString(vendor.errorCodes).list(separatedBy: 0x0A) {
        let words = line.list(separatedBy: UInt8(ascii: "|")).map(\.text)
        #expect(known.contains(words.first ?? ""), "\(vendor.name): \(line.text)")
        #expect(words.count > 1, "\(vendor.name): \(line.text)")
        codes += words.dropFirst()
      }
      #expect(Set(codes).count == codes.count, "\(vendor.name)")
    }
  }
}
