// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// What goes to an upstream: the client's bytes but for those that must differ.
struct RelayRequestBodyEditTests {
  /// The edited form of a body that is held whole.
  private func held(
    _ text: String, cuts: [Int] = [], as upstreamModel: ByteString? = nil
  ) throws(RelayError) -> (text: String, hidesUsage: Bool) {
    let body = RequestBody()
    for piece in RelayFixtures.pieces(Array(text.utf8), cuts) { try body.append(piece.span) }
    try body.finish()
    let model = try body.model()
    try body.edit(
      model: model, upstreamModel: upstreamModel ?? model, asksUsage: try body.isStream(),
      isPassing: false)
    return (body.edited().byteString.text, body.hidesUsage)
  }

  /// The edited form of a body that streams once its first `count` bytes are there.
  ///
  /// nil when the model is not among them.
  private func passed(
    _ text: String, from count: Int, byteByByte: Bool, as upstreamModel: ByteString? = nil
  ) throws(RelayError) -> (text: String, hidesUsage: Bool)? {
    let bytes = Array(text.utf8)
    let body = RequestBody()
    try body.append(Array(bytes[..<count]).span)
    guard body.hasModel else { return nil }
    let model = try body.model()
    try body.edit(
      model: model, upstreamModel: upstreamModel ?? model, asksUsage: try body.isStream(),
      isPassing: true)
    let output = Buffer()
    body.startPassing(to: output)
    let rest = Array(bytes[count...])
    let cuts = byteByByte && rest.count > 1 ? Array(1..<rest.count) : []
    for piece in RelayFixtures.pieces(rest, cuts) { try body.pass(piece.span, to: output) }
    try body.finish()
    body.finishPassing(to: output)
    #expect(body.byteCount == Int64(bytes.count))
    return (output.byteString.text, body.hidesUsage)
  }

  /// Checks the held form however it arrives, and the streaming form from every byte on.
  private func check(
    _ text: String, as model: ByteString? = nil, becomes expected: String,
    hidesUsage: Bool = false, streams: Bool = true, step: Int = 1,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let count = text.utf8.count
    for cuts in RelayFixtures.cuttings(count, step: step) {
      let held = try held(text, cuts: cuts, as: model)
      #expect(held.text == expected, "cut at \(cuts.prefix(3))", sourceLocation: location)
      #expect(held.hidesUsage == hidesUsage, sourceLocation: location)
    }
    guard streams else { return }
    for start in stride(from: 0, through: count, by: step) {
      for byteByByte in [false, true] {
        guard
          let passed = try passed(text, from: start, byteByByte: byteByByte, as: model)
        else { continue }
        #expect(passed.text == expected, "streamed from \(start)", sourceLocation: location)
        #expect(passed.hidesUsage == hidesUsage, "from \(start)", sourceLocation: location)
      }
    }
  }

  // Untouched.

  @Test(arguments: [
    #"{"model":"a"}"#, " {\t\"model\" : \"a\"\r\n} \n", #"{"model":"a","stream":false}"#,
    #"{"model":"a","stream":null,"stream_options":5}"#,
    #"{"zeta":1.10,"model":"a","n":-0.0,"e":1E+05,"big":123456789012345678901234567890}"#,
    #"{"model":"a","x":"\u0041\/\ud83d\ude00 é 東","nested":{"b":1,"a":2,"b":3},"l":[1 , 2]}"#,
    #"{"model":"gp\u0074","logit_bias":{"50256":-100},"vendor_field":{"keep":[null,true]}}"#,
  ])
  func leavesEveryByteAlone(_ text: String) throws {
    try check(text, becomes: text)
  }

  @Test(arguments: [
    "openai/chat.request.openai.json", "openai/tools.request.openai.json",
    "openai/image.request.openai.json", "openai/stream.request.openai.json",
    "deepseek/stream.request.openai.json",
  ])
  func leavesSamplesAlone(_ name: String) throws {
    let text = String(decoding: try RelayFixtures.bytes(name), as: UTF8.self)
    try check(text, becomes: text, step: 17)
  }

  @Test func givesTheVeryBytesThatCameWhenNothingChanges() throws {
    let body = RequestBody()
    try body.append(Array(#"{"model":"a"}"#.utf8).span)
    try body.finish()
    try body.edit(model: "a", upstreamModel: "a", asksUsage: false, isPassing: false)
    #expect(body.edited() === body.held)
  }

  // The model.

  @Test func replacesTheModelsBytesOnly() throws {
    try check(#"{"model":"a"}"#, as: "b", becomes: #"{"model":"b"}"#)
    try check(
      #"{ "n":1.0, "model" : "gpt-4o" , "user":"model" }"#, as: "x/y:z",
      becomes: #"{ "n":1.0, "model" : "x/y:z" , "user":"model" }"#)
    try check(
      #"{"messages":[{"model":"a"}],"model":"a","z":"a"}"#, as: "much-longer-name",
      becomes: #"{"messages":[{"model":"a"}],"model":"much-longer-name","z":"a"}"#)
    try check(#"{"model":"gpt\u002d4o","x":0}"#, as: "s", becomes: #"{"model":"s","x":0}"#)
    try check(#"{"mod\u0065l":"a"}"#, as: "b", becomes: #"{"mod\u0065l":"b"}"#)
  }

  @Test func escapesAnOwnersModelName() throws {
    try check(#"{"model":"a"}"#, as: "q\"\\", becomes: #"{"model":"q\"\\"}"#)
  }

  @Test func replacesTheModelOfASample() throws {
    let text = String(
      decoding: try RelayFixtures.bytes("openai/tools.request.openai.json"), as: UTF8.self)
    let parts = text.split(separator: "\"gpt-4o-mini\"", omittingEmptySubsequences: false)
    try #require(parts.count == 2)
    try check(text, as: "ep-2025", becomes: parts.joined(separator: "\"ep-2025\""), step: 17)
  }

  // Usage.

  private static let added = #""stream_options":{"include_usage":true}"#

  @Test func asksForUsageOfAStream() throws {
    try check(
      #"{"model":"a","stream":true}"#, becomes: #"{"model":"a","stream":true,\#(Self.added)}"#,
      hidesUsage: true)
    try check(
      "{\"stream\":true,\"model\":\"a\" \n} ",
      becomes: "{\"stream\":true,\"model\":\"a\" \n,\(Self.added)} ", hidesUsage: true)
    try check(
      #"{"model":"a","messages":[{"x":"}"}],"stream":true,"n":1.0}"#, as: "b",
      becomes: #"{"model":"b","messages":[{"x":"}"}],"stream":true,"n":1.0,\#(Self.added)}"#,
      hidesUsage: true)
  }

  @Test func leavesUsageToAClientThatAsksForIt() throws {
    for options in [
      #"{"include_usage":true}"#, #"{ "include_usage" : true , "x":1 }"#,
      #"{"include_obfuscation":false,"include_usage":true}"#,
    ] {
      let text = "{\"model\":\"a\",\"stream\":true,\"stream_options\":\(options)}"
      try check(text, becomes: text)
      let early = "{\"stream_options\":\(options),\"stream\":true,\"model\":\"a\"}"
      try check(early, becomes: early)
    }
  }

  /// The client's options, and what they become.
  private static let options: [(String, String)] = [
    ("{}", #"{"include_usage":true}"#), ("null", #"{"include_usage":true}"#),
    (#"{"include_usage":false}"#, #"{"include_usage":true}"#),
    (#"{"include_usage":null}"#, #"{"include_usage":true}"#),
    (#"{ "x" : 1.0 }"#, #"{ "x" : 1.0 ,"include_usage":true}"#),
  ]

  @Test func completesTheClientsOptions() throws {
    for (options, completed) in Self.options {
      func text(_ options: String) -> String {
        "{\"model\":\"a\",\"stream\":true,\"stream_options\":\(options),\"n\":1}"
      }
      try check(text(options), becomes: text(completed), hidesUsage: true, streams: false)
    }
  }

  /// Starts to stream a body with each of the options, from every byte between the bounds, which
  /// are told where the options are.
  private func checkStreaming(
    _ bounds: (Range<Int>, Int) -> ClosedRange<Int>, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let (before, after) = (#"{"model":"a","stream":true,"stream_options":"#, #","n":1}"#)
    for (options, completed) in Self.options {
      let text = before + options + after
      let range = before.utf8.count..<(before.utf8.count + options.utf8.count)
      var failures: [Int] = []
      for start in bounds(range, text.utf8.count) {
        let passed = try #require(try passed(text, from: start, byteByByte: false))
        let isCompleted = passed.text == before + completed + after && passed.hidesUsage
        if !isCompleted { failures.append(start) }
      }
      #expect(failures.isEmpty, "\(options) streamed from there", sourceLocation: location)
    }
  }

  @Test func completesOptionsThatComeWhileTheBodyStreams() throws {
    try checkStreaming { options, _ in 12...options.lowerBound }
  }

  @Test func completesOptionsThatAreStillHeldWhenTheBodyBeginsToStream() throws {
    try checkStreaming { options, count in (options.upperBound + 1)...count }
  }

  /// Where options have left in part it may be too late; then the client sees all usage there is.
  @Test func hidesUsageOnlyWhereItAskedForIt() throws {
    for (options, completed) in Self.options {
      func text(_ options: String) -> String {
        "{\"model\":\"a\",\"stream\":true,\"stream_options\":\(options),\"n\":1}"
      }
      for start in 0...text(options).utf8.count {
        for byteByByte in [false, true] {
          guard
            let passed = try passed(text(options), from: start, byteByByte: byteByByte)
          else { continue }
          #expect(passed.text == text(passed.hidesUsage ? completed : options), "from \(start)")
        }
      }
    }
  }

  @Test(arguments: ["5", "true", "\"include_usage\"", "[]"])
  func refusesOptionsThatAreNoObject(_ options: String) {
    do throws(RelayError) {
      _ = try held("{\"model\":\"a\",\"stream\":true,\"stream_options\":\(options)}")
      Issue.record("accepted \(options)")
    } catch {
      #expect(error.status == 400)
      #expect(error.param?.text == "stream_options")
    }
  }

  // Several attempts.

  @Test func startsEveryAttemptFromTheOriginal() throws {
    let body = RequestBody()
    try body.append(Array(#"{ "model":"alias", "stream":true }"#.utf8).span)
    try body.finish()
    for (model, asksUsage, expected): (ByteString, Bool, String) in [
      (
        "a-much-longer-upstream-name", true,
        #"{ "model":"a-much-longer-upstream-name", "stream":true ,\#(Self.added)}"#
      ),
      ("b", true, #"{ "model":"b", "stream":true ,\#(Self.added)}"#),
      ("alias", true, #"{ "model":"alias", "stream":true ,\#(Self.added)}"#),
      ("alias", false, #"{ "model":"alias", "stream":true }"#),
      ("c", false, #"{ "model":"c", "stream":true }"#),
    ] {
      try body.edit(model: "alias", upstreamModel: model, asksUsage: asksUsage, isPassing: false)
      #expect(body.edited().byteString.text == expected)
      #expect(body.hidesUsage == asksUsage)
    }
  }

  // What a streaming body refuses.

  @Test func findsErrorsWhileItStreams() throws {
    for rest in ["]", "\"n\":01}", "\"model\":\"b\"}", "\"n\":1}}", "\"x\":\"\u{1}\"}"] {
      let text = "{\"model\":\"a\",\(rest)"
      #expect(throws: RelayError.self, "\(rest)") {
        try passed(text, from: 12, byteByByte: false)
      }
      #expect(throws: RelayError.self, "\(rest)") {
        try passed(text, from: 12, byteByByte: true)
      }
    }
    #expect(throws: RelayError.self) {
      try passed(#"{"model":"a","n":1"#, from: 12, byteByByte: false)
    }
    #expect(throws: RelayError.self) {
      try passed(#"{"model":"a","stream":1}"#, from: 12, byteByByte: false)
    }
  }

  @Test func holdsNothingOnceItStreams() throws {
    let body = RequestBody()
    try body.append(Array(#"{"model":"a","#.utf8).span)
    try body.edit(model: "a", upstreamModel: "b", asksUsage: false, isPassing: true)
    let output = Buffer()
    body.startPassing(to: output)
    #expect(body.held.isEmpty)
    output.clear()
    try body.pass(Array(#""x":"#.utf8).span, to: output)
    #expect(output.byteString == #""x":"#)
    #expect(body.held.isEmpty)
  }
}
