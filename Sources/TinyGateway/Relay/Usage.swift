// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Token counts of one request, as the upstream reported them or as estimated.
struct Usage: Equatable, Sendable {
  /// Counts from outside are clamped to this, so that no sum can overflow.
  static let largestCount: Int64 = 1_000_000_000

  var promptTokens: Int64 = 0
  var completionTokens: Int64 = 0
  var cachedTokens: Int64 = 0
  /// Whether the upstream said so.
  var isReported = false

  /// At ratio 1 one quota unit is one token.
  var quota: Int64 { promptTokens + completionTokens }

  /// Reads a `usage` object of OpenAI's format; nil when it holds no counts.
  ///
  /// Embeddings have no completion tokens; DeepSeek names its cache `prompt_cache_hit_tokens`.
  static func parse(_ object: UnsafeRawBufferPointer) -> Usage? {
    guard JSONQuery.kind(of: object) == .object else { return nil }
    let prompt = JSONQuery.int64(["prompt_tokens"], in: object)
    let completion = JSONQuery.int64(["completion_tokens"], in: object)
    guard prompt != nil || completion != nil else { return nil }
    let cached =
      JSONQuery.int64(["prompt_tokens_details", "cached_tokens"], in: object)
      ?? JSONQuery.int64(["prompt_cache_hit_tokens"], in: object)
    func clamped(_ count: Int64?) -> Int64 { max(0, min(count ?? 0, largestCount)) }
    return Usage(
      promptTokens: clamped(prompt), completionTokens: clamped(completion),
      cachedTokens: min(clamped(cached), clamped(prompt)), isReported: true)
  }

  /// The documented estimate for text without reported usage: a token for every four bytes of
  /// ASCII, and one for every character of three bytes.
  static func estimate(asciiByteCount: Int64, nonASCIIByteCount: Int64) -> Int64 {
    (max(0, asciiByteCount) + 3) / 4 + (max(0, nonASCIIByteCount) + 2) / 3
  }
}
