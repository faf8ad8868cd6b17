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

  /// Tokens in all.
  var tokens: Int64 { promptTokens + completionTokens }

  /// Reads a `usage` object of OpenAI's format; nil when it holds no counts.
  ///
  /// Embeddings have no completion tokens; DeepSeek names its cache `prompt_cache_hit_tokens`.
  static func parse(_ object: UnsafeRawBufferPointer) -> Usage? {
    let text = object.bindMemory(to: UInt8.self).span
    guard text.count > 1, text[0] == UInt8(ascii: "{") else { return nil }
    let prompt = count(behind: "\"prompt_tokens\"", in: text)
    let completion = count(behind: "\"completion_tokens\"", in: text)
    guard prompt != nil || completion != nil else { return nil }
    let cached =
      count(behind: "\"cached_tokens\"", in: text)
      ?? count(behind: "\"prompt_cache_hit_tokens\"", in: text)
    return Usage(
      promptTokens: prompt ?? 0, completionTokens: completion ?? 0,
      cachedTokens: min(cached ?? 0, prompt ?? 0), isReported: true)
  }

  /// The clamped number behind a key of a valid object.
  ///
  /// A search in the text suffices: usage objects hold names and numbers only.
  private static func count(behind key: StaticString, in text: Span<UInt8>) -> Int64? {
    guard let found = text.firstIndex(of: key) else { return nil }
    var index = found + key.utf8CodeUnitCount
    while index < text.count, text[index] == UInt8(ascii: ":") || text[index] <= 0x20 { index += 1 }
    var end = index
    while end < text.count, text[end] != UInt8(ascii: ","), text[end] != UInt8(ascii: "}"),
      text[end] > 0x20
    { end += 1 }
    let lexeme = text.extracting(index..<end)
    guard let number = lexeme.decimal ?? JSONNumber.int64(lexeme.rawBuffer) else { return nil }
    return max(0, min(number, largestCount))
  }

  /// The documented estimate for text without reported usage: a token for every four bytes of
  /// ASCII, and one for every character of three bytes.
  static func estimate(asciiByteCount: Int64, nonASCIIByteCount: Int64) -> Int64 {
    (max(0, asciiByteCount) + 3) / 4 + (max(0, nonASCIIByteCount) + 2) / 3
  }
}
