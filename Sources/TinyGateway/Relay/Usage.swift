// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Vendors

/// Token counts of one request, as the upstream reported them or as estimated.
struct Usage: Equatable, Sendable {
  /// What a picture, recording or file counts in an estimate; a picture of 1024 × 1024 points is
  /// 765 tokens with OpenAI.
  static let tokensPerDataString: Int64 = 1000
  /// Counts from outside are clamped to this, so that no sum can overflow.
  static let largestCount = ChatUsage.largestCount

  var promptTokens: Int64 = 0
  var completionTokens: Int64 = 0
  /// Prompt tokens that the upstream had kept from an earlier request.
  var cachedTokens: Int64 = 0
  /// Prompt tokens that stand for sound.
  var audioPromptTokens: Int64 = 0
  /// Completion tokens that stand for sound.
  var audioCompletionTokens: Int64 = 0
  /// Whether the upstream said so.
  var isReported = false

  /// Tokens in all.
  var tokens: Int64 { promptTokens + completionTokens }

  /// Tokens of a second of sound: one for a tenth of it, as OpenAI's models count.
  static let decimalsOfSecond = 1

  /// Reads a `usage` object of OpenAI's format; nil when it holds no counts.
  ///
  /// Newer calls say input and output tokens; embeddings have no completion tokens; DeepSeek
  /// names its cache `prompt_cache_hit_tokens`. Where only seconds of a recording are told, they
  /// count as audio tokens. Members that are no whole number count as missing. Any text is read
  /// without harm; of equal keys the first counts.
  static func parse(_ object: UnsafeRawBufferPointer) -> Usage? {
    var prompt = Pair()
    var completion = Pair()
    var cached = Pair()
    var audioPrompt: Int64?
    var audioCompletion: Int64?
    var seconds: Int64?
    var members = JSONMemberCursor(object)
    while members.advance() {
      if members.isKey("prompt_tokens") {
        prompt.first = prompt.first ?? count(members.text)
      } else if members.isKey("input_tokens") {
        prompt.second = prompt.second ?? count(members.text)
      } else if members.isKey("completion_tokens") {
        completion.first = completion.first ?? count(members.text)
      } else if members.isKey("output_tokens") {
        completion.second = completion.second ?? count(members.text)
      } else if members.isKey("seconds") {
        seconds = seconds ?? JSONNumber.fixedPoint(members.text, decimals: decimalsOfSecond)
      } else if members.isKey("prompt_tokens_details") || members.isKey("input_tokens_details")
        || members.isKey("input_token_details")
      {
        cached.first = cached.first ?? count("cached_tokens", in: members.text)
        audioPrompt = audioPrompt ?? count("audio_tokens", in: members.text)
      } else if members.isKey("completion_tokens_details")
        || members.isKey("output_tokens_details")
      {
        audioCompletion = audioCompletion ?? count("audio_tokens", in: members.text)
      } else if members.isKey("cached_tokens") || members.isKey("prompt_cache_hit_tokens") {
        cached.second = cached.second ?? count(members.text)
      }
    }
    if prompt.value == nil, completion.value == nil {
      audioPrompt = seconds.map { max(0, min($0, largestCount)) }
      prompt.first = audioPrompt
    }
    guard prompt.value != nil || completion.value != nil else { return nil }
    let promptTokens = prompt.value ?? 0
    let completionTokens = completion.value ?? 0
    let cachedTokens = min(cached.value ?? 0, promptTokens)
    return Usage(
      promptTokens: promptTokens, completionTokens: completionTokens, cachedTokens: cachedTokens,
      audioPromptTokens: min(audioPrompt ?? 0, promptTokens - cachedTokens),
      audioCompletionTokens: min(audioCompletion ?? 0, completionTokens), isReported: true)
  }

  /// A count that goes by two names, of which the first one counts.
  private struct Pair {
    var first: Int64?
    var second: Int64?

    var value: Int64? { first ?? second }
  }

  /// The number of a member of a nested object.
  private static func count(_ key: StaticString, in object: UnsafeRawBufferPointer) -> Int64? {
    var members = JSONMemberCursor(object)
    while members.advance() {
      if members.isKey(key) { return count(members.text) }
    }
    return nil
  }

  /// A whole number, clamped.
  static func count(_ lexeme: UnsafeRawBufferPointer) -> Int64? {
    let number = lexeme.bindMemory(to: UInt8.self).span.decimal ?? JSONNumber.int64(lexeme)
    return number.map { max(0, min($0, largestCount)) }
  }

  /// The documented estimate for text without reported usage: a token for every four bytes of
  /// ASCII, and one for every character of three bytes.
  static func estimate(asciiByteCount: Int64, nonASCIIByteCount: Int64) -> Int64 {
    (max(0, asciiByteCount) + 3) / 4 + (max(0, nonASCIIByteCount) + 2) / 3
  }
}

extension Usage {
  /// The counts of a dialect, brought into range.
  init(_ usage: ChatUsage) {
    func clamped(_ count: Int64) -> Int64 { max(0, min(count, Usage.largestCount)) }
    promptTokens = clamped(usage.prompt)
    completionTokens = clamped(usage.completion)
    cachedTokens = min(clamped(usage.cached), promptTokens)
    isReported = true
  }
}
