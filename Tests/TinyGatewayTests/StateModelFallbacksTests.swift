// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Testing

@testable import TinyGateway

struct StateModelFallbacksTests {
  private func refuses(
    _ text: String, _ field: StaticString, _ location: SourceLocation = #_sourceLocation
  ) {
    do throws(FieldError) {
      _ = try ModelFallbacks(ByteString(utf8: text))
      Issue.record("accepted: \(text)", sourceLocation: location)
    } catch {
      #expect(error.field.text == field.text, sourceLocation: location)
    }
  }

  @Test func answersWhatServesInstead() throws {
    let table = try ModelFallbacks(
      #"{"fallbacks":{"a":["c","b"],"d":[]},"offline":{"a":"local","*":"small"}}"#)
    #expect(table.fallbacks(for: "a") == ["c", "b"])
    #expect(table.fallbacks(for: "d").isEmpty && table.fallbacks(for: "x").isEmpty)
    #expect(table.offlineModel(for: "a") == "local")
    #expect(table.offlineModel(for: "x") == "small")
    #expect(table.offlineModel(for: "small") == nil)
  }

  @Test func isEmptyAtFirst() {
    let table = ModelFallbacks()
    #expect(table.fallbacks(for: "a").isEmpty && table.offlineModel(for: "a") == nil)
    #expect(table.text == #"{"fallbacks":{},"offline":{}}"#)
  }

  @Test func writesWhatItReads() throws {
    let text: ByteString =
      #"{"fallbacks":{"a/b:1":["c","b"],"z":["a"]},"offline":{"*":"small","gpt-4o":"local"}}"#
    #expect(try ModelFallbacks(text).text == text)
    let shuffled: ByteString =
      #"{"offline":{"gpt-4o":"local","*":"small"},"fallbacks":{"z":["a"],"a/b:1":["c","b"]}}"#
    #expect(try ModelFallbacks(shuffled).text == text)
  }

  @Test func keepsThePartThatIsNotGiven() throws {
    var table = try ModelFallbacks(#"{"fallbacks":{"a":["b"]},"offline":{"a":"l"}}"#)
    let document = try JSONDocument(#"{"fallbacks":{"c":["d"]},"offline":{"c":7}}"#)
    try table.replace(fallbacks: document.root.member("fallbacks"), offline: nil)
    #expect(table.text == #"{"fallbacks":{"c":["d"]},"offline":{"a":"l"}}"#)
    try table.replace(fallbacks: nil, offline: nil)
    #expect(throws: FieldError.self) {
      try table.replace(
        fallbacks: try JSONDocument("{}" as ByteString).root,
        offline: document.root.member("offline"))
    }
    #expect(table.text == #"{"fallbacks":{"c":["d"]},"offline":{"a":"l"}}"#)
  }

  @Test func refusesWrongFallbacks() {
    refuses(#"{"fallbacks":[]}"#, "fallbacks")
    refuses(#"{"fallbacks":null}"#, "fallbacks")
    refuses(#"{"fallbacks":{"a":"b"}}"#, "fallbacks")
    refuses(#"{"fallbacks":{"a":[1]}}"#, "fallbacks")
    refuses(#"{"fallbacks":{"a":["a"]}}"#, "fallbacks")
    refuses(#"{"fallbacks":{"a":["b","b"]}}"#, "fallbacks")
    refuses(#"{"fallbacks":{"a":["b c"]}}"#, "fallbacks")
    refuses(#"{"fallbacks":{"a b":["c"]}}"#, "fallbacks")
    refuses(#"{"fallbacks":{"*":["c"]}}"#, "fallbacks")
    refuses(#"{"fallbacks":{"a":["b"],"a":["c"]}}"#, "fallbacks")
  }

  @Test func refusesWrongOfflineModels() {
    refuses(#"{"offline":[]}"#, "offline")
    refuses(#"{"offline":{"a":["b"]}}"#, "offline")
    refuses(#"{"offline":{"a":"a"}}"#, "offline")
    refuses(#"{"offline":{"a":"*"}}"#, "offline")
    refuses(#"{"offline":{"*":""}}"#, "offline")
    refuses(#"{"offline":{"a":"b","a":"c"}}"#, "offline")
    refuses("{", "model_fallbacks")
  }

  @Test func hasLimits() throws {
    func entries(_ count: Int) -> String {
      (0..<count).map { #""m\#($0)":["a"]"# }.joined(separator: ",")
    }
    func list(_ count: Int) -> String {
      (0..<count).map { #""m\#($0)""# }.joined(separator: ",")
    }
    #expect(
      try ModelFallbacks(ByteString(utf8: "{\"fallbacks\":{\(entries(1000))}}"))
        .fallbacks.count == 1000)
    refuses("{\"fallbacks\":{\(entries(1001))}}", "fallbacks")
    #expect(
      try ModelFallbacks(ByteString(utf8: "{\"fallbacks\":{\"a\":[\(list(16))]}}"))
        .fallbacks(for: "a").count == 16)
    refuses("{\"fallbacks\":{\"a\":[\(list(17))]}}", "fallbacks")
  }
}
