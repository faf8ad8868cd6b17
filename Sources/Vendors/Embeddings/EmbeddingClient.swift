// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// A call for vectors in one of the clients' protocols.
enum EmbeddingClient: Sendable {
  case openAI
  /// `embedContent`, and `batchEmbedContents`.
  case gemini, geminiBatch
  /// `/api/embed`, and the older `/api/embeddings`.
  case ollama, ollamaPrompt

  /// What the vectors do not depend on.
  private static let hints: [StaticString] = [
    "model", "user", "encoding_format", "truncate", "keep_alive", "options",
  ]

  /// Reads a request into texts, dimensions and purpose.
  func read(_ root: JSONValue) throws(ChatProblem) -> ChatRequest {
    var request = ChatRequest()
    switch self {
    case .gemini: try readContent(root, &request)
    case .geminiBatch:
      guard let list = root.member("requests"), list.count > 0 else {
        throw ChatProblem("The field requests must be an array of requests.", field: "requests")
      }
      for entry in list.elements { try readContent(entry, &request) }
    case .openAI, .ollama, .ollamaPrompt:
      try readInput(self == .ollamaPrompt ? "prompt" : "input", root, &request)
    }
    return request
  }

  private func readInput(
    _ name: StaticString, _ root: JSONValue, _ request: inout ChatRequest
  ) throws(ChatProblem) {
    guard let input = root.member(name) else {
      throw ChatProblem("The field " + ByteString(name) + " is missing.", field: ByteString(name))
    }
    request.texts = input.string.map { [$0] } ?? input.elements.compactMap { $0.string }
    guard !request.texts.isEmpty, request.texts.count == max(1, input.count) else {
      var problem = ChatProblem(
        "The field " + ByteString(name) + " must be a text or texts, and no tokens.",
        field: ByteString(name))
      problem.isOfDialect = true
      throw problem
    }
    for (key, value) in root.members where !value.isNull && !(key == name) {
      if key == "dimensions" {
        request.dimensions = value.lexeme
      } else if !EmbeddingClient.hints.contains(where: { key == $0 }) {
        request.noteUnknown(key)
      }
    }
  }

  /// Reads one of Google's requests; those of a batch must ask for the same.
  private func readContent(
    _ root: JSONValue, _ request: inout ChatRequest
  ) throws(ChatProblem) {
    guard let content = root.member("content") else {
      throw ChatProblem("The field content is missing.", field: "content")
    }
    let dimensions = GeminiReader.find("outputDimensionality", root)?.lexeme
    let purpose = GeminiReader.find("taskType", root)?.string ?? .empty
    guard request.texts.isEmpty || request.dimensions == dimensions && request.purpose == purpose
    else {
      throw ChatProblem(
        "All requests must have the same taskType and outputDimensionality.", field: "requests")
    }
    (request.dimensions, request.purpose) = (dimensions, purpose)
    request.texts.append(GeminiReader.texts(of: content.member("parts") ?? content))
    for (key, value) in root.members where !value.isNull {
      let key = GeminiReader.camel(key)
      let isKnown = ["model", "content", "taskType", "outputDimensionality"] as [StaticString]
      if !isKnown.contains(where: { key == $0 }) { request.noteUnknown(key) }
    }
  }

  /// Appends a whole answer.
  func write(_ answer: ChatAnswer, _ facts: AnswerFacts, _ output: Buffer) {
    let tokens = answer.usage?.prompt ?? facts.promptEstimate
    let vectors = answer.vectors
    var json = JSONWriter(output)
    json.beginObject()
    switch self {
    case .openAI:
      json.member("object", "list" as StaticString)
      json.key("data")
      json.beginArray()
      for (index, vector) in vectors.enumerated() {
        json.beginObject()
        json.member("object", "embedding" as StaticString)
        json.member("index", Int64(index))
        json.number("embedding", vector)
        json.endObject()
      }
      json.endArray()
      json.member("model", facts.model)
      json.key("usage")
      json.beginObject()
      json.member("prompt_tokens", tokens)
      json.member("total_tokens", tokens)
      json.endObject()
    case .gemini:
      json.key("embedding")
      json.values(vectors.first)
    case .geminiBatch:
      json.key("embeddings")
      json.beginArray()
      for vector in vectors { json.values(vector) }
      json.endArray()
    case .ollama:
      json.member("model", facts.model)
      json.key("embeddings")
      json.beginArray()
      for vector in vectors { json.raw(vector) }
      json.endArray()
      json.member("prompt_eval_count", tokens)
    case .ollamaPrompt: json.number("embedding", vectors.first)
    }
    json.endObject()
  }
}

extension JSONWriter {
  /// Appends a vector in Google's form.
  @inline(never)
  fileprivate mutating func values(_ vector: ByteString?) {
    beginObject()
    number("values", vector)
    endObject()
  }
}

/// Writes vectors for a client; they never come as a stream.
private final class EmbeddingWriter: ChatWriter {
  private let form: EmbeddingClient
  private let facts: AnswerFacts

  init(_ form: EmbeddingClient, _ facts: AnswerFacts) {
    self.form = form
    self.facts = facts
  }

  var streamType: StaticString { "application/json" }
  func write(_ event: ChatEvent, to output: Buffer) {}
  func end(to output: Buffer) {}
  func fail(_ error: ClientError, to output: Buffer) {}
  func write(answer: ChatAnswer, to output: Buffer) { form.write(answer, facts, output) }
}

/// The calls for vectors beside each protocol's chat.
extension ClientDialect {
  package static let openAIEmbeddings = openAI.embeddings(.openAI)
  package static let geminiEmbedding = gemini.embeddings(.gemini)
  package static let geminiEmbeddings = gemini.embeddings(.geminiBatch)
  package static let ollamaEmbeddings = ollamaChat.embeddings(.ollama)
  package static let ollamaEmbedding = ollamaChat.embeddings(.ollamaPrompt)

  private func embeddings(_ form: EmbeddingClient) -> ClientDialect {
    .init(
      name: name, passes: "", fieldNames: [],
      read: { (root) throws(ChatProblem) in try form.read(root) },
      makeWriter: { EmbeddingWriter(form, $0) }, writeError: writeError)
  }
}
