// SPDX-License-Identifier: MIT
import Platform

extension Dialect {
  /// Anthropic's Messages API, version 2023-06-01.
  ///
  /// What is dropped is what Anthropic's own OpenAI-compatible route drops as well.
  /// Source: https://docs.anthropic.com/en/api/openai-sdk, read 2026-11.
  package static let anthropic = Dialect(
    name: "anthropic",
    writes: [
      .temperature, .topP, .topK, .stop, .jsonSchema, .reasoning, .tools, .toolChoice,
      .parallelTools, .toolHistory, .images, .imageURLs, .files, .maxTokens, .system,
    ],
    drops: [.seed, .presencePenalty, .frequencyPenalty, .logitBias, .logprobs, .jsonObject],
    framing: .events, errors: anthropicErrors,
    head: { facts in
      // Tokens of a login come as a bearer, keys in a field of their own.
      let key =
        facts.key.starts(with: "sk-ant-oat")
        ? CallHead.field("Authorization", "Bearer " + facts.key)
        : CallHead.field("x-api-key", facts.key)
      // A request that is passed on is in the client's version.
      let version =
        facts.clientFields.starts(with: "anthropic-version:")
        ? .empty : CallHead.field("anthropic-version", "2023-06-01")
      return CallHead(
        path: facts.path(facts.countsTokens ? "/v1/messages/count_tokens" : "/v1/messages"),
        fields: key + version + facts.clientFields)
    },
    encode: { (request, facts, output) throws(ChatProblem) in
      try AnthropicEncoder(request, model: facts.model).encode(facts, output)
    },
    makeDecoder: { _ in AnthropicDecoder() })

  /// Source: https://docs.anthropic.com/en/api/errors, read 2026-11.
  static let anthropicErrors = ErrorFormat(
    codes: "error.type", messages: "error.message",
    rules: """
      disable account|invalid_request_error~credit balance is too low
      client length|invalid_request_error~prompt is too long
      client length|invalid_request_error~exceed context limit
      client|invalid_request_error|request_too_large
      disable key|authentication_error
      disable account|billing_error
      disable key|permission_error
      failover model|not_found_error
      failover rate|rate_limit_error
      retry failed|api_error
      retry timeout|timeout_error
      retry busy|overloaded_error
      """)
}
