// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes the object `response`, which stands alone and in the events that begin and end a stream.
///
/// What the client set is repeated, as its official libraries expect; instructions and metadata,
/// which may be long, are left out. `store` is false, since nothing is kept here.
struct ResponsesDocument {
  private let facts: AnswerFacts
  private let id: ByteString

  init(_ facts: AnswerFacts, id: ByteString) {
    self.facts = facts
    self.id = id
  }

  /// Writes an answer that has not produced anything.
  func writeBeginning(_ json: inout JSONWriter) {
    begin("in_progress", &json)
    writeOutput([], &json)
    json.key("usage")
    json.null()
    json.endObject()
  }

  /// Writes an answer that ended as the model wanted.
  func write(
    _ items: [ResponsesItem], _ finish: FinishReason, _ usage: ChatUsage, _ json: inout JSONWriter
  ) {
    begin(finish.endsEarly ? "incomplete" : "completed", &json)
    if finish.endsEarly {
      json.key("incomplete_details")
      json.beginObject()
      json.member("reason", finish == .length ? "max_output_tokens" : "content_filter")
      json.endObject()
    }
    writeOutput(items, &json)
    json.key("usage")
    json.beginObject()
    json.member("input_tokens", usage.prompt)
    json.key("input_tokens_details")
    json.beginObject()
    json.member("cached_tokens", usage.cached)
    json.member("cache_write_tokens", usage.cacheWritten)
    json.endObject()
    json.member("output_tokens", usage.completion)
    json.key("output_tokens_details")
    json.beginObject()
    json.member("reasoning_tokens", usage.reasoning)
    json.endObject()
    json.member("total_tokens", usage.prompt + usage.completion)
    json.endObject()
    json.endObject()
  }

  /// Writes an answer that broke off.
  func write(_ items: [ResponsesItem], error: ClientError, _ json: inout JSONWriter) {
    begin("failed", &json)
    json.key("error")
    json.beginObject()
    json.member("code", error.code)
    json.member("message", error.message)
    json.endObject()
    writeOutput(items, &json)
    json.endObject()
  }

  private func begin(_ status: StaticString, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("id", id)
    json.member("object", "response" as StaticString)
    json.member("created_at", facts.now)
    json.member("status", status)
    json.member("model", facts.model)
    json.member("background", false)
    json.member("store", false)
    json.member("truncation", "disabled" as StaticString)
    guard let request = facts.request else { return }
    json.member("parallel_tool_calls", request.allowsParallelTools ?? true)
    json.number("temperature", request.temperature)
    json.number("top_p", request.topP)
    if let limit = request.maxTokens { json.member("max_output_tokens", limit) }
    if let reasoning = request.reasoning {
      json.key("reasoning")
      json.beginObject()
      json.member("effort", reasoning.effort.name)
      json.endObject()
    }
    if !request.user.isEmpty { json.member("user", request.user) }
    json.key("text")
    json.beginObject()
    json.key("format")
    OpenAIEncoder.writeForm(request.format, isFlat: true, &json)
    json.endObject()
    writeTools(request, &json)
  }

  private func writeTools(_ request: ChatRequest, _ json: inout JSONWriter) {
    if request.toolChoice == .unspecified {
      json.member("tool_choice", "auto" as StaticString)
    } else {
      OpenAIEncoder.writeToolChoice(request.toolChoice, isFlat: true, &json)
    }
    json.key("tools")
    json.beginArray()
    for tool in request.tools { OpenAIEncoder.write(tool, isFlat: true, &json) }
    json.endArray()
  }

  private func writeOutput(_ items: [ResponsesItem], _ json: inout JSONWriter) {
    json.key("output")
    json.beginArray()
    for item in items { item.write(&json) }
    json.endArray()
  }
}
