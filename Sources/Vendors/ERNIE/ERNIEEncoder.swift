// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes chat requests in the format of ERNIE's first version ("wenxinworkshop").
///
/// Source: https://cloud.baidu.com/doc/WENXINWORKSHOP/s/clntwmv7t, read 2026-11.
enum ERNIEEncoder {
  private static let vendor: StaticString = "Baidu ERNIE"

  /// Writes the body of a request.
  static func encode(
    _ request: ChatRequest, _ facts: CallFacts, _ output: Buffer
  ) throws(ChatProblem) {
    var json = JSONWriter(output)
    json.beginObject()
    json.key("messages")
    json.beginArray()
    for turn in try ERNIETurns(request.messages).turns { write(turn, &json) }
    json.endArray()
    let system = request.systemText
    if !system.isEmpty { json.member("system", system) }
    if facts.isStream { json.member("stream", true) }
    json.number("temperature", clamped(request.temperature, "0.01", "1"))
    json.number("top_p", request.topP)
    if request.fields.contains(.frequencyPenalty) {
      json.number("penalty_score", clamped(request.frequencyPenalty, "1.0", "2.0"))
    }
    if let limit = request.maxTokens { json.member("max_output_tokens", limit) }
    json.strings("stop", request.stop)
    if !request.user.isEmpty { json.member("user_id", request.user) }
    try writeTools(request, &json)
    switch request.format {
    case .unspecified: break
    case .jsonObject: json.member("response_format", "json_object" as StaticString)
    case .text, .jsonSchema: json.member("response_format", "text" as StaticString)
    }
    json.endObject()
  }

  private static func write(_ turn: ERNIETurns.Turn, _ json: inout JSONWriter) {
    json.beginObject()
    switch turn {
    case .user(let text):
      json.member("role", "user" as StaticString)
      json.member("content", text)
    case .assistant(let text, let call):
      json.member("role", "assistant" as StaticString)
      json.member("content", text)
      if let call {
        json.key("function_call")
        json.beginObject()
        json.member("name", call.name)
        json.member("arguments", call.arguments)
        json.endObject()
      }
    case .function(let name, let result):
      json.member("role", "function" as StaticString)
      json.member("name", name)
      json.member("content", result)
    }
    json.endObject()
  }

  private static func writeTools(
    _ request: ChatRequest, _ json: inout JSONWriter
  ) throws(ChatProblem) {
    guard !request.tools.isEmpty, request.toolChoice != .none else { return }
    json.key("functions")
    OpenAIEncoder.writeFunctions(request.tools, &json)
    switch request.toolChoice {
    case .unspecified, .auto, .none: break
    case .named: OpenAIEncoder.writeToolChoice(request.toolChoice, &json)
    case .required: throw .inexpressible("tool_choice required", for: vendor)
    }
  }

  /// The number, brought into a range.
  private static func clamped(
    _ lexeme: ByteString?, _ least: ByteString, _ most: ByteString
  ) -> ByteString? {
    guard let lexeme else { return nil }
    func millionths(_ text: ByteString) -> Int64 {
      text.withBytes { JSONNumber.fixedPoint($0, decimals: 6) } ?? 0
    }
    let value = millionths(lexeme)
    if value < millionths(least) { return least }
    return value > millionths(most) ? most : lexeme
  }
}

/// A conversation as ERNIE takes it: user, assistant, user, …, user.
///
/// Neighbours of one role are joined with a line feed. Calls of several tools at once become calls
/// one after the other, each with its answer. What cannot alternate is refused.
struct ERNIETurns {
  enum Turn {
    case user(ByteString)
    case assistant(ByteString, ChatToolCall?)
    case function(name: ByteString, result: ByteString)
  }

  private(set) var turns: [Turn] = []

  /// Orders the messages; system messages are left out.
  ///
  /// - Throws: when they neither alternate nor can be made to.
  init(_ messages: [ChatMessage]) throws(ChatProblem) {
    var answers = messages.filter { $0.role == .tool }
    for message in messages {
      switch message.role {
      case .system: break
      case .user: try add(user: message.text)
      case .assistant where message.toolCalls.isEmpty: try add(assistant: message.text)
      case .assistant:
        for (index, call) in message.toolCalls.enumerated() {
          guard let place = answers.firstIndex(where: { $0.toolCallID == call.id }),
            isUserNext == false
          else { throw ERNIETurns.problem("messages with role tool") }
          turns.append(.assistant(index == 0 ? message.text : .empty, call))
          let result = ERNIETurns.json(answers.remove(at: place).resultText)
          turns.append(.function(name: call.name, result: result))
        }
      case .tool: break
      }
    }
    if !answers.isEmpty { throw ERNIETurns.problem("messages with role tool") }
    if isUserNext { throw ERNIETurns.problem("messages that end with role assistant") }
  }

  /// Whether the last turn is the assistant's, or there is none.
  private var isUserNext: Bool {
    guard let last = turns.last else { return true }
    if case .assistant = last { return true }
    return false
  }

  private mutating func add(user text: ByteString) throws(ChatProblem) {
    if text.isEmpty { return }
    switch turns.last {
    case .user(let before):
      turns.removeLast()
      turns.append(.user(ERNIETurns.joined(before, text)))
    case .function: throw ERNIETurns.problem("messages with role user after role tool")
    case .assistant, nil: turns.append(.user(text))
    }
  }

  private mutating func add(assistant text: ByteString) throws(ChatProblem) {
    if text.isEmpty { return }
    switch turns.last {
    case .assistant(let before, let call):
      turns.removeLast()
      turns.append(.assistant(ERNIETurns.joined(before, text), call))
    case nil: throw ERNIETurns.problem("messages that begin with role assistant")
    case .user, .function: turns.append(.assistant(text, nil))
    }
  }

  /// The text with a further line; consumed, so that it grows in place.
  private static func joined(_ text: consuming ByteString, _ next: ByteString) -> ByteString {
    text.append(next, behind: "\n")
    return text
  }

  /// A function's result must be JSON.
  private static func json(_ result: ByteString) -> ByteString {
    if let kind = StreamEvent(data: result).json?.kind, kind == .object || kind == .array {
      return result
    }
    let buffer = Buffer()
    var json = JSONWriter(buffer)
    json.beginObject()
    json.member("result", result)
    json.endObject()
    return buffer.byteString
  }

  private static func problem(_ field: ByteString) -> ChatProblem {
    .inexpressible(field, for: "Baidu ERNIE")
  }
}
