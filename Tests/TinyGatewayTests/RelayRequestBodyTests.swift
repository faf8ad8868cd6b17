// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// What a request body says, and what is refused with which words.
struct RelayRequestBodyTests {
  /// The body after all of its text, cut as told.
  private func body(_ text: String, _ cuts: [Int] = []) throws(RelayError) -> RequestBody {
    let body = RequestBody()
    for piece in RelayFixtures.pieces(Array(text.utf8), cuts) { try body.append(piece.span) }
    try body.finish()
    return body
  }

  /// Expects a refusal with 400 that names the field, however the text is cut.
  private func refuses(
    _ text: String, param: String? = nil, code: String = "invalid_request",
    _ location: SourceLocation = #_sourceLocation
  ) {
    for cuts in RelayFixtures.cuttings(text.utf8.count) {
      do throws(RelayError) {
        let body = try body(text, cuts)
        _ = try body.model()
        _ = try body.isStream()
        Issue.record("accepted \(text)", sourceLocation: location)
      } catch {
        #expect(error.status == 400, sourceLocation: location)
        #expect(error.type.text == "invalid_request_error", sourceLocation: location)
        #expect(error.code.text == code, sourceLocation: location)
        #expect(error.param?.text == param, sourceLocation: location)
        #expect(!error.message.isEmpty, sourceLocation: location)
      }
    }
  }

  // The model.

  private func check(
    _ text: String, model: ByteString, _ location: SourceLocation = #_sourceLocation
  ) throws {
    for cuts in RelayFixtures.cuttings(text.utf8.count) {
      let body = try body(text, cuts)
      #expect(body.hasModel, sourceLocation: location)
      #expect(try body.model() == model, "cut at \(cuts.prefix(3))", sourceLocation: location)
    }
  }

  @Test func findsTheModel() throws {
    try check(#"{"model":"gpt-4o"}"#, model: "gpt-4o")
    try check(#"{"messages":[{"model":"other"}], "model" : "llama3:8b"}"#, model: "llama3:8b")
    try check(#"{"model":"gpt\u002d4o"}"#, model: "gpt-4o")
    try check(#"{"mod\u0065l":"a"}"#, model: "a")
    try check(#"{"model":"A-Z/a_z.0@9+1"}"#, model: "A-Z/a_z.0@9+1")
    let longest = String(repeating: "m", count: 128)
    try check("{\"model\":\"\(longest)\"}", model: ByteString(utf8: longest))
  }

  @Test func refusesABodyWithoutAModel() {
    refuses("{}", param: "model")
    refuses(#"{"Model":"gpt-4o"}"#, param: "model")
    refuses(#"{"messages":[{"model":"gpt-4o"}]}"#, param: "model")
  }

  @Test func refusesAModelThatIsNoName() {
    for value in [
      "null", "5", "true", "[\"gpt-4o\"]", "{}", "\"\"", "\" \"", "\"gpt 4\"", "\"模型\"",
      "\"a\\nb\"", "\"a\\u0000\"", "\"a\\\"b\"", "\"a?b\"", "\"a\\\\b\"",
    ] { refuses("{\"model\":\(value)}", param: "model") }
    refuses("{\"model\":\"\(String(repeating: "m", count: 129))\"}", param: "model")
  }

  @Test func refusesAModelBeyondAllBounds() throws {
    let text = "{\"model\":\"\(String(repeating: "m", count: 100_000))\"}"
    let body = try body(text)
    #expect(throws: RelayError.self) { try body.model() }
  }

  @Test func knowsTheModelBeforeTheEnd() throws {
    let body = RequestBody()
    try body.append(Array(#"{"model":"gpt-4"#.utf8).span)
    #expect(!body.hasModel)
    try body.append(Array(#"o","messages":["#.utf8).span)
    #expect(body.hasModel)
    #expect(try body.model() == "gpt-4o")
  }

  // The stream.

  @Test func knowsWhetherAStreamIsWanted() throws {
    for (value, expected) in [("true", true), ("false", false), ("null", false)] {
      let text = "{\"model\":\"a\",\"stream\":\(value),\"messages\":[{\"stream\":true}]}"
      for cuts in RelayFixtures.cuttings(text.utf8.count) {
        #expect(try body(text, cuts).isStream() == expected)
      }
    }
    #expect(try !body(#"{"model":"a"}"#).isStream())
    #expect(try !body(#"{"model":"a","options":{"stream":true}}"#).isStream())
  }

  @Test func refusesAStreamThatIsNoBoolean() {
    for value in ["1", "0", "\"true\"", "[]", "{}", "[true]"] {
      refuses("{\"model\":\"a\",\"stream\":\(value)}", param: "stream")
    }
  }

  // The text.

  @Test func refusesWhatIsNotOneObject() {
    for text in [
      "", " ", "{", "[]", "null", "\"model\"", "{\"model\":\"a\"", "{\"model\":\"a\"}}",
      "{\"model\":\"a\"} {}", "{\"model\":\"a\",}", "{model:\"a\"}", "{\"model\":a}",
      "{\"model\":\"a\",\"n\":01}", "{\"model\":\"a\",\"n\":NaN}", "{\"model\":\"a\tb\"}",
      "{\"model\":\"\\ud800\"}", "\u{FEFF}{\"model\":\"a\"}", "model=a", "{\"model\":\"\\x\"}",
      "{\"model\":\"a\",\"model\":\"b\"}", "{\"model\":\"a\",\"x\":1,\"x\":1}",
      "{\"model\":\"a\",\"mod\\u0065l\":\"a\"}",
    ] { refuses(text, code: "invalid_json") }
  }

  @Test func refusesInvalidUTF8() {
    let body = RequestBody()
    let bytes = Array("{\"model\":\"".utf8) + [0xC3, 0x28] + Array("\"}".utf8)
    #expect(throws: RelayError.self) {
      try body.append(bytes.span)
      try body.finish()
    }
  }

  @Test func saysWhereTheTextIsWrong() {
    do throws(RelayError) {
      _ = try body(#"{"model":"a",}"#)
    } catch {
      #expect(error.message.text.contains("13"), "\(error.message.text)")
    }
  }

  @Test func keepsDuplicatesBelowTheTop() throws {
    #expect(try body(#"{"model":"a","x":{"y":1,"y":2}}"#).model() == "a")
  }

  @Test func refusesNestingBeyondTheLimit() throws {
    func nested(_ depth: Int) -> String {
      let opening = String(repeating: "[", count: depth - 1)
      let closing = String(repeating: "]", count: depth - 1)
      return "{\"model\":\"a\",\"x\":\(opening)\(closing)}"
    }
    #expect(try body(nested(64)).model() == "a")
    refuses(nested(65), code: "invalid_json")
  }

  // What it may cost.

  private func check(
    _ text: String, limit: Int64?, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let text = "{\"model\":\"a\",\"prompt\":\"1234567\"\(text)}"
    #expect(try body(text).completionLimit == limit, sourceLocation: location)
    // The model's name is text too: 1 byte, and 7 of the prompt are 2 tokens.
    #expect(try body(text).promptEstimate == 2, sourceLocation: location)
  }

  @Test func knowsTheLongestCompletion() throws {
    try check("", limit: nil)
    try check(",\"max_tokens\":100", limit: 100)
    try check(",\"max_completion_tokens\":50", limit: 50)
    try check(",\"max_tokens\":100,\"max_completion_tokens\":50", limit: 50)
    try check(",\"max_completion_tokens\":null,\"max_tokens\":7", limit: 7)
    try check(",\"max_tokens\":0", limit: 0)
    try check(",\"max_tokens\":-5", limit: 0)
    try check(",\"max_tokens\":9223372036854775807", limit: Usage.largestCount)
  }

  @Test func takesNonsenseForNoLimit() throws {
    for value in ["1.5", "null", "{}", "1e300", "99999999999999999999"] {
      try check(",\"max_tokens\":\(value)", limit: nil)
    }
  }

  private func check(
    count value: String, is count: Int64, isValid: Bool = true,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let body = try body("{\"model\":\"a\"\(value)}")
    #expect(body.answerCount == count, sourceLocation: location)
    do throws(RelayError) {
      try body.checkAnswerCount()
      #expect(isValid, sourceLocation: location)
    } catch {
      #expect(!isValid && error.param?.text == "n", sourceLocation: location)
    }
  }

  @Test func knowsHowManyAnswersAreWanted() throws {
    try check(count: "", is: 1)
    try check(count: ",\"n\":null", is: 1)
    try check(count: ",\"n\":1", is: 1)
    try check(count: ",\"n\":128", is: 128)
    try check(count: ",\"n\":129", is: 128, isValid: false)
    try check(count: ",\"n\":0", is: 1, isValid: false)
    try check(count: ",\"n\":-3", is: 1, isValid: false)
    try check(count: ",\"n\":\"2\"", is: 1, isValid: false)
    try check(count: ",\"n\":1.5", is: 1, isValid: false)
  }

  // Reuse.

  @Test(arguments: [false, true])
  func forgetsEverythingForTheNextRequest(keepsMemory: Bool) throws {
    let body = RequestBody()
    try body.append(
      Array(#"{"model":"a","stream":true,"max_tokens":9,"messages":"long text"}"#.utf8).span)
    try body.finish()
    try body.edit(model: "a", upstreamModel: "b", asksUsage: true, isPassing: false)
    #expect(body.hidesUsage)
    body.reset(keepsMemory: keepsMemory)
    #expect(!body.hidesUsage)
    #expect(body.byteCount == 0)
    #expect(body.held.isEmpty)
    #expect(!body.hasModel)
    try body.append(Array(#"{"model":"c"}"#.utf8).span)
    try body.finish()
    #expect(try body.model() == "c")
    #expect(try !body.isStream())
    #expect(body.promptEstimate == 1 && body.completionLimit == nil)
    try body.edit(model: "c", upstreamModel: "c", asksUsage: false, isPassing: false)
    #expect(body.edited().byteString == #"{"model":"c"}"#)
  }

  @Test func isUsableAgainAfterARefusal() throws {
    let body = RequestBody()
    #expect(throws: RelayError.self) { try body.append(Array("{]".utf8).span) }
    #expect(throws: RelayError.self) { try body.append(Array("{}".utf8).span) }
    body.reset(keepsMemory: false)
    try body.append(Array(#"{"model":"a"}"#.utf8).span)
    try body.finish()
    #expect(try body.model() == "a")
  }

  @Test func keepsALargeBufferOnlyWhenTold() throws {
    let text = "{\"model\":\"\(String(repeating: "m", count: 50_000))\"}"
    #expect(try body(text).reservedByteCount >= 50_000)
    for keepsMemory in [false, true] {
      let body = try body(text)
      body.reset(keepsMemory: keepsMemory)
      #expect((body.reservedByteCount > RequestBody.usualByteCount) == keepsMemory)
      #expect(body.held.isEmpty)
    }
  }
}
