// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads requests of `generateContent` into the hub model.
///
/// Names may be written in either of Google's ways, `topK` or `top_k`.
/// Source: https://ai.google.dev/api/generate-content, read 2026-11.
package enum GeminiReader {
  /// What the answer does not depend on, or only Google's own filters.
  private static let hints: [StaticString] = [
    "model", "safetySettings", "labels", "mediaResolution", "serviceTier", "store",
  ]

  /// Reads the body of a request; model and stream are in its path.
  package static func read(_ root: JSONValue) throws(ChatProblem) -> ChatRequest {
    var request = ChatRequest()
    guard let contents = find("contents", root), contents.kind == .array, contents.count > 0 else {
      throw ChatProblem("The field contents must be an array with a turn.", field: "contents")
    }
    request.includesUsage = true
    if let system = find("systemInstruction", root), !system.isNull {
      let text = find("parts", system).map { texts(of: $0) } ?? system.string ?? .empty
      if !text.isEmpty {
        request.messages.append(ChatMessage(.system, text: text))
        request.fields.insert(.system)
      }
    }
    var turns = GeminiTurns()
    for content in contents.elements { try turns.read(content) }
    request.messages += turns.messages
    request.fields.formUnion(turns.fields)
    request.unknownField = turns.unknownPart
    for (key, value) in root.members where !value.isNull {
      let key = camel(key)
      if key == "contents" || key == "systemInstruction" { continue }
      if key == "tools" {
        try readTools(value, into: &request)
      } else if key == "toolConfig" {
        try readToolConfig(value, into: &request)
      } else if key == "generationConfig" {
        try readConfig(value, into: &request)
      } else if !hints.contains(where: { key == $0 }) {
        noteUnknown(key, &request)
      }
    }
    return request
  }

  private static func noteUnknown(_ key: ByteString, _ request: inout ChatRequest) {
    if request.unknownField.isEmpty { request.unknownField = key }
    request.fields.insert(.other)
  }

  /// The member of that name, in either way of writing.
  @inline(never)
  static func find(_ name: StaticString, _ value: JSONValue) -> JSONValue? {
    if let found = value.member(name) { return found }
    for (key, inner) in value.members where camel(key) == name { return inner }
    return nil
  }

  /// `top_k` as `topK`.
  static func camel(_ name: ByteString) -> ByteString {
    guard name.bytes.contains(UInt8(ascii: "_")) else { return name }
    var bytes: [UInt8] = []
    var isStart = false
    for byte in name.bytes {
      if byte == UInt8(ascii: "_") {
        isStart = true
      } else {
        bytes.append(isStart && byte &- 0x61 < 26 ? byte & 0xDF : byte)
        isStart = false
      }
    }
    return ByteString(bytes)
  }

  static func texts(of parts: JSONValue) -> ByteString {
    // One part may stand without its array.
    if let text = parts.member("text")?.string { return text }
    var joined = ByteString.empty
    for part in parts.elements { joined.append(part.member("text")?.string ?? .empty) }
    return joined
  }

  // Tools.

  private static func readTools(
    _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) {
    for entry in value.elements {
      for (key, declarations) in entry.members where !declarations.isNull {
        guard camel(key) == "functionDeclarations" else {
          request.fields.insert(.builtInTools)
          continue
        }
        for declaration in declarations.elements {
          guard let name = declaration.member("name")?.string, !name.isEmpty else {
            throw ChatProblem("Each of functionDeclarations needs a name.", field: "tools")
          }
          var tool = ChatTool(name: name)
          tool.description = declaration.member("description")?.string ?? .empty
          if let schema = find("parametersJsonSchema", declaration), schema.kind == .object {
            tool.parameters = schema.lexeme
          } else if let schema = declaration.member("parameters"), schema.kind == .object {
            tool.parameters = GeminiSchema.standard(schema)
          }
          request.tools.append(tool)
          request.fields.insert(.tools)
        }
      }
    }
  }

  private static func readToolConfig(
    _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) {
    guard let config = find("functionCallingConfig", value) else { return }
    let mode = config.member("mode")?.string ?? "AUTO"
    let names = find("allowedFunctionNames", config)?.elements.compactMap { $0.string } ?? []
    if mode == "AUTO" || mode == "MODE_UNSPECIFIED" || mode == "VALIDATED" {
      request.toolChoice = .auto
      return
    }
    guard mode == "ANY" || mode == "NONE" else {
      throw ChatProblem(
        "The field functionCallingConfig.mode must be AUTO, ANY, NONE or VALIDATED.",
        field: "toolConfig")
    }
    if mode == "NONE" {
      request.toolChoice = .none
    } else if names.count == 1 {
      request.toolChoice = .named(names[0])
    } else {
      request.toolChoice = .required
      if !names.isEmpty { request.tools.removeAll { !names.contains($0.name) } }
    }
    request.fields.insert(.toolChoice)
  }

  // Settings.

  private static func readConfig(
    _ config: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) {
    for (name, value) in config.members where !value.isNull {
      let key = camel(name)
      if try readNumber(key, value, into: &request) { continue }
      switch key {
      case _ where key == "stopSequences":
        request.stop = value.elements.compactMap { $0.string }
        request.fields.insert(.stop)
      case _ where key == "responseMimeType":
        guard let type = value.string, !(type == "text/plain") else { continue }
        guard type == "application/json" else {
          noteUnknown(key, &request)
          continue
        }
        if case .jsonSchema = request.format { continue }
        request.format = .jsonObject
        request.fields.insert(.jsonObject)
      case _ where key == "responseSchema", _ where key == "responseJsonSchema":
        let isFull = key == "responseJsonSchema"
        request.format = .jsonSchema(
          name: "answer", schema: isFull ? value.lexeme : GeminiSchema.standard(value),
          isStrict: nil)
        request.fields.insert(.jsonSchema)
        request.fields.remove(.jsonObject)
      case _ where key == "thinkingConfig": readThinking(value, into: &request)
      case _ where key == "responseModalities":
        if value.elements.contains(where: { $0.string.map { !($0 == "TEXT") } ?? true }) {
          request.fields.insert(.audioOutput)
        }
      case _ where key == "responseLogprobs":
        if value.bool != false { request.fields.insert(.logprobs) }
      case _ where key == "logprobs": request.fields.insert(.logprobs)
      case _ where hints.contains { key == $0 }: break
      default: noteUnknown(key, &request)
      }
    }
  }

  /// Reads a setting that is a number; false for another one.
  private static func readNumber(
    _ key: ByteString, _ value: JSONValue, into request: inout ChatRequest
  ) throws(ChatProblem) -> Bool {
    let fields: [(name: StaticString, field: ChatFields)] = [
      ("temperature", .temperature), ("topP", .topP), ("topK", .topK), ("seed", .seed),
      ("presencePenalty", .presencePenalty), ("frequencyPenalty", .frequencyPenalty),
      ("maxOutputTokens", .maxTokens), ("candidateCount", .count),
    ]
    guard let (_, field) = fields.first(where: { key == $0.name }) else { return false }
    guard value.kind == .number else {
      throw ChatProblem("The field " + key + " must be a number.", field: key)
    }
    let lexeme = value.lexeme
    switch field {
    case .temperature: request.temperature = lexeme
    case .topP: request.topP = lexeme
    // Google's own SDKs write 40.0.
    case .topK: request.topK = lexeme.split(at: UInt8(ascii: "."))?.before ?? lexeme
    case .seed: request.seed = lexeme
    case .presencePenalty: request.presencePenalty = lexeme
    case .frequencyPenalty: request.frequencyPenalty = lexeme
    case .count: if lexeme == "1" { return true }
    default:
      guard let limit = value.int64, limit > 0 else {
        throw ChatProblem("The field maxOutputTokens must be above 0.", field: key)
      }
      request.maxTokens = limit
    }
    request.fields.insert(field)
    return true
  }

  /// A budget of -1 leaves it to the model.
  private static func readThinking(_ value: JSONValue, into request: inout ChatRequest) {
    var reasoning: ChatReasoning?
    if let word = find("thinkingLevel", value)?.string,
      let effort = ChatReasoning.Effort(named: word.lowercased)
    {
      reasoning = ChatReasoning(effort)
    } else if let budget = find("thinkingBudget", value)?.int64, budget >= 0 {
      let effort: ChatReasoning.Effort =
        budget == 0 ? .none : budget <= 1024 ? .low : budget <= 8192 ? .medium : .high
      reasoning = ChatReasoning(effort, budgetTokens: budget == 0 ? nil : budget)
    }
    guard var reasoning else { return }
    reasoning.showsThoughts = find("includeThoughts", value)?.bool ?? false
    request.reasoning = reasoning
    request.fields.insert(.reasoning)
  }
}
