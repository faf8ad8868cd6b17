// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes chat requests in OpenAI's format.
///
/// Source: https://platform.openai.com/docs/api-reference/chat/create, read 2026-11.
package enum OpenAIEncoder {
  /// Writes the body of a request.
  package static func encode(_ request: ChatRequest, _ facts: CallFacts, _ output: Buffer) {
    var json = JSONWriter(output)
    json.beginObject()
    json.member("model", facts.model)
    json.key("messages")
    json.beginArray()
    for message in request.messages { write(message, &json) }
    json.endArray()
    writeTools(request, &json)
    if facts.isStream {
      json.member("stream", true)
      json.key("stream_options")
      json.beginObject()
      json.member("include_usage", true)
      json.endObject()
    }
    var known = request
    if let effort = request.reasoning?.effort {
      known.reasoning?.effort = ConvertedHints.effort(effort, model: facts.model)
    }
    writeSampling(known, &json)
    writeFormat(request.format, &json)
    json.endObject()
  }

  /// Writes numbers, `stop` and other settings that go by OpenAI's names in many dialects.
  static func writeSampling(_ request: ChatRequest, _ json: inout JSONWriter) {
    if let limit = request.maxTokens { json.member("max_tokens", limit) }
    writeNumbers(request, &json)
    if let reasoning = request.reasoning {
      json.member("reasoning_effort", reasoning.effort.name)
    }
    // OpenAI takes 64 characters, others 128; Claude Code sends more.
    if 1...64 ~= request.user.count { json.member("user", request.user) }
  }

  /// Writes what steers the choice of words, and `stop`.
  static func writeNumbers(_ request: ChatRequest, _ json: inout JSONWriter) {
    writeWordChoice(request, &json)
    json.strings("stop", request.stop)
  }

  /// Writes what steers the choice of words, in the names that many dialects share.
  @inline(never) static func writeWordChoice(_ request: ChatRequest, _ json: inout JSONWriter) {
    json.number("temperature", request.temperature)
    json.number("top_p", request.topP)
    json.number("top_k", request.topK)
    json.number("seed", request.seed)
    json.number("presence_penalty", request.presencePenalty)
    json.number("frequency_penalty", request.frequencyPenalty)
  }

  /// Writes an array of functions in the first form of OpenAI's: name, description, parameters.
  static func writeFunctions(_ tools: [ChatTool], _ json: inout JSONWriter) {
    json.beginArray()
    for tool in tools {
      json.beginObject()
      json.member("name", tool.name)
      // Required.
      json.member("description", tool.description.isEmpty ? tool.name : tool.description)
      json.key("parameters")
      json.raw(tool.parameters.isEmpty ? #"{"type":"object","properties":{}}"# : tool.parameters)
      json.endObject()
    }
    json.endArray()
  }

  /// Writes `tools`, `tool_choice` and `parallel_tool_calls`, which many dialects share.
  static func writeTools(_ request: ChatRequest, _ json: inout JSONWriter) {
    guard !request.tools.isEmpty else { return }
    writeToolList(request, &json)
    writeToolChoice(request.toolChoice, &json)
    if let allows = request.allowsParallelTools { json.member("parallel_tool_calls", allows) }
  }

  /// Writes `tools`; nothing for none.
  static func writeToolList(_ request: ChatRequest, _ json: inout JSONWriter) {
    guard !request.tools.isEmpty else { return }
    json.key("tools")
    json.beginArray()
    for tool in request.tools { write(tool, &json) }
    json.endArray()
  }

  /// Writes a function; `isFlat`: as in the Responses API, without an object of its own.
  static func write(_ tool: ChatTool, isFlat: Bool = false, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("type", "function" as StaticString)
    if !isFlat {
      json.key("function")
      json.beginObject()
    }
    json.member("name", tool.name)
    if !tool.description.isEmpty { json.member("description", tool.description) }
    if !tool.parameters.isEmpty {
      json.key("parameters")
      json.raw(tool.parameters)
    }
    if let isStrict = tool.isStrict { json.member("strict", isStrict) }
    if !isFlat { json.endObject() }
    json.endObject()
  }

  /// Writes `tool_choice` in OpenAI's form.
  static func writeToolChoice(
    _ choice: ChatToolChoice, isFlat: Bool = false, _ json: inout JSONWriter
  ) {
    switch choice {
    case .unspecified: break
    case .auto: json.member("tool_choice", "auto" as StaticString)
    case .none: json.member("tool_choice", "none" as StaticString)
    case .required: json.member("tool_choice", "required" as StaticString)
    case .named(let name):
      json.key("tool_choice")
      json.beginObject()
      json.member("type", "function" as StaticString)
      if !isFlat {
        json.key("function")
        json.beginObject()
      }
      json.member("name", name)
      if !isFlat { json.endObject() }
      json.endObject()
    }
  }

  /// Writes `response_format` in OpenAI's form; nothing when none was asked for.
  static func writeFormat(_ format: ChatFormat, _ json: inout JSONWriter) {
    if case .unspecified = format { return }
    json.key("response_format")
    writeForm(format, isFlat: false, &json)
  }

  /// Writes the form of an answer; `isFlat`: with the schema beside the type.
  static func writeForm(_ format: ChatFormat, isFlat: Bool, _ json: inout JSONWriter) {
    json.beginObject()
    switch format {
    case .unspecified, .text: json.member("type", "text" as StaticString)
    case .jsonObject: json.member("type", "json_object" as StaticString)
    case .jsonSchema(let name, let schema, let isStrict):
      json.member("type", "json_schema" as StaticString)
      if !isFlat {
        json.key("json_schema")
        json.beginObject()
      }
      json.member("name", name)
      json.key("schema")
      json.raw(schema)
      if let isStrict { json.member("strict", isStrict) }
      if !isFlat { json.endObject() }
    }
    json.endObject()
  }

  /// Writes one message in OpenAI's form.
  static func write(_ message: ChatMessage, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("role", word(message.role))
    if message.role == .tool { json.member("tool_call_id", message.toolCallID) }
    json.key("content")
    if message.parts.isEmpty, !message.toolCalls.isEmpty {
      json.null()
    } else if message.hasMedia {
      json.beginArray()
      for part in message.parts { write(part, &json) }
      json.endArray()
    } else {
      json.string(message.resultText)
    }
    writeCalls(message.toolCalls, &json)
    json.endObject()
  }

  /// Writes `tool_calls` in OpenAI's form; nothing for none.
  static func writeCalls(_ calls: [ChatToolCall], _ json: inout JSONWriter) {
    guard !calls.isEmpty else { return }
    json.key("tool_calls")
    json.beginArray()
    for call in calls {
      json.beginObject()
      OpenAIWriter.writeCall(call.id, call.name, call.arguments, call.signature, &json)
    }
    json.endArray()
  }

  private static func write(_ part: ChatPart, _ json: inout JSONWriter) {
    json.beginObject()
    switch part {
    case .text(let text):
      json.member("type", "text" as StaticString)
      json.member("text", text)
    case .image(let media):
      json.member("type", "image_url" as StaticString)
      json.key("image_url")
      json.beginObject()
      json.member("url", media.dataURL)
      if !media.detail.isEmpty { json.member("detail", media.detail) }
      json.endObject()
    case .audio(let media):
      json.member("type", "input_audio" as StaticString)
      json.key("input_audio")
      json.beginObject()
      json.member("data", media.data)
      json.member("format", media.mimeType.split(at: UInt8(ascii: "/"))?.after ?? "wav")
      json.endObject()
    case .file(let media):
      json.member("type", "file" as StaticString)
      json.key("file")
      json.beginObject()
      if !media.name.isEmpty { json.member("filename", media.name) }
      json.member("file_data", media.dataURL)
      json.endObject()
    }
    json.endObject()
  }

  /// OpenAI's word for a role.
  static func word(_ role: ChatMessage.Role) -> StaticString {
    switch role {
    case .system: "system"
    case .user: "user"
    case .assistant: "assistant"
    case .tool: "tool"
    }
  }
}

extension JSONWriter {
  /// Writes a member with a number as the client wrote it; nothing for nil.
  @inline(never)
  package mutating func number(_ key: StaticString, _ lexeme: ByteString?) {
    guard let lexeme else { return }
    self.key(key)
    raw(lexeme)
  }

  /// Writes a member with an array of strings; nothing for none.
  @inline(never)
  package mutating func strings(_ key: StaticString, _ texts: [ByteString]) {
    guard !texts.isEmpty else { return }
    self.key(key)
    beginArray()
    for text in texts { string(text) }
    endArray()
  }
}
