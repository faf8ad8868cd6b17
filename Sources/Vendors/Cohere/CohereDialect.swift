// SPDX-License-Identifier: MIT
import Platform

extension Dialect {
  /// Cohere's chat API, version 2.
  ///
  /// Source: https://docs.cohere.com/reference/chat, read 2026-11.
  package static let cohere = Dialect(
    name: "cohere",
    writes: [
      .temperature, .topP, .topK, .stop, .seed, .presencePenalty, .frequencyPenalty, .jsonObject,
      .jsonSchema, .reasoning, .tools, .toolChoice, .toolHistory, .images, .imageURLs, .maxTokens,
      .system,
    ],
    drops: [], framing: .events,
    errors: ErrorFormat(
      codes: "", messages: "message",
      rules: """
        disable key|403:
        disable account|429:~trial key
        disable key|498:
        client|501:
        """),
    head: { facts in
      CallHead(
        path: facts.path("/v2/chat"),
        fields: CallHead.field("Authorization", "Bearer " + facts.key))
    },
    encode: { (request, facts, output) throws(ChatProblem) in
      try CohereEncoder.encode(request, facts, output)
    },
    makeDecoder: { _ in CohereDecoder() })
}
