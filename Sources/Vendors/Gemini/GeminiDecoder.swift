// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads answers of Google's `generateContent`, of the first candidate: whole, in events, or as an
/// array of pieces.
///
/// Source: https://ai.google.dev/api/generate-content#generatecontentresponse, read 2026-11.
final class GeminiDecoder: ChatDecoder {
  private let errors: ErrorFormat
  private var hasStarted = false
  private var hasFinished = false
  private var callCount = 0
  /// There was a text that is no thought, or a call.
  private var hasContent = false

  /// - Parameter errors: how errors in the place of answers are judged.
  init(errors: ErrorFormat) { self.errors = errors }

  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    guard let root = event.json(orFailIn: &events) else { return }
    read(answer: root, into: &events)
  }

  func read(answer: JSONValue, into events: inout [ChatEvent]) {
    guard answer.kind == .array else { return read(piece: answer, &events) }
    for piece in answer.elements { read(piece: piece, &events) }
  }

  func end(into events: inout [ChatEvent]) {}

  private func read(piece: JSONValue, _ events: inout [ChatEvent]) {
    if piece.member("error")?.kind == .object {
      events.append(.failure(ErrorAnswer(status: 200, answer: piece, format: errors)))
      return
    }
    let candidate = piece.member("candidates")?.element(0)
    let isBlocked = candidate == nil && piece.member("promptFeedback")?.member("blockReason") != nil
    if !hasStarted, candidate != nil || isBlocked {
      hasStarted = true
      events.append(.start(id: piece.member("responseId")?.string ?? .empty, created: 0))
    }
    if let parts = candidate?.member("content")?.member("parts") {
      for part in parts.elements { read(part, &events) }
    }
    if let usage = piece.member("usageMetadata"), usage.kind == .object {
      events.append(.usage(GeminiDecoder.usage(usage)))
    }
    guard !hasFinished else { return }
    if isBlocked {
      hasFinished = true
      events.append(.finish(.contentFilter))
    } else if let word = candidate?.member("finishReason")?.string, !word.isEmpty {
      hasFinished = true
      finish(word, &events)
    }
  }

  private func read(_ part: JSONValue, _ events: inout [ChatEvent]) {
    if let text = part.member("text")?.string {
      guard !text.isEmpty else { return }
      let isThought = part.member("thought")?.bool == true
      hasContent = hasContent || !isThought
      events.append(isThought ? .reasoning(text) : .text(text))
    } else if let call = part.member("functionCall"), let name = call.member("name")?.string {
      let index = callCount
      callCount += 1
      hasContent = true
      events.append(
        .toolCall(
          index: index, id: call.member("id")?.string ?? .empty, name: name,
          signature: part.member("thoughtSignature")?.string ?? .empty))
      events.append(.arguments(index: index, call.member("args")?.lexeme ?? "{}"))
    } else if let picture = part.member("inlineData"), let data = picture.member("data")?.string {
      // The form in which clients of chat completions show pictures.
      var media = ChatMedia()
      media.mimeType = picture.member("mimeType")?.string ?? "image/png"
      media.data = data
      hasContent = true
      events.append(.text("![image](" + media.dataURL + ")"))
    }
  }

  /// Reasons such as `MALFORMED_FUNCTION_CALL` say that the model failed: without content there is
  /// no answer, and another attempt may give one.
  private func finish(_ word: ByteString, _ events: inout [ChatEvent]) {
    let reason = reason(word)
    guard reason == .stop, !hasContent, !(word == "STOP") else {
      return events.append(.finish(reason))
    }
    events.append(
      .failure(
        ErrorAnswer(
          status: 200, message: "The model gave no answer: " + word + ".", code: word,
          action: .retry, meaning: .broken)))
  }

  private func reason(_ word: ByteString) -> FinishReason {
    if word == "MAX_TOKENS" { return .length }
    let refusals: [StaticString] = [
      "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
      "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION",
    ]
    if refusals.contains(where: { word == $0 }) { return .contentFilter }
    return callCount > 0 ? .toolCalls : .stop
  }

  /// Thoughts are counted beside the candidates' tokens; OpenAI's count of these includes them.
  private static func usage(_ value: JSONValue) -> ChatUsage {
    var usage = ChatUsage()
    usage.prompt = value.tokens("promptTokenCount") + value.tokens("toolUsePromptTokenCount")
    usage.reasoning = value.tokens("thoughtsTokenCount")
    usage.completion = value.tokens("candidatesTokenCount") + usage.reasoning
    usage.cached = value.tokens("cachedContentTokenCount")
    return usage
  }
}
