// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Testing

@testable import TinyGateway

/// Token counts as upstreams report them, and the estimate for those that do not.
struct RelayUsageTests {
  private func parse(_ text: String) -> Usage? {
    ByteString(utf8: text).withBytes { Usage.parse($0) }
  }

  private func check(
    _ text: String, prompt: Int64, completion: Int64, cached: Int64 = 0,
    audio: (prompt: Int64, completion: Int64) = (0, 0),
    _ location: SourceLocation = #_sourceLocation
  ) {
    let expected = Usage(
      promptTokens: prompt, completionTokens: completion, cachedTokens: cached,
      audioPromptTokens: audio.prompt, audioCompletionTokens: audio.completion, isReported: true)
    #expect(parse(text) == expected, "\(text)", sourceLocation: location)
  }

  @Test func readsOpenAI() {
    check(
      """
      {"prompt_tokens":41,"completion_tokens":12,"total_tokens":53,
      "prompt_tokens_details":{"cached_tokens":40,"audio_tokens":0},
      "completion_tokens_details":{"reasoning_tokens":5,"accepted_prediction_tokens":0}}
      """, prompt: 41, completion: 12, cached: 40)
  }

  @Test func readsDeepSeek() {
    check(
      """
      {"prompt_tokens":30,"completion_tokens":40,"total_tokens":70,
      "prompt_cache_hit_tokens":16,"prompt_cache_miss_tokens":14}
      """, prompt: 30, completion: 40, cached: 16)
  }

  @Test func readsAudioOfBothSides() {
    check(
      """
      {"prompt_tokens":41,"completion_tokens":12,
      "prompt_tokens_details":{"audio_tokens":30,"cached_tokens":5,"text_tokens":11},
      "completion_tokens_details":{"text_tokens":4,"audio_tokens":8}}
      """, prompt: 41, completion: 12, cached: 5, audio: (30, 8))
  }

  @Test func readsInputAndOutput() {
    check(
      """
      {"total_tokens":100,"input_tokens":50,"output_tokens":50,
      "input_tokens_details":{"text_tokens":10,"image_tokens":40,"cached_tokens":7},
      "output_tokens_details":{"reasoning_tokens":5,"audio_tokens":3}}
      """, prompt: 50, completion: 50, cached: 7, audio: (0, 3))
  }

  @Test func prefersTheOlderNames() {
    check(
      #"{"input_tokens":9,"prompt_tokens":4,"output_tokens":9,"completion_tokens":3}"#,
      prompt: 4, completion: 3)
    check(#"{"prompt_tokens":null,"input_tokens":9}"#, prompt: 9, completion: 0)
  }

  /// What only looks like a count: names inside texts, and in objects that mean something else.
  @Test func readsMembersInTheirPlaceOnly() {
    check(
      """
      {"note":"\\"prompt_tokens\\":99","cost":{"prompt_tokens":99,"cached_tokens":99},
      "prompt_tokens":5,"completion_tokens_details":{"cached_tokens":99},"completion_tokens":2}
      """, prompt: 5, completion: 2)
    check(#"{"prompt_tokens":5,"prompt_tokens":7}"#, prompt: 5, completion: 0)
  }

  @Test func readsEmbeddings() {
    check(#"{"prompt_tokens":2,"total_tokens":2}"#, prompt: 2, completion: 0)
  }

  @Test func readsTranscripts() {
    check(
      """
      {"type":"tokens","input_tokens":14,"output_tokens":45,"total_tokens":59,
      "input_token_details":{"text_tokens":4,"audio_tokens":10}}
      """, prompt: 14, completion: 45, audio: (10, 0))
    check(#"{"type":"duration","seconds":12.5}"#, prompt: 125, completion: 0, audio: (125, 0))
    check(#"{"seconds":3}"#, prompt: 30, completion: 0, audio: (30, 0))
    check(#"{"seconds":-3}"#, prompt: 0, completion: 0)
    check(
      #"{"seconds":1e15}"#, prompt: Usage.largestCount, completion: 0,
      audio: (Usage.largestCount, 0))
    check(#"{"seconds":12.5,"output_tokens":3}"#, prompt: 0, completion: 3)
    #expect(parse(#"{"seconds":"3"}"#) == nil)
  }

  @Test func readsAnyOrderAndWhiteSpace() {
    check(
      "{ \"completion_tokens_details\" : { \"reasoning_tokens\" : 9 } ,\n"
        + "\t\"completion_tokens\" : 7 ,\r\n \"prompt_tokens\" :\t5 }", prompt: 5, completion: 7)
    check(
      #"{"prompt_tokens_details":{"cached_tokens":3},"prompt_tokens":4,"completion_tokens":1}"#,
      prompt: 4, completion: 1, cached: 3)
  }

  @Test func toleratesOddNumbers() {
    check(#"{"prompt_tokens":1.0,"completion_tokens":2e1}"#, prompt: 1, completion: 20)
    check(#"{"prompt_tokens":0,"completion_tokens":0}"#, prompt: 0, completion: 0)
    check(#"{"prompt_tokens":null,"completion_tokens":3}"#, prompt: 0, completion: 3)
    check(#"{"prompt_tokens":"5","completion_tokens":3}"#, prompt: 0, completion: 3)
    check(#"{"completion_tokens":3}"#, prompt: 0, completion: 3)
  }

  @Test func clampsWhatCannotBe() {
    check(#"{"prompt_tokens":-5,"completion_tokens":-1}"#, prompt: 0, completion: 0)
    check(
      #"{"prompt_tokens":1000000001,"completion_tokens":9223372036854775807}"#,
      prompt: Usage.largestCount, completion: Usage.largestCount)
    check(
      #"{"prompt_tokens":5,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":50}}"#,
      prompt: 5, completion: 1, cached: 5)
    check(
      #"{"prompt_tokens":5,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":-5}}"#,
      prompt: 5, completion: 1, cached: 0)
  }

  @Test func clampsAudioToWhatItIsPartOf() {
    check(
      """
      {"prompt_tokens":10,"completion_tokens":3,
      "prompt_tokens_details":{"cached_tokens":6,"audio_tokens":9},
      "completion_tokens_details":{"audio_tokens":4}}
      """, prompt: 10, completion: 3, cached: 6, audio: (4, 3))
  }

  @Test(arguments: [
    "", "{", "{}", "null", "[]", "5", "\"prompt_tokens\"", #"["prompt_tokens",5]"#,
    #"{"total_tokens":5}"#, #"{"prompt_tokens":null}"#, #"{"prompt_tokens":null,"#,
    #"{"prompt_tokens""#, #"{"prompt_tokens":"#, #"{"prompt_tokens":{"a":1}}"#,
    #"{"prompt_tokens_details":{"cached_tokens":5}}"#, #"{"input_tokens":null}"#,
    #"{"input_tokens_details":{"audio_tokens":5}}"#, #"{"a":{"prompt_tokens":5}}"#,
  ])
  func findsNoneInOtherText(_ text: String) {
    #expect(parse(text) == nil)
  }

  /// Numbers beyond 64 bits count as not reported.
  @Test func ignoresNumbersBeyondAllBounds() {
    #expect(parse(#"{"prompt_tokens":1e300}"#) == nil)
    check(
      #"{"prompt_tokens":99999999999999999999,"completion_tokens":3}"#, prompt: 0, completion: 3)
  }

  @Test func readsEveryPrefixWithoutHarm() {
    let text = #"{"prompt_tokens":41,"completion_tokens":12,"cached_tokens":7}"#
    for count in 0...text.utf8.count {
      // A copy of its own, so that reading beyond it is found by the sanitizer.
      let prefix = String(decoding: Array(text.utf8.prefix(count)), as: UTF8.self)
      if let usage = parse(prefix) { #expect(usage.tokens <= 53) }
    }
  }

  @Test func chargesOneUnitForEachToken() {
    #expect(Usage(promptTokens: 41, completionTokens: 12, cachedTokens: 40).tokens == 53)
    #expect(Usage().tokens == 0)
    #expect(
      Usage(promptTokens: Usage.largestCount, completionTokens: Usage.largestCount).tokens
        == 2 * Usage.largestCount)
  }

  @Test(
    arguments: [
      (0, 0, 0), (1, 0, 1), (4, 0, 1), (5, 0, 2), (400, 0, 100), (0, 3, 1), (0, 4, 2),
      (0, 300, 100),
      (4, 3, 2), (-1, -1, 0), (4_000_000_000, 0, 1_000_000_000),
    ] as [(Int64, Int64, Int64)])
  func estimatesByTheAmountOfText(_ ascii: Int64, _ other: Int64, _ tokens: Int64) {
    #expect(Usage.estimate(asciiByteCount: ascii, nonASCIIByteCount: other) == tokens)
  }
}
