// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Coze's bots, by the third version of its API.
///
/// Source: https://www.coze.cn/open/docs/developer_guides/chat_v3, read 2026-11.
enum CozeEncoder {
  /// Writes the body of a request.
  ///
  /// Without a saved history the vendor answers in streams only; with one, answers must be
  /// asked for again and again. So it is always a stream.
  static func encode(
    _ request: ChatRequest, _ facts: CallFacts, _ output: Buffer
  ) throws(ChatProblem) {
    var json = JSONWriter(output)
    json.beginObject()
    json.member("bot_id", try bot(facts))
    json.member("user_id", request.user.isEmpty ? "tinygateway" : request.user)
    json.member("stream", true)
    json.member("auto_save_history", false)
    json.key("additional_messages")
    json.beginArray()
    // There is no role for it.
    var system = request.systemText
    for message in request.messages where message.role != .system {
      var parts = message.parts
      if message.role == .user, !system.isEmpty {
        parts = prepended(system, to: parts)
        system = .empty
      }
      write(message.role, parts, &json)
    }
    if !system.isEmpty { write(.user, [.text(system)], &json) }
    json.endArray()
    json.endObject()
  }

  /// The bot: `bot-…` as the model's name, or the channel's setting.
  private static func bot(_ facts: CallFacts) throws(ChatProblem) -> ByteString {
    if facts.model.starts(with: "bot-") { return ByteString(Array(facts.model.bytes.dropFirst(4))) }
    let set = facts.setting("bot_id")
    if !set.isEmpty { return set }
    if facts.model.decimal != nil { return facts.model }
    throw ChatProblem(
      "The model must be bot- and the bot's number, or the channel needs bot_id in its config.",
      field: "model")
  }

  private static func prepended(_ system: ByteString, to parts: [ChatPart]) -> [ChatPart] {
    guard case .text(let text) = parts.first else { return [.text(system)] + parts }
    return [.text(system + "\n\n" + text)] + parts.dropFirst()
  }

  private static func write(
    _ role: ChatMessage.Role, _ parts: [ChatPart], _ json: inout JSONWriter
  ) {
    var message = ChatMessage(role)
    message.parts = parts
    json.beginObject()
    json.member("role", OpenAIEncoder.word(role))
    json.member("type", role == .user ? "question" : "answer" as StaticString)
    json.member("content", message.hasMedia ? objects(parts) : message.text)
    json.member("content_type", message.hasMedia ? "object_string" : "text" as StaticString)
    json.endObject()
  }

  /// Parts as the text of a JSON array.
  private static func objects(_ parts: [ChatPart]) -> ByteString {
    let buffer = Buffer()
    var json = JSONWriter(buffer)
    json.beginArray()
    for part in parts {
      json.beginObject()
      if case .text(let text) = part {
        json.member("type", "text" as StaticString)
        json.member("text", text)
      } else if case .image(let media) = part {
        json.member("type", "image" as StaticString)
        json.member("file_url", media.url)
      }
      json.endObject()
    }
    json.endArray()
    return buffer.byteString
  }
}

/// Reads streams of Coze.
///
/// Answers come in deltas, and once more whole; what comes whole only, as from workflows, counts
/// too. Messages that are no answers, and events of other sorts, are left out.
final class CozeDecoder: ChatDecoder {
  private var hasStarted = false
  /// The message of the last delta.
  private var message = ByteString.empty

  /// Makes a decoder for one answer.
  init() {}

  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    guard let root = event.json(orFailIn: &events), root.kind == .object else { return }
    switch event.name {
    case _ where event.name == "conversation.message.delta": read(delta: root, &events)
    case _ where event.name == "conversation.message.completed": read(whole: root, &events)
    case _ where event.name == "conversation.chat.completed": finish(root, &events)
    case _ where event.name == "conversation.chat.failed":
      fail(root.member("last_error") ?? root, &events)
    case _ where event.name == "conversation.chat.requires_action":
      events.append(
        .failure(
          ErrorAnswer(
            status: 200,
            message: "The bot asks for the result of a tool, which it cannot be given.",
            action: .client, meaning: .unspecified)))
    case _ where event.name == "error": fail(root, &events)
    case _ where event.name.isEmpty: read(answer: root, into: &events)
    default: start(root, &events)
    }
  }

  /// Only errors come without a stream.
  func read(answer root: JSONValue, into events: inout [ChatEvent]) { fail(root, &events) }

  func end(into events: inout [ChatEvent]) {}

  private func start(_ root: JSONValue, _ events: inout [ChatEvent]) {
    guard !hasStarted else { return }
    hasStarted = true
    let id = (root.member("chat_id") ?? root.member("id"))?.string
    let created = root.member("created_at")?.int64
    events.append(.start(id: id ?? .empty, created: max(0, created ?? 0)))
  }

  private func read(delta root: JSONValue, _ events: inout [ChatEvent]) {
    guard root.member("type")?.string.map({ $0 == "answer" }) ?? false else { return }
    start(root, &events)
    message = root.member("id")?.string ?? .empty
    if let text = root.member("reasoning_content")?.string, !text.isEmpty {
      events.append(.reasoning(text))
    }
    if let text = root.member("content")?.string, !text.isEmpty { events.append(.text(text)) }
  }

  private func read(whole root: JSONValue, _ events: inout [ChatEvent]) {
    guard root.member("id")?.string != message else { return }
    read(delta: root, &events)
  }

  private func finish(_ root: JSONValue, _ events: inout [ChatEvent]) {
    start(root, &events)
    if let usage = root.member("usage"), usage.kind == .object {
      events.append(
        .usage(
          ChatUsage(usage, prompt: "input_count", completion: "output_count")))
    }
    events.append(.finish(.stop))
  }

  private func fail(_ root: JSONValue, _ events: inout [ChatEvent]) {
    events.append(.failure(ErrorAnswer(status: 200, answer: root, format: Dialect.cozeErrors)))
  }
}

extension Dialect {
  /// Coze's bots.
  package static let coze = Dialect(
    name: "coze", writes: [.system, .imageURLs],
    drops: [
      .temperature, .topP, .topK, .seed, .presencePenalty, .frequencyPenalty, .maxTokens,
      .reasoning, .parallelTools,
    ],
    framing: .events, errors: cozeErrors,
    head: { facts in
      CallHead(
        path: facts.path("/v3/chat"),
        fields: CallHead.field("Authorization", "Bearer " + facts.key))
    },
    encode: { (request, facts, output) throws(ChatProblem) in
      try CozeEncoder.encode(request, facts, output)
    },
    makeDecoder: { _ in CozeDecoder() }, alwaysStreams: true)

  static let cozeErrors = ErrorFormat(
    codes: "code", messages: "msg",
    rules: """
      client|4000
      disable key|4100|4101
      disable account|4011|4028
      failover rate|4013
      failover model|4015
      retry failed|5000
      """)
}
