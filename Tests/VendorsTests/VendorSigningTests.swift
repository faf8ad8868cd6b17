// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Signatures against the vectors in `Tests/Fixtures`, all at 2023-11-14T22:13:20Z.
struct VendorSigningTests {
  private let now: Int64 = 1_700_000_000

  private func vectors(_ name: String) throws -> JSONValue {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    let path = parts.joined(separator: "/") + "/Fixtures/" + name
    let data = try #require(FileManager.default.contents(atPath: path), "\(name) is missing")
    return try JSONDocument(ByteString([UInt8](data))).root
  }

  private func text(_ value: JSONValue?, _ key: ByteString) throws -> ByteString {
    try #require(value?.member(key)?.string)
  }

  private func lines(_ fill: (Buffer) throws -> Void) rethrows -> [String] {
    let buffer = Buffer()
    try fill(buffer)
    #expect(buffer.byteString.text.hasSuffix("\r\n"))
    return buffer.byteString.text.components(separatedBy: "\r\n").dropLast()
  }

  @Test func signsForSpark() throws {
    let vector = try vectors("spark-ws/sign.json")
    let secret = try text(vector, "api_secret")
    let apiKey = try text(vector, "api_key")
    let key = try SparkSignature.Key("APPID|" + secret + "|" + apiKey)
    #expect(key.appID == "APPID")
    let signature = SparkSignature(
      host: try text(vector, "host"), path: try text(vector, "path"), key: key, at: now)
    #expect(signature.stringToSign == (try text(vector, "string_to_sign")))
    #expect(signature.signature == (try text(vector, "signature")))
    #expect(signature.authorization == (try text(vector, "authorization")))
    let decoded = try #require(Digest.unbase64(signature.authorization))
    #expect(decoded == (try text(vector, "authorization_origin")))
    #expect(
      signature.target.text
        == "/v3.5/chat?authorization=" + signature.authorization.text.dropLast(2) + "%3D%3D"
        + "&date=Tue%2C%2014%20Nov%202023%2022%3A13%3A20%20GMT&host=spark-api.xf-yun.com")
  }

  @Test func makesZhipuTokens() throws {
    let vector = try vectors("zhipu/sign.json")
    let key = try text(vector, "key")
    let token = try text(vector, "token")
    #expect(ZhipuToken.make(key: key, at: now) == token)
    for key: ByteString in ["plain", "a.b.c", ".b", "a.", ""] {
      #expect(ZhipuToken.make(key: key, at: now) == nil)
    }
  }

  @Test func signsForTencent() throws {
    let vector = try vectors("hunyuan/sign.json")
    let expected = try #require(vector.member("variants")?.element(0))
    let both = try text(vector, "secret_id") + "|" + (try text(vector, "secret_key"))
    for text in [both, "1250000000|" + both] {
      let signature = TencentSignature(
        action: "ChatCompletions", host: "hunyuan.tencentcloudapi.com",
        bodyDigest: Digest.sha256(try self.text(vector, "body")),
        key: try TencentSignature.Key(text), at: now)
      #expect(signature.canonicalRequest == (try self.text(expected, "canonical_request")))
      #expect(signature.stringToSign == (try self.text(expected, "string_to_sign")))
      #expect(signature.signature == (try self.text(expected, "signature")))
      #expect(
        lines { signature.appendHeaders(to: $0) } == [
          "X-TC-Action: ChatCompletions", "X-TC-Timestamp: 1700000000",
          "Authorization: TC3-HMAC-SHA256 "
            + "Credential=AKIDTESTTESTTESTTEST/2023-11-14/hunyuan/tc3_request, "
            + "SignedHeaders=content-type;host;x-tc-action, "
            + "Signature=\(signature.signature.text)",
        ])
    }
  }

  private func bedrock(_ vector: JSONValue, token: ByteString? = nil) throws -> AWSSignature {
    var key = try text(vector, "access_key") + "|" + (try text(vector, "secret_key"))
    key = key + "|" + (try text(vector, "region"))
    if let token { key = key + "|" + token }
    return AWSSignature(
      AWSSignature.Request(
        method: "POST", host: "bedrock-runtime.us-east-1.amazonaws.com",
        path: "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
        contentType: "application/json", bodyDigest: Digest.sha256(try text(vector, "body"))),
      key: try AWSSignature.Key(key), at: now)
  }

  @Test func signsForAWS() throws {
    let vector = try vectors("bedrock/sign.json")
    let signature = try bedrock(vector)
    #expect(signature.canonicalRequest == (try text(vector, "canonical_request")))
    #expect(signature.stringToSign == (try text(vector, "string_to_sign")))
    #expect(signature.signature == (try text(vector, "signature")))
    #expect(
      lines { signature.appendHeaders(to: $0) } == [
        "X-Amz-Date: 20231114T221320Z",
        "Authorization: AWS4-HMAC-SHA256 "
          + "Credential=AKIDEXAMPLE/20231114/us-east-1/bedrock/aws4_request, "
          + "SignedHeaders=content-type;host;x-amz-date, Signature=\(signature.signature.text)",
      ])
  }

  @Test func signsForAWSWithASessionToken() throws {
    let vector = try vectors("bedrock/sign.json")
    let expected = try #require(vector.member("with_session_token"))
    let token = try text(expected, "token")
    let signature = try bedrock(vector, token: token)
    #expect(signature.signature == (try text(expected, "signature")))
    let lines = lines { signature.appendHeaders(to: $0) }
    #expect(lines.count == 3 && lines[1] == "X-Amz-Security-Token: \(token.text)")
    #expect(lines[2].contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,"))
  }

  @Test func signsAGetForAWSWithoutAContentType() throws {
    let signature = AWSSignature(
      AWSSignature.Request(
        method: "GET", host: "bedrock.us-east-1.amazonaws.com", path: "/foundation-models",
        contentType: nil, bodyDigest: Digest.sha256("")),
      key: try AWSSignature.Key("a|b|us-east-1"), at: now)
    #expect(
      signature.canonicalRequest.text == """
        GET
        /foundation-models

        host:bedrock.us-east-1.amazonaws.com
        x-amz-date:20231114T221320Z

        host;x-amz-date
        e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        """)
  }

  @Test func encodesAllButUnreservedCharacters() {
    let (plain, path) = (Buffer(), Buffer())
    PercentEncoding.append("aZ9-._~ /%:=+é", to: plain)
    PercentEncoding.append("/a/b%3A", keepsSlash: true, to: path)
    #expect(plain.byteString == "aZ9-._~%20%2F%25%3A%3D%2B%C3%A9")
    #expect(path.byteString == "/a/b%253A")
  }
}
