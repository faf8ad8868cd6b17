// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes answers as Ollama's `/api/chat` and `/api/generate` do: an object, or one a line.
///
/// Calls are told once they are complete, since their arguments are objects here. Durations are
/// left out: the vendor's are not known.
final class OllamaWriter: ChatWriter {
  private let facts: AnswerFacts
  private let isGenerate: Bool
  private var ids: IDSource
  /// Calls whose arguments are coming.
  private var answer = ChatAnswer()

  /// Makes a writer; `isGenerate`: the answer is a text (`/api/generate`), not a message.
  init(_ facts: AnswerFacts, isGenerate: Bool) {
    self.facts = facts
    self.isGenerate = isGenerate
    ids = IDSource(facts.idStem)
  }

  var streamType: StaticString { "application/x-ndjson" }

  func write(_ event: ChatEvent, to output: Buffer) {
    switch event {
    case .text(let piece), .refusal(let piece):
      if !piece.isEmpty { line(piece, .empty, [], nil, output) }
    case .reasoning(let piece):
      if !piece.isEmpty { line(.empty, piece, [], nil, output) }
    case .toolCall, .arguments, .finish, .usage: answer.add(event)
    case .start, .reasoningSignature, .failure, .follow, .vectors: return
    }
  }

  func end(to output: Buffer) {
    let calls = completedCalls(answer)
    if !calls.isEmpty { line(.empty, .empty, calls, nil, output) }
    line(.empty, .empty, [], answer.finish ?? .stop, output)
  }

  func fail(_ error: ClientError, to output: Buffer) {
    OllamaWriter.write(error, to: output)
    output.append("\n")
  }

  func write(answer: ChatAnswer, to output: Buffer) {
    self.answer.usage = answer.usage
    write(
      answer.text.byteString + answer.refusal, answer.reasoning.byteString,
      completedCalls(answer), answer.finish ?? .stop, to: output)
  }

  private func completedCalls(_ answer: ChatAnswer) -> [ChatToolCall] {
    var calls = answer.completedCalls
    for index in calls.indices {
      if calls[index].id.isEmpty { calls[index].id = ids.nextCallID() }
      calls[index].arguments = calls[index].argumentsObject
    }
    return calls
  }

  private func line(
    _ text: ByteString, _ thinking: ByteString, _ calls: [ChatToolCall], _ finish: FinishReason?,
    _ output: Buffer
  ) {
    write(text, thinking, calls, finish, to: output)
    output.append("\n")
  }

  private func write(
    _ text: ByteString, _ thinking: ByteString, _ calls: [ChatToolCall], _ finish: FinishReason?,
    to output: Buffer
  ) {
    var json = JSONWriter(output)
    json.beginObject()
    json.member("model", facts.model)
    json.member("created_at", UnixTime.timestamp(facts.now))
    if isGenerate {
      json.member("response", text)
    } else {
      json.key("message")
      json.beginObject()
      json.member("role", "assistant" as StaticString)
      json.member("content", text)
    }
    if !thinking.isEmpty { json.member("thinking", thinking) }
    OllamaEncoder.writeCalls(calls, &json)
    if !isGenerate { json.endObject() }
    json.member("done", finish != nil)
    if let finish {
      json.member("done_reason", finish == .length ? "length" : "stop")
      json.member("prompt_eval_count", answer.usage?.prompt ?? 0)
      json.member("eval_count", answer.usage?.completion ?? 0)
    }
    json.endObject()
  }

  /// Appends an error object.
  static func write(_ error: ClientError, to output: Buffer) {
    var json = JSONWriter(output)
    json.beginObject()
    json.member("error", error.message)
    json.endObject()
  }
}

extension ClientDialect {
  private static let ollamaNames: [(field: ChatFields, name: StaticString)] = [
    (.jsonObject, "format"), (.jsonSchema, "format"), (.reasoning, "think"),
    (.maxTokens, "num_predict"), (.images, "images"), (.system, "system"),
  ]

  /// Ollama's `/api/chat`.
  package static let ollamaChat = ClientDialect(
    name: "ollama-chat", passes: "ollama", fieldNames: ollamaNames,
    read: { (root) throws(ChatProblem) in try OllamaReader.readChat(root) },
    makeWriter: { OllamaWriter($0, isGenerate: false) },
    writeError: { OllamaWriter.write($0, to: $1) })

  /// Ollama's `/api/generate`.
  package static let ollamaGenerate = ClientDialect(
    name: "ollama-generate", passes: "", fieldNames: ollamaNames,
    read: { (root) throws(ChatProblem) in try OllamaReader.readGenerate(root) },
    makeWriter: { OllamaWriter($0, isGenerate: true) },
    writeError: { OllamaWriter.write($0, to: $1) })
}
