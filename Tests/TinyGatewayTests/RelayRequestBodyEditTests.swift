// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// What goes to an upstream: the client's bytes but for those that must differ.
struct RelayRequestBodyEditTests {
  /// The member that asks for usage.
  static let added = #""stream_options":{"include_usage":true}"#

  /// The edited form of a body that is held whole.
  static func held(
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
  /// `canStream`: the task can be answered as a stream. nil when the model is not among them.
  static func passed(
    _ text: String, from count: Int, byteByByte: Bool, as upstreamModel: ByteString? = nil,
    canStream: Bool = true
  ) throws(RelayError) -> (text: String, hidesUsage: Bool)? {
    let bytes = Array(text.utf8)
    let body = RequestBody()
    try body.append(Array(bytes[..<count]).span)
    guard body.hasModel else { return nil }
    let model = try body.model()
    try body.edit(
      model: model, upstreamModel: upstreamModel ?? model, asksUsage: canStream,
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
  static func check(
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
    try Self.check(text, becomes: text)
  }

  @Test(arguments: [
    "openai/chat.request.openai.json", "openai/tools.request.openai.json",
    "openai/image.request.openai.json", "openai/stream.request.openai.json",
    "deepseek/stream.request.openai.json",
  ])
  func leavesSamplesAlone(_ name: String) throws {
    let text = String(decoding: try RelayFixtures.bytes(name), as: UTF8.self)
    try Self.check(text, becomes: text, step: 17)
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
    try Self.check(#"{"model":"a"}"#, as: "b", becomes: #"{"model":"b"}"#)
    try Self.check(
      #"{ "n":1.0, "model" : "gpt-4o" , "user":"model" }"#, as: "x/y:z",
      becomes: #"{ "n":1.0, "model" : "x/y:z" , "user":"model" }"#)
    try Self.check(
      #"{"messages":[{"model":"a"}],"model":"a","z":"a"}"#, as: "much-longer-name",
      becomes: #"{"messages":[{"model":"a"}],"model":"much-longer-name","z":"a"}"#)
    try Self.check(#"{"model":"gpt\u002d4o","x":0}"#, as: "s", becomes: #"{"model":"s","x":0}"#)
    try Self.check(#"{"mod\u0065l":"a"}"#, as: "b", becomes: #"{"mod\u0065l":"b"}"#)
  }

  @Test func escapesAnOwnersModelName() throws {
    try Self.check(#"{"model":"a"}"#, as: "q\"\\", becomes: #"{"model":"q\"\\"}"#)
  }

  @Test func replacesTheModelOfASample() throws {
    let text = String(
      decoding: try RelayFixtures.bytes("openai/tools.request.openai.json"), as: UTF8.self)
    let parts = text.split(separator: "\"gpt-4o-mini\"", omittingEmptySubsequences: false)
    try #require(parts.count == 2)
    try Self.check(text, as: "ep-2025", becomes: parts.joined(separator: "\"ep-2025\""), step: 17)
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
        try Self.passed(text, from: 12, byteByByte: false)
      }
      #expect(throws: RelayError.self, "\(rest)") {
        try Self.passed(text, from: 12, byteByByte: true)
      }
    }
    #expect(throws: RelayError.self) {
      try Self.passed(#"{"model":"a","n":1"#, from: 12, byteByByte: false)
    }
    #expect(throws: RelayError.self) {
      try Self.passed(#"{"model":"a","stream":1}"#, from: 12, byteByByte: false)
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
