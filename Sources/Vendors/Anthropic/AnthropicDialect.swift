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
    codes: ["error.type"], messages: ["error.message"],
    rules: [
      ErrorRule(
        0, "invalid_request_error", .disable, .accountEmpty, phrase: "credit balance is too low"),
      ErrorRule(
        0, "invalid_request_error", .client, .contextTooLong, phrase: "prompt is too long"),
      ErrorRule(
        0, "invalid_request_error", .client, .contextTooLong, phrase: "exceed context limit"),
      ErrorRule(0, "invalid_request_error", .client),
      ErrorRule(0, "request_too_large", .client),
      ErrorRule(0, "authentication_error", .disable, .keyRefused),
      ErrorRule(0, "billing_error", .disable, .accountEmpty),
      ErrorRule(0, "permission_error", .disable, .keyRefused),
      ErrorRule(0, "not_found_error", .failover, .modelMissing),
      ErrorRule(0, "rate_limit_error", .failover, .tooManyRequests),
      ErrorRule(0, "api_error", .retry, .broken),
      ErrorRule(0, "timeout_error", .retry, .timeout),
      ErrorRule(0, "overloaded_error", .retry, .overloaded),
    ])
}
