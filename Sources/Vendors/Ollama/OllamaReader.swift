// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads requests for Ollama's `/api/chat` and `/api/generate` into the hub model.
///
/// Answers stream unless the request says otherwise. Options of the engine, such as `num_ctx`,
/// have no effect with other vendors; Ollama leaves out unknown ones in the same way.
/// Source: https://docs.ollama.com/api, read 2026-11.
enum OllamaReader {
  private static let hints: [StaticString] = [
    "keep_alive", "truncate", "shift", "prompt", "system", "images", "messages", "template",
    "context", "top_logprobs",
  ]

  /// Reads a request with `messages`.
  static func readChat(_ root: JSONValue) throws(ChatProblem) -> ChatRequest {
    var request = ChatRequest()
    guard let messages = root.member("messages"), messages.kind == .array else {
      throw ChatProblem("The field messages must be an array.", field: "messages")
    }
    var turns = OllamaTurns()
    for message in messages.elements { try turns.add(message, &request) }
    if request.messages.isEmpty {
      throw ChatProblem("The field messages must not be empty.", field: "messages")
    }
    try readFields(root, &request)
    return request
  }

  /// Reads a request with `prompt`.
  static func readGenerate(_ root: JSONValue) throws(ChatProblem) -> ChatRequest {
    var request = ChatRequest()
    guard let prompt = root.member("prompt")?.string, !prompt.isEmpty else {
      throw ChatProblem("The field prompt must be a text that is not empty.", field: "prompt")
    }
    if let text = root.member("system")?.string, !text.isEmpty {
      request.messages.append(ChatMessage(.system, text: text))
      request.fields.insert(.system)
    }
    var message = ChatMessage(.user, text: prompt)
    readImages(root, &message, &request.fields)
    request.messages.append(message)
    for key in ["template", "context"] as [StaticString] {
      if let value = root.member(key), !value.isNull,
        value.count > 0 || value.string?.isEmpty == false
      {
        request.noteUnknown(ByteString(key))
      }
    }
    try readFields(root, &request)
    return request
  }

  private static func readFields(
    _ root: JSONValue, _ request: inout ChatRequest
  ) throws(ChatProblem) {
    request.isStream = true
    request.includesUsage = true
    for (key, value) in root.members where !value.isNull {
      if hints.contains(where: { key == $0 }) { continue }
      if key == "model" || key == "tools" {
        try OpenAIReader.readField(key, value, into: &request)
      } else if key == "stream" {
        request.isStream = value.bool ?? true
      } else if key == "options" {
        for (key, value) in value.members where !value.isNull {
          try readOption(key, value, &request)
        }
      } else if key == "format" {
        readFormat(value, &request)
      } else if key == "think" {
        try readThink(value, &request)
      } else if key == "logprobs" {
        if value.bool != false { request.fields.insert(.logprobs) }
      } else if value.kind != .false, value.string?.isEmpty != true {
        // An empty suffix and `raw: false` ask for nothing.
        request.noteUnknown(key)
      }
    }
  }

  private static let options: [StaticString] = [
    "temperature", "top_p", "top_k", "seed", "stop", "presence_penalty", "frequency_penalty",
  ]

  private static func readOption(
    _ key: ByteString, _ value: JSONValue, _ request: inout ChatRequest
  ) throws(ChatProblem) {
    if key == "num_predict" {
      // Negative: without a limit.
      guard let limit = value.int64, limit > 0 else { return }
      request.maxTokens = limit
      request.fields.insert(.maxTokens)
    } else if options.contains(where: { key == $0 }) {
      if key == "stop", value.string == nil, value.count == 0 { return }
      try OpenAIReader.readField(key, value, into: &request)
    }
  }

  private static func readFormat(_ value: JSONValue, _ request: inout ChatRequest) {
    if value.kind == .object {
      request.format = .jsonSchema(name: "answer", schema: value.lexeme, isStrict: nil)
      request.fields.insert(.jsonSchema)
    } else if value.string.map({ $0 == "json" }) ?? false {
      request.format = .jsonObject
      request.fields.insert(.jsonObject)
    }
  }

  private static func readThink(
    _ value: JSONValue, _ request: inout ChatRequest
  ) throws(ChatProblem) {
    if let isOn = value.bool {
      // Thinking as usual is no wish of its own; a model that cannot be kept from it must not
      // refuse the request either.
      if isOn { return }
      request.reasoning = ChatReasoning(.none)
      request.fields.insert(.reasoning)
    } else if value.string.map({ $0 == "max" }) ?? false {
      request.reasoning = ChatReasoning(.xhigh)
      request.fields.insert(.reasoning)
    } else {
      try OpenAIReader.readEffort(value, field: "think", into: &request)
    }
  }

  static func readImages(
    _ value: JSONValue, _ message: inout ChatMessage, _ fields: inout ChatFields
  ) {
    guard let images = value.member("images") else { return }
    for image in images.elements {
      guard let data = image.string, !data.isEmpty else { continue }
      var media = ChatMedia()
      media.data = data
      media.mimeType = imageType(of: data)
      message.parts.append(.image(media))
      fields.insert(.images)
    }
  }

  /// The type of a picture, which Ollama's clients do not name, by the beginning of its base64.
  private static func imageType(of data: ByteString) -> ByteString {
    if data.starts(with: "/9j/") { return "image/jpeg" }
    if data.starts(with: "R0lG") { return "image/gif" }
    return data.starts(with: "UklG") ? "image/webp" : "image/png"
  }
}

/// Reads the turns of a conversation; calls and their answers, which need no ids here, get them.
struct OllamaTurns {
  /// Calls that no message has answered, in their order.
  private var unanswered: [ChatToolCall] = []
  private var callCount: Int64 = 0

  mutating func add(_ value: JSONValue, _ request: inout ChatRequest) throws(ChatProblem) {
    guard let role = OpenAIReader.role(value.member("role")?.string ?? .empty) else {
      throw ChatProblem(
        "Each message needs a role: system, user, assistant or tool.", field: "messages")
    }
    var message = ChatMessage(role, text: value.member("content")?.string ?? .empty)
    if role == .system { request.fields.insert(.system) }
    OllamaReader.readImages(value, &message, &request.fields)
    message.reasoning = value.member("thinking")?.string ?? .empty
    if let calls = value.member("tool_calls") {
      for call in calls.elements { try add(call: call, &message) }
    }
    if role == .tool { answer(value, &message) }
    if role == .tool || !message.toolCalls.isEmpty { request.fields.insert(.toolHistory) }
    request.messages.append(message)
  }

  private mutating func add(
    call value: JSONValue, _ message: inout ChatMessage
  ) throws(ChatProblem) {
    guard let function = value.member("function"), let name = function.member("name")?.string else {
      throw ChatProblem("Each of tool_calls needs a function with a name.", field: "messages")
    }
    callCount += 1
    var id = value.member("id")?.string ?? .empty
    if id.isEmpty { id = "call_" + ByteString(number: callCount) }
    let arguments = function.member("arguments")
    let call = ChatToolCall(
      id: id, name: name, arguments: arguments?.kind == .object ? arguments?.lexeme ?? "{}" : "{}")
    message.toolCalls.append(call)
    // Answers follow soon: a search through all calls would be slow.
    if unanswered.count == 256 { unanswered.removeFirst() }
    unanswered.append(call)
  }

  /// Finds the call that a tool's message answers: by its id, by its name, or the first one.
  private mutating func answer(_ value: JSONValue, _ message: inout ChatMessage) {
    let id = value.member("tool_call_id")?.string ?? .empty
    let name = (value.member("tool_name") ?? value.member("name"))?.string ?? .empty
    message.toolCallID = id
    message.toolName = name
    let index =
      id.isEmpty
      ? name.isEmpty ? unanswered.indices.first : unanswered.firstIndex { $0.name == name }
      : unanswered.firstIndex { $0.id == id }
    guard let index else { return }
    let call = unanswered.remove(at: index)
    message.toolCallID = call.id
    message.toolName = call.name
  }
}
