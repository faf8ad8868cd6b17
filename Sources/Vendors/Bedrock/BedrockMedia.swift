// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Texts, pictures and documents as Converse's blocks of content.
enum BedrockMedia {
  private static let documents = "pdf csv doc docx xls xlsx html txt md" as ByteString

  /// Writes a part; nothing for an empty text, which is refused there.
  static func write(_ part: ChatPart, _ json: inout JSONWriter) throws(ChatProblem) {
    switch part {
    case .text(let text):
      if !text.isEmpty { BedrockEncoder.writeText(text, &json) }
    case .image(let media):
      let format = subtype(media.mimeType)
      write("image", format: format == "jpg" ? "jpeg" : format, nil, media.data, &json)
    case .file(let media):
      let format = format(media)
      guard !media.data.isEmpty, documents.list(separatedBy: 0x20).contains(format) else {
        throw ChatProblem.inexpressible("file", for: "AWS Bedrock")
      }
      write("document", format: format, name(media.name), media.data, &json)
    case .audio: throw ChatProblem.inexpressible("input_audio", for: "AWS Bedrock")
    }
  }

  private static func write(
    _ kind: StaticString, format: ByteString, _ name: ByteString?, _ data: ByteString,
    _ json: inout JSONWriter
  ) {
    BedrockEncoder.begin(kind, &json)
    json.member("format", format)
    if let name { json.member("name", name) }
    json.key("source")
    json.beginObject()
    json.member("bytes", data)
    json.endObject()
    BedrockEncoder.end(&json)
  }

  private static func subtype(_ mimeType: ByteString) -> ByteString {
    (mimeType.split(at: UInt8(ascii: "/"))?.after ?? mimeType).lowercased
  }

  /// A document's format by its name's ending, else by its type.
  private static func format(_ media: ChatMedia) -> ByteString {
    if let dot = media.name.bytes.lastIndex(of: UInt8(ascii: ".")) {
      return ByteString(Array(media.name.bytes[(dot + 1)...])).lowercased
    }
    let subtype = subtype(media.mimeType)
    if subtype == "plain" { return "txt" }
    return subtype == "markdown" ? "md" : subtype
  }

  /// A name of the characters that are allowed there, without the ending.
  private static func name(_ name: ByteString) -> ByteString {
    let stem = name.bytes.prefix { $0 != UInt8(ascii: ".") }
    let kept = stem.map { byte in
      ASCII.isLetter(byte) || ASCII.isDigit(byte) ? byte : UInt8(ascii: "-")
    }
    return kept.isEmpty ? "document" : ByteString(kept)
  }
}

/// How long one of Anthropic's models may think before it answers.
struct BedrockThinking {
  let isClaude: Bool
  /// Nil when it is not to think.
  private(set) var budgetTokens: Int64?
  /// The answer's limit, which includes the thoughts; nil for the request's own.
  private(set) var maxTokens: Int64?

  private static let leastBudget: Int64 = 1024
  /// Room for the answer where the client sets no limit.
  private static let answerTokens: Int64 = 4096

  init(_ request: ChatRequest, model: ByteString) {
    isClaude = model.bytes.span.firstIndex(of: "anthropic.") != nil
    guard isClaude, let reasoning = request.reasoning, reasoning.effort != .none,
      request.allowsThinking
    else { return }
    let wanted: Int64 =
      switch reasoning.effort {
      case .none, .minimal, .low: 1024
      case .medium: 4096
      case .high: 16_384
      case .xhigh: 32_768
      }
    var budget = max(reasoning.budgetTokens ?? wanted, BedrockThinking.leastBudget)
    if let limit = request.maxTokens {
      // The budget must be smaller than the limit; too small a limit leaves no room to think.
      guard limit > BedrockThinking.leastBudget else { return }
      budget = min(budget, limit - 1)
    } else {
      maxTokens = budget + BedrockThinking.answerTokens
    }
    budgetTokens = budget
  }
}
