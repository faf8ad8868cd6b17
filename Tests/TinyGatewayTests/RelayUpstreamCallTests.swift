// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Heads of requests to upstreams, to the byte.
struct RelayUpstreamCallTests {
  private func channel(headers: ByteString = "") throws -> Channel {
    var record = RelayFixtures.record()
    record.baseURL = "http://Host.Example:8080/api/v1"
    record.headers = headers
    return try RelayFixtures.channel(record)
  }

  private func post(
    _ channel: Channel, key: ByteString = "sk-1", bodyByteCount: Int64? = 5
  ) -> String {
    let buffer = Buffer()
    UpstreamCall.appendHead(
      post: channel.path(of: .chat, model: "m"), channel: channel, key: key,
      bodyByteCount: bodyByteCount, to: buffer)
    return buffer.byteString.text
  }

  private let common =
    "Accept: */*\r\nAccept-Encoding: identity\r\nUser-Agent: TinyGateway\r\n"

  @Test func writesAPost() throws {
    #expect(
      post(try channel())
        == "POST /api/v1/chat/completions HTTP/1.1\r\nHost: host.example:8080\r\n"
        + "Authorization: Bearer sk-1\r\n\(common)"
        + "Content-Type: application/json\r\nContent-Length: 5\r\n\r\n")
  }

  /// What is kept of a channel's last head goes with its path only, and holds no key.
  @Test func writesOnePostAfterTheOther() throws {
    let channel = try channel(headers: "X-Team: a b")
    for mode in [RelayMode.chat, .chat, .embeddings, .chat] {
      for key in ["sk-1", "sk-2", "", "sk-1"] as [ByteString] {
        for count: Int64 in [5, 12] {
          let path = channel.path(of: mode, model: "m")
          let line = key.isEmpty ? "" : "Authorization: Bearer \(key.text)\r\n"
          let buffer = Buffer()
          UpstreamCall.appendHead(
            post: path, channel: channel, key: key, bodyByteCount: count, to: buffer)
          #expect(
            buffer.byteString.text
              == "POST \(path.text) HTTP/1.1\r\nHost: host.example:8080\r\n\(line)\(common)"
              + "X-Team: a b\r\nContent-Type: application/json\r\nContent-Length: \(count)"
              + "\r\n\r\n")
        }
      }
    }
  }

  @Test func writesAChunkedPost() throws {
    let head = post(try channel(), bodyByteCount: nil)
    #expect(head.hasSuffix("\r\nTransfer-Encoding: chunked\r\n\r\n"))
    #expect(!head.contains("Content-Length"))
  }

  @Test func writesALengthOfZeroAndBeyond32Bits() throws {
    for count: Int64 in [0, 5_000_000_000] {
      #expect(
        post(try channel(), bodyByteCount: count).hasSuffix("Content-Length: \(count)\r\n\r\n"))
    }
  }

  @Test func leavesOutAMissingKey() throws {
    #expect(!post(try channel(), key: "").contains("Authorization"))
  }

  @Test func addsTheOwnersHeaders() throws {
    let head = post(try channel(headers: "X-Team: a b\nHTTP-Referer:https://x.example"))
    #expect(head.contains("\(common)X-Team: a b\r\nHTTP-Referer: https://x.example\r\nContent-"))
  }

  @Test func writesAGet() throws {
    let buffer = Buffer()
    let channel = try channel()
    UpstreamCall.appendHead(
      get: channel.path(of: "/models"), channel: channel, key: "sk-1", to: buffer)
    #expect(
      buffer.byteString.text
        == "GET /api/v1/models HTTP/1.1\r\nHost: host.example:8080\r\n"
        + "Authorization: Bearer sk-1\r\n\(common)\r\n")
  }
}
