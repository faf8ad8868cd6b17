// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes chat requests for iFlytek Spark's WebSocket: one text message each.
///
/// Source: https://www.xfyun.cn/doc/spark/Web.html, read 2026-11.
enum SparkEncoder {
  /// Longest `uid`; longer ones are replaced by a digest.
  private static let userByteCount = 32

  static func head(_ facts: CallFacts) throws(ChatProblem) -> CallHead {
    // A base URL with a path is the owner's word for models that are not in the table.
    guard !facts.basePath.isEmpty || SparkModel.find(facts.model) != nil else {
      throw ChatProblem.inexpressible("model", for: "iFlytek Spark")
    }
    let path = SparkModel.find(facts.model).map { ByteString($0.path) } ?? .empty
    let signature = SparkSignature(
      host: facts.authority, path: facts.basePath.isEmpty ? path : facts.basePath,
      key: try key(facts), at: facts.now)
    var head = CallHead(path: signature.target)
    head.isGet = true
    head.isWebSocket = true
    return head
  }

  static func encode(
    _ request: ChatRequest, _ facts: CallFacts, _ output: Buffer
  ) throws(ChatProblem) {
    let key = try key(facts)
    let model = SparkModel.find(facts.model)
    let isFull = model?.isFull ?? true
    switch request.toolChoice {
    case .required, .named: throw ChatProblem.inexpressible("tool_choice", for: "iFlytek Spark")
    case .unspecified, .auto, .none: break
    }
    let tools = request.toolChoice == .none ? [] : request.tools
    guard tools.isEmpty || isFull else {
      throw ChatProblem.inexpressible("tools", for: "iFlytek Spark")
    }
    var json = JSONWriter(output)
    json.beginObject()
    writeHeader(request, key, &json)
    writeParameters(request, facts, model, &json)
    json.key("payload")
    json.beginObject()
    json.key("message")
    json.beginObject()
    json.key("text")
    json.beginArray()
    writeMessages(request, isFull, &json)
    json.endArray()
    json.endObject()
    writeFunctions(tools, &json)
    json.endObject()
    json.endObject()
  }

  private static func key(_ facts: CallFacts) throws(ChatProblem) -> SparkSignature.Key {
    do throws(SigningError) {
      return try SparkSignature.Key(facts.key)
    } catch {
      throw error.problem
    }
  }

  private static func writeHeader(
    _ request: ChatRequest, _ key: SparkSignature.Key, _ json: inout JSONWriter
  ) {
    json.key("header")
    json.beginObject()
    json.member("app_id", key.appID)
    if request.user.count > userByteCount {
      json.member("uid", ByteString(Array(Digest.sha256(request.user).hex.bytes[..<userByteCount])))
    } else if !request.user.isEmpty {
      json.member("uid", request.user)
    }
    json.endObject()
  }

  private static func writeParameters(
    _ request: ChatRequest, _ facts: CallFacts, _ model: SparkModel?, _ json: inout JSONWriter
  ) {
    json.key("parameter")
    json.beginObject()
    json.key("chat")
    json.beginObject()
    json.member("domain", model.map { ByteString($0.domain) } ?? facts.model)
    json.number("temperature", DialectText.upToOne(request.temperature, least: "0.01"))
    json.number("top_k", request.topK.map { topK($0) })
    if let limit = request.maxTokens {
      json.member("max_tokens", min(limit, model?.maxTokens ?? limit))
    }
    json.endObject()
    json.endObject()
  }

  /// 1 to 6 are taken.
  private static func topK(_ lexeme: ByteString) -> ByteString {
    let value = lexeme.withBytes { JSONNumber.int64($0) } ?? 4
    return ByteString(number: min(max(value, 1), 6))
  }

  /// Writes turns of the user and the assistant in turn; neighbours of one role are joined.
  ///
  /// The protocol has no calls and results of tools: both become text.
  private static func writeMessages(
    _ request: ChatRequest, _ isFull: Bool, _ json: inout JSONWriter
  ) {
    var system = request.systemText
    if isFull, !system.isEmpty {
      write("system", system, &json)
      system = .empty
    }
    var role: StaticString = "user"
    // Models without a system's role read its text before the first question.
    var pending = system
    for message in request.messages where message.role != .system {
      let next: StaticString = message.role == .assistant ? "assistant" : "user"
      let text = folded(message)
      if ByteString(next) != ByteString(role) {
        if !pending.isEmpty { write(role, pending, &json) }
        role = next
        pending = text
      } else {
        pending.append(text, behind: "\n")
      }
    }
    if !pending.isEmpty { write(role, pending, &json) }
  }

  private static func folded(_ message: ChatMessage) -> ByteString {
    if message.role == .tool {
      let name = message.toolName.isEmpty ? "the function" : message.toolName
      return "Result of " + name + ": " + message.resultText
    }
    var text = message.text
    for call in message.toolCalls {
      text.append("Call of " + call.name + " with " + call.arguments, behind: "\n")
    }
    return text
  }

  private static func write(
    _ role: StaticString, _ text: ByteString, _ json: inout JSONWriter
  ) {
    json.beginObject()
    json.member("role", role)
    json.member("content", text)
    json.endObject()
  }

  private static func writeFunctions(_ tools: [ChatTool], _ json: inout JSONWriter) {
    guard !tools.isEmpty else { return }
    json.key("functions")
    json.beginObject()
    json.key("text")
    OpenAIEncoder.writeFunctions(tools, &json)
    json.endObject()
  }
}
