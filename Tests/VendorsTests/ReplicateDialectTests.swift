// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Predictions on Replicate.
struct ReplicateDialectTests {
  private static let model: ByteString = "meta/meta-llama-3-70b-instruct"
  let fixture = DialectFixture("replicate", .replicate, key: "r8_test", base: "/v1")

  /// Where an answer is to be looked for.
  private func follow(_ file: String, isStream: Bool) throws -> [String] {
    var facts = fixture.facts
    facts.isStream = isStream
    let decoder = fixture.dialect.makeDecoder(facts)
    var events: [ChatEvent] = []
    let text = ByteString(try fixture.bytes(file))
    if isStream {
      // The first answer is no stream yet.
      decoder.read(StreamEvent(data: text), into: &events)
    } else {
      decoder.read(answer: try JSONDocument(text).root, into: &events)
    }
    var found: [String] = []
    for case .follow(let url, let pause) in events { found.append("\(url.text) \(pause)") }
    return found
  }

  @Test(arguments: ["chat", "stream"])
  func writesRequests(_ name: String) throws { try fixture.checkRequest(name) }

  @Test func readsAnswers() throws {
    try fixture.checkResponse("chat", model: ReplicateDialectTests.model)
  }

  @Test func readsStreams() throws { try fixture.checkStream(model: ReplicateDialectTests.model) }

  @Test func judgesErrors() throws { try fixture.checkErrors() }

  @Test func writesTheHead() throws {
    let whole = try fixture.head(model: ReplicateDialectTests.model)
    #expect(whole.path == "/v1/models/meta/meta-llama-3-70b-instruct/predictions")
    #expect(whole.fields == "Authorization: Bearer r8_test\r\nPrefer: wait=60\r\n")
    let stream = try fixture.head(model: ReplicateDialectTests.model, isStream: true)
    #expect(
      stream.fields
        == "Authorization: Bearer r8_test\r\nAccept: application/json, text/event-stream\r\n")
    #expect(throws: ChatProblem.self) { try fixture.head(model: "a/../../b") }
  }

  @Test func callsVersionsByTheirOwnPath() throws {
    #expect(try fixture.head(model: "meta/llama:5c78").path == "/v1/predictions")
    let body = try fixture.encode(
      #"{"model":"meta/llama:5c78","messages":[{"role":"user","content":"Hi"}]}"#)
    #expect(body == #"{"version":"5c78","input":{"prompt":"Hi"}}"#)
  }

  @Test func followsPredictionsThatAreNotDone() throws {
    let id = "gm3qorzdhgbfurvjtvhg6dckhu"
    #expect(
      try follow("starting.response.vendor.json", isStream: true)
        == ["https://stream.replicate.com/v1/files/\(id) 0"])
    #expect(
      try follow("starting.response.vendor.json", isStream: false)
        == ["https://api.replicate.com/v1/predictions/\(id) 1000"])
    #expect(try follow("chat.response.vendor.json", isStream: false).isEmpty)
    // Models that cannot stream are looked at again.
    let unstreamed = fixture.fold(stream: #"{"id":"p","status":"starting","urls":{}}"#)
    #expect(unstreamed.failure?.action == .retry)
  }

  @Test func readsWholeOutputsOfAllForms() throws {
    for (output, text) in [(#""A""#, "A"), (#"["A","B"]"#, "AB"), ("[]", ""), ("null", "")] {
      let answer = try fixture.fold(answer: #"{"id":"p","status":"succeeded","output":\#(output)}"#)
      #expect(answer.textString == text && answer.finish == .stop && answer.usage == nil)
    }
  }

  @Test func tellsFailedPredictions() throws {
    let failed = try fixture.fold(answer: #"{"id":"p","status":"failed","error":"out of memory"}"#)
    #expect(failed.failure?.message == "out of memory" && failed.finish == nil)
    let canceled = try fixture.fold(answer: #"{"id":"p","status":"canceled","error":null}"#)
    #expect(canceled.failure?.message == "The prediction was canceled.")
  }

  @Test func tellsErrorsInTheMidst() throws {
    let answer = fixture.fold(
      stream: String(decoding: try fixture.bytes("error.midstream.vendor.txt"), as: UTF8.self))
    #expect(answer.textString == "The")
    #expect(answer.failure?.message == "An unexpected error occurred")
    for reason in ["error", "canceled"] {
      let done = fixture.fold(stream: "event: done\ndata: {\"reason\":\"\(reason)\"}\n\n")
      #expect(done.failure?.message.text == reason && done.finish == nil)
    }
    #expect(fixture.fold(stream: "event: output\ndata: A\n\n").finish == nil)
  }

  @Test func refusesWhatItCannotExpress() throws {
    let request = #"{"model":"a/b","messages":[{"role":"user","content":"a"}]"#
    #expect(try fixture.problem(request + #","stop":["a,b"]}"#)?.isOfDialect == true)
    #expect(
      try fixture.problem(request + #","tools":[{"function":{"name":"f"}}]}"#)?.field == "tools")
  }
}
