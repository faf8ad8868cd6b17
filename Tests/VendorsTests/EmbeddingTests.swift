// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Requests for vectors between the protocols of clients and vendors.
struct EmbeddingTests {
  private func read(_ client: ClientDialect, _ body: String) throws -> ChatRequest {
    try client.read(try JSONDocument(ByteString(utf8: body)).root)
  }

  private func encode(_ kind: DialectKind, _ request: ChatRequest) throws -> String {
    var facts = CallFacts()
    facts.model = "m"
    facts.key = "k"
    let output = Buffer()
    let dialect = try #require(kind.embeddings)
    try request.check(writes: dialect.writes, drops: dialect.drops, vendor: "V")
    try dialect.encode(request, facts, output)
    return output.byteString.text
  }

  private func answer(_ kind: DialectKind, _ body: String) throws -> ChatAnswer? {
    var events: [ChatEvent] = []
    let decoder = try #require(kind.embeddings).makeDecoder(CallFacts())
    decoder.read(answer: try JSONDocument(ByteString(utf8: body)).root, into: &events)
    if events.isEmpty { return nil }
    var answer = ChatAnswer()
    for event in events { answer.add(event) }
    return answer
  }

  private func write(_ client: ClientDialect, _ answer: ChatAnswer) -> String {
    var facts = AnswerFacts()
    facts.model = "public"
    facts.promptEstimate = 7
    let output = Buffer()
    client.makeWriter(facts).write(answer: answer, to: output)
    return output.byteString.text
  }

  @Test(
    arguments: [
      (
        .openAI,
        #"{"model":"x","input":["a","b"],"dimensions":8,"user":"u","encoding_format":"base64"}"#
      ),
      (
        .geminiBatch,
        #"{"requests":[{"model":"models/x","content":{"parts":[{"text":"a"}]},"#
          + #""outputDimensionality":8},{"content":{"parts":[{"text":"b"}]},"#
          + #""output_dimensionality":8}]}"#
      ),
      (.ollama, #"{"model":"x","input":["a","b"],"dimensions":8,"truncate":true}"#),
    ] as [(EmbeddingClient, String)])
  func writesTheSameForAllClients(_ client: EmbeddingClient, _ body: String) throws {
    let request = try client.read(try JSONDocument(ByteString(utf8: body)).root)
    #expect(try encode(.openAI, request) == #"{"model":"m","input":["a","b"],"dimensions":8}"#)
    #expect(try encode(.ollama, request) == #"{"model":"m","input":["a","b"],"dimensions":8}"#)
    #expect(
      try encode(.dashScope, request)
        == #"{"model":"m","input":{"texts":["a","b"]},"parameters":{"dimension":8}}"#)
    #expect(
      try encode(.cohere, request)
        == #"{"model":"m","texts":["a","b"],"input_type":"search_document","#
        + #""embedding_types":["float"],"output_dimension":8}"#)
    #expect(
      try encode(.gemini, request)
        == #"{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},"#
        + #""outputDimensionality":8},{"model":"models/m","content":{"parts":[{"text":"b"}]},"#
        + #""outputDimensionality":8}]}"#)
  }

  @Test func readsOneText() throws {
    #expect(try read(.openAIEmbeddings, #"{"input":"a"}"#).texts == ["a"])
    #expect(try read(.ollamaEmbedding, #"{"prompt":"a","options":{}}"#).texts == ["a"])
    let one = #"{"content":{"parts":[{"text":"a"},{"text":"b"}]},"task_type":"RETRIEVAL_QUERY"}"#
    let request = try read(.geminiEmbedding, one)
    #expect(request.texts == ["ab"])
    #expect(try encode(.cohere, request).contains(#""input_type":"search_query""#))
    #expect(try encode(.dashScope, request).contains(#""parameters":{"text_type":"query"}"#))
    #expect(try encode(.gemini, request).contains(#""taskType":"RETRIEVAL_QUERY""#))
    let task = #"{"content":{"parts":[{"text":"a"}]},"taskType":"CLUSTERING"}"#
    #expect(
      try encode(.cohere, read(.geminiEmbedding, task)).contains(#""input_type":"clustering""#))
  }

  @Test(
    arguments: [
      (.openAI, "{}"), (.openAI, #"{"input":[[1,2]]}"#), (.openAI, #"{"input":["a",1]}"#),
      (.openAI, #"{"input":[]}"#), (.openAI, #"{"input":1}"#), (.ollamaPrompt, #"{"input":"a"}"#),
      (.openAI, #"{"input":"a","unheard":1}"#), (.gemini, "{}"), (.geminiBatch, "{}"),
      (.gemini, #"{"content":{"parts":[{"text":"a"}]},"title":"t"}"#),
      (.geminiBatch, #"{"requests":[]}"#), (.geminiBatch, #"{"requests":[{}]}"#),
      (
        .geminiBatch,
        #"{"requests":[{"content":{}},{"content":{},"taskType":"CLUSTERING"}]}"#
      ),
    ] as [(EmbeddingClient, String)])
  func refusesWhatHasNoWords(_ client: EmbeddingClient, _ body: String) throws {
    let root = try JSONDocument(ByteString(utf8: body)).root
    #expect(throws: ChatProblem.self) { try encode(.openAI, client.read(root)) }
  }

  @Test(
    arguments: [
      (
        .openAI,
        #"{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[0.10]}],"#
          + #""usage":{"prompt_tokens":3}}"#, 3
      ),
      (.gemini, #"{"embeddings":[{"values":[0.10]},{"values":[2]}]}"#, nil),
      (
        .dashScope,
        #"{"output":{"embeddings":[{"text_index":1,"embedding":[2]},"#
          + #"{"text_index":0,"embedding":[0.10]}]},"usage":{"total_tokens":3}}"#, 3
      ),
      (
        .cohere,
        #"{"embeddings":{"float":[[0.10],[2]]},"meta":{"billed_units":{"input_tokens":3}}}"#, 3
      ),
      (.ollama, #"{"embeddings":[[0.10],[2]],"prompt_eval_count":3}"#, 3),
    ] as [(DialectKind, String, Int64?)])
  func readsAnswers(_ kind: DialectKind, _ body: String, _ tokens: Int64?) throws {
    let answer = try #require(try answer(kind, body))
    #expect(answer.vectors == ["[0.10]", "[2]"])
    #expect(answer.usage?.prompt == tokens)
    let count = tokens ?? 7
    #expect(
      write(.openAIEmbeddings, answer)
        == #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10]},"#
        + #"{"object":"embedding","index":1,"embedding":[2]}],"model":"public","#
        + #""usage":{"prompt_tokens":\#(count),"total_tokens":\#(count)}}"#)
    #expect(write(.geminiEmbedding, answer) == #"{"embedding":{"values":[0.10]}}"#)
    #expect(
      write(.geminiEmbeddings, answer) == #"{"embeddings":[{"values":[0.10]},{"values":[2]}]}"#)
    #expect(
      write(.ollamaEmbeddings, answer)
        == #"{"model":"public","embeddings":[[0.10],[2]],"prompt_eval_count":\#(count)}"#)
    #expect(write(.ollamaEmbedding, answer) == #"{"embedding":[0.10]}"#)
  }

  @Test(
    arguments: [
      (.openAI, #"{"data":{}}"#), (.openAI, #"{"data":[]}"#), (.openAI, "[]"),
      (.openAI, #"{"data":[{"index":1,"embedding":[1]}]}"#),
      (.openAI, #"{"data":[{"embedding":[1]}]}"#),
      (.openAI, #"{"data":[{"index":0,"embedding":"AAAA"}]}"#),
      (.openAI, #"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#),
      (.gemini, #"{"embeddings":[{}]}"#), (.cohere, #"{"embeddings":{"int8":[[1]]}}"#),
      (.ollama, #"{"error":"no"}"#),
    ] as [(DialectKind, String)])
  func takesNothingForVectors(_ kind: DialectKind, _ body: String) throws {
    #expect(try answer(kind, body) == nil)
  }

  @Test func asksAtTheVendorsPaths() throws {
    var facts = CallFacts()
    facts.model = "models/e-1"
    facts.key = "k"
    let head = try #require(DialectKind.gemini.embeddings).head(facts)
    #expect(head.path == "/v1beta/models/e-1:batchEmbedContents")
    #expect(head.fields == "x-goog-api-key: k\r\n")
    facts.basePath = "/ollama"
    #expect(try #require(DialectKind.ollama.embeddings).head(facts).path == "/ollama/api/embed")
    #expect(try #require(DialectKind.cohere.embeddings).head(facts).path == "/ollama/v2/embed")
    #expect(DialectKind.anthropic.embeddings == nil)
  }
}
