// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes a chat's answer in the form of OpenAI's older completions; thoughts are left out.
///
/// Source: https://platform.openai.com/docs/api-reference/completions, read 2026-11.
package final class CompletionsWriter: ChatWriter {
  private let facts: AnswerFacts
  private let id: ByteString
  private var usage = ChatUsage()

  package init(_ facts: AnswerFacts) {
    self.facts = facts
    id = "cmpl-" + IDSource(facts.idStem).answerID
  }

  package var streamType: StaticString { "text/event-stream" }

  package func write(_ event: ChatEvent, to output: Buffer) {
    switch event {
    case .text(let piece), .refusal(let piece):
      if !piece.isEmpty { send(piece, nil, to: output) }
    case .finish(let reason): send(.empty, reason, to: output)
    case .usage(let usage): self.usage = usage
    case .start, .reasoning, .reasoningSignature, .toolCall, .arguments, .failure, .follow,
      .vectors:
      return
    }
  }

  package func end(to output: Buffer) {
    if facts.includesUsage {
      output.append("data: ")
      write(nil, nil, usage, to: output)
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
    write(
      answer.text.byteString + answer.refusal, answer.finish ?? .stop,
      answer.usage ?? ChatUsage(), to: output)
  }

  private func send(_ text: ByteString, _ finish: FinishReason?, to output: Buffer) {
    output.append("data: ")
    write(text, finish, nil, to: output)
    output.append("\n\n")
  }

  /// Appends an object; without text it has no choice.
  private func write(
    _ text: ByteString?, _ finish: FinishReason?, _ usage: ChatUsage?, to output: Buffer
  ) {
    var json = JSONWriter(output)
    json.beginObject()
    json.member("id", id)
    json.member("object", "text_completion" as StaticString)
    json.member("created", facts.now)
    json.member("model", facts.model)
    json.key("choices")
    json.beginArray()
    if let text {
      json.beginObject()
      json.member("index", Int64(0))
      json.member("text", text)
      json.key("logprobs")
      json.null()
      json.key("finish_reason")
      if let finish { json.string(OpenAIWriter.word(finish)) } else { json.null() }
      json.endObject()
    }
    json.endArray()
    if let usage { OpenAIWriter.write(usage, &json) }
    json.endObject()
  }
}

extension OpenAIReader {
  /// Reads a request for an older completion whose prompt is one text: one turn of a user.
  static func readCompletion(_ root: JSONValue) throws(ChatProblem) -> ChatRequest {
    var request = ChatRequest()
    guard let prompt = root.member("prompt")?.string else {
      var problem = ChatProblem(
        "The field prompt must be one string: the channel that serves this model only chats.",
        field: "prompt")
      problem.isOfDialect = true
      throw problem
    }
    request.messages.append(ChatMessage(.user, text: prompt))
    for (key, value) in root.members where !value.isNull && value.kind != .false {
      if key == "prompt" || key == "best_of" && value.int64 == 1 { continue }
      try readField(key, value, into: &request)
    }
    return request
  }
}

extension ClientDialect {
  /// OpenAI's older completions, for vendors that only chat.
  package static let completions = ClientDialect(
    name: "completions", passes: "openai", fieldNames: [],
    read: { (root) throws(ChatProblem) in try OpenAIReader.readCompletion(root) },
    makeWriter: { CompletionsWriter($0) },
    writeError: { OpenAIWriter.write($0, to: $1) })
}
