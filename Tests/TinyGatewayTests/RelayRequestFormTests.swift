// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// What a form says, and how its model is replaced, held or while it passes.
struct RelayRequestFormTests {
  private static let end = "--xyz--\r\n"

  private static func field(_ name: String, _ value: String) -> String {
    "--xyz\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
  }

  private static let file =
    "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\r\n--xy\r\n"

  private func body() -> RequestBody {
    let body = RequestBody()
    body.expectForm(boundary: "xyz")
    return body
  }

  private func held(_ text: String) throws(RelayError) -> RequestBody {
    let body = body()
    let bytes = Array(text.utf8)
    try body.append(bytes.span)
    try body.finish()
    return body
  }

  /// What the upstream gets of a form that passes from a place on, in pieces, its model `public`
  /// called `upstream` there.
  private func passed(_ text: String, from start: Int, cuts: [Int]) throws -> String {
    let body = body()
    body.assumedModel = "public"
    let bytes = Array(text.utf8)
    let first = Array(bytes[..<start])
    try body.append(first.span)
    try body.edit(
      model: try body.model(), upstreamModel: "upstream", asksUsage: false, isPassing: true)
    let output = Buffer()
    body.startPassing(to: output)
    let rest = Array(bytes[start...])
    for piece in RelayFixtures.pieces(rest, cuts.filter { $0 < rest.count }) {
      try body.pass(piece.span, to: output)
    }
    try body.finish()
    body.finishPassing(to: output)
    #expect(output.count == bytes.count + Int(body.growth))
    return output.byteString.text
  }

  @Test func replacesTheModelWhileItPasses() throws {
    let text = Self.file + Self.field("model", "public") + Self.field("n", "1") + Self.end
    let expected = Self.file + Self.field("model", "upstream") + Self.field("n", "1") + Self.end
    let count = text.utf8.count
    for start in 0..<count {
      #expect(try passed(text, from: start, cuts: []) == expected)
      #expect(try passed(text, from: start, cuts: Array(1..<count)) == expected)
    }
    for cut in 1..<count { #expect(try passed(text, from: 0, cuts: [cut]) == expected) }
  }

  @Test func replacesTheModelOfAHeldForm() throws {
    let body = try held(Self.field("model", "a") + Self.file + Self.end)
    #expect(try body.model().text == "a")
    for upstream in ["b", "longer-name", "a"] {
      let name = ByteString(utf8: upstream)
      try body.edit(model: "a", upstreamModel: name, asksUsage: false, isPassing: false)
      let expected = Self.field("model", upstream) + Self.file + Self.end
      #expect(body.edited().byteString.text == expected)
      #expect((body.edited() === body.held) == (upstream == "a"))
    }
  }

  @Test func addsTheModelThatWasAssumed() throws {
    let body = try held(Self.file + Self.end)
    #expect(throws: RelayError.self) { try body.model() }
    body.assumedModel = "dall-e-2"
    #expect(try body.model().text == "dall-e-2")
    try body.edit(
      model: "dall-e-2", upstreamModel: "dall-e-2", asksUsage: false, isPassing: false)
    #expect(
      body.edited().byteString.text == Self.field("model", "dall-e-2") + Self.file + Self.end)
    let empty = RequestBody()
    let bytes = Array("{\"input\":\"x\"}".utf8)
    try empty.append(bytes.span)
    try empty.finish()
    empty.assumedModel = "m"
    try empty.edit(model: "m", upstreamModel: "n", asksUsage: false, isPassing: false)
    #expect(empty.edited().byteString.text == "{\"input\":\"x\",\"model\":\"n\"}")
  }

  @Test func readsFields() throws {
    let form = try held(
      Self.field("n", "3") + Self.field("stream", "true") + Self.field("prompt", "12345678")
        + Self.field("response_format", "srt") + Self.file + Self.end)
    #expect(form.answerCount == 3)
    #expect(try form.isStream())
    #expect(form.form?.wantsText ?? false)
    #expect(form.promptEstimate == (1 + 4 + 8 + 3) / 4 + 1000)
    try form.checkAnswerCount()
    form.reset(keepsMemory: false)
    #expect(form.form == nil)
  }

  @Test(arguments: [("true", true), ("True", true), ("1", true), ("false", false), ("", false)])
  func knowsHowClientsWriteTruth(_ word: String, _ expected: Bool) throws {
    #expect(try held(Self.field("stream", word) + Self.end).isStream() == expected)
  }

  @Test func refusesFieldsThatCannotBe() throws {
    #expect(throws: RelayError.self) { try held(Self.field("stream", "yes") + Self.end).isStream() }
    for count in ["0", "129", "x", "", "1.0", "-1"] {
      let body = try held(Self.field("n", count) + Self.end)
      #expect(throws: RelayError.self) { try body.checkAnswerCount() }
    }
    for model in ["", "a b", String(repeating: "a", count: 129)] {
      let body = try held(Self.field("model", model) + Self.end)
      #expect(throws: RelayError.self) { try body.model() }
    }
    #expect(throws: RelayError.self) { try held("{}") }
  }

  @Test func writesTheContentType() {
    #expect(
      RequestForm(boundary: "a-b_C1").contentType.text == "multipart/form-data; boundary=a-b_C1")
    #expect(
      RequestForm(boundary: "a b/c").contentType.text == "multipart/form-data; boundary=\"a b/c\"")
  }

  @Test(arguments: [
    ("\"héllo 🌍\"", 7), ("\"a\\u00e9\\n\\ud83d\\ude00\"", 4), ("\"\"", 0), ("[\"a\"]", 0),
  ])
  func countsCharactersToBeSpoken(_ input: String, _ count: Int64) throws {
    let body = RequestBody()
    let bytes = Array("{\"model\":\"tts-1\",\"input\":\(input),\"voice\":\"alloy\"}".utf8)
    try body.append(bytes.span)
    try body.finish()
    #expect(body.inputCharacters == count)
  }
}
