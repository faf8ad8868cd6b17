// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Language models on Replicate: a prediction is made, and then looked at or streamed.
///
/// Source: https://replicate.com/docs/reference/http and
/// https://replicate.com/docs/topics/predictions/streaming, read 2026-11.
enum ReplicateEncoder {
  /// Writes the body of a request.
  static func encode(
    _ request: ChatRequest, _ facts: CallFacts, _ output: Buffer
  ) throws(ChatProblem) {
    let prompt = PromptText.fold(request, withSystem: false)
    if prompt.isEmpty { throw ChatProblem("There is no text in messages.", field: "messages") }
    // Stops are one text here.
    if request.stop.contains(where: { $0.bytes.contains(UInt8(ascii: ",")) }) {
      throw .inexpressible("stop with a comma", for: "Replicate")
    }
    var json = JSONWriter(output)
    json.beginObject()
    if let (_, version) = facts.model.split(at: UInt8(ascii: ":")) {
      json.member("version", version)
    }
    json.key("input")
    json.beginObject()
    json.member("prompt", prompt)
    let system = request.systemText
    if !system.isEmpty { json.member("system_prompt", system) }
    if let limit = request.maxTokens { json.member("max_tokens", limit) }
    OpenAIEncoder.writeWordChoice(request, &json)
    if let first = request.stop.first {
      json.member("stop_sequences", request.stop.dropFirst().reduce(first) { $0 + "," + $1 })
    }
    json.endObject()
    if facts.isStream { json.member("stream", true) }
    json.endObject()
  }

  /// A model's path; one with a version (`owner/name:version`) is called by that.
  static func head(_ facts: CallFacts) throws(ChatProblem) -> CallHead {
    let isVersion = facts.model.bytes.contains(UInt8(ascii: ":"))
    let path: ByteString =
      isVersion
      ? "/v1/predictions"
      : "/v1/models/" + (try CallFacts.segments(of: facts.model)) + "/predictions"
    var fields = CallHead.field("Authorization", "Bearer " + facts.key)
    // A whole answer is waited for as long as the vendor can; a stream is at another address, which
    // is asked with the same lines.
    fields =
      fields
      + (facts.isStream
        ? CallHead.field("Accept", "application/json, text/event-stream")
        : CallHead.field("Prefer", "wait=60"))
    return CallHead(path: facts.path(path), fields: fields)
  }
}

/// Reads predictions of Replicate and their streams.
///
/// The first answer is the prediction: one that is not done is followed to its stream, or looked at
/// again after a while.
final class ReplicateDecoder: ChatDecoder {
  /// Between two looks at a prediction.
  private static let pauseMilliseconds: Int64 = 1000
  private let isStream: Bool
  private var hasStarted = false

  /// Makes a decoder for one answer.
  init(_ facts: CallFacts) { isStream = facts.isStream }

  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    switch event.name {
    case _ where event.name == "output":
      if !event.data.isEmpty { events.append(.text(event.data)) }
    case _ where event.name == "error":
      fail(event.json?.member("detail")?.string ?? event.data, &events)
    case _ where event.name == "done":
      let reason = event.json?.member("reason")?.string ?? .empty
      if reason.isEmpty { events.append(.finish(.stop)) } else { fail(reason, &events) }
    case _ where event.name.isEmpty:
      if let root = event.json(orFailIn: &events) { read(answer: root, into: &events) }
    default: break
    }
  }

  func read(answer root: JSONValue, into events: inout [ChatEvent]) {
    guard let status = root.member("status")?.string else {
      events.append(
        .failure(ErrorAnswer(status: 200, answer: root, format: Dialect.replicate.errors)))
      return
    }
    if !hasStarted {
      hasStarted = true
      events.append(.start(id: root.member("id")?.string ?? .empty, created: 0))
    }
    if status == "succeeded" || status == "successful" { return readOutput(root, &events) }
    if status == "failed" || status == "canceled" || status == "aborted" {
      return fail(root.member("error")?.string ?? "The prediction was " + status + ".", &events)
    }
    let urls = root.member("urls")
    let stream = isStream ? urls?.member("stream")?.string : nil
    guard let url = stream ?? urls?.member("get")?.string else {
      return fail("The prediction has no address.", &events)
    }
    events.append(
      .follow(
        url: url, pauseMilliseconds: stream == nil ? ReplicateDecoder.pauseMilliseconds : 0))
  }

  func end(into events: inout [ChatEvent]) {}

  private func readOutput(_ root: JSONValue, _ events: inout [ChatEvent]) {
    if let output = root.member("output") {
      if let text = output.string, !text.isEmpty { events.append(.text(text)) }
      for piece in output.elements {
        if let text = piece.string, !text.isEmpty { events.append(.text(text)) }
      }
    }
    if let metrics = root.member("metrics"), metrics.member("output_token_count") != nil {
      events.append(
        .usage(
          ChatUsage(metrics, prompt: "input_token_count", completion: "output_token_count")))
    }
    events.append(.finish(.stop))
  }

  private func fail(_ sentence: ByteString, _ events: inout [ChatEvent]) {
    events.append(
      .failure(ErrorAnswer(status: 200, message: sentence, action: .retry, meaning: .broken)))
  }
}

extension Dialect {
  /// Replicate's predictions.
  package static let replicate = Dialect(
    name: "replicate",
    writes: [
      .system, .maxTokens, .temperature, .topP, .topK, .seed, .presencePenalty, .frequencyPenalty,
      .stop,
    ],
    drops: [.reasoning, .parallelTools], framing: .events,
    errors: ErrorFormat(
      codes: "title", messages: "detail title",
      rules: """
        disable key|403:
        client|422:
        """),
    head: { (facts) throws(ChatProblem) in try ReplicateEncoder.head(facts) },
    encode: { (request, facts, output) throws(ChatProblem) in
      try ReplicateEncoder.encode(request, facts, output)
    },
    makeDecoder: { ReplicateDecoder($0) })
}
