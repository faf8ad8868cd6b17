// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes one chat request for Google's `generateContent`.
///
/// Source: https://ai.google.dev/api/generate-content, read 2026-11.
struct GeminiEncoder {
  /// Stands for a signature that the client did not give back.
  static let lostSignature: StaticString = "skip_thought_signature_validator"

  let request: ChatRequest
  let model: GeminiModel
  private let safetyThreshold: ByteString

  init(_ request: ChatRequest, _ facts: CallFacts) {
    self.request = request
    model = GeminiModel(facts.model)
    safetyThreshold = facts.config["safety_threshold"] ?? .empty
  }

  /// Writes the body.
  func encode(_ output: Buffer) {
    var json = JSONWriter(output)
    json.beginObject()
    let system = request.systemText
    if !system.isBlank {
      json.key("systemInstruction")
      json.beginObject()
      json.key("parts")
      json.beginArray()
      GeminiEncoder.writeText(system, &json)
      json.endArray()
      json.endObject()
    }
    json.key("contents")
    json.beginArray()
    writeContents(&json)
    json.endArray()
    writeTools(&json)
    writeConfig(&json)
    writeSafety(&json)
    json.endObject()
  }

  static func writeText(_ text: ByteString, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("text", text)
    json.endObject()
  }

  private func writeSafety(_ json: inout JSONWriter) {
    guard !safetyThreshold.isEmpty else { return }
    json.key("safetySettings")
    json.beginArray()
    let categories: [StaticString] = [
      "HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY",
    ]
    for category in categories {
      json.beginObject()
      json.member("category", "HARM_CATEGORY_" + ByteString(category))
      json.member("threshold", safetyThreshold)
      json.endObject()
    }
    json.endArray()
  }

  // Tools.

  private func writeTools(_ json: inout JSONWriter) {
    guard !request.tools.isEmpty else { return }
    json.key("tools")
    json.beginArray()
    json.beginObject()
    json.key("functionDeclarations")
    json.beginArray()
    for tool in request.tools {
      json.beginObject()
      json.member("name", tool.name)
      if !tool.description.isEmpty { json.member("description", tool.description) }
      GeminiSchema.write(
        tool.parameters, plain: "parameters", full: "parametersJsonSchema", &json)
      json.endObject()
    }
    json.endArray()
    json.endObject()
    json.endArray()
    writeToolChoice(&json)
  }

  private func writeToolChoice(_ json: inout JSONWriter) {
    var mode: StaticString = "AUTO"
    var names: [ByteString] = []
    switch request.toolChoice {
    case .unspecified: return
    case .auto: break
    case .none: mode = "NONE"
    case .required: mode = "ANY"
    case .named(let name): (mode, names) = ("ANY", [name])
    }
    json.key("toolConfig")
    json.beginObject()
    json.key("functionCallingConfig")
    json.beginObject()
    json.member("mode", mode)
    json.strings("allowedFunctionNames", names)
    json.endObject()
    json.endObject()
  }

  // Settings.

  private func writeConfig(_ json: inout JSONWriter) {
    let config = Buffer()
    var inner = JSONWriter(config)
    inner.beginObject()
    inner.number("temperature", request.temperature?.limited("0", "2"))
    inner.number("topP", request.topP)
    inner.number("topK", request.topK)
    inner.number("seed", request.seed)
    inner.number("presencePenalty", request.presencePenalty)
    inner.number("frequencyPenalty", request.frequencyPenalty)
    if let limit = request.maxTokens { inner.member("maxOutputTokens", limit) }
    inner.strings("stopSequences", request.stop.filter { !$0.isEmpty })
    switch request.format {
    case .unspecified, .text: break
    case .jsonObject: inner.member("responseMimeType", "application/json" as StaticString)
    case .jsonSchema(_, let schema, _):
      inner.member("responseMimeType", "application/json" as StaticString)
      GeminiSchema.write(
        schema, plain: "responseSchema", full: "responseJsonSchema", &inner)
    }
    writeThinking(&inner)
    inner.endObject()
    guard config.count > 2 else { return }
    json.key("generationConfig")
    json.raw(config.readable)
  }

  /// Models before 2.5 do not think.
  private func writeThinking(_ json: inout JSONWriter) {
    guard let reasoning = request.reasoning, model.generation >= 25 else { return }
    json.key("thinkingConfig")
    json.beginObject()
    if model.generation >= 30 {
      json.member("thinkingLevel", level(reasoning.effort))
    } else {
      json.member("thinkingBudget", budget(reasoning))
    }
    if reasoning.showsThoughts, reasoning.effort != .none { json.member("includeThoughts", true) }
    json.endObject()
  }

  private func level(_ effort: ChatReasoning.Effort) -> StaticString {
    switch effort {
    case .none, .minimal: model.isPro ? "low" : "minimal"
    case .low: "low"
    case .medium: "medium"
    case .high, .xhigh: "high"
    }
  }

  private func budget(_ reasoning: ChatReasoning) -> Int64 {
    // The larger model cannot be kept from thinking.
    let least: Int64 = model.isPro ? 128 : 0
    if reasoning.effort == .none { return least }
    if let given = reasoning.budgetTokens { return min(max(given, least), 24_576) }
    switch reasoning.effort {
    case .none, .minimal, .low: return 1024
    case .medium: return 8192
    case .high, .xhigh: return 24_576
    }
  }
}
