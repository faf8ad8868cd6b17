// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// What is learnt from a JSON answer that passes in pieces.
struct RelayAnswerDocumentTests {
  private struct Report: Equatable {
    var isValid: Bool
    var usage: Usage?
    var estimate: Int64
    var byteCount: Int64
  }

  private func report(_ document: AnswerDocument, _ bytes: [UInt8], _ cuts: [Int]) -> Report {
    for piece in RelayFixtures.pieces(bytes, cuts) { document.read(piece.span) }
    let isValid = document.finish()
    #expect(document.isBroken == !isValid)
    return Report(
      isValid: isValid, usage: document.usage, estimate: document.completionEstimate,
      byteCount: document.byteCount)
  }

  /// The report of a document, which every cutting must share, also with a used reader.
  private func report(
    _ bytes: [UInt8], _ location: SourceLocation = #_sourceLocation
  ) -> Report {
    let whole = report(AnswerDocument(), bytes, [])
    #expect(whole.byteCount == Int64(bytes.count), sourceLocation: location)
    let document = AnswerDocument()
    for cuts in RelayFixtures.cuttings(bytes.count) {
      document.reset()
      let cut = report(document, bytes, cuts)
      #expect(cut.isValid == whole.isValid, "cut at \(cuts.prefix(3))", sourceLocation: location)
      guard whole.isValid else { continue }
      #expect(cut == whole, "cut at \(cuts.prefix(3))", sourceLocation: location)
    }
    return whole
  }

  private func check(
    _ name: String, prompt: Int64, completion: Int64, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let report = report(try RelayFixtures.bytes(name), location)
    #expect(report.isValid, sourceLocation: location)
    let usage = Usage(promptTokens: prompt, completionTokens: completion, isReported: true)
    #expect(report.usage == usage, sourceLocation: location)
  }

  @Test func readsSamples() throws {
    try check("openai/chat.response.vendor.json", prompt: 41, completion: 12)
    try check("openai/tools.response.vendor.json", prompt: 120, completion: 18)
    try check("openai/embeddings.response.vendor.json", prompt: 2, completion: 0)
    // DeepSeek sends empty lines while it thinks.
    try check("deepseek/chat.response.vendor.txt", prompt: 30, completion: 40)
  }

  @Test(arguments: [
    #"{}"#, #" {"usage":null} "#, #"{"usage":{}}"#, #"{"usage":[]}"#, #"{"usage":"5"}"#,
    #"{"data":{"usage":{"prompt_tokens":1}}}"#, #"{"a":1,"a":2}"#,
  ])
  func acceptsADocumentWithoutUsage(_ text: String) {
    let report = report(Array(text.utf8))
    #expect(report.isValid)
    #expect(report.usage == nil)
  }

  @Test(arguments: [
    "", " ", "{", "[]", "null", "\"a\"", "5", "{}{}", "{} x", "{\"a\":}", "{\"a\":1,}", "{'a':1}",
    "<html></html>", "\u{FEFF}{}", "{\"a\":\"\u{1}\"}", "data: {}\n\n",
  ])
  func refusesWhatIsNotOneObject(_ text: String) {
    #expect(!report(Array(text.utf8)).isValid)
  }

  @Test func refusesInvalidText() {
    #expect(!report(Array("{\"a\":\"".utf8) + [0xFF] + Array("\"}".utf8)).isValid)
    #expect(!report(Array(#"{"a":"\ud800"}"#.utf8)).isValid)
  }

  @Test func refusesEveryPrefix() throws {
    let bytes = try RelayFixtures.bytes("openai/embeddings.response.vendor.json")
    let end = try #require(bytes.lastIndex(of: UInt8(ascii: "}")))
    for count in 0...end {
      let document = AnswerDocument()
      document.read(Array(bytes[..<count]).span)
      #expect(!document.isBroken)
      #expect(!document.finish(), "\(count) bytes")
    }
  }

  @Test func staysBroken() {
    let document = AnswerDocument()
    document.read(Array("{]".utf8).span)
    #expect(document.isBroken)
    document.read(Array("{}".utf8).span)
    #expect(document.isBroken)
    #expect(document.byteCount == 4)
    #expect(!document.finish())
  }

  @Test(
    arguments: [
      (#"{"results":[],"meta":{"tokens":{"input_tokens":25,"output_tokens":1}}}"#, 26, nil),
      (#"{"meta":{"billed_units":{"input_tokens":7}}}"#, 7, nil),
      (#"{"meta":{"billed_units":{"search_units":1}}}"#, nil, nil),
      (#"{"usage":{"total_tokens":30},"meta":{}}"#, nil, 30),
      (#"{"usage":{"total_tokens":-3}}"#, nil, 0), (#"{"usage":{"total_tokens":"3"}}"#, nil, nil),
      (#"{"meta":{"total_tokens":3}}"#, nil, nil),
    ] as [(String, Int64?, Int64?)])
  func readsWhatRankingVendorsReport(_ text: String, _ tokens: Int64?, _ total: Int64?) {
    let document = AnswerDocument()
    let bytes = Array(text.utf8)
    document.read(bytes.span)
    #expect(document.finish())
    #expect(document.usage?.tokens == tokens)
    #expect(document.totalUsage?.tokens == total)
  }

  @Test func estimatesFromItsStrings() {
    #expect(report(Array(#"{"choices":[{"text":"12345678"}]}"#.utf8)).estimate == 2)
    #expect(report(Array(#"{"choices":[{"text":"東京"}]}"#.utf8)).estimate == 2)
    #expect(report(Array(#"{"n":123456789,"ok":true}"#.utf8)).estimate == 0)
  }

  @Test func forgetsEverythingForTheNextAnswer() {
    let document = AnswerDocument()
    let first = Array(#"{"text":"12345678","usage":{"prompt_tokens":5,"error":1}}"#.utf8)
    document.read(first.span)
    document.held.append(first.span)
    #expect(document.finish())
    document.reset()
    #expect(document.usage == nil)
    #expect(document.completionEstimate == 0)
    #expect(document.byteCount == 0)
    #expect(document.held.isEmpty)
    document.read(Array("nonsense".utf8).span)
    #expect(document.isBroken)
    document.reset()
    #expect(!document.isBroken)
    document.read(Array("{}".utf8).span)
    #expect(document.finish())
    #expect(document.usage == nil)
  }

  @Test func keepsLittleMemoryForTheNextAnswer() {
    let document = AnswerDocument()
    document.held.append([UInt8](repeating: 0x20, count: 60_000).span)
    document.reset()
    #expect(document.held.reservedByteCount <= 4096)
  }
}
