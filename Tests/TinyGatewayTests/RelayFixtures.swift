// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Store
import Testing

@testable import MiniHTTP
@testable import TinyGateway

/// Samples of vendors' answers, and the objects that most tests of relays need.
enum RelayFixtures {
  static let timeouts = ClientTimeouts(
    connectMilliseconds: 1000, firstByteMilliseconds: 2000, idleMilliseconds: 3000)

  /// A file of `Tests/Fixtures`, such as `openai/stream.vendor.txt`.
  static func bytes(_ name: String) throws -> [UInt8] {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    let path = parts.joined(separator: "/") + "/Fixtures/" + name
    return Array(try #require(FileManager.default.contents(atPath: path), "\(name) is missing"))
  }

  /// Uncut, every cutting into two pieces, and single bytes.
  ///
  /// `step`: the distance of the cuts, for long texts.
  static func cuttings(_ count: Int, step: Int = 1) -> [[Int]] {
    guard count > 1 else { return [[]] }
    return [[]] + stride(from: 1, to: count, by: step).map { [$0] } + [Array(1..<count)]
  }

  /// The pieces of `bytes` between the cuts, each with memory of its own.
  static func pieces(_ bytes: [UInt8], _ cuts: [Int]) -> [[UInt8]] {
    zip([0] + cuts, cuts + [bytes.count]).map { Array(bytes[$0..<$1]) }
  }

  static func buffer(_ text: String) -> Buffer {
    let buffer = Buffer()
    buffer.append(text: text)
    return buffer
  }

  /// A request as the server hands it over.
  ///
  /// `fields`: lines such as `X-Api-Key: a`.
  static func head(
    _ fields: [String] = [], path: String = "/v1/chat/completions", peer: ByteString? = nil
  ) throws -> RequestHead {
    let lines = ["POST \(path) HTTP/1.1", "Host: gateway"] + fields + ["", ""]
    let bytes = Array(lines.joined(separator: "\r\n").utf8)
    let head = RequestHead()
    let outcome = RequestParser.parse(bytes.span, into: head, limits: HeadLimits())
    try #require(outcome == .done(bytes.count), "\(fields)")
    if let peer {
      let address: IPAddress = try #require(IPAddress(peer))
      head.peerAddress = address
    }
    return head
  }

  static func record(
    _ id: Int64 = 1, models: ByteString = "gpt-4o", groups: ByteString = "default",
    weight: Int64 = 1, priority: Int64 = 0, status: ChannelStatus = .enabled
  ) -> ChannelRecord {
    ChannelRecord(
      id: id, name: "a channel", type: "openai-compatible", baseURL: "http://127.0.0.1:9/v1",
      models: models, groups: groups, weight: weight, priority: priority, status: status)
  }

  static func channel(_ record: ChannelRecord) throws(FieldError) -> Channel {
    try Channel(record, defaults: timeouts, statistics: ChannelStatistics())
  }
}

/// For reading what a gateway answers, in tests.
extension StaticString {
  var text: String { withUTF8Buffer { String(decoding: $0, as: UTF8.self) } }
}
