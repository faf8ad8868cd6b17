// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing
import Vendors

@testable import TinyGateway

/// What clients are told of the errors of vendors with a format of their own.
struct RelayDialectErrorTests {
  private struct Sample {
    let name: String
    let error: RelayError
    let action: String
    let status: Int
    let type: String?
    let code: String?
  }

  private func samples(_ folder: String, _ kind: DialectKind) throws -> [Sample] {
    let data = Data(try RelayFixtures.bytes("\(folder)/errors.json"))
    let list = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    return try list.map { entry in
      let body = try #require(entry["upstream_body"])
      let text =
        try body as? String
        ?? String(decoding: JSONSerialization.data(withJSONObject: body), as: UTF8.self)
      let answer = (entry["gateway_body"] as? [String: Any])?["error"] as? [String: Any]
      let status = try #require(entry["upstream_status"] as? Int)
      let format = kind.dialect.errors
      let fields = entry["upstream_headers"] as? [String: String]
      let code = fields?[ByteString(format.codeField).text] ?? ""
      return Sample(
        name: "\(folder) \(entry["name"] ?? "")",
        error: UpstreamError(
          status: status, retryAfter: nil, body: RelayFixtures.buffer(text),
          format: format, code: ByteString(utf8: code), keepsStatus: false
        ).converted,
        action: try #require(entry["action"] as? String),
        status: try #require(entry["gateway_status"] as? Int),
        type: answer?["type"] as? String, code: answer?["code"] as? String)
    }
  }

  @Test(
    arguments: [
      ("anthropic", .anthropic), ("gemini", .gemini), ("cohere", .cohere), ("ollama", .ollama),
      ("dashscope", .dashScope), ("cloudflare", .cloudflare), ("bedrock", .bedrock),
      ("dify", .dify),
      ("coze", .coze), ("ernie-legacy", .ernie), ("hunyuan", .hunyuanNative),
      ("spark-ws", .sparkSocket),
    ] as [(String, DialectKind)])
  func tellsThemAsDocumented(_ folder: String, _ kind: DialectKind) throws {
    for sample in try samples(folder, kind) {
      #expect(sample.error.status == sample.status, "\(sample.name)")
      #expect(sample.error.type.text == sample.type, "\(sample.name)")
      if let code = sample.code { #expect(sample.error.code.text == code, "\(sample.name)") }
      #expect(!sample.error.message.isEmpty, "\(sample.name)")
    }
  }

  /// A body that is framed as events although its status says that it is an error (DashScope).
  @Test func readsAnErrorThatIsFramedAsAnEvent() {
    let body = RelayFixtures.buffer(
      "id:1\nevent:error\n:HTTP_STATUS/429\n"
        + "data:{\"error\":{\"message\":\"Slow.\",\"code\":\"rate_limit_exceeded\"}}\n\n")
    let error = UpstreamError(status: 429, retryAfter: nil, body: body)
    #expect(error.message == "Slow.")
    #expect(error.converted.code == "rate_limit_exceeded")
  }

  @Test func believesTheVendorsTableWithoutTheOwnersList() {
    let format = ErrorFormat(
      codes: "code", messages: "message",
      rules: """
        retry busy|busy
        refresh key|stale
        failover account|day
        client|bad
        client content|words
        retry timeout|slow
        """)
    func said(_ code: String, status: Int = 200) -> UpstreamError {
      UpstreamError(
        status: status, retryAfter: nil, body: RelayFixtures.buffer("{\"code\":\"\(code)\"}"),
        format: format, keepsStatus: false)
    }
    let none = RetryStatuses()
    for code in ["busy", "stale", "day", "slow"] {
      #expect(said(code).mayDifferElsewhere(none), "\(code)")
      #expect(said(code, status: 400).mayDifferElsewhere(none), "\(code)")
    }
    for code in ["bad", "words"] { #expect(!said(code).mayDifferElsewhere(none), "\(code)") }
    #expect(said("stale").isStaleToken && !said("busy").isStaleToken)
    #expect(said("day").outcome == .rateLimited(restMilliseconds: nil))
    #expect(said("words").converted.code == "content_filter")
    #expect(said("bad").converted.code == "bad" && said("bad").converted.status == 400)
    #expect(said("busy").converted.status == 503 && said("slow").converted.status == 504)
    #expect(said("other").converted.status == 502)
  }
}
