// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Embeddings between OpenAI's format and DashScope's native one.
///
/// Source: https://help.aliyun.com/zh/model-studio/text-embedding-synchronous-api, read 2026-11.
package enum DashScopeEmbeddings {
  /// The path of the call.
  package static func path(_ facts: CallFacts) -> ByteString {
    facts.path("/api/v1/services/embeddings/text-embedding/text-embedding")
  }

  /// Writes a request; `root` is OpenAI's.
  package static func encode(
    _ root: JSONValue, _ facts: CallFacts, _ output: Buffer
  ) throws(ChatProblem) {
    guard let input = root.member("input") else {
      throw ChatProblem("The field input is missing.", field: "input")
    }
    let texts = input.string.map { [$0] } ?? input.elements.compactMap { $0.string }
    guard !texts.isEmpty, texts.count == max(1, input.count) else {
      throw ChatProblem(
        "The field input must be a text or texts for Aliyun DashScope; it takes no tokens.",
        field: "input")
    }
    var json = JSONWriter(output)
    json.beginObject()
    json.member("model", facts.model)
    json.key("input")
    json.beginObject()
    json.strings("texts", texts)
    json.endObject()
    if let dimensions = root.member("dimensions"), dimensions.kind == .number {
      json.key("parameters")
      json.beginObject()
      json.number("dimension", dimensions.lexeme)
      json.endObject()
    }
    json.endObject()
  }

  /// Writes an answer in OpenAI's format, in the order of the texts; false when `answer` is none.
  ///
  /// `model`: the name that the client asked for.
  package static func decode(_ answer: JSONValue, model: ByteString, _ output: Buffer) -> Bool {
    guard let list = answer.member("output")?.member("embeddings"), list.kind == .array else {
      return false
    }
    var vectors = Array(repeating: ByteString.empty, count: list.count)
    for entry in list.elements {
      guard let index = entry.member("text_index")?.int64, let vector = entry.member("embedding"),
        index >= 0, index < Int64(vectors.count)
      else { return false }
      vectors[Int(index)] = vector.lexeme
    }
    guard !vectors.contains(where: { $0.isEmpty }) else { return false }
    let tokens = answer.member("usage")?.tokens("total_tokens") ?? 0
    var json = JSONWriter(output)
    json.beginObject()
    json.member("object", "list" as StaticString)
    json.key("data")
    json.beginArray()
    for (index, vector) in vectors.enumerated() {
      json.beginObject()
      json.member("object", "embedding" as StaticString)
      json.member("index", Int64(index))
      json.key("embedding")
      json.raw(vector)
      json.endObject()
    }
    json.endArray()
    json.member("model", model)
    json.key("usage")
    json.beginObject()
    json.member("prompt_tokens", tokens)
    json.member("total_tokens", tokens)
    json.endObject()
    json.endObject()
    return true
  }
}
