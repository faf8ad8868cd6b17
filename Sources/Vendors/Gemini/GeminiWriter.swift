// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes answers in the form of Google's `generateContent`.
///
/// A call of a function is told whole, in one piece.
/// Source: https://ai.google.dev/api/generate-content#generatecontentresponse, read 2026-11.
final class GeminiWriter: ChatWriter {
  private let facts: AnswerFacts
  /// A stream is one array of pieces in place of events.
  private let isArray: Bool
  private var id: ByteString
  private var calls = ChatAnswer()
  private var finish: FinishReason?
  private var usage: ChatUsage?
  private var hasBegun = false

  init(_ facts: AnswerFacts, isArray: Bool) {
    self.facts = facts
    self.isArray = isArray
    id = facts.idStem
  }

  var streamType: StaticString { isArray ? "application/json" : "text/event-stream" }

  func write(_ event: ChatEvent, to output: Buffer) {
    switch event {
    case .start(let id, _): if !id.isEmpty { self.id = id }
    case .text(let piece), .refusal(let piece): tell(piece, isThought: false, output)
    case .reasoning(let piece): tell(piece, isThought: true, output)
    case .toolCall, .arguments: calls.add(event)
    case .usage(let usage): self.usage = usage
    case .finish(let reason): finish = reason
    case .failure, .follow, .reasoningSignature, .vectors: break
    }
  }

  func end(to output: Buffer) {
    piece(output) { json in
      beginParts(&json)
      for call in calls.completedCalls { GeminiWriter.write(call, &json) }
      endParts(finish ?? .stop, usage, &json)
    }
    if isArray { output.append("\n]") }
  }

  func fail(_ error: ClientError, to output: Buffer) {
    begin(output)
    GeminiWriter.write(error, to: output)
    // An array stays open.
    if !isArray { output.append("\r\n\r\n") }
  }

  func write(answer: ChatAnswer, to output: Buffer) {
    if !answer.id.isEmpty { id = answer.id }
    var json = JSONWriter(output)
    beginParts(&json)
    if !answer.reasoning.isEmpty {
      GeminiWriter.write(answer.reasoning.byteString, isThought: true, &json)
    }
    let text = answer.text.byteString + answer.refusal
    if !text.isEmpty { GeminiWriter.write(text, isThought: false, &json) }
    for call in answer.completedCalls { GeminiWriter.write(call, &json) }
    endParts(answer.finish ?? .stop, answer.usage, &json)
  }

  // Pieces.

  private func tell(_ text: ByteString, isThought: Bool, _ output: Buffer) {
    guard !text.isEmpty else { return }
    piece(output) { json in
      beginParts(&json)
      GeminiWriter.write(text, isThought: isThought, &json)
      endParts(nil, nil, &json)
    }
  }

  private func begin(_ output: Buffer) {
    if isArray {
      output.append(hasBegun ? ",\r\n" : "[")
    } else {
      output.append("data: ")
    }
    hasBegun = true
  }

  private func piece(_ output: Buffer, _ write: (inout JSONWriter) -> Void) {
    begin(output)
    var json = JSONWriter(output)
    write(&json)
    if !isArray { output.append("\r\n\r\n") }
  }

  private func beginParts(_ json: inout JSONWriter) {
    json.beginObject()
    json.key("candidates")
    json.beginArray()
    json.beginObject()
    json.key("content")
    json.beginObject()
    json.key("parts")
    json.beginArray()
  }

  private func endParts(
    _ reason: FinishReason?, _ usage: ChatUsage?, _ json: inout JSONWriter
  ) {
    json.endArray()
    json.member("role", "model" as StaticString)
    json.endObject()
    if let reason { json.member("finishReason", GeminiWriter.word(reason)) }
    json.member("index", Int64(0))
    json.endObject()
    json.endArray()
    if reason != nil { GeminiWriter.write(usage ?? ChatUsage(), &json) }
    json.member("modelVersion", facts.model)
    json.member("responseId", id)
    json.endObject()
  }

  private static func write(_ text: ByteString, isThought: Bool, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("text", text)
    if isThought { json.member("thought", true) }
    json.endObject()
  }

  private static func write(_ call: ChatToolCall, _ json: inout JSONWriter) {
    json.beginObject()
    json.key("functionCall")
    json.beginObject()
    if !call.id.isEmpty { json.member("id", call.id) }
    json.member("name", call.name)
    json.key("args")
    json.raw(call.argumentsObject)
    json.endObject()
    if !call.signature.isEmpty { json.member("thoughtSignature", call.signature) }
    json.endObject()
  }

  private static func write(_ usage: ChatUsage, _ json: inout JSONWriter) {
    json.key("usageMetadata")
    json.beginObject()
    json.member("promptTokenCount", usage.prompt)
    json.member("candidatesTokenCount", max(0, usage.completion - usage.reasoning))
    json.member("totalTokenCount", usage.prompt + usage.completion)
    if usage.reasoning > 0 { json.member("thoughtsTokenCount", usage.reasoning) }
    if usage.cached > 0 { json.member("cachedContentTokenCount", usage.cached) }
    json.endObject()
  }

  private static func word(_ reason: FinishReason) -> StaticString {
    switch reason {
    case .stop, .toolCalls: "STOP"
    case .length: "MAX_TOKENS"
    case .contentFilter: "SAFETY"
    }
  }

  /// Appends an error object.
  ///
  /// Source: https://cloud.google.com/apis/design/errors, read 2026-11.
  static func write(_ error: ClientError, to output: Buffer) {
    var json = JSONWriter(output)
    json.beginObject()
    json.key("error")
    json.beginObject()
    json.member("code", Int64(error.status))
    json.member("message", error.message)
    json.member("status", word(of: error.status))
    json.endObject()
    json.endObject()
  }

  private static func word(of status: Int) -> StaticString {
    switch status {
    case 401: "UNAUTHENTICATED"
    case 403: "PERMISSION_DENIED"
    case 404: "NOT_FOUND"
    case 429: "RESOURCE_EXHAUSTED"
    case 503: "UNAVAILABLE"
    case 504: "DEADLINE_EXCEEDED"
    case 500...599: "INTERNAL"
    default: "INVALID_ARGUMENT"
    }
  }
}

extension ClientDialect {
  /// Google's `generateContent` and its stream of events.
  package static let gemini = gemini(isArray: false)

  /// The same with a stream that is one JSON array, as without `alt=sse`; vendors are asked for
  /// events, so nothing is passed on.
  package static let geminiArray = gemini(isArray: true)

  private static func gemini(isArray: Bool) -> ClientDialect {
    ClientDialect(
      name: "gemini", passes: isArray ? "" : "gemini", fieldNames: geminiNames,
      read: { (root) throws(ChatProblem) in try GeminiReader.read(root) },
      makeWriter: { GeminiWriter($0, isArray: isArray) },
      writeError: { GeminiWriter.write($0, to: $1) })
  }

  private static let geminiNames: [(field: ChatFields, name: StaticString)] = [
    (.topP, "topP"), (.topK, "topK"), (.stop, "stopSequences"),
    (.presencePenalty, "presencePenalty"), (.frequencyPenalty, "frequencyPenalty"),
    (.logprobs, "responseLogprobs"), (.count, "candidateCount"),
    (.jsonObject, "responseMimeType"), (.jsonSchema, "responseSchema"),
    (.reasoning, "thinkingConfig"), (.toolChoice, "toolConfig"),
    (.toolHistory, "functionCall"), (.images, "inlineData"), (.imageURLs, "fileData"),
    (.audio, "inlineData"), (.files, "inlineData or fileData"), (.maxTokens, "maxOutputTokens"),
    (.system, "systemInstruction"), (.audioOutput, "responseModalities"),
  ]
}
