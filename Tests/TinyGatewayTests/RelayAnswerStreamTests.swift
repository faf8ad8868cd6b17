// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// What becomes of an upstream's event stream, and what is learnt from it, however it is cut.
struct RelayAnswerStreamTests {
  /// What a client sees and what is known at the end of a stream.
  struct Report: Equatable {
    var output = ""
    var rest = ""
    var usage = Usage()
    var text: [Int64] = []
    var isDone = false
    var hasFinishReason = false
    var hasError = false
    var errorEvent = ByteString.empty
    var isComplete = false
  }

  /// Feeds the pieces as a relay does: what is left over waits for the next piece.
  static func run(_ bytes: [UInt8], hidesUsage: Bool, cuts: [Int] = []) -> Report {
    let stream = AnswerStream(hidesUsage: hidesUsage)
    let output = Buffer()
    let rest = Buffer()
    for piece in RelayFixtures.pieces(bytes, cuts) {
      rest.append(piece.span)
      let waiting = Array(rest.readable)
      rest.consume(stream.read(waiting.span, to: output))
    }
    return Report(
      output: output.byteString.text, rest: rest.byteString.text, usage: stream.usage,
      text: [stream.asciiByteCount, stream.nonASCIIByteCount], isDone: stream.isDone,
      hasFinishReason: stream.hasFinishReason, hasError: stream.hasError,
      errorEvent: stream.errorEvent, isComplete: stream.isComplete)
  }

  /// The report of a stream, which every cutting must share.
  static func report(
    _ bytes: [UInt8], hidesUsage: Bool, step: Int = 1,
    _ location: SourceLocation = #_sourceLocation
  ) -> Report {
    let whole = run(bytes, hidesUsage: hidesUsage)
    for cuts in RelayFixtures.cuttings(bytes.count, step: step) {
      let cut = run(bytes, hidesUsage: hidesUsage, cuts: cuts)
      #expect(cut == whole, "cut at \(cuts.prefix(3))", sourceLocation: location)
    }
    return whole
  }

  /// Checks what the client sees; nil means the very same bytes.
  private func check(
    _ input: String, hidesUsage: Bool = true, sees output: String? = nil, usage: Usage = Usage(),
    _ location: SourceLocation = #_sourceLocation
  ) {
    let report = Self.report(Array(input.utf8), hidesUsage: hidesUsage, location)
    #expect(report.output == output ?? input, sourceLocation: location)
    #expect(report.rest == "", sourceLocation: location)
    #expect(report.usage == usage, sourceLocation: location)
  }

  private static let counts = #"{"prompt_tokens":41,"completion_tokens":12}"#
  private static let usage = Usage(promptTokens: 41, completionTokens: 12, isReported: true)

  @Test(arguments: [
    "Internal Server Error", "<html></html>", #"{"id":"x","choices":[{"ind"#, #"["a"]"#, "7",
  ])
  func aFirstEventWithoutJSONIsAnErrorThatNobodySees(_ data: String) {
    let good = #"data: {"choices":[{"delta":{"content":"a"}}]}"# + "\n\n"
    let report = Self.report(
      Array((": hello\n\ndata: " + data + "\n\n" + good).utf8), hidesUsage: false)
    #expect(report.hasError)
    #expect(!report.output.contains(data))
    let later = Self.report(Array((good + "data: " + data + "\n\n").utf8), hidesUsage: false)
    #expect(!later.hasError)
    #expect(later.output == good + "data: " + data + "\n\n")
  }

  @Test(arguments: [
    "data:", "data:  {} ", "data: [DONE]", "data: {\ndata: }", "event: x\ndata: {}",
  ])
  func aFirstEventMayBe(_ event: String) {
    let report = Self.report(Array((event + "\n\n").utf8), hidesUsage: false)
    #expect(!report.hasError)
    #expect(report.output == event + "\n\n")
  }

  // Whole samples.

  @Test(arguments: [
    "openai/stream.vendor.txt", "openai/tools.stream.vendor.txt",
    "openai/error.midstream.vendor.txt", "deepseek/stream.vendor.txt",
  ])
  func passesSamplesByteForByte(_ name: String) throws {
    let bytes = try RelayFixtures.bytes(name)
    let report = Self.report(bytes, hidesUsage: false, step: 23)
    #expect(Array(report.output.utf8) == bytes)
    #expect(report.isComplete == !report.hasError)
    #expect(report.isDone == !report.hasError)
  }

  /// The sample without its events that contain `part`, or with `part` replaced.
  private func sample(_ name: String, without part: String) throws -> (all: [UInt8], rest: String) {
    let bytes = try RelayFixtures.bytes(name)
    let events = String(decoding: bytes, as: UTF8.self).split(separator: "\n\n")
    let rest = events.filter { !$0.contains(part) }
    try #require(rest.count == events.count - 1)
    return (bytes, rest.map { $0 + "\n\n" }.joined())
  }

  @Test(
    arguments: [
      ("openai/stream.vendor.txt", 41, 12), ("openai/tools.stream.vendor.txt", 120, 18),
    ] as [(String, Int64, Int64)])
  func hidesTheLastChunkThatOnlyTheGatewayAskedFor(
    _ name: String, _ prompt: Int64, _ completion: Int64
  ) throws {
    let (bytes, rest) = try sample(name, without: "\"choices\":[],")
    let report = Self.report(bytes, hidesUsage: true, step: 23)
    #expect(report.output == rest)
    #expect(report.usage.promptTokens == prompt)
    #expect(report.usage.completionTokens == completion)
    #expect(report.isDone && report.hasFinishReason)
  }

  @Test func blanksUsageWithinDeepSeeksLastChunk() throws {
    let bytes = try RelayFixtures.bytes("deepseek/stream.vendor.txt")
    let text = String(decoding: bytes, as: UTF8.self)
    let start = try #require(text.firstRange(of: "{\"prompt_tokens\"")).lowerBound
    let end = try #require(text[start...].firstRange(of: "}}\n")).lowerBound
    let report = Self.report(bytes, hidesUsage: true, step: 23)
    #expect(report.output == text[..<start] + "null" + text[text.index(after: end)...])
    #expect(report.usage.promptTokens == 30)
    #expect(report.usage.completionTokens == 40)
    #expect(report.isDone && report.hasFinishReason)
  }

  // Usage.

  @Test func hidesAUsageOnlyChunk() {
    for choices in ["\"choices\":[],", "\"choices\":[ ] ,", ""] {
      let chunk = "data: {\(choices)\"usage\":\(Self.counts)}\n\n"
      check(chunk, sees: "", usage: Self.usage)
      check(chunk, hidesUsage: false, usage: Self.usage)
      check(
        "data: {}\n\n\(chunk)data: [DONE]\n\n", sees: "data: {}\n\ndata: [DONE]\n\n",
        usage: Self.usage)
    }
  }

  @Test func blanksUsageInAChunkWithChoices() {
    let choices = #""choices":[{"index":0,"delta":{"content":"a"}}]"#
    for (before, after) in [
      ("{\(choices),\"usage\":", "}"), ("{\"usage\":", ",\(choices)}"),
      ("{ \(choices) , \"usage\" : ", " , \"x\":1 }"),
    ] {
      let chunk = "data: \(before)\(Self.counts)\(after)\n\n"
      check(chunk, sees: "data: \(before)null\(after)\n\n", usage: Self.usage)
      check(chunk, hidesUsage: false, usage: Self.usage)
    }
  }

  @Test func takesTheLastOfSeveralUsages() {
    let early = "data: {\"choices\":[{\"index\":0}],\"usage\":{\"prompt_tokens\":41}}\n\n"
    let last = "data: {\"choices\":[{\"index\":0}],\"usage\":\(Self.counts)}\n\n"
    let blank = "data: {\"choices\":[{\"index\":0}],\"usage\":null}\n\n"
    check(early + last, sees: blank + blank, usage: Self.usage)
    check(early + last, hidesUsage: false, usage: Self.usage)
  }

  @Test(arguments: [
    #"{"choices":[],"usage":null}"#, #"{"choices":[],"usage":{}}"#, #"{"usage":[]}"#,
    #"{"choices":[],"usage":5}"#, #"{"choices":[{"delta":{"content":"\"usage\":{}"}}]}"#,
    #"{"choices":[{"usage":{"prompt_tokens":1,"completion_tokens":2}}]}"#,
    #"{"usage":{"prompt_tokens":1"#, #"{"usage""#, "\"usage\"", "{\"usage\":",
  ])
  func leavesWhatIsNoUsageAlone(_ data: String) {
    check("data: {}\n\ndata: \(data)\n\n")
  }

  // Framing.

  @Test func passesWhatIsNoData() {
    for text in [
      ": keep-alive\n\n", ":\n\n", "event: ping\n\n", "id: 1\nretry: 5\n\n", "\n\n", "\r\n\r\n",
      "data\n\n", "data:\n\n", "data: \n\n", "data: {}\n\ndata: not json\n\n", "datas: {}\n\n",
      "\ndata: {}\n\n",
    ] { check(text) }
  }

  @Test func readsDataHoweverItIsFramed() {
    let data = "{\"choices\":[],\"usage\":\(Self.counts)}"
    for (before, after) in [
      ("data: ", "\n\n"), ("data:", "\n\n"), ("data: ", "\r\n\r\n"), ("data: ", "\r\n\n"),
      ("event: message\ndata: ", "\n\n"), ("id: 7\r\ndata:", "\r\n\r\n"),
      ("\u{FEFF}data: ", "\n\n"), (": comment\ndata: ", "\nid: 3\n\n"), ("data: ", "\r\r"),
    ] {
      let event = before + data + after
      // A further event, since a CR at the very end may be the first half of a CRLF.
      check(event + ":\n\n", sees: ":\n\n", usage: Self.usage)
      check(event + ":\n\n", hidesUsage: false, usage: Self.usage)
    }
  }

  @Test func keepsAPartOfAnEventBack() {
    for text in [
      "d", "data: {}", "data: {}\n", "data: [DONE]\n", "data: {}\r\n\r", ": x\ndata: {}\n",
    ] {
      let report = Self.report(Array("data: {}\n\n\(text)".utf8), hidesUsage: true)
      #expect(report.output == "data: {}\n\n")
      #expect(report.rest == text)
      #expect(!report.isComplete)
    }
  }

  @Test func sendsAnEventAsSoonAsItIsWhole() {
    let stream = AnswerStream(hidesUsage: true)
    let output = Buffer()
    let text = Array("data: {\"a\":1}\n\ndata: {\"b\"".utf8)
    #expect(stream.read(text.span, to: output) == 15)
    #expect(output.byteString == "data: {\"a\":1}\n\n")
  }

  // How it ends.

  private func ends(
    _ text: String, isDone: Bool = false, hasFinishReason: Bool = false, hasError: Bool = false,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let report = Self.report(Array(text.utf8), hidesUsage: true, location)
    #expect(report.output == text, sourceLocation: location)
    #expect(report.isDone == isDone, sourceLocation: location)
    #expect(report.hasFinishReason == hasFinishReason, sourceLocation: location)
    #expect(report.hasError == hasError, sourceLocation: location)
    #expect(report.isComplete == (isDone || hasFinishReason), sourceLocation: location)
  }

  @Test func knowsTheWordDone() {
    ends("data: [DONE]\n\n", isDone: true)
    ends("data:[DONE]\r\n\r\n", isDone: true)
    ends("data: {}\n\ndata: \"[DONE]\"\n\n")
    ends(#"data: {"choices":[{"delta":{"content":"[DONE]"}}]}"# + "\n\n")
    ends("event: [DONE]\n\n")
    ends("")
  }

  @Test func knowsAFinishedChoice() {
    func chunk(_ rest: String) -> String { "data: {\"choices\":[{\"index\":0\(rest)}]}\n\n" }
    for reason in ["stop", "length", "tool_calls", "content_filter"] {
      ends(chunk(",\"finish_reason\":\"\(reason)\""), hasFinishReason: true)
    }
    ends(chunk(",\"finish_reason\" : \"stop\""), hasFinishReason: true)
    ends(
      chunk(",\"finish_reason\":null") + chunk(",\"finish_reason\":\"stop\""),
      hasFinishReason: true)
    ends(
      chunk(",\"finish_reason\":\"stop\"") + chunk(",\"finish_reason\":null"),
      hasFinishReason: true)
    ends(chunk(",\"finish_reason\":null"))
    ends(chunk(",\"finish_reason\": null"))
    ends(chunk(""))
    ends(chunk(#","delta":{"content":"\"finish_reason\":\"stop\""}"#))
  }

  @Test func knowsAnErrorEvent() {
    ends("data: {\"error\":{\"message\":\"overloaded\"}}\n\n", hasError: true)
    ends("data: {\"id\":\"a\",\"error\": {} }\n\n", hasError: true)
    ends("event: error\ndata: {\"error\":{}}\n\n", hasError: true)
    ends("data: {\"error\":null}\n\n")
    ends(#"data: {"choices":[{"delta":{"content":"\"error\":{}"}}]}"# + "\n\n")
    ends(#"data: {"choices":[{"error":{}}]}"# + "\n\n")
  }

  @Test func keepsAnErrorEvent() throws {
    for data in [#"{"error":{"message":"over\nloaded","code":"a"}}"#, #"{"error":{}}"#] {
      let report = Self.report(Array("data: \(data)\n\n".utf8), hidesUsage: false)
      #expect(report.errorEvent == ByteString(utf8: data))
    }
    let other = Self.report(Array("data: {\"message\":\"no error\"}\n\n".utf8), hidesUsage: false)
    #expect(other.errorEvent.isEmpty)
    let sample = try RelayFixtures.bytes("openai/error.midstream.vendor.txt")
    let report = Self.run(sample, hidesUsage: false)
    #expect(
      UpstreamError(event: report.errorEvent).message
        == "The server had an error while processing your request.")
  }

  @Test func tellsCommentsFromContent() {
    for (text, hasData) in [
      (": keep-alive\n\n", false), (": a\n\ndata: {}\n\n", true), ("", false),
    ] {
      let stream = AnswerStream(hidesUsage: false)
      let output = Buffer()
      _ = stream.read(Array(text.utf8).span, to: output)
      #expect(stream.hasData == hasData)
      #expect(output.byteString.text == text)
    }
  }
}
