// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// The samples of one vendor in `Tests/Fixtures`, and how they are compared: meaning, not bytes.
///
/// Files are named `<case>.request.openai.json`, `<case>.request.vendor.json`,
/// `<case>.response.vendor.json`, `<case>.response.openai.json`, `<case>.stream.vendor.txt`,
/// `<case>.stream.openai.txt`; the plain stream is `stream.vendor.txt`.
struct DialectFixture {
  let folder: String
  let dialect: Dialect
  /// Set to what the samples' channel has.
  var facts: CallFacts
  /// Seconds of the gateway's clock in the samples.
  static let now: Int64 = 1_760_000_000

  init(_ folder: String, _ dialect: Dialect, key: ByteString = "sk-test", base: ByteString = "") {
    self.folder = folder
    self.dialect = dialect
    facts = CallFacts()
    facts.key = key
    facts.basePath = base
    facts.now = 1_700_000_000
  }

  func bytes(_ name: String) throws -> [UInt8] {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    let path = parts.joined(separator: "/") + "/Fixtures/\(folder)/" + name
    return Array(try #require(FileManager.default.contents(atPath: path), "\(name) is missing"))
  }

  func json(_ name: String) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(try bytes(name)))
  }

  // Requests.

  /// Reads a client's request of the OpenAI sort, and checks what goes upstream.
  func checkRequest(
    _ name: String, client: ClientDialect = .openAI, from: String = "openai",
    to: String = "vendor", _ location: SourceLocation = #_sourceLocation
  ) throws {
    let request = try request("\(name).request.\(from).json", client)
    let written = try encode(request)
    let expected = try json("\(name).request.\(to).json")
    try DialectFixture.expectEqual(
      try JSONSerialization.jsonObject(with: written), expected, location)
  }

  func request(_ file: String, _ client: ClientDialect = .openAI) throws -> ChatRequest {
    try client.read(try JSONDocument(ByteString(try bytes(file))).root)
  }

  /// The body that goes upstream.
  func encode(_ request: ChatRequest) throws -> Data {
    try request.check(writes: dialect.writes, drops: dialect.drops, vendor: dialect.name)
    var facts = facts
    if facts.model.isEmpty { facts.model = request.model }
    facts.isStream = request.isStream
    let output = Buffer()
    try dialect.encode(request, facts, output)
    return Data(Array(output.readable))
  }

  /// The call's head.
  func head(model: ByteString, isStream: Bool = false, body: String = "") throws -> CallHead {
    var facts = facts
    facts.model = model
    facts.isStream = isStream
    let buffer = Buffer()
    buffer.append(text: body)
    facts.body = buffer
    return try dialect.head(facts)
  }

  // Answers.

  private func answerFacts(_ model: ByteString, includesUsage: Bool) -> AnswerFacts {
    var facts = AnswerFacts()
    facts.model = model
    facts.now = DialectFixture.now
    facts.idStem = "test"
    facts.includesUsage = includesUsage
    return facts
  }

  /// Reads a vendor's whole answer, and checks what the client gets.
  func checkResponse(
    _ name: String, model: ByteString, client: ClientDialect = .openAI, to: String = "openai",
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let decoder = dialect.makeDecoder(facts)
    var events: [ChatEvent] = []
    let root = try JSONDocument(ByteString(try bytes("\(name).response.vendor.json"))).root
    decoder.read(answer: root, into: &events)
    decoder.end(into: &events)
    var answer = ChatAnswer()
    for event in events { answer.add(event) }
    let output = Buffer()
    client.makeWriter(answerFacts(model, includesUsage: false)).write(answer: answer, to: output)
    try DialectFixture.expectEqual(
      try JSONSerialization.jsonObject(with: Data(Array(output.readable))),
      try json("\(name).response.\(to).json"), location)
  }

  /// What a client gets of a stream that comes in these pieces.
  func stream(
    _ bytes: [UInt8], cuts: [Int], model: ByteString, client: ClientDialect = .openAI
  ) -> String {
    let framer = dialect.framing.makeFramer()
    var facts = facts
    facts.isStream = true
    let decoder = dialect.makeDecoder(facts)
    let writer = client.makeWriter(answerFacts(model, includesUsage: true))
    let output = Buffer()
    var failed =
      !(zip([0] + cuts, cuts + [bytes.count]).allSatisfy { from, to in
        let piece = Array(bytes[from..<to])
        var frames: [StreamEvent] = []
        let isSound = framer.read(piece.span, into: &frames)
        return frames.allSatisfy { pass($0) } && isSound
      })
    var frames: [StreamEvent] = []
    if !failed { failed = !framer.end(into: &frames) || !frames.allSatisfy { pass($0) } }
    var events: [ChatEvent] = []
    decoder.end(into: &events)
    if !failed { failed = !events.allSatisfy { write($0) } }
    if failed {
      writer.fail(ClientError(502, "server_error", "stream_interrupted", "broken"), to: output)
    } else {
      writer.end(to: output)
    }
    return output.byteString.text

    func pass(_ frame: StreamEvent) -> Bool {
      var events: [ChatEvent] = []
      decoder.read(frame, into: &events)
      return events.allSatisfy { write($0) }
    }

    func write(_ event: ChatEvent) -> Bool {
      if case .failure = event { return false }
      writer.write(event, to: output)
      return true
    }
  }

  /// Reads a vendor's stream whole, byte by byte and cut at random, and checks what an OpenAI
  /// client makes of each.
  func checkStream(
    _ name: String = "", model: ByteString, file: String? = nil,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let prefix = name.isEmpty ? "" : name + "."
    let bytes = try bytes(file ?? "\(prefix)stream.vendor.txt")
    let expected = OpenAIStreamSum(
      String(decoding: try self.bytes("\(prefix)stream.openai.txt"), as: UTF8.self))
    for cuts in DialectFixture.cuttings(bytes.count) {
      let seen = OpenAIStreamSum(stream(bytes, cuts: cuts, model: model))
      #expect(seen == expected, "cut at \(cuts.prefix(4))", sourceLocation: location)
    }
  }

  /// Uncut, byte by byte, and twenty random cuttings that are the same in every run.
  static func cuttings(_ count: Int) -> [[Int]] {
    guard count > 1 else { return [[]] }
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    func roll() -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33)
    }
    let random = (0..<20).map { _ in
      Set((0..<(1 + roll() % 12)).map { _ in 1 + roll() % (count - 1) }).sorted()
    }
    return [[], Array(1..<count)] + random
  }

  // Errors.

  /// Judges each entry of `errors.json`, and compares the action.
  func checkErrors(_ location: SourceLocation = #_sourceLocation) throws {
    let entries = try #require(try json("errors.json") as? [[String: Any]])
    #expect(!entries.isEmpty, sourceLocation: location)
    for entry in entries {
      let status = try #require(entry["upstream_status"] as? Int)
      let body = try DialectFixture.body(entry["upstream_body"])
      let seen = ErrorAnswer(status: status, body: body, format: dialect.errors)
      let name = entry["name"] as? String ?? "?"
      #expect(
        "\(seen.action)" == entry["action"] as? String, "\(name)", sourceLocation: location)
      let expected = ((entry["gateway_body"] as? [String: Any])?["error"] as? [String: Any])?[
        "code"]
      if let code = DialectFixture.code(of: seen.meaning), let expected = expected as? String {
        #expect(code == expected, "\(name)", sourceLocation: location)
      }
    }
  }

  static func body(_ value: Any?) throws -> ByteString {
    if let text = value as? String { return ByteString(utf8: text) }
    let value = try #require(value)
    return ByteString(Array(try JSONSerialization.data(withJSONObject: value)))
  }

  private static func code(of meaning: FailureMeaning) -> String? {
    switch meaning {
    case .contextTooLong: "context_length_exceeded"
    case .contentRefused: "content_filter"
    case .modelMissing: "model_not_found"
    case .tooManyRequests: "rate_limit_exceeded"
    case .keyRefused: "upstream_auth_failed"
    case .accountEmpty: "upstream_quota_exhausted"
    case .overloaded, .timeout, .broken, .unspecified: nil
    }
  }

  // Comparing.

  static func expectEqual(_ seen: Any, _ expected: Any, _ location: SourceLocation) throws {
    let seen = text(normal(seen))
    let expected = text(normal(expected))
    #expect(seen == expected, sourceLocation: location)
  }

  static func text(_ value: Any) -> String {
    guard
      let data = try? JSONSerialization.data(
        withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed, .prettyPrinted])
    else { return "?" }
    return String(decoding: data, as: UTF8.self)
  }

  /// Without nulls, empty arrays, empty details and counters of 0; arguments parsed; content
  /// of one text part as a string; the content of calls left out when empty; `stream: false` left
  /// out.
  static func normal(_ value: Any) -> Any {
    if let array = value as? [Any] {
      if array.count == 1, let part = array[0] as? [String: Any],
        let text = part["text"] as? String,
        part.count == 1 || part.count == 2 && part["type"] as? String == "text"
      {
        return text
      }
      return array.map { normal($0) }
    }
    guard let object = value as? [String: Any] else { return value }
    var result: [String: Any] = [:]
    for (key, value) in object {
      if value is NSNull { continue }
      if let array = value as? [Any], array.isEmpty { continue }
      if key.hasSuffix("_details"), let counts = value as? [String: Any] {
        let kept = counts.filter { ($0.value as? Int ?? 0) != 0 }
        if !kept.isEmpty { result[key] = kept }
        continue
      }
      if key == "content", value as? String == "", object["tool_calls"] != nil { continue }
      if key == "stream", value as? Bool == false { continue }
      if key == "arguments", let text = value as? String,
        let parsed = try? JSONSerialization.jsonObject(with: Data(text.utf8))
      {
        result[key] = normal(parsed)
        continue
      }
      result[key] = normal(value)
    }
    return result
  }
}
