// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes chat requests for Tencent Hunyuan's own API.
///
/// Source: https://cloud.tencent.com/document/product/1729/105701, read 2026-11.
enum HunyuanEncoder {
  static func head(_ facts: CallFacts) throws(ChatProblem) -> CallHead {
    let key: TencentSignature.Key
    do throws(SigningError) {
      key = try TencentSignature.Key(facts.key)
    } catch {
      throw error.problem
    }
    let signature = TencentSignature(
      action: "ChatCompletions", host: facts.authority,
      bodyDigest: facts.body.map { Digest.sha256($0.readable) } ?? Digest.sha256(""), key: key,
      at: facts.now)
    let fields = Buffer()
    fields.append("X-TC-Version: 2023-09-01\r\n")
    if let region = facts.config["region"], !region.isEmpty {
      fields.append(CallHead.field("X-TC-Region", region))
    }
    signature.appendHeaders(to: fields)
    return CallHead(path: facts.basePath + "/", fields: fields.byteString)
  }

  static func encode(_ request: ChatRequest, _ facts: CallFacts, _ output: Buffer) {
    var json = JSONWriter(output)
    json.beginObject()
    json.member("Model", facts.model)
    json.key("Messages")
    json.beginArray()
    for message in request.messages { write(message, &json) }
    json.endArray()
    json.number("TopP", request.topP)
    json.number("Temperature", request.temperature)
    json.number("Seed", request.seed)
    json.strings("Stop", request.stop)
    json.member("Stream", facts.isStream)
    writeTools(request, &json)
    json.endObject()
  }

  private static func write(_ message: ChatMessage, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("Role", OpenAIEncoder.word(message.role))
    if message.role == .tool { json.member("ToolCallId", message.toolCallID) }
    if message.hasMedia {
      json.key("Contents")
      json.beginArray()
      for part in message.parts { write(part, &json) }
      json.endArray()
    } else {
      json.member("Content", message.resultText)
    }
    if !message.toolCalls.isEmpty {
      json.key("ToolCalls")
      json.beginArray()
      for call in message.toolCalls {
        json.beginObject()
        json.member("Id", call.id)
        json.member("Type", "function" as StaticString)
        json.key("Function")
        json.beginObject()
        json.member("Name", call.name)
        json.member("Arguments", call.arguments)
        json.endObject()
        json.endObject()
      }
      json.endArray()
    }
    json.endObject()
  }

  private static func write(_ part: ChatPart, _ json: inout JSONWriter) {
    json.beginObject()
    switch part {
    case .text(let text):
      json.member("Type", "text" as StaticString)
      json.member("Text", text)
    case .image(let media), .audio(let media), .file(let media):
      // Only pictures come here: the dialect expresses nothing else.
      json.member("Type", "image_url" as StaticString)
      json.key("ImageUrl")
      json.beginObject()
      json.member("Url", media.dataURL)
      json.endObject()
    }
    json.endObject()
  }

  private static func writeTools(_ request: ChatRequest, _ json: inout JSONWriter) {
    guard !request.tools.isEmpty else { return }
    json.key("Tools")
    json.beginArray()
    for tool in request.tools { write(tool, &json) }
    json.endArray()
    switch request.toolChoice {
    case .unspecified: break
    case .none: json.member("ToolChoice", "none" as StaticString)
    // There is no "any of them": `custom` wants a name.
    case .auto, .required: json.member("ToolChoice", "auto" as StaticString)
    case .named(let name):
      json.member("ToolChoice", "custom" as StaticString)
      json.key("CustomTool")
      for tool in request.tools where tool.name == name { return write(tool, &json) }
      write(ChatTool(name: name), &json)
    }
  }

  private static func write(_ tool: ChatTool, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("Type", "function" as StaticString)
    json.key("Function")
    json.beginObject()
    json.member("Name", tool.name)
    if !tool.description.isEmpty { json.member("Description", tool.description) }
    json.member(
      "Parameters",
      tool.parameters.isEmpty
        ? #"{"type":"object","properties":{}}"# : DialectText.compact(tool.parameters))
    json.endObject()
    json.endObject()
  }
}
