// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Vendors

/// What the path of a relayed request says: the task, whose protocol the client speaks, and what
/// of the request stands in the path itself.
struct RelayTarget {
  let mode: RelayMode
  let dialect: ClientDialect
  /// The model that the path names; empty when the body does.
  var model = ByteString.empty
  /// Whether the protocol has the model in the path only: a body's `model` says nothing.
  var namesModelInPath = false
  /// Whether the answer is to be a stream; nil when the body says it.
  var isStream: Bool?
  /// What it means when the body does not say it.
  var streamsByDefault = false
  /// Only the prompt's tokens are asked for: nothing is generated, and nothing charged.
  var countsTokens = false

  /// A call of OpenAI's API; `model`: of Azure's paths, which counts whatever the body says.
  init(_ mode: RelayMode, model: ByteString = .empty) {
    self.mode = mode
    dialect =
      mode == .completions ? .completions : mode == .embeddings ? .openAIEmbeddings : .openAI
    self.model = model
    namesModelInPath = !model.isEmpty
  }

  init(_ row: RelayPath, model: ByteString) {
    mode = row.mode
    dialect = row.dialect
    self.model = model
    namesModelInPath = !model.isEmpty
    isStream = row.isStream
    streamsByDefault = row.streamsByDefault
    countsTokens = row.countsTokens
  }

  /// The target of a request path; nil when the path is not a relayed one.
  init?(_ head: RequestHead) {
    if head.isPath("/v1/chat/completions") {
      self.init(.chat)
      return
    }
    let path = head.path
    if let target = RelayPath.find(path.span, head) {
      self = target
      return
    }
    if head.hasPathPrefix("/openai/") {
      self.init(azure: path.span)
      return
    }
    if head.hasPathPrefix("/v1/"), let mode = RelayMode(call: path.span.extracting(3..<path.count))
    {
      self.init(mode)
      return
    }
    // Where Cohere's, Jina's and vLLM's clients look for it.
    guard head.isPath("/v2/rerank") || head.isPath("/v1/reranks") || head.isPath("/rerank") else {
      return nil
    }
    self.init(.rerank)
  }

  /// `/openai/deployments/{deployment}/…` and `/openai/v1/…`, as Azure's clients call it.
  private init?(azure path: Span<UInt8>) {
    let own: StaticString = "/openai"
    let rest = path.extracting(own.utf8CodeUnitCount..<path.count)
    if rest.starts(with: "/v1/") {
      guard let mode = RelayMode(call: rest.extracting(3..<rest.count)) else { return nil }
      self.init(mode)
      return
    }
    let folder: StaticString = "/deployments/"
    guard rest.starts(with: folder) else { return nil }
    let start = folder.utf8CodeUnitCount
    guard rest.count > start, rest[start] != UInt8(ascii: "/") else { return nil }
    // A deployment has no slash of its own; a model of this gateway may have one.
    for mode in RelayMode.allCases {
      let end = rest.count - mode.call.utf8CodeUnitCount
      guard end >= 0, rest.extracting(end..<rest.count).equals(mode.call) else { continue }
      // `chat/completions` is no deployment `chat`.
      guard end > start else { return nil }
      self.init(mode, model: ByteString(rest.extracting(start..<end)))
      return
    }
    return nil
  }

  /// Whose errors a client reads that asks for this path, known or not.
  static func dialect(of path: ByteString) -> ClientDialect {
    for family in RelayPath.families where path.starts(with: family.prefix) {
      return family.dialect
    }
    return .openAI
  }
}

/// A path of another protocol than OpenAI's.
struct RelayPath: Sendable {
  /// `{model}` stands for the model's name.
  let path: StaticString
  let mode: RelayMode
  let dialect: ClientDialect
  /// nil: the body says it.
  var isStream: Bool?
  var streamsByDefault = false
  /// See `RelayTarget`.
  var countsTokens = false
  /// A parameter of the query, `name=value`, without which the row does not count; empty for none.
  var query: (name: StaticString, value: StaticString)?

  /// Every path; the first that fits counts.
  static let all: [RelayPath] = [
    RelayPath(path: "/v1/messages", mode: .chat, dialect: .anthropic),
    RelayPath(
      path: "/v1/messages/count_tokens", mode: .chat, dialect: .anthropic, isStream: false,
      countsTokens: true),
    RelayPath(
      path: "/v1beta/models/{model}:generateContent", mode: .chat, dialect: .gemini,
      isStream: false),
    RelayPath(
      path: "/v1beta/models/{model}:streamGenerateContent", mode: .chat, dialect: .gemini,
      isStream: true, query: (name: "alt", value: "sse")),
    RelayPath(
      path: "/v1beta/models/{model}:streamGenerateContent", mode: .chat, dialect: .geminiArray,
      isStream: true),
    RelayPath(
      path: "/v1/models/{model}:generateContent", mode: .chat, dialect: .gemini, isStream: false),
    RelayPath(
      path: "/v1/models/{model}:streamGenerateContent", mode: .chat, dialect: .gemini,
      isStream: true, query: (name: "alt", value: "sse")),
    RelayPath(
      path: "/v1/models/{model}:streamGenerateContent", mode: .chat, dialect: .geminiArray,
      isStream: true),
    RelayPath(
      path: "/v1beta/models/{model}:countTokens", mode: .chat, dialect: .gemini, isStream: false,
      countsTokens: true),
    RelayPath(
      path: "/v1/models/{model}:countTokens", mode: .chat, dialect: .gemini, isStream: false,
      countsTokens: true),
    RelayPath(
      path: "/v1beta/models/{model}:embedContent", mode: .embeddings, dialect: .geminiEmbedding),
    RelayPath(
      path: "/v1beta/models/{model}:batchEmbedContents", mode: .embeddings,
      dialect: .geminiEmbeddings),
    RelayPath(
      path: "/v1/models/{model}:embedContent", mode: .embeddings, dialect: .geminiEmbedding),
    RelayPath(
      path: "/v1/models/{model}:batchEmbedContents", mode: .embeddings,
      dialect: .geminiEmbeddings),
    RelayPath(path: "/api/embed", mode: .embeddings, dialect: .ollamaEmbeddings),
    RelayPath(path: "/api/embeddings", mode: .embeddings, dialect: .ollamaEmbedding),
    RelayPath(path: "/v1/responses", mode: .chat, dialect: .responses),
    RelayPath(path: "/openai/v1/responses", mode: .chat, dialect: .responses),
    RelayPath(path: "/openai/responses", mode: .chat, dialect: .responses),
    RelayPath(path: "/api/chat", mode: .chat, dialect: .ollamaChat, streamsByDefault: true),
    RelayPath(
      path: "/api/generate", mode: .chat, dialect: .ollamaGenerate, streamsByDefault: true),
  ]

  /// Beginnings of the paths at which clients of these protocols look for anything at all.
  static let families: [(prefix: StaticString, dialect: ClientDialect)] = [
    ("/v1/messages", .anthropic), ("/v1beta/", .gemini), ("/api/", .ollamaChat),
  ]

  /// Looks a path up.
  static func find(_ path: Span<UInt8>, _ head: RequestHead) -> RelayTarget? {
    for row in all {
      guard let model = row.match(path) else { continue }
      if let query = row.query {
        guard let value = head.queryValue(of: query.name), value == query.value else { continue }
      }
      return RelayTarget(row, model: model)
    }
    return nil
  }

  /// The model's name in a path that fits, empty in one without; nil for another path.
  func match(_ path: Span<UInt8>) -> ByteString? {
    let pattern = UnsafeBufferPointer(
      start: self.path.utf8Start, count: self.path.utf8CodeUnitCount)
    guard let open = pattern.firstIndex(of: UInt8(ascii: "{")) else {
      return path.equals(self.path) ? .empty : nil
    }
    let placeholder: StaticString = "{model}"
    let tail = open + placeholder.utf8CodeUnitCount
    let end = path.count - (pattern.count - tail)
    guard end > open else { return nil }
    for index in 0..<open where path[index] != pattern[index] { return nil }
    for index in end..<path.count where path[index] != pattern[tail + index - end] { return nil }
    return ByteString(path.extracting(open..<end))
  }
}
