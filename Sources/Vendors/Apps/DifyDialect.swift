// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Dify's applications: the key selects one, which holds model, prompt and settings.
///
/// The setting `app_type` says what the application is: `chat` (also agents and chat flows),
/// `completion` or `workflow`; the latter two take the text as their input `query`.
/// Source: https://docs.dify.ai/api-reference/chat/send-chat-message, read 2026-11.
enum DifyEncoder {
  /// Writes the body of a request.
  static func encode(
    _ request: ChatRequest, _ facts: CallFacts, _ output: Buffer
  ) throws(ChatProblem) {
    let sendsLast = facts.setting("history") == "last"
    let text = sendsLast ? PromptText.last(request) : PromptText.fold(request, withSystem: true)
    if text.isEmpty { throw ChatProblem("There is no text in messages.", field: "messages") }
    let isChat = path(facts) == "/chat-messages"
    var json = JSONWriter(output)
    json.beginObject()
    json.key("inputs")
    json.beginObject()
    if !isChat {
      let name = facts.setting("input")
      json.key(name.isEmpty ? "query" : name)
      json.string(text)
    }
    json.endObject()
    if isChat {
      json.member("query", text)
      json.member("conversation_id", "" as StaticString)
    }
    json.member("response_mode", facts.isStream ? "streaming" : "blocking" as StaticString)
    // Required; without a user all are one.
    json.member("user", request.user.isEmpty ? "tinygateway" : request.user)
    writeFiles(request, &json)
    json.endObject()
  }

  /// The call of the application's type.
  static func path(_ facts: CallFacts) -> ByteString {
    let type = facts.setting("app_type")
    if type == "completion" { return "/completion-messages" }
    return type == "workflow" ? "/workflows/run" : "/chat-messages"
  }

  /// The pictures of the last question.
  private static func writeFiles(_ request: ChatRequest, _ json: inout JSONWriter) {
    var urls: [ByteString] = []
    for part in request.messages.last(where: { $0.role == .user })?.parts ?? [] {
      if case .image(let media) = part, !media.url.isEmpty { urls.append(media.url) }
    }
    guard !urls.isEmpty else { return }
    json.key("files")
    json.beginArray()
    for url in urls {
      json.beginObject()
      json.member("type", "image" as StaticString)
      json.member("transfer_method", "remote_url" as StaticString)
      json.member("url", url)
      json.endObject()
    }
    json.endArray()
  }
}

/// Reads answers of Dify.
///
/// An agent's thoughts repeat what it has said in messages, so they are left out; so are the steps
/// of workflows, pings and events of other sorts.
final class DifyDecoder: ChatDecoder {
  private var hasStarted = false
  private var hasText = false
  private var isReplaced = false

  /// Makes a decoder for one answer.
  init() {}

  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    guard let root = event.json(orFailIn: &events) else { return }
    let name = root.member("event")?.string ?? .empty
    // A body instead of a stream: an error, or a whole answer.
    if name.isEmpty { return read(answer: root, into: &events) }
    if name == "error" { return fail(root, &events) }
    start(root, &events)
    switch name {
    case _ where name == "message", _ where name == "agent_message":
      add(root.member("answer")?.string, &events)
    case _ where name == "text_chunk":
      add(root.member("data")?.member("text")?.string, &events)
    case _ where name == "message_replace": replace(root.member("answer")?.string, &events)
    case _ where name == "message_end":
      count(root.member("metadata")?.member("usage"), &events)
      events.append(.finish(isReplaced ? .contentFilter : .stop))
    case _ where name == "workflow_finished": readRun(root, &events)
    default: break
    }
  }

  func read(answer root: JSONValue, into events: inout [ChatEvent]) {
    if root.member("answer") == nil, root.member("data") == nil { return fail(root, &events) }
    start(root, &events)
    if root.member("answer") == nil { return readRun(root, &events) }
    add(root.member("answer")?.string, &events)
    count(root.member("metadata")?.member("usage"), &events)
    events.append(.finish(.stop))
  }

  func end(into events: inout [ChatEvent]) {}

  private func fail(_ root: JSONValue, _ events: inout [ChatEvent]) {
    let status = root.member("status")?.int64 ?? 200
    events.append(
      .failure(
        ErrorAnswer(
          status: (200...599).contains(status) ? Int(status) : 200, answer: root,
          format: Dialect.difyErrors)))
  }

  private func start(_ root: JSONValue, _ events: inout [ChatEvent]) {
    guard !hasStarted else { return }
    hasStarted = true
    let id = root.member("message_id") ?? root.member("workflow_run_id") ?? root.member("id")
    let created = root.member("created_at") ?? root.member("data")?.member("created_at")
    events.append(.start(id: id?.string ?? .empty, created: max(0, created?.int64 ?? 0)))
  }

  private func add(_ text: ByteString?, _ events: inout [ChatEvent]) {
    guard let text, !text.isEmpty else { return }
    hasText = true
    events.append(.text(text))
  }

  /// What was told cannot be taken back: the replacement follows it, and the reason tells.
  private func replace(_ text: ByteString?, _ events: inout [ChatEvent]) {
    isReplaced = true
    guard let text, !text.isEmpty else { return }
    add(hasText ? "\n\n" + text : text, &events)
  }

  private func count(_ usage: JSONValue?, _ events: inout [ChatEvent]) {
    guard let usage, usage.kind == .object else { return }
    events.append(.usage(OpenAIDecoder.usage(usage)))
  }

  /// The end of a workflow: of one that is the whole application, or of one behind a chat, whose
  /// message goes on.
  private func readRun(_ root: JSONValue, _ events: inout [ChatEvent]) {
    guard let run = root.member("data") else { return }
    let status = run.member("status")?.string ?? .empty
    if status == "failed" || status == "stopped" {
      let sentence = run.member("error")?.string ?? .empty
      events.append(
        .failure(
          ErrorAnswer(
            status: 200, message: sentence, code: status, action: .retry, meaning: .broken)
        ))
      return
    }
    guard root.member("message_id") == nil else { return }
    if !hasText { add(DifyDecoder.output(run.member("outputs")), &events) }
    var usage = ChatUsage()
    usage.completion = run.tokens("total_tokens")
    if usage.completion > 0 { events.append(.usage(usage)) }
    events.append(.finish(.stop))
  }

  /// The output named for text, or else the first that is one.
  private static func output(_ outputs: JSONValue?) -> ByteString? {
    for name: StaticString in ["text", "answer", "result", "output"] {
      if let text = outputs?.member(name)?.string { return text }
    }
    guard let outputs else { return nil }
    for (_, value) in outputs.members { if let text = value.string { return text } }
    return nil
  }
}

extension Dialect {
  /// Dify's applications but agents.
  package static let dify = makeDify("dify", alwaysStreams: false)
  /// Dify's agents, which refuse to answer at once.
  package static let difyAgent = makeDify("dify-agent", alwaysStreams: true)

  private static func makeDify(_ name: StaticString, alwaysStreams: Bool) -> Dialect {
    Dialect(
      name: name, writes: [.system, .imageURLs],
      drops: [
        .temperature, .topP, .topK, .seed, .presencePenalty, .frequencyPenalty, .maxTokens,
        .reasoning, .parallelTools,
      ],
      framing: .events, errors: difyErrors,
      head: { facts in
        CallHead(
          path: facts.path("/v1" + DifyEncoder.path(facts)),
          fields: CallHead.field("Authorization", "Bearer " + facts.key))
      },
      encode: { (request, facts, output) throws(ChatProblem) in
        try DifyEncoder.encode(request, facts, output)
      },
      makeDecoder: { _ in DifyDecoder() }, alwaysStreams: alwaysStreams)
  }

  static let difyErrors = ErrorFormat(
    codes: "code", messages: "message",
    rules: """
      client|invalid_param
      disable failed|app_unavailable
      disable key|provider_not_initialize
      disable account|provider_quota_exceeded
      disable model|model_currently_not_support
      retry failed|completion_request_error
      disable key|unauthorized
      failover rate|too_many_requests
      disable rate|rate_limit_error
      disable key|403:
      client|404:
      """)
}
