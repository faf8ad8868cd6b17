// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// What the fields of a body ask for, beside its model and whether it wants a stream.
extension RequestBody {
  /// Answers that one request may ask for, as in OpenAI's API.
  private static let answerCountLimit: Int64 = 128

  /// Whether speech is to come as events.
  var wantsSpeechEvents: Bool {
    scanner.string(Field.streamFormat.rawValue).map { $0 == "sse" } ?? false
  }

  /// Whether vectors are to be base64.
  var wantsBase64: Bool {
    scanner.string(Field.encodingFormat.rawValue).map { $0 == "base64" } ?? false
  }

  /// Characters of the text `input`; 0 when it is no string, or the body is not held.
  var inputCharacters: Int64 {
    guard let range = scanner.member(Field.input.rawValue)?.range, range.upperBound <= held.count
    else { return 0 }
    let text = JSONString.unescaped(UnsafeRawBufferPointer(rebasing: held.readable[range]))
    // Bytes that continue a character do not count.
    return Int64(text?.bytes.count { $0 & 0xC0 != 0x80 } ?? 0)
  }

  /// The longest completion asked for, in tokens; nil when the request names no limit.
  var completionLimit: Int64? {
    let limit =
      scanner.int64(Field.maxCompletionTokens.rawValue)
      ?? scanner.int64(Field.maxTokens.rawValue)
      ?? scanner.int64(Field.maxOutputTokens.rawValue)
    return limit.map { max(0, min($0, Usage.largestCount)) }
  }

  /// Answers or images asked for, brought into 1…`answerCountLimit`; those that the upstream makes
  /// to choose from (`best_of`) count, since they are charged.
  var answerCount: Int64 {
    let named = form == nil ? scanner.int64(Field.count.rawValue) : form?.count?.decimal
    let count = max(named ?? 1, scanner.int64(Field.bestOf.rawValue) ?? 1)
    return max(1, min(count, RequestBody.answerCountLimit))
  }

  /// Throws when `n` is there and no whole number that is allowed.
  func checkAnswerCount() throws(RelayError) {
    let member = scanner.member(Field.count.rawValue)
    guard form?.count != nil || member != nil && member?.kind != .null else { return }
    guard let count = form == nil ? scanner.int64(Field.count.rawValue) : form?.count?.decimal,
      1...RequestBody.answerCountLimit ~= count
    else {
      throw .invalidRequest("The field n must be a whole number from 1 to 128.", param: "n")
    }
  }

  /// Prompt tokens by the documented estimate: of the texts, of pictures and recordings, and of
  /// prompts that are tokens already.
  var promptEstimate: Int64 {
    if let form { return form.promptEstimate }
    let text = Usage.estimate(
      asciiByteCount: scanner.asciiTextByteCount, nonASCIIByteCount: scanner.nonASCIITextByteCount)
    return text + scanner.dataStringCount * Usage.tokensPerDataString + scanner.arrayNumberCount
  }
}
