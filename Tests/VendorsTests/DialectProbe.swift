// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Requests and answers that stand in the test itself.
extension DialectFixture {
  /// The body that goes upstream for an OpenAI request, as a dictionary.
  func encoded(_ request: String) throws -> [String: Any] {
    let request = try ClientDialect.openAI.read(try JSONDocument(ByteString(utf8: request)).root)
    let body = try JSONSerialization.jsonObject(with: try encode(request))
    return try #require(body as? [String: Any])
  }

  /// Expects the body to be the one given; JSON with the same meaning.
  func expect(
    _ request: String, gives expected: String, _ location: SourceLocation = #_sourceLocation
  ) throws {
    try DialectFixture.expectEqual(
      try encoded(request), try JSONSerialization.jsonObject(with: Data(expected.utf8)), location)
  }

  /// Expects a part of such a body to be the JSON given.
  ///
  /// `exactly`: also where nulls, empty arrays and the like make no difference to vendors.
  static func expect(
    _ seen: Any?, is expected: String, exactly: Bool = false,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let value = try JSONSerialization.jsonObject(
      with: Data(expected.utf8), options: [.fragmentsAllowed])
    let seen = seen ?? NSNull()
    guard exactly else { return try expectEqual(seen, value, location) }
    #expect(text(seen) == text(value), sourceLocation: location)
  }

  /// The sentence with which a request is refused; nil when it is not.
  func refusal(_ request: String) throws -> String? {
    do {
      _ = try encoded(request)
      return nil
    } catch let problem as ChatProblem {
      return problem.message.text
    }
  }

  /// What the events are, in words.
  static func words(_ events: [ChatEvent]) -> [String] {
    events.map { event in
      switch event {
      case .start(let id, let created): "start \(id.text) \(created)"
      case .vectors(let vectors): "vectors \(vectors.map(\.text))"
      case .text(let text): "text \(text.text)"
      case .reasoning(let text): "reasoning \(text.text)"
      case .reasoningSignature(let seal): "seal \(seal.text)"
      case .refusal(let text): "refusal \(text.text)"
      case .toolCall(let index, let id, let name, _): "call \(index) \(id.text) \(name.text)"
      case .arguments(let index, let text): "arguments \(index) \(text.text)"
      case .finish(let reason): "finish \(reason)"
      case .usage(let usage): "usage \(usage.prompt) \(usage.completion)"
      case .failure(let failure):
        "failure \(failure.code.text) \(failure.action) \(failure.meaning): "
          + failure.message.text
      case .follow(let url, _): "follow \(url.text)"
      }
    }
  }

  /// What a decoder makes of these events of a stream.
  func decoded(_ frames: [StreamEvent]) -> [String] {
    let decoder = dialect.makeDecoder(facts)
    var events: [ChatEvent] = []
    for frame in frames { decoder.read(frame, into: &events) }
    decoder.end(into: &events)
    return DialectFixture.words(events)
  }
}
