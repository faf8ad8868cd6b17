// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes chat requests in DashScope's native format.
///
/// Source: https://help.aliyun.com/zh/model-studio/qwen-api-via-dashscope, read 2026-11.
enum DashScopeEncoder {
  private static let aigc: StaticString = "/api/v1/services/aigc/"

  /// Writes the body of a request.
  static func encode(
    _ request: ChatRequest, _ facts: CallFacts, _ output: Buffer
  ) throws(ChatProblem) {
    if request.toolChoice == .required {
      throw .inexpressible("tool_choice required", for: "Aliyun DashScope")
    }
    let isMultimodal =
      takesMedia(facts.model) || request.messages.contains(where: { $0.hasMedia })
    var json = JSONWriter(output)
    json.beginObject()
    json.member("model", facts.model)
    json.key("input")
    json.beginObject()
    json.key("messages")
    json.beginArray()
    for message in request.messages { try write(message, isMultimodal: isMultimodal, &json) }
    json.endArray()
    json.endObject()
    json.key("parameters")
    writeParameters(request, facts, &json)
    json.endObject()
  }

  /// Path and header lines.
  ///
  /// Which endpoint it is shows in the body, where the first message's content is an array for the
  /// multimodal one: the decision is made once, in `encode`.
  static func head(_ facts: CallFacts) -> CallHead {
    var service: ByteString = "text-generation/generation"
    if let body = facts.body, hasParts(body.readable) {
      service = "multimodal-generation/generation"
    }
    var fields = CallHead.field("Authorization", "Bearer " + facts.key)
    if facts.isStream {
      fields =
        fields + CallHead.field("Accept", "text/event-stream")
        + CallHead.field("X-DashScope-SSE", "enable")
    }
    let workspace = facts.setting("workspace")
    if !workspace.isEmpty {
      fields = fields + CallHead.field("X-DashScope-WorkSpace", workspace)
    }
    return CallHead(path: facts.path(ByteString(aigc) + service), fields: fields)
  }

  private static func hasParts(_ body: UnsafeRawBufferPointer) -> Bool {
    let body = body.bindMemory(to: UInt8.self).span
    let content: StaticString = #""content":"#
    guard let messages = body.firstIndex(of: #""messages":["#),
      let index = body.firstIndex(of: content, from: messages)
    else { return false }
    let value = index + content.utf8CodeUnitCount
    return value < body.count && body[value] == UInt8(ascii: "[")
  }

  /// Whether a model is behind the multimodal endpoint, also for texts.
  private static func takesMedia(_ model: ByteString) -> Bool {
    let name = model.lowercased
    if name.starts(with: "qvq") { return true }
    let words: [StaticString] = ["-vl", "-audio", "-omni", "-ocr"]
    if words.contains(where: { name.bytes.span.firstIndex(of: $0) != nil }) { return true }
    // From 3.5 on, all but the largest see.
    return name.starts(with: "qwen3.") && name.count > 6
      && name[6] >= UInt8(ascii: "5") && name[6] <= UInt8(ascii: "9")
      && name.bytes.span.firstIndex(of: "-max") == nil
  }

  private static func write(
    _ message: ChatMessage, isMultimodal: Bool, _ json: inout JSONWriter
  ) throws(ChatProblem) {
    json.beginObject()
    json.member("role", OpenAIEncoder.word(message.role))
    json.key("content")
    if isMultimodal {
      json.beginArray()
      for part in message.parts { try write(part, &json) }
      json.endArray()
    } else {
      json.string(message.resultText)
    }
    if message.role == .tool { json.member("tool_call_id", message.toolCallID) }
    OpenAIEncoder.writeCalls(message.toolCalls, &json)
    json.endObject()
  }

  private static func write(_ part: ChatPart, _ json: inout JSONWriter) throws(ChatProblem) {
    json.beginObject()
    switch part {
    case .text(let text): json.member("text", text)
    case .image(let media): json.member("image", media.dataURL)
    case .audio(let media): json.member("audio", media.dataURL)
    case .file: throw .inexpressible("file", for: "Aliyun DashScope")
    }
    json.endObject()
  }

  private static func writeParameters(
    _ request: ChatRequest, _ facts: CallFacts, _ json: inout JSONWriter
  ) {
    json.beginObject()
    json.member("result_format", "message" as StaticString)
    if facts.isStream {
      json.member("incremental_output", !DashScopeDecoder.isCumulative(facts))
    }
    json.number("temperature", below(request.temperature, 2, "1.9999"))
    json.number("top_p", below(request.topP, 1, "0.9999"))
    json.number("top_k", request.topK)
    json.number("seed", request.seed)
    json.number("presence_penalty", request.presencePenalty)
    if let limit = request.maxTokens { json.member("max_tokens", limit) }
    json.strings("stop", request.stop)
    OpenAIEncoder.writeTools(request, &json)
    OpenAIEncoder.writeFormat(request.format, &json)
    writeThinking(request, facts, &json)
    json.endObject()
  }

  private static func writeThinking(
    _ request: ChatRequest, _ facts: CallFacts, _ json: inout JSONWriter
  ) {
    guard let reasoning = request.reasoning else {
      // Open models think unless told otherwise, and then refuse answers that are no streams.
      if !facts.isStream, isOpenHybrid(facts.model) { json.member("enable_thinking", false) }
      return
    }
    json.member("enable_thinking", reasoning.effort != .none)
    let budget: Int64? =
      switch reasoning.effort {
      case .none, .xhigh: nil
      case .minimal: 512
      case .low: 1024
      case .medium: 4096
      case .high: 16384
      }
    if reasoning.effort != .none, let budget = reasoning.budgetTokens ?? budget {
      json.member("thinking_budget", budget)
    }
  }

  /// Such as `qwen3-8b` and `qwen3-30b-a3b`; those with `thinking` or `instruct` in their names are
  /// not hybrid.
  private static func isOpenHybrid(_ model: ByteString) -> Bool {
    let name = model.lowercased
    guard name.starts(with: "qwen3-"), name.count > 6, ASCII.isDigit(name[6]) else { return false }
    let span = name.bytes.span
    return span.firstIndex(of: "thinking") == nil && span.firstIndex(of: "instruct") == nil
  }

  /// The number, or `replacement` when it is not below `bound`.
  private static func below(
    _ lexeme: ByteString?, _ bound: Int64, _ replacement: ByteString
  ) -> ByteString? {
    guard let lexeme else { return nil }
    let value = lexeme.withBytes { JSONNumber.fixedPoint($0, decimals: 6) }
    return value ?? 0 >= bound * 1_000_000 ? replacement : lexeme
  }
}
