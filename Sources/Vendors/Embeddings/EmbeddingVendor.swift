// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// How a vendor is asked for vectors and where its answers have them.
///
/// Sources: https://platform.openai.com/docs/api-reference/embeddings,
/// https://ai.google.dev/api/embeddings, https://docs.cohere.com/reference/embed,
/// https://docs.ollama.com/api/embed,
/// https://help.aliyun.com/zh/model-studio/text-embedding-synchronous-api, read 2026-11.
private struct EmbeddingVendor {
  let kind: DialectKind
  /// Of the call; Google's has the model in it.
  let path: StaticString
  /// Of the array of vectors in an answer, with dots between members.
  let list: StaticString
  /// Members of its elements; empty when they are vectors themselves, and when they are in order.
  var vector: StaticString = ""
  var index: StaticString = ""
  /// Of the count of the prompt's tokens; empty when it is not told.
  var tokens: StaticString = ""

  static let all: [EmbeddingVendor] = [
    EmbeddingVendor(
      kind: .openAI, path: "/embeddings", list: "data", vector: "embedding", index: "index",
      tokens: "usage.prompt_tokens"),
    EmbeddingVendor(
      kind: .gemini, path: "/v1beta/models/", list: "embeddings", vector: "values"),
    EmbeddingVendor(
      kind: .dashScope, path: "/api/v1/services/embeddings/text-embedding/text-embedding",
      list: "output.embeddings", vector: "embedding", index: "text_index",
      tokens: "usage.total_tokens"),
    EmbeddingVendor(
      kind: .cohere, path: "/v2/embed", list: "embeddings.float",
      tokens: "meta.billed_units.input_tokens"),
    EmbeddingVendor(
      kind: .ollama, path: "/api/embed", list: "embeddings", tokens: "prompt_eval_count"),
  ]

  func write(_ request: ChatRequest, _ facts: CallFacts, _ output: Buffer) {
    var json = JSONWriter(output)
    json.beginObject()
    if kind != .gemini { json.member("model", facts.model) }
    let isQuery = request.purpose.bytes.suffix(5).elementsEqual(ByteString("QUERY").bytes)
    switch kind {
    case .gemini: writeBatch(request, facts, &json)
    case .dashScope:
      json.key("input")
      json.beginObject()
      json.strings("texts", request.texts)
      json.endObject()
      if isQuery || request.dimensions != nil {
        json.key("parameters")
        json.beginObject()
        if isQuery { json.member("text_type", "query" as StaticString) }
        json.number("dimension", request.dimensions)
        json.endObject()
      }
    case .cohere:
      json.strings("texts", request.texts)
      let isTask = request.purpose.starts(with: "CL")
      json.member(
        "input_type",
        isTask ? request.purpose.lowercased : isQuery ? "search_query" : "search_document")
      json.strings("embedding_types", ["float"])
      json.number("output_dimension", request.dimensions)
    default:
      json.strings("input", request.texts)
      json.number("dimensions", request.dimensions)
    }
    json.endObject()
  }

  private func writeBatch(_ request: ChatRequest, _ facts: CallFacts, _ json: inout JSONWriter) {
    json.key("requests")
    json.beginArray()
    for text in request.texts {
      json.beginObject()
      json.member("model", "models/" + facts.geminiModel)
      json.key("content")
      json.beginObject()
      json.key("parts")
      json.beginArray()
      json.beginObject()
      json.member("text", text)
      json.endObject()
      json.endArray()
      json.endObject()
      if !request.purpose.isEmpty { json.member("taskType", request.purpose) }
      json.number("outputDimensionality", request.dimensions)
      json.endObject()
    }
    json.endArray()
  }

  /// The vectors in the order of the texts; nil for an answer without them.
  func vectors(_ answer: JSONValue) -> [ByteString]? {
    guard let list = answer.at(ByteString(list)), list.kind == .array, list.count > 0 else {
      return nil
    }
    var vectors = Array(repeating: ByteString.empty, count: list.count)
    var position: Int64 = 0
    for entry in list.elements {
      let isVector = vector.utf8CodeUnitCount == 0
      let place = index.utf8CodeUnitCount == 0 ? position : entry.member(index)?.int64
      guard let value = isVector ? entry : entry.member(vector), value.kind == .array,
        let place, place >= 0, place < Int64(vectors.count)
      else { return nil }
      vectors[Int(place)] = value.lexeme
      position += 1
    }
    return vectors.contains { $0.isEmpty } ? nil : vectors
  }
}

/// Reads whole answers with vectors.
private final class EmbeddingDecoder: ChatDecoder {
  private let vendor: EmbeddingVendor

  init(_ vendor: EmbeddingVendor) { self.vendor = vendor }

  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {}
  func end(into events: inout [ChatEvent]) {}

  func read(answer: JSONValue, into events: inout [ChatEvent]) {
    guard let vectors = vendor.vectors(answer) else { return }
    events.add(.vectors(vectors))
    let path = vendor.tokens
    if path.utf8CodeUnitCount > 0, let tokens = answer.at(ByteString(path))?.int64 {
      var usage = ChatUsage()
      usage.prompt = max(0, min(tokens, ChatUsage.largestCount))
      events.add(.usage(usage))
    }
    events.add(.finish(.stop))
  }
}

extension DialectKind {
  /// How the vendor is asked for vectors; nil when it has no such call.
  package var embeddings: Dialect? {
    guard let vendor = EmbeddingVendor.all.first(where: { $0.kind == self }) else { return nil }
    let chat = dialect
    return Dialect(
      name: chat.name, writes: [], drops: [], framing: .events, errors: chat.errors,
      head: { (facts) throws(ChatProblem) in
        var head = try chat.head(facts)
        head.path = facts.path(ByteString(vendor.path))
        if vendor.kind == .gemini {
          let model = try CallFacts.segments(of: facts.geminiModel)
          head.path = head.path + model + ":batchEmbedContents"
        }
        return head
      },
      encode: { request, facts, output in vendor.write(request, facts, output) },
      makeDecoder: { _ in EmbeddingDecoder(vendor) })
  }
}
