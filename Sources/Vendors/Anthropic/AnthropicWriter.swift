// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes answers of Anthropic's Messages API.
///
/// A block ends when the next begins; `CallOrder` sees to it that nothing is added to it then. The
/// last count of tokens and the reason come together at the
/// end, as Anthropic sends them.
/// Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming, read 2026-11.
package final class AnthropicWriter: ChatWriter {
  private enum Block { case none, text, thinking, call }

  private let facts: AnswerFacts
  private var ids: IDSource
  private var id: ByteString
  private var hasBegun = false
  private var block = Block.none
  private var blockCount: Int64 = 0
  private var order = CallOrder()
  private var ordered: [ChatEvent] = []
  private var finish: FinishReason?
  private var isRefused = false
  private var usage: ChatUsage?

  package init(_ facts: AnswerFacts) {
    self.facts = facts
    ids = IDSource(facts.idStem)
    id = "msg_" + ids.answerID
  }

  package var streamType: StaticString { "text/event-stream" }

  package func write(_ event: ChatEvent, to output: Buffer) {
    order.add(event, into: &ordered)
    for event in ordered { put(event, output) }
    ordered.removeAll(keepingCapacity: true)
  }

  private func put(_ event: ChatEvent, _ output: Buffer) {
    switch event {
    case .start(let id, _): take(id)
    case .usage(let usage): self.usage = usage
    case .failure, .follow, .vectors: return
    case .finish(let reason):
      begin(output)
      endBlock(output)
      finish = reason
    case .text(let piece): delta(.text, "text_delta", "text", piece, output)
    case .refusal(let piece):
      isRefused = true
      delta(.text, "text_delta", "text", piece, output)
    case .reasoning(let piece): delta(.thinking, "thinking_delta", "thinking", piece, output)
    case .reasoningSignature(let piece):
      delta(.thinking, "signature_delta", "signature", piece, output)
    case .toolCall(_, let id, let name, _):
      beginBlock(.call, id: id.isEmpty ? ids.nextCallID() : id, name: name, output)
    case .arguments(_, let piece):
      delta(.call, "input_json_delta", "partial_json", piece, output)
    }
  }

  package func end(to output: Buffer) {
    begin(output)
    endBlock(output)
    var json = beginEvent("message_delta", output)
    json.key("delta")
    json.beginObject()
    json.member("stop_reason", word(finish ?? .stop))
    json.key("stop_sequence")
    json.null()
    json.endObject()
    writeUsage(&json)
    end(&json)
    json = beginEvent("message_stop", output)
    end(&json)
  }

  package func fail(_ error: ClientError, to output: Buffer) {
    output.append("event: error\ndata: ")
    AnthropicWriter.write(error, to: output)
    output.append("\n\n")
  }

  package func write(answer: ChatAnswer, to output: Buffer) {
    take(answer.id)
    usage = answer.usage
    isRefused = !answer.refusal.isEmpty
    var json = JSONWriter(output)
    json.beginObject()
    writeHead(&json)
    if !answer.reasoning.isEmpty || !answer.reasoningSignature.isEmpty {
      json.beginObject()
      json.member("type", "thinking" as StaticString)
      json.key("thinking")
      json.string(answer.reasoning.readable)
      json.member("signature", answer.reasoningSignature)
      json.endObject()
    }
    if !answer.text.isEmpty { write(text: answer.text.byteString, &json) }
    if isRefused { write(text: answer.refusal, &json) }
    for call in answer.completedCalls {
      writeCall(call.id.isEmpty ? ids.nextCallID() : call.id, call.name, &json)
      json.key("input")
      json.raw(call.argumentsObject)
      json.endObject()
    }
    json.endArray()
    json.member("stop_reason", word(answer.finish ?? .stop))
    json.key("stop_sequence")
    json.null()
    writeUsage(&json)
    json.endObject()
  }

  private func write(text: ByteString, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("type", "text" as StaticString)
    json.member("text", text)
    json.endObject()
  }

  private func take(_ id: ByteString) {
    if !id.isEmpty { self.id = id.starts(with: "msg_") ? id : "msg_" + id }
  }

  // Streams.

  private func begin(_ output: Buffer) {
    guard !hasBegun else { return }
    hasBegun = true
    var json = beginEvent("message_start", output)
    json.key("message")
    json.beginObject()
    writeHead(&json)
    json.endArray()
    json.key("stop_reason")
    json.null()
    json.key("stop_sequence")
    json.null()
    writeUsage(&json)
    json.endObject()
    end(&json)
  }

  private func beginBlock(
    _ kind: Block, id: ByteString = .empty, name: ByteString = .empty, _ output: Buffer
  ) {
    begin(output)
    endBlock(output)
    block = kind
    var json = beginEvent("content_block_start", output)
    json.member("index", blockCount)
    json.key("content_block")
    switch kind {
    case .call:
      writeCall(id, name, &json)
      json.key("input")
      json.raw("{}")
    case .thinking:
      json.beginObject()
      json.member("type", "thinking" as StaticString)
      json.member("thinking", "" as StaticString)
      json.member("signature", "" as StaticString)
    case .text, .none:
      json.beginObject()
      json.member("type", "text" as StaticString)
      json.member("text", "" as StaticString)
    }
    json.endObject()
    end(&json)
    blockCount += 1
  }

  private func endBlock(_ output: Buffer) {
    guard block != .none else { return }
    block = .none
    var json = beginEvent("content_block_stop", output)
    json.member("index", blockCount - 1)
    end(&json)
  }

  private func delta(
    _ kind: Block, _ type: StaticString, _ field: StaticString, _ piece: ByteString,
    _ output: Buffer
  ) {
    if block != kind { beginBlock(kind, output) }
    var json = beginEvent("content_block_delta", output)
    json.member("index", blockCount - 1)
    json.key("delta")
    json.beginObject()
    json.member("type", type)
    json.member(field, piece)
    json.endObject()
    end(&json)
  }

  /// Begins an event, whose type stands before its data and in it.
  private func beginEvent(_ type: StaticString, _ output: Buffer) -> JSONWriter {
    output.append("event: ")
    output.append(type)
    output.append("\ndata: ")
    var json = JSONWriter(output)
    json.beginObject()
    json.member("type", type)
    return json
  }

  private func end(_ json: inout JSONWriter) {
    json.endObject()
    json.buffer.append("\n\n")
  }

  // Both.

  /// Writes the first members, and begins the content.
  private func writeHead(_ json: inout JSONWriter) {
    json.member("id", id)
    json.member("type", "message" as StaticString)
    json.member("role", "assistant" as StaticString)
    json.member("model", facts.model)
    json.key("content")
    json.beginArray()
  }

  /// Begins the object of a call.
  private func writeCall(_ id: ByteString, _ name: ByteString, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("type", "tool_use" as StaticString)
    json.member("id", id)
    json.member("name", name)
  }

  /// Until the vendor tells, the prompt's estimate counts.
  private func writeUsage(_ json: inout JSONWriter) {
    let prompt = usage?.prompt ?? facts.promptEstimate
    let usage = usage ?? ChatUsage()
    json.key("usage")
    json.beginObject()
    json.member("input_tokens", max(0, prompt - usage.cached - usage.cacheWritten))
    json.member("cache_creation_input_tokens", usage.cacheWritten)
    json.member("cache_read_input_tokens", usage.cached)
    json.member("output_tokens", usage.completion)
    json.endObject()
  }

  private func word(_ reason: FinishReason) -> StaticString {
    switch reason {
    case .stop: isRefused ? "refusal" : "end_turn"
    case .length: "max_tokens"
    case .toolCalls: "tool_use"
    case .contentFilter: "refusal"
    }
  }
}
