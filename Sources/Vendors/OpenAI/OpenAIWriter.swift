// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes answers in OpenAI's chat format.
///
/// Source: https://platform.openai.com/docs/api-reference/chat/streaming, read 2026-11.
package final class OpenAIWriter: ChatWriter {
  private let facts: AnswerFacts
  private var ids: IDSource
  private var id: ByteString
  private var created: Int64
  private var hasBegun = false
  private var usage: ChatUsage?

  package init(_ facts: AnswerFacts) {
    self.facts = facts
    ids = IDSource(facts.idStem)
    id = "chatcmpl-" + ids.answerID
    created = facts.now
  }

  package var streamType: StaticString { "text/event-stream" }

  package func write(_ event: ChatEvent, to output: Buffer) {
    switch event {
    case .start(let id, let created): take(id, created)
    case .usage(let usage): self.usage = usage
    case .failure, .follow, .reasoningSignature, .vectors: return
    case .finish(let reason):
      begin(output)
      chunk(to: output, finish: reason) { _ in }
    case .text(let piece): delta("content", piece, output)
    case .reasoning(let piece): delta("reasoning_content", piece, output)
    case .refusal(let piece): delta("refusal", piece, output)
    case .toolCall(let index, let id, let name, let signature):
      begin(output)
      let id = id.isEmpty ? ids.nextCallID() : id
      chunk(to: output) { json in
        OpenAIWriter.beginCall(index, &json)
        OpenAIWriter.writeCall(id, name, .empty, signature, &json)
        json.endArray()
      }
    case .arguments(let index, let piece):
      begin(output)
      chunk(to: output) { json in
        OpenAIWriter.beginCall(index, &json)
        json.key("function")
        json.beginObject()
        json.member("arguments", piece)
        json.endObject()
        json.endObject()
        json.endArray()
      }
    }
  }

  package func end(to output: Buffer) {
    begin(output)
    if facts.includesUsage {
      output.append("data: ")
      var json = JSONWriter(output)
      beginChunk(&json)
      json.key("choices")
      json.beginArray()
      json.endArray()
      OpenAIWriter.write(usage ?? ChatUsage(), &json)
      json.endObject()
      output.append("\n\n")
    }
    output.append("data: [DONE]\n\n")
  }

  package func fail(_ error: ClientError, to output: Buffer) {
    output.append("data: ")
    OpenAIWriter.write(error, to: output)
    output.append("\n\n")
  }

  package func write(answer: ChatAnswer, to output: Buffer) {
    take(answer.id, answer.created)
    var json = JSONWriter(output)
    json.beginObject()
    writeHead("chat.completion", &json)
    json.key("choices")
    json.beginArray()
    json.beginObject()
    json.member("index", Int64(0))
    json.key("message")
    writeMessage(answer, &json)
    json.key("logprobs")
    json.null()
    json.member("finish_reason", OpenAIWriter.word(answer.finish ?? .stop))
    json.endObject()
    json.endArray()
    OpenAIWriter.write(answer.usage ?? ChatUsage(), &json)
    json.endObject()
  }

  private func writeMessage(_ answer: ChatAnswer, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("role", "assistant" as StaticString)
    json.key("content")
    if answer.text.isEmpty, !answer.toolCalls.isEmpty {
      json.null()
    } else {
      json.string(answer.text.readable)
    }
    if !answer.reasoning.isEmpty {
      json.key("reasoning_content")
      json.string(answer.reasoning.readable)
    }
    json.key("refusal")
    if answer.refusal.isEmpty { json.null() } else { json.string(answer.refusal) }
    if !answer.toolCalls.isEmpty {
      json.key("tool_calls")
      json.beginArray()
      for call in answer.completedCalls {
        json.beginObject()
        let id = call.id.isEmpty ? ids.nextCallID() : call.id
        OpenAIWriter.writeCall(id, call.name, call.arguments, call.signature, &json)
      }
      json.endArray()
    }
    json.endObject()
  }

  /// Vendors with ids of OpenAI's form keep them.
  private func take(_ id: ByteString, _ created: Int64) {
    if !id.isEmpty { self.id = id.starts(with: "chatcmpl-") ? id : "chatcmpl-" + id }
    if created > 0 { self.created = created }
  }

  /// The first chunk names the role.
  private func begin(_ output: Buffer) {
    guard !hasBegun else { return }
    hasBegun = true
    chunk(to: output) { json in
      json.member("role", "assistant" as StaticString)
      json.member("content", "" as StaticString)
    }
  }

  private func delta(_ field: StaticString, _ piece: ByteString, _ output: Buffer) {
    guard !piece.isEmpty else { return }
    begin(output)
    chunk(to: output) { json in json.member(field, piece) }
  }

  private func chunk(
    to output: Buffer, finish: FinishReason? = nil, _ writeDelta: (inout JSONWriter) -> Void
  ) {
    output.append("data: ")
    var json = JSONWriter(output)
    beginChunk(&json)
    json.key("choices")
    json.beginArray()
    json.beginObject()
    json.member("index", Int64(0))
    json.key("delta")
    json.beginObject()
    writeDelta(&json)
    json.endObject()
    json.key("finish_reason")
    if let finish { json.string(OpenAIWriter.word(finish)) } else { json.null() }
    json.endObject()
    json.endArray()
    json.endObject()
    output.append("\n\n")
  }

  private func beginChunk(_ json: inout JSONWriter) {
    json.beginObject()
    writeHead("chat.completion.chunk", &json)
  }

  private func writeHead(_ object: StaticString, _ json: inout JSONWriter) {
    json.member("id", id)
    json.member("object", object)
    json.member("created", created)
    json.member("model", facts.model)
  }

  private static func beginCall(_ index: Int, _ json: inout JSONWriter) {
    json.key("tool_calls")
    json.beginArray()
    json.beginObject()
    json.member("index", Int64(index))
  }

  /// Writes the members of a call whose object has begun, and ends it.
  static func writeCall(
    _ id: ByteString, _ name: ByteString, _ arguments: ByteString, _ signature: ByteString,
    _ json: inout JSONWriter
  ) {
    json.member("id", id)
    json.member("type", "function" as StaticString)
    json.key("function")
    json.beginObject()
    json.member("name", name)
    json.member("arguments", arguments)
    json.endObject()
    writeSignature(signature, &json)
    json.endObject()
  }

  /// Writes a vendor's seal on a call, as Google does; nothing for none.
  static func writeSignature(_ signature: ByteString, _ json: inout JSONWriter) {
    guard !signature.isEmpty else { return }
    json.key("extra_content")
    json.beginObject()
    json.key("google")
    json.beginObject()
    json.member("thought_signature", signature)
    json.endObject()
    json.endObject()
  }

  /// Writes `usage`.
  static func write(_ usage: ChatUsage, _ json: inout JSONWriter) {
    json.key("usage")
    json.beginObject()
    json.member("prompt_tokens", usage.prompt)
    json.member("completion_tokens", usage.completion)
    json.member("total_tokens", usage.prompt + usage.completion)
    writeDetails("prompt_tokens_details", "cached_tokens", usage.cached, &json)
    writeDetails("completion_tokens_details", "reasoning_tokens", usage.reasoning, &json)
    json.endObject()
  }

  private static func writeDetails(
    _ object: StaticString, _ field: StaticString, _ count: Int64, _ json: inout JSONWriter
  ) {
    guard count > 0 else { return }
    json.key(object)
    json.beginObject()
    json.member(field, count)
    json.endObject()
  }

  /// Appends an error object.
  package static func write(_ error: ClientError, to output: Buffer) {
    var json = JSONWriter(output)
    json.beginObject()
    json.key("error")
    json.beginObject()
    json.member("message", error.message)
    json.member("type", error.type)
    json.key("param")
    if error.field.isEmpty { json.null() } else { json.string(error.field) }
    json.member("code", error.code)
    json.endObject()
    json.endObject()
  }

  /// OpenAI's word for a finish reason.
  static func word(_ reason: FinishReason) -> StaticString {
    switch reason {
    case .stop: "stop"
    case .length: "length"
    case .toolCalls: "tool_calls"
    case .contentFilter: "content_filter"
    }
  }
}

extension ClientDialect {
  /// OpenAI's chat completions.
  package static let openAI = ClientDialect(
    name: "openai", passes: "openai", fieldNames: [],
    read: { (root) throws(ChatProblem) in try OpenAIReader.read(root) },
    makeWriter: { OpenAIWriter($0) },
    writeError: { OpenAIWriter.write($0, to: $1) })
}
