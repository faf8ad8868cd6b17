// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

extension Dialect {
  /// Google's Generative Language API, version v1beta.
  ///
  /// `parallel_tool_calls` is dropped as Google's own OpenAI-compatible route does.
  /// Source: https://ai.google.dev/api/generate-content, read 2026-11.
  package static let gemini = Dialect(
    name: "gemini", writes: geminiFields, drops: [.parallelTools], framing: .events,
    errors: geminiErrors,
    head: { (facts) throws(ChatProblem) in
      CallHead(
        path: facts.path("/v1beta/models/") + (try facts.geminiCall()),
        fields: CallHead.field("x-goog-api-key", facts.key))
    },
    encode: { (request, facts, output) in GeminiEncoder(request, facts).encode(output) },
    makeDecoder: { _ in GeminiDecoder(errors: geminiErrors) })

  /// The same on Google Cloud, where a service account's key is exchanged for a token.
  ///
  /// It has the name of the other, since bodies and answers are the same.
  /// Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference,
  /// read 2026-11.
  package static let vertex = Dialect(
    name: "gemini", writes: geminiFields, drops: [.parallelTools], framing: .events,
    errors: vertexErrors,
    head: { (facts) throws(ChatProblem) in
      CallHead(
        path: facts.path("/v1/projects/") + (try VertexAccount.project(facts))
          + "/locations/" + VertexAccount.location(facts) + "/publishers/google/models/"
          + (try facts.geminiCall()),
        fields: CallHead.field("Authorization", "Bearer " + facts.accessToken))
    },
    encode: { (request, facts, output) in GeminiEncoder(request, facts).encode(output) },
    makeDecoder: { _ in GeminiDecoder(errors: vertexErrors) },
    exchange: VertexAccount.exchange)

  private static let geminiFields: ChatFields = [
    .temperature, .topP, .topK, .stop, .seed, .presencePenalty, .frequencyPenalty, .jsonObject,
    .jsonSchema, .reasoning, .tools, .toolChoice, .toolHistory, .images, .imageURLs, .audio,
    .files, .maxTokens, .system,
  ]

  /// Source: https://ai.google.dev/gemini-api/docs/troubleshooting, read 2026-11; a wrong key is
  /// a 400 there.
  private static let geminiErrors = ErrorFormat(
    codes: "error.details.reason error.status", messages: "error.message",
    rules: """
      disable key|API_KEY_INVALID|INVALID_ARGUMENT~api key not valid
      disable key|INVALID_ARGUMENT~api key expired
      client length|INVALID_ARGUMENT~exceeds the maximum number of tokens
      client|INVALID_ARGUMENT|CANCELLED
      disable key|FAILED_PRECONDITION|UNAUTHENTICATED|PERMISSION_DENIED
      failover model|NOT_FOUND
      failover rate|RESOURCE_EXHAUSTED
      retry failed|INTERNAL
      retry busy|UNAVAILABLE
      retry timeout|DEADLINE_EXCEEDED
      """)

  /// There the access token may be stale.
  private static let vertexErrors = geminiErrors.refreshing("UNAUTHENTICATED")
}

extension CallFacts {
  /// The model without the collection that Google's lists put before it.
  var geminiModel: ByteString {
    let prefix: StaticString = "models/"
    return model.starts(with: prefix)
      ? ByteString(Array(model.bytes.dropFirst(prefix.utf8CodeUnitCount))) : model
  }

  /// Model and method as Google's paths have them.
  func geminiCall() throws(ChatProblem) -> ByteString {
    let name = try CallFacts.segments(of: geminiModel)
    if countsTokens { return name + ":countTokens" }
    return name + (isStream ? ":streamGenerateContent?alt=sse" : ":generateContent")
  }
}

/// What a model's name says about what it takes.
struct GeminiModel {
  /// Ten times the number behind `gemini-`; that of the newest for names without, which point to
  /// it, and 0 for models that are none.
  let generation: Int
  let isPro: Bool

  init(_ name: ByteString) {
    let prefix: StaticString = "gemini-"
    let bytes = name.bytes
    isPro = bytes.span.firstIndex(of: "-pro") != nil
    guard let start = bytes.span.firstIndex(of: prefix) else {
      generation = 0
      return
    }
    let rest = bytes[(start + prefix.utf8CodeUnitCount)...]
    guard let first = rest.first, ASCII.isDigit(first) else {
      generation = 30
      return
    }
    let behind = rest.dropFirst()
    var number = Int(first - 0x30) * 10
    if behind.first == UInt8(ascii: "."), let digit = behind.dropFirst().first,
      ASCII.isDigit(digit)
    {
      number += Int(digit - 0x30)
    }
    generation = number
  }

  /// Calls must come back with the signatures of the thoughts before them.
  var wantsSignatures: Bool { generation >= 30 }
}
